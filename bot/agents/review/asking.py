"""Reads a change part by part: which hunks are asked about together, with what around them, how often, and
what was not reached."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

from bot.agents.review.answers import FindingAnswer, ReviewAnswer
from bot.agents.review.beginning import AROUND, Common, behind, common, size_of
from bot.core.concurrency import Shared
from bot.core.context_packing import ContextCandidate, pack_excerpts
from bot.core.diff import FileDiff, render
from bot.core.effort import QUICK_PARTS
from bot.core.facts import PullRequestFacts, Skipped
from bot.core.incremental_review import new_since
from bot.core.inference import Allowance, AskedHost, Completion, Infer, Passage, Prompt, Usage
from bot.core.review_chunks import ReviewChunk, around, batches, review_chunks
from bot.core.review_result import LEFT_QUICKLY, DataReceipt
from bot.core.skip_rules import NOT_ASKED
from bot.core.source import Chunk

DIFF_CHARS = 10_000
"""Of diff in one prompt, about three thousand tokens: past that small models miss more than they find."""
CONTEXT_CHARS = 3_000
"""Of code around the hunks in one prompt; up to twice as much beside a change that takes little room."""
DEEP_CONTEXT = 2
"""So many times as much of it where a change is read deeply: callers, tests, what is like it."""
ENCLOSING = 1.0
"""What a symbol around a hunk is worth: more than anything in another file."""
SECURITY = -1
"""The reading that looks for holes alone; it has no part in the vote."""
MOST_FINDINGS = 50
"""Taken from one answer; a model that says more is not reviewing."""
_HOST = frozenset({"no_host", "timeout", "budget"})
"""Failures that the next prompt would meet too."""


@dataclass(frozen=True, slots=True)
class ModelFinding:
    """One finding as a model told it."""

    answer: FindingAnswer
    shown: tuple[str, ...]
    """The paths that it was shown."""
    whole: bool
    """Whether it was shown the whole change."""
    reading: int = 0
    part: int = 0
    parts: tuple[FileDiff, ...] = ()
    """The hunks that it was shown."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of asking."""

    said: tuple[ModelFinding, ...]
    read: tuple[str, ...]
    part: tuple[Skipped, ...]
    unread: tuple[Skipped, ...]
    failure: str = ""
    usage: tuple[Usage, ...] = ()
    calls: int = 0
    dropped: int = 0
    """Findings past `MOST_FINDINGS`."""
    unclear: int = 0
    """Findings that could not be understood."""
    readings: tuple[int, ...] = ()
    """How often each part was read."""
    holes: int = 0
    """Parts that were looked at for security alone."""
    known: tuple[str, ...] = ()
    """Paths that were read at an earlier head and have nothing new."""
    hidden: frozenset[str] = frozenset()
    """The kinds of credentials that no host outside was shown."""
    receipts: tuple[DataReceipt, ...] = ()
    common: Common | None = None
    """What all questions about the change begin with; None where none was asked."""


@dataclass(slots=True)
class _Course:
    """A review under way."""

    facts: PullRequestFacts
    parts: list[ReviewChunk]
    said: list[ModelFinding] = field(default_factory=list)
    usage: list[Usage] = field(default_factory=list)
    why: dict[int, str] = field(default_factory=dict)
    """part -> why it was not read"""
    lacking: dict[int, dict[str, str]] = field(default_factory=dict)
    """part -> path -> what of it was not read"""
    readings: list[int] = field(default_factory=list)
    read: set[int] = field(default_factory=set)
    """The parts of which there is an answer."""
    holes: int = 0
    failure: str = ""
    calls: int = 0
    dropped: int = 0
    hidden: set[str] = field(default_factory=set)
    unclear: int = 0
    answers: list[tuple[tuple[str, ...], Completion[ReviewAnswer]]] = field(default_factory=list)
    """With the names of what each prompt held."""

    def take(
        self, number: int, reading: int, answer: Completion[ReviewAnswer], names: tuple[str, ...]
    ) -> None:
        self.answers.append((names, answer))
        self.calls += max(1, answer.calls)
        self.usage += answer.usage("review")
        self.hidden.update(answer.hidden)
        if answer.value is None:
            self.failure = answer.reason or "the model gave no usable answer"
            self.leave(number, "the model failed")
            return
        self.why.pop(number, None)
        self.read.add(number)
        self.holes += reading == SECURITY
        self.readings[number] += reading != SECURITY
        paths, parts = self.parts[number].paths, self.parts[number].parts
        lacking = dict.fromkeys(answer.left_out, "over the model's context")
        lacking |= dict.fromkeys(answer.cut, "over the model's context: only its beginning was read")
        if reading == 0 or self.facts.effort == "security":
            self.lacking[number] = {path: why for path, why in lacking.items() if path in paths}
        told = answer.value.findings
        whole = len(self.parts) == 1
        self.said += [ModelFinding(one, paths, whole, reading, number, parts) for one in told[:MOST_FINDINGS]]
        self.unclear += answer.dropped
        self.dropped += max(0, len(told) - MOST_FINDINGS)

    def leave(self, number: int, why: str) -> None:
        """The part is not read now; it may have been before."""
        if number not in self.read:
            self.why.setdefault(number, why)

    def ended(self) -> Reading:
        read, part, unread = self._coverage()
        return Reading(
            tuple(self.said),
            read,
            part,
            unread,
            self.failure if self.why else "",
            tuple(self.usage),
            self.calls,
            self.dropped,
            self.unclear,
            tuple(self.readings),
            self.holes,
            hidden=frozenset(self.hidden),
            receipts=receipts(self.answers),
        )

    def _coverage(self) -> tuple[tuple[str, ...], tuple[Skipped, ...], tuple[Skipped, ...]]:
        """Paths read in full; in part; not at all."""
        whys: dict[str, list[str]] = defaultdict(list)
        for number, review_chunk in enumerate(self.parts):
            for path in review_chunk.paths:
                why = self.why.get(number) or self.lacking.get(number, {}).get(path, "")
                whys[path].append(why)
        read = tuple(path for path, some in whys.items() if not any(some))
        part = tuple(Skipped(path, max(some)) for path, some in whys.items() if any(some) and not all(some))
        unread = tuple(Skipped(path, max(some)) for path, some in whys.items() if all(some))
        return read, part, unread


