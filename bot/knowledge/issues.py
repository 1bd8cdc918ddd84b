"""Issues and pull requests in the index: which ones say the same, which one a pull request fixes, which wait
for which. Advice for people: a score says who is before whom, not whether two are duplicates.

Words carry the most (identifiers in parts, the title three times); where a host has a model for it, closeness
in meaning counts as much.
"""

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from bot.core.knowledge import Edge, Found, GraphNode, IssueKind, KnownIssue
from bot.core.mentions import Mention, in_branch, mentions, without_comments
from bot.knowledge.parsing.tokens import indexed, tokens
from bot.knowledge.search.explanations import of_words, spoken
from bot.knowledge.search.query import query_terms
from bot.knowledge.search.ranking import rarest
from bot.knowledge.storage import IndexStore
from bot.knowledge.storage.types import Hit

TITLE_TIMES = 3
MOST_BODY = 20_000
"""Characters of a text that count: what follows is a log."""
FEWEST_WORDS = 6
MOST_TERMS = 48
"""The rarest."""
_LOOKED_AT = 100
OPEN = 0.4
"""What an issue that is still open counts on top: one that is reported again, or fixed now, mostly is. The
largest single step on duplicates and pull requests of three repositories."""
SAID, IN_BRANCH, MENTIONED, ALIKE = 1.0, 0.95, 0.85, 0.7
"""What speaks for an issue being what a pull request fixes: its own words, its branch's name, a mere mention,
and at most this much for being about the same."""

Near = Callable[[str, str], Mapping[int, float]]
"""(title, body) -> issue -> how close it is in meaning (cosine); empty where no host has a model for it."""


def nothing_near(_title: str, _body: str) -> Mapping[int, float]:
    """For those without such a host."""
    return {}


def document(title: str, body: str) -> str:
    """The tokens of an issue, for the index to take in: what template comments hide is not in it."""
    return indexed("\n".join([*[title] * TITLE_TIMES, shown(body)]))


def averaged(whole: Iterable[Hit], titles: Iterable[Hit]) -> dict[int, float]:
    """How close issues are by title and body and by title alone, both counted alike; what is in one list only
    is as far as the last of the other."""
    lists = [{hit.id: hit.score for hit in hits} for hits in (whole, titles)]
    lists = [each for each in lists if each]
    ids = {number for each in lists for number in each}
    last = [min(each.values()) for each in lists]
    return {
        number: sum(each.get(number, low) for each, low in zip(lists, last, strict=True)) / len(lists)
        for number in ids
    }


def fused(words: Mapping[int, float], near: Mapping[int, float]) -> dict[int, float]:
    """Half and half, each from 0 to 1; words alone where nothing is known of meaning."""
    best = max(words.values(), default=0.0) or 1.0
    if not near:
        return {number: score / best for number, score in words.items()}
    low, high = min(near.values()), max(near.values())
    span = (high - low) or 1.0
    return {
        number: 0.5 * words.get(number, 0.0) / best + 0.5 * (near.get(number, low) - low) / span
        for number in {*words, *near}
    }


def standing(scores: Mapping[int, float], still_open: Collection[int]) -> dict[int, float]:
    """From 0 to 1, what is still open before what is as alike and closed."""
    return {n: (score + OPEN * (n in still_open)) / (1 + OPEN) for n, score in scores.items()}


