"""Says of an issue which older one it repeats, or what has mended that already: a suggestion with words
quoted from both, or nothing. It never closes, labels or mentions anybody."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from pydantic import BaseModel

from bot.core.duplicates import eligible, ordered, proves, sure, words_of
from bot.core.github_reader import IssueState
from bot.core.inference import Allowance, Infer, Passage, Prompt, Usage
from bot.core.knowledge import Fix, Found, KnownIssue
from bot.core.security_reports import suspicion
from bot.core.text import in_code, one_line

MOST_JUDGED = 7
TITLE_CHARS, BODY_CHARS, QUERY_CHARS = 300, 2_000, 3_000
MOST_ASKED = 2
"""Issues that GitHub is asked about, where the first is no longer what the index has."""
LONGEST_QUOTE = 200


class DuplicateComparison(BaseModel):
    """`new` and `old` are quotations from the two texts."""

    number: int
    reason: str = ""
    new: str = ""
    old: str = ""
    same: bool


class DuplicatesAnswer(BaseModel):
    comparisons: list[DuplicateComparison]


@dataclass(frozen=True, slots=True)
class DuplicateCandidate:
    """`originals` are what its own text says that it is a duplicate of."""

    found: Found
    issue: KnownIssue
    fix: Fix | None = None
    originals: tuple[int, ...] = ()


Now = Callable[[int], Awaitable[IssueState | None]]
"""How an issue stands on GitHub; None where it is gone."""


@dataclass(frozen=True, slots=True)
class DuplicateFacts:
    """An issue, and what the index has found for it, the likeliest first. `link` writes a reference that
    leaves no mark on the other issue's page."""

    number: int
    title: str
    body: str
    candidates: tuple[DuplicateCandidate, ...]
    now: Now
    link: Callable[[int], str]


@dataclass(frozen=True, slots=True)
class DuplicateSuggestion:
    """`text` is for a comment, and empty where nothing stands; `number` is the issue that it names. `failure`
    says why no model has judged, so that words alone decided; empty where one has."""

    number: int = 0
    text: str = ""
    failure: str = ""
    usage: tuple[Usage, ...] = ()

    @property
    def why(self) -> str:
        """What it rests on, in a line."""
        what = f"that it may repeat {in_code(f'#{self.number}')}"
        if self.failure or not self.usage:
            return f"{what}: by rule, the words that both have in common"
        by = self.usage[-1]
        said = f"said by the model {in_code(by.model, 100)} on {in_code(by.host, 60)}"
        return f"{what}: {said}, and both hold the words that it quotes"


async def suggestion(
    facts: DuplicateFacts, infer: Infer, spare: Allowance | None = None, *, most: int = MOST_ASKED
) -> DuplicateSuggestion:
    """Asks a model once, if `spare` allows it, and GitHub of at most so many issues that it could name."""
    judged, failure, usage = await _judged(facts, infer, spare) if facts.candidates else ({}, "", ())
    if failure:
        judged = dict.fromkeys(sure([one.found for one in facts.candidates]), ("", ""))
    by_number = {one.issue.number: one for one in facts.candidates}
    standing = [
        number
        for number in judged
        if eligible(facts.number, (it := by_number[number]).issue, it.fix, it.originals)
    ]
    issues = {number: by_number[number].issue for number in standing}
    for number in ordered(standing, issues)[:most]:
        one = _as_it_is(by_number[number], await facts.now(number))
        if one is None or not eligible(facts.number, one.issue, one.fix, one.originals):
            continue
        quotes = judged[number]
        same_title = words_of(one.issue.title) == words_of(facts.title)
        if same_title if failure else proves(quotes[1], words_of(f"{one.issue.title}\n{one.issue.body}")):
            return DuplicateSuggestion(number, _text(facts, one, quotes, failure), failure, usage)
    return DuplicateSuggestion(failure=failure, usage=usage)


def _as_it_is(one: DuplicateCandidate, now: IssueState | None) -> DuplicateCandidate | None:
    """As GitHub has it; None where it may not be named any more: it is gone, was given up, or was closed as
    the duplicate of another."""
    if now is None or now.transferred:
        return None
    if now.open:
        issue = replace(one.issue, state="open", title=now.title, body=now.body)
        return replace(one, issue=issue, fix=None)
    if now.state_reason in ("not_planned", "duplicate") and one.fix is None:
        return None
    state = "closed" if one.issue.state == "open" else one.issue.state
    return replace(one, issue=replace(one.issue, state=state, title=now.title, body=now.body))