@dataclass(frozen=True, slots=True)
class _Questions:
    """The parts of a change, and what a model is asked about each."""

    parts: list[ReviewChunk]
    shared: Common
    diffs: list[list[Passage]]
    head: str

    def prompt(self, number: int, reading: int = 0) -> Prompt[ReviewAnswer]:
        return _prompt(self.shared, self.shared.own[number], _order(self.diffs[number], self.head, reading))


def _questions(facts: PullRequestFacts, most: int = DIFF_CHARS) -> tuple[_Questions, tuple[str, ...]]:
    """About what is new; and the paths of which nothing is. `most`: characters of diff in one."""
    symbols = {path: facts.tools.symbols(path, text) for path, text in facts.texts.items()}
    fresh = facts.files
    known: tuple[str, ...] = ()
    if facts.earlier is not None:
        fresh, known = new_since(facts.files, facts.texts, facts.earlier)
    parts = batches(review_chunks(fresh, most, lambda path: symbols.get(path, ())), most)
    shared = common(facts, parts, [_around(facts, part, symbols) for part in parts])
    diffs = [_diffs(part) for part in parts]
    beside = (size_of((*own, *some)) for own, some in zip(shared.own, diffs, strict=True))
    shared.beginning.beside = max(beside, default=0)
    return _Questions(parts, shared, diffs, facts.head_sha), known


def first_questions(
    facts: PullRequestFacts, most: int = DIFF_CHARS
) -> list[tuple[ReviewChunk, Prompt[ReviewAnswer]]]:
    """What the first reading of a change asks, part by part, the most urgent first; `most`: characters of
    diff in one."""
    questions, _ = _questions(facts, most)
    return [(part, questions.prompt(number)) for number, part in enumerate(questions.parts)]


async def read(facts: PullRequestFacts, infer: Infer) -> Reading:
    """Asks part by part about what is new, the most urgent first, and several at the same time where hosts
    are free. Ends where the next prompt would fail too (no host, no time, no budget, two answers in a row
    that are none), or when the questions that a review may ask are spent: of several the last is kept for
    verifying. The same answers give the same reading, whichever comes first."""
    questions, known = _questions(facts)
    parts, shared = questions.parts, questions.shared
    course = _Course(facts, parts, readings=[0] * len(parts))
    most = facts.context.settings.review.max_calls
    allowance = Allowance(min(most, max(1, most - 1)))
    asked = _order_of(facts, len(parts))
    heard = _Heard()
    names: dict[int, tuple[str, ...]] = {}
    async with Shared(infer) as sharing:
        for place, (number, reading) in enumerate(asked):
            if allowance.left:
                prompt = replace(
                    questions.prompt(number, reading),
                    name="security" if reading == SECURITY else "review",
                    behind=min(len(asked) - place - 1, allowance.left - 1),
                    retries=allowance,
                )
                await sharing.turn(prompt, heard.is_hopeless)
            if heard.is_hopeless():
                heard.left[place] = "not reached"
            elif not allowance.take():
                heard.left[place] = "more than one review reads (review.max_calls)"
            else:
                names[place] = tuple(one.name for one in prompt.passages)
                sharing.ask(prompt, partial(heard.take, place))
    for place, (number, reading) in enumerate(asked):
        if place in heard.left:
            course.leave(number, heard.left[place])
        else:
            course.take(number, reading, heard.answers[place], names[place])
    for number in set(range(len(parts))) - {number for number, _ in asked}:
        course.leave(number, LEFT_QUICKLY)
    return replace(course.ended(), known=known, common=shared)