class RepositoryIssues:
    """One repository's. `full_name` tells its own references from those to others."""

    def __init__(self, index_store: IndexStore, full_name: str = "", near: Near = nothing_near) -> None:
        self.index_store, self.full_name, self.near = index_store, full_name, near

    def store(
        self, issues: Iterable[KnownIssue], blocked_by: Mapping[int, Collection[int | str]] | None = None
    ) -> None:
        """Puts issues and pull requests into the index with what their texts say of others. `blocked_by` is
        what GitHub's own issue dependencies tell: number -> numbers, or `owner/name#12`."""
        with self.index_store.writing():
            for issue in issues:
                self.index_store.put_issues([(issue, document(issue.title, issue.body))])
                told = (blocked_by or {}).get(issue.number, ())
                self.index_store.put_edges(f"issue {issue.number}", self._edges(issue, told))

    def drop(self, numbers: Collection[int]) -> None:
        """Deletes issues with what their texts said."""
        with self.index_store.writing():
            self.index_store.drop_issues(numbers)
            for number in numbers:
                self.index_store.put_edges(f"issue {number}", ())

    def duplicates(
        self, title: str, body: str, k: int = 5, *, but: int = 0, kind: IssueKind = "issue"
    ) -> list[Found]:
        """The issues (or pull requests), open or closed, that most likely say the same, best first; `but` is
        its own number."""
        return self._alike(title, body, k, but, (kind,))

    def related(self, title: str, body: str, k: int = 10, *, but: int = 0) -> list[Found]:
        """Issues and pull requests about the same things, those first that it names or that name it."""
        named = {one.issue: one.relation for one in mentions(f"{title}\n\n{body}", self.full_name)}
        naming = self.index_store.edges(target=_node(but)) if but else []
        named |= {edge.source.name: "mentions" for edge in naming if edge.source.name not in named}
        linked = [(int(name), 1.0, f"linked: {said}") for name, said in named.items() if name.isdigit()]
        return self._found(linked, self._alike(title, body, k, but, ("issue", "pull_request")), k, but)

    def fixed_by(
        self,
        title: str,
        body: str,
        *,
        branch: str = "",
        messages: Sequence[str] = (),
        k: int = 5,
        but: int = 0,
    ) -> list[Found]:
        """The issues that a pull request fixes, by its own words, its branch, the messages of its commits,
        and what it is about; `but` is its own number."""
        said = mentions("\n\n".join([title, body, *messages]), self.full_name)
        claims = [_claim(one) for one in said if one.issue.isdigit()]
        claims += [(number, IN_BRANCH, f"its branch is {branch}") for number in in_branch(branch)]
        alike = self._alike(title, body, k + len(claims), but, ("issue",))
        found = self._found(claims, alike, k + len(claims), but, least=ALIKE)
        return [one for one in found if one.kind == "issue"][:k]

    def _alike(self, title: str, body: str, k: int, but: int, kinds: Collection[str]) -> list[Found]:
        with self.index_store.reading():
            terms = self._terms(title, body)
            words = {hit.id: hit.score for hit in self.index_store.match("issue", terms, _LOOKED_AT)}
            near = self.near(title, body)
            scores = fused(words, near)
            issues = self.index_store.issues(list(scores))
            if len(kinds) == 1:
                scores = standing(scores, {n for n, issue in issues.items() if issue.state == "open"})
            ranked = sorted(scores, key=lambda number: (-scores[number], number))
            chosen = [n for n in ranked if n in issues and n != but and issues[n].kind in kinds][:k]
            held = self.index_store.holding("issue", list(dict.fromkeys(terms)), chosen)
        asked = spoken(f"{title}\n{body}")
        words_asked = Counter(tokens(title)), Counter(tokens(f"{title}\n{shown(body)}"))
        close = set(sorted(near, key=lambda number: -near[number])[:k])
        return [
            _found(
                issues[n],
                scores[n],
                (*of_words(held[n], asked), *(["close in meaning"] if n in close else [])),
                agreement(*words_asked, issues[n]),
            )
            for n in chosen
        ]

    def _terms(self, title: str, body: str) -> list[str]:
        """The title's terms as often as in a document, the body's rarest more often where it repeats them."""
        said = shown(body)
        of_title, of_body = set(query_terms(title).terms), query_terms(said).terms
        times = Counter(tokens(f"{title}\n{said}"))
        weights = {term: 1 + math.log(max(1, times[term])) for term in dict.fromkeys([*of_title, *of_body])}
        counts = self.index_store.frequencies("issue", list(weights))
        weights |= {term: weights[term] + TITLE_TIMES - 1 for term in of_title}
        return [term for term in rarest(weights, counts, MOST_TERMS) for _ in range(round(weights[term]))]

    def _found(
        self,
        claims: Sequence[tuple[int, float, str]],
        alike: Sequence[Found],
        k: int,
        but: int,
        least: float = 1.0,
    ) -> list[Found]:
        """What is claimed by name and what is alike, in one order; an issue that is both is before one that
        is only named. `least` is what the likest of all counts."""
        found = {one.number: (least * one.score, one.why) for one in alike}
        for number, score, why in claims:
            before, reasons = found.get(number, (0.0, ()))
            ranked = score + 0.04 * min(1.0, before) if before < score else before
            found[number] = (ranked, tuple(dict.fromkeys((why, *reasons))))
        issues = self.index_store.issues([number for number in found if number != but])
        made = [_found(issue, *found[number]) for number, issue in issues.items()]
        return sorted(made, key=lambda one: (-one.score, one.number))[:k]

    def _edges(self, issue: KnownIssue, blocked_by: Collection[int | str]) -> Iterator[Edge]:
        said = [*mentions(f"{issue.title}\n\n{issue.body}", self.full_name)]
        said += [Mention("blocked_by", _own(str(name), self.full_name)) for name in blocked_by]
        for one in dict.fromkeys(said):
            if one.issue != str(issue.number):
                yield _edge(issue.number, one)


def _edge(number: int, said: Mention) -> Edge:
    """Both ends are `issue`s: GitHub numbers issues and pull requests in one row, and only whoever has read
    the other one knows which it is."""
    here, there = _node(number), GraphNode("issue", said.issue)
    if said.relation == "blocked_by":
        return Edge("blocks", there, here)
    return Edge(said.relation, here, there)


def _node(number: int) -> GraphNode:
    return GraphNode("issue", str(number))


def _own(name: str, full_name: str) -> str:
    repo, _, number = name.lower().rpartition("#")
    return number if repo in ("", full_name.lower()) else f"{repo}#{number}"


def _claim(said: Mention) -> tuple[int, float, str]:
    if said.relation == "fixes":
        return int(said.issue), SAID, f"says that it fixes #{said.issue}"
    return int(said.issue), MENTIONED, f"mentions #{said.issue}"


def _found(issue: KnownIssue, score: float, why: Sequence[str], agreement: float = 0.0) -> Found:
    """Whether it is open is told, for whoever would answer there."""
    state = () if issue.state == "open" else (issue.state,)
    return Found(
        kind=issue.kind,
        score=round(score, 4),
        why=(*why, *state),
        number=issue.number,
        title=issue.title,
        agreement=agreement,
    )


def agreement(title: Counter[str], whole: Counter[str], issue: KnownIssue) -> float:
    """Which share of the words of two texts both have; 0 where their titles differ in a word, or where there
    are too few to tell."""
    other = Counter(tokens(f"{issue.title}\n{shown(issue.body)}"))
    if title != Counter(tokens(issue.title)) or min(whole.total(), other.total()) < FEWEST_WORDS:
        return 0.0
    return 2 * (whole & other).total() / (whole.total() + other.total())


def shown(body: str) -> str:
    """What a reader sees of a body: the questions of a template are in its comments."""
    return without_comments(body[:MOST_BODY])
