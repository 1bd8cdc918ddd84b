"""What hangs together in a repository, asked of its index: callers, callees, tests, people, issues. None of
it is stored: it follows from names, imports, commits and texts.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from bot.core.file_kinds import is_test, subject
from bot.core.knowledge import Found, GraphNode
from bot.core.mentions import mentions
from bot.core.text import cut
from bot.knowledge.ownership import Knower, knowers, together
from bot.knowledge.parsing.tokens import tokens
from bot.knowledge.resolve import TipNames
from bot.knowledge.storage import IndexStore
from bot.knowledge.storage.types import IndexedCommit, StoredChunk, Use

_MOST_USES, _MOST_COMMITS, _MOST_NAMES = 1_000, 300, 200


@dataclass(frozen=True, slots=True)
class Waits:
    """Issues by name (`12`, `owner/name#3`) with their state, empty where it is not known."""

    blocked_by: tuple[tuple[str, str], ...] = ()
    blocks: tuple[tuple[str, str], ...] = ()


class Graph:
    """Of one repository at its tip. Reads all imports at the first question that needs them: one for each
    run, not for each question. `full_name` tells own issues from those of others."""

    def __init__(self, index_store: IndexStore, full_name: str = "") -> None:
        self.index_store, self.full_name = index_store, full_name

    @cached_property
    def names(self) -> TipNames:
        return TipNames(self.index_store)

    def callers(self, path: str, symbol: str, limit: int = 20) -> list[Found]:
        """The functions that refer to a symbol of a file, the surest first. Where a name has several
        definitions and nothing tells which is meant, `why` says so."""
        name = symbol.rpartition(".")[2]
        with self.index_store.reading():
            defining = self.defining([name]).get(name, {})
            if path not in defining:
                return []
            uses = self.index_store.uses([name], _MOST_USES)
            found = [one for use in uses for one in self._caller(use, path, defining)]
        return _best(found, limit)

    def callees(self, path: str, symbol: str, limit: int = 20) -> list[Found]:
        """The definitions that a symbol of a file refers to, the surest first."""
        with self.index_store.reading():
            own = [each for each in self._chunks(path) if _within(each.chunk.symbol, symbol)]
            lines = [(each.chunk.start, each.chunk.end) for each in own]
            references = self.index_store.references_of(own[0].blob) if own else []
            used = {one.name: one.line for one in reversed(references) if _inside(one.line, lines)}
            defining = self.defining(list(used)[:_MOST_NAMES])
            found = [
                one
                for name, places in defining.items()
                for one in self._callee(path, name, used[name], places)
            ]
        return _best([one for one in found if not (one.path == path and _within(one.symbol, symbol))], limit)

    def tests(self, path: str, limit: int = 10) -> list[Found]:
        """Test files of a file: named after it, importing it, or using what only it defines."""
        with self.index_store.reading():
            scores = self._testing(path)
            files = self.index_store.files()
        ranked = sorted(scores, key=lambda one: (-sum(scores[one].values()), one))
        return [
            Found("code", round(sum(scores[one].values()), 4), tuple(scores[one]), path=one)
            for one in ranked[:limit]
            if one in files
        ]

    def people(self, path: str, limit: int = 5) -> list[Knower]:
        """Who knows this file, by its recent commits; the newest commit of the repository is today."""
        newest = self.index_store.recent(1)
        now = newest[0].at if newest else 0
        return knowers(self.index_store.touching([path], _MOST_COMMITS), now)[:limit]

    def changed_with(self, path: str, limit: int = 10) -> list[tuple[str, float]]:
        """Files that changed together with this one, and how much says so."""
        return together(path, self.index_store.touching([path], _MOST_COMMITS))[:limit]

    def issues_of(self, path: str, limit: int = 10) -> list[Found]:
        """Issues and pull requests linked to a file: those its commits name, those these fix, and those whose
        text names the file."""
        with self.index_store.reading():
            why: dict[int, list[str]] = defaultdict(list)
            score: dict[int, float] = defaultdict(float)
            for number, weight, reason in self._linked(path):
                score[number] += weight
                why[number].append(reason)
            issues = self.index_store.issues(list(score))
        made = [
            Found(
                issue.kind,
                round(score[number], 4),
                tuple(dict.fromkeys(why[number]))[:4],
                number=number,
                title=issue.title,
            )
            for number, issue in issues.items()
        ]
        return sorted(made, key=lambda one: (-one.score, -one.number))[:limit]

    def waits(self, number: int) -> Waits:
        """What an issue waits for and what waits for it, as texts and GitHub's dependencies told."""
        node = GraphNode("issue", str(number))
        with self.index_store.reading():
            before = [edge.source.name for edge in self.index_store.edges(target=node, kind="blocks")]
            after = [edge.target.name for edge in self.index_store.edges(source=node, kind="blocks")]
            known = self.index_store.issues([int(name) for name in (*before, *after) if name.isdigit()])
        states = {str(one.number): str(one.state) for one in known.values()}
        return Waits(
            tuple((name, states.get(name, "")) for name in before),
            tuple((name, states.get(name, "")) for name in after),
        )

    def _chunks(self, path: str) -> list[StoredChunk]:
        blob = self.index_store.blobs_of([path]).get(path)
        return self.index_store.chunks_of([blob]) if blob else []

    def defining(self, names: Collection[str]) -> dict[str, dict[str, StoredChunk]]:
        """name -> path -> its first definition there, names exactly as written."""
        found: dict[str, dict[str, StoredChunk]] = defaultdict(dict)
        chunks = self.index_store.defined(names)
        paths = self.index_store.paths({each.blob for each in chunks})
        wanted = set(names)
        for each in chunks:
            name = each.chunk.symbol.rpartition(".")[2]
            for path in paths.get(each.blob, ()) if name in wanted else ():
                found[name].setdefault(path, each)
        return found

    def _caller(self, use: Use, path: str, defining: Mapping[str, StoredChunk]) -> Iterator[Found]:
        meaning = self.names.meaning(use.path, defining)
        if path not in meaning.paths:
            return
        own, chunks = defining[path], self._chunks(use.path)
        for line in use.lines:
            chunk = next((each for each in chunks if each.chunk.start <= line <= each.chunk.end), None)
            if chunk is None or chunk.id == own.id:
                continue
            why = (f"refers to {own.chunk.symbol.rpartition('.')[2]} on line {line}", meaning.how)
            yield _code(chunk, use.path, meaning.sure, why)

    def _callee(
        self, path: str, name: str, line: int, defining: Mapping[str, StoredChunk]
    ) -> Iterator[Found]:
        meaning = self.names.meaning(path, defining)
        for place in meaning.paths:
            yield _code(defining[place], place, meaning.sure, (f"{name} on line {line}", meaning.how))

    def _testing(self, path: str) -> dict[str, dict[str, float]]:
        """test file -> reason -> how much it says."""
        found: dict[str, dict[str, float]] = defaultdict(dict)
        after = subject(path)
        for one in self.index_store.files():
            if one != path and is_test(one) and subject(one) == after and not is_test(path):
                found[one]["named after it"] = 1.0
        for one, reach in self.names.imports.items():
            if path in reach and is_test(one):
                found[one]["imports it"] = 0.6
        symbols = [each.chunk.symbol.rpartition(".")[2] for each in self._chunks(path) if each.chunk.symbol]
        defining = self.defining(list(dict.fromkeys(symbols))[:_MOST_NAMES])
        own = [name for name, places in defining.items() if path in places]
        uses = self.index_store.uses(own, _MOST_USES) if own else []
        for use in uses:
            meaning = self.names.meaning(use.path, defining[use.name])
            if is_test(use.path) and use.path != path and path in meaning.paths:
                found[use.path][f"uses {use.name} ({meaning.how})"] = 0.2 * meaning.sure
        return found

    def _linked(self, path: str) -> Iterator[tuple[int, float, str]]:
        """(number, weight, reason), the newest commits count most."""
        for place, commit in enumerate(self.index_store.touching([path], _MOST_COMMITS)):
            weight = 1 / (1 + place)
            for number in issues_in(commit, self.full_name):
                said = f'{commit.sha[:7]} "{cut(commit.subject, 60, end="…")}"'
                yield number, weight, f"named by {said}"
                for edge in self.index_store.edges(source=GraphNode("issue", str(number)), kind="fixes"):
                    if edge.target.name.isdigit():
                        yield int(edge.target.name), weight, f"fixed by #{number}, which touched the file"
        terms = list(dict.fromkeys(tokens(path.rpartition("/")[2])))
        hits = self.index_store.match("issue", terms, 50)
        for issue in self.index_store.issues([hit.id for hit in hits]).values():
            text = f"{issue.title}\n{issue.body}"
            if path in text:
                yield issue.number, 0.5, f"its text names {path}"


def issues_in(commit: IndexedCommit, full_name: str) -> list[int]:
    """The issues and pull requests of the same repository that a commit's message names."""
    said = mentions(f"{commit.subject}\n\n{commit.body}", full_name)
    return [int(one.issue) for one in said if one.issue.isdigit()]


def _code(chunk: StoredChunk, path: str, sure: float, why: tuple[str, ...]) -> Found:
    at = chunk.chunk
    return Found("code", round(sure, 4), why, path=path, symbol=at.symbol, start=at.start, end=at.end)


def _best(found: Iterable[Found], limit: int) -> list[Found]:
    """Each place once, with the surest reason."""
    best: dict[tuple[str, int], Found] = {}
    for one in found:
        known = best.get((one.path, one.start))
        if known is None or known.score < one.score:
            best[one.path, one.start] = one
    return sorted(best.values(), key=lambda one: (-one.score, is_test(one.path), one.path, one.start))[:limit]


def _within(symbol: str, outer: str) -> bool:
    return symbol == outer or symbol.startswith(f"{outer}.")


def _inside(line: int, ranges: Sequence[tuple[int, int]]) -> bool:
    return any(start <= line <= end for start, end in ranges)