def _order_of(facts: PullRequestFacts, parts: int) -> list[tuple[int, int]]:
    """(part, reading) in the order in which they are asked about; the look for holes comes before a change is
    read again."""
    if facts.effort == "security":
        return [(number, SECURITY) for number in range(parts)]
    every = range(min(parts, QUICK_PARTS) if facts.effort == "quick" else parts)
    first, *more = (
        [(number, reading) for number in _shuffled(every, facts.head_sha, reading)]
        for reading in range(max(1, facts.passes))
    )
    holes = [(number, SECURITY) for number in every] if facts.effort == "deep" else []
    return [*first, *holes, *(one for some in more for one in some)]


def receipts(answers: Iterable[tuple[tuple[str, ...], Completion[Any]]]) -> tuple[DataReceipt, ...]:
    """Who was shown what, from the names in each prompt and what came of it."""
    shown: dict[AskedHost, dict[str, None]] = defaultdict(dict)
    for names, answer in answers:
        kept = (AskedHost("", answer.model),) if answer.cached else ()
        for asked in answer.sent_to or kept:
            shown[asked] |= dict.fromkeys(name for name in names if name not in answer.left_out)
    return tuple(DataReceipt(asked, tuple(seen)) for asked, seen in sorted(shown.items()))


def not_asked(facts: PullRequestFacts) -> Reading:
    """Where only the checks are wanted."""
    return Reading((), (), (), tuple(Skipped(file.path, NOT_ASKED) for file in facts.files))


@dataclass(slots=True)
class _Heard:
    """The answers by the place of their question, and why others were not asked."""

    answers: dict[int, Completion[ReviewAnswer]] = field(default_factory=dict)
    left: dict[int, str] = field(default_factory=dict)
    failed: int = 0
    """Failures in a row, in the order in which they came."""

    def take(self, place: int, answer: Completion[ReviewAnswer]) -> None:
        self.answers[place] = answer
        if answer.value is not None:
            self.failed = 0
        else:
            self.failed += 2 if answer.failure in _HOST else 1

    def is_hopeless(self) -> bool:
        return self.failed >= 2


T = TypeVar("T")


def _shuffled(items: Sequence[T], seed: str, reading: int) -> list[T]:
    """The first reading keeps the order; each further one has its own, the same whenever this head is
    read."""
    if not reading:
        return list(items)

    def place(item: T) -> bytes:
        return hashlib.sha256(f"{seed} {reading} {item}".encode()).digest()

    return sorted(items, key=place)


def _prompt(shared: Common, own: Sequence[Passage], diffs: Sequence[Passage]) -> Prompt[ReviewAnswer]:
    """What is the same for all parts first; the change last. Where space is short, guidelines go before code
    around, and that before the change."""
    return Prompt(
        name="review",
        role="review",
        answer=ReviewAnswer,
        inputs=shared.inputs,
        passages=(*shared.shown(len(diffs)), *behind(own, len(diffs)), *diffs),
        beginning=shared.beginning,
    )


def _diffs(part: ReviewChunk) -> list[Passage]:
    return [Passage(file.path, render(file), priority=1 + place) for place, file in enumerate(part.parts)]


def _order(diffs: list[Passage], seed: str, reading: int) -> list[Passage]:
    by_name = {passage.name: passage for passage in diffs}
    return [by_name[name] for name in _shuffled(list(by_name), seed, reading)]


def _around(
    facts: PullRequestFacts, part: ReviewChunk, symbols: Mapping[str, Sequence[Chunk]]
) -> list[Passage]:
    """The symbols that the hunks lie in, and what the repository knows to belong to them; more of it beside
    a small change."""
    found = [
        ContextCandidate(one, ENCLOSING)
        for file in part.parts
        for one in around(file, facts.texts.get(file.path, ""), symbols.get(file.path, ()))
    ]
    found += [one for path in part.paths for one in facts.around.get(path, ())]
    room = CONTEXT_CHARS + min(CONTEXT_CHARS, max(0, DIFF_CHARS - part.size) // 2)
    room *= DEEP_CONTEXT if facts.effort == "deep" else 1
    packed = pack_excerpts(found, room, last=part.paths)
    return [replace(one, name=f"around {one.name}", priority=AROUND) for one in packed]
