"""What a review would have been asked about a change of the past, and the answers that people's decisions
give: examples to train a model on."""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import get_args

from bot.agents.review.answers import FindingAnswer, ReviewAnswer
from bot.agents.review.asking import DIFF_CHARS, first_questions
from bot.core.check_input import new_lines
from bot.core.diff import FileDiff
from bot.core.facts import PullRequestFacts
from bot.core.inference import Prompt
from bot.core.past_changes import CodeLine
from bot.core.pathnames import shown
from bot.core.review_chunks import ReviewChunk
from bot.core.settings import Severity
from bot.core.text import close_fences, cut, one_line, strip_invisible
from bot.core.tuning import MergedPull, TrainingSource

QUOTED = 5
"""Lines that an answer may quote of one point."""
LEAST_WORDS = 3
"""Of a remark that tells anything."""
LONGEST_TITLE, LONGEST_BODY = 80, 600
SURE = 0.9
"""The confidence of an answer that people have decided on."""
_SUREST: tuple[TrainingSource, ...] = get_args(TrainingSource)


@dataclass(frozen=True, slots=True)
class DecidedPoint:
    """A point on lines `start` to `end` of a change's new side. `replacement` is for exactly these; `pulls`:
    from where it is known, beside the pull request itself."""

    source: TrainingSource
    path: str
    start: int
    end: int
    title: str
    body: str
    severity: Severity = "minor"
    category: str = "bug"
    replacement: str | None = None
    confidence: float = SURE
    pulls: tuple[MergedPull, ...] = ()


@dataclass(frozen=True, slots=True)
class QuotedPoint:
    """With the changed lines that an answer quotes for it: `first` to `last` of the new side."""

    point: DecidedPoint
    first: int
    last: int
    quote: str

    @property
    def answer(self) -> FindingAnswer:
        point, whole = self.point, (self.point.start, self.point.end) == (self.first, self.last)
        return FindingAnswer(
            path=shown(point.path),
            quote=self.quote,
            severity=point.severity,
            category=point.category,
            title=point.title,
            body=point.body,
            replacement=point.replacement if whole else None,
            confidence=point.confidence,
        )


@dataclass(frozen=True, slots=True)
class DraftedExample:
    """A question about a part of a change; `right`: what its answer says, `wrong`: what a person dismissed,
    which it does not say. Neither: nobody objected to anything there."""

    part: ReviewChunk
    prompt: Prompt[ReviewAnswer]
    right: tuple[QuotedPoint, ...] = ()
    wrong: tuple[QuotedPoint, ...] = ()

    @property
    def source(self) -> TrainingSource:
        """The surest of what it rests on."""
        there = {one.point.source for one in (*self.right, *self.wrong)}
        return min(there, key=_SUREST.index, default="quiet")

    @property
    def pulls(self) -> tuple[MergedPull, ...]:
        return tuple(dict.fromkeys(pull for one in self.right for pull in one.point.pulls))

    @property
    def assistant(self) -> str:
        """The answer as a model gives it. A summary is not asked for."""
        found = [one.answer.model_dump() for one in self.right]
        return json.dumps({"findings": found}, ensure_ascii=False)


def drafted(
    facts: PullRequestFacts,
    points: Sequence[DecidedPoint],
    spoken: Collection[str] | None = None,
    most: int = DIFF_CHARS,
) -> tuple[list[DraftedExample], int]:
    """(the examples; points that are on no changed line of what a review reads). `most`: characters of diff
    in one question; `spoken`: the paths of which anybody said anything; where these are told, parts of other
    paths alone are examples of code that is fine, no more than those with an answer."""
    made: list[DraftedExample] = []
    quiet: list[DraftedExample] = []
    left = list(points)
    for part, prompt in first_questions(facts, most):
        placed = {number: at for number, one in enumerate(left) if (at := quoted(part, one))}
        left = [one for number, one in enumerate(left) if number not in placed]
        if placed:
            wrong = tuple(one for one in placed.values() if one.point.source == "dismissed")
            made.append(DraftedExample(part, prompt, tuple(_apart(placed.values())), wrong))
        elif spoken is not None and not set(part.paths) & set(spoken):
            quiet.append(DraftedExample(part, prompt))
    return [*made, *quiet[: sum(bool(one.right) for one in made)]], len(left)


def _apart(points: Iterable[QuotedPoint]) -> Iterator[QuotedPoint]:
    """Of several about the same lines the surest; in the order of the lines."""
    kept: list[QuotedPoint] = []
    for one in sorted(points, key=lambda each: _SUREST.index(each.point.source)):
        if one.point.source != "dismissed" and not any(_meet(one, other) for other in kept):
            kept.append(one)
    yield from sorted(kept, key=lambda each: (each.point.path, each.first))


def _meet(one: QuotedPoint, other: QuotedPoint) -> bool:
    return one.point.path == other.point.path and one.first <= other.last and other.first <= one.last


def quoted(part: ReviewChunk, point: DecidedPoint) -> QuotedPoint | None:
    """The last of its lines that the change brings, one after another."""
    file = next((one for one in part.parts if one.path == point.path), None)
    run: list[tuple[int, str]] = []
    for line in new_lines(file) if file else ():
        if line.new is not None and point.start <= line.new <= point.end:
            run = [*(run if run and run[-1][0] == line.new - 1 else []), (line.new, line.text)][-QUOTED:]
    if not run or not any(text.strip() for _, text in run):
        return None
    return QuotedPoint(point, run[0][0], run[-1][0], "\n".join(text for _, text in run))


@dataclass(frozen=True, slots=True)
class SaidByPerson:
    """A remark as a finding has it."""

    title: str
    body: str
    replacement: str | None = None


def said_by_person(words: str) -> SaidByPerson | None:
    """A comment, with what its first suggestion block puts in place of the lines; None for one that says too
    little."""
    told, block = _without_suggestion(strip_invisible(words.replace("\r", ""))[0])
    text = " ".join(told.split())
    if len(text.split()) < LEAST_WORDS:
        return None
    first = next(line for line in told.split("\n") if line.strip())
    title = one_line(first.partition(". ")[0], LONGEST_TITLE).rstrip(" .:;,")
    return SaidByPerson(title or one_line(text, LONGEST_TITLE), close_fences(cut(told, LONGEST_BODY)), block)


def _without_suggestion(words: str) -> tuple[str, str | None]:
    kept: list[str] = []
    blocks: list[list[str]] = []
    inside = False
    for line in words.split("\n"):
        bare = line.strip()
        if inside and bare.startswith("```"):
            inside = False
        elif inside:
            blocks[-1].append(line)
        elif bare.startswith("```suggestion"):
            inside = True
            blocks.append([])
        else:
            kept.append(line)
    return "\n".join(kept).strip(), "\n".join(blocks[0]) if blocks else None


def fixed_lines(
    files: Iterable[FileDiff], wanted: Collection[CodeLine], longest: int
) -> Iterator[tuple[str, int, int]]:
    """(path, first, last) of changed lines, each run of those that are `wanted` one; white space around them
    and what is past `longest` aside."""
    for file in files:
        run: tuple[int, int] | None = None
        for line in new_lines(file):
            if line.new is None or (file.path, line.text.strip()[:longest]) not in wanted:
                continue
            if run and run[1] == line.new - 1:
                run = (run[0], line.new)
                continue
            if run:
                yield file.path, *run
            run = (line.new, line.new)
        if run:
            yield file.path, *run