async def _judged(
    facts: DuplicateFacts, infer: Infer, spare: Allowance | None
) -> tuple[dict[int, tuple[str, str]], str, tuple[Usage, ...]]:
    """(number of what says the same -> a quotation from each, why no model has judged, what it took). A
    judgement whose quotations do not stand counts for nothing."""
    if spare is not None and not spare.take():
        return {}, "no question to a model was left", ()
    shown = facts.candidates[:MOST_JUDGED]
    passages = tuple(
        Passage(f"issue {place}", _shown(one.issue.title, one.issue.body, BODY_CHARS), priority=place)
        for place, one in enumerate(shown, 1)
    )
    inputs = {"title": facts.title[:TITLE_CHARS], "body": facts.body[:QUERY_CHARS]}
    suspected = bool(suspicion(facts.title, facts.body)) or any(
        suspicion(one.issue.title, one.issue.body) for one in shown
    )
    answer = await infer(
        Prompt("duplicates", "triage", DuplicatesAnswer, inputs, passages, retries=spare, local=suspected)
    )
    usage = answer.usage("duplicates")
    if answer.value is None:
        return {}, answer.reason or "the model gave no usable answer", usage
    new = words_of(_shown(facts.title, facts.body, QUERY_CHARS))
    judged: dict[int, tuple[str, str]] = {}
    for one in answer.value.comparisons:
        if not one.same or not 0 < one.number <= len(shown) or f"issue {one.number}" in answer.left_out:
            continue
        old = words_of(passages[one.number - 1].text)
        if proves(one.new, new) and proves(one.old, old):
            judged.setdefault(shown[one.number - 1].issue.number, (one.new, one.old))
    return judged, "", usage


def _shown(title: str, body: str, most: int) -> str:
    return f"{title[:TITLE_CHARS]}\n\n{body[:most]}"


def _text(facts: DuplicateFacts, one: DuplicateCandidate, quotes: tuple[str, str], failure: str) -> str:
    """A few lines: what is the same, its state with its source, a quotation from each."""
    what = f"{facts.link(one.issue.number)}, “{one_line(one.issue.title, 120)}”"
    words = ", ".join(why.removeprefix("words: ") for why in one.found.why if why.startswith("words: "))
    if failure:
        said = f"By their words alone, no model has judged: this may be the same as {what}."
        said += f" In common: {words}." if words else ""
    else:
        said = f"This may be the same as {what}."
    parts = [f"{said} {_state(facts, one)}"]
    if not failure:
        parts.append(
            f"Here:\n> {one_line(quotes[0], LONGEST_QUOTE)}\n\nThere:\n> {one_line(quotes[1], LONGEST_QUOTE)}"
        )
    return "\n\n".join(parts)


def _state(facts: DuplicateFacts, one: DuplicateCandidate) -> str:
    """A sentence; of what is closed, what shows that it was mended and since when."""
    if one.issue.state == "open":
        return "That one is open."
    if one.fix is None:
        return "That one was closed; nothing that I know of shows by which change."
    fix = one.fix
    by = (
        f"{facts.link(fix.pull)}, merged, says so"
        if fix.pull
        else f"commit {in_code(fix.commit[:10])} says so"
    )
    since = f"; the first tag that has it is {in_code(fix.tag)}" if fix.tag else ""
    if fix.section:
        since += f"; {in_code(fix.changelog)} names it under {in_code(fix.section)}"
    return f"That one is already fixed: {by}{since}."


def nothing(facts: DuplicateFacts, told: DuplicateSuggestion) -> str:
    """For whoever asked, where there is nothing to name."""
    if told.failure:
        return (
            "By their words alone, no model has judged: no older issue is close enough to be named. "
            f"({one_line(told.failure, 200)})"
        )
    compared: Sequence[int] = sorted(one.issue.number for one in facts.candidates)
    if not compared:
        return "I know of no older issue with words like these."
    return f"I found none that says the same. I compared {', '.join(map(facts.link, compared))}."
