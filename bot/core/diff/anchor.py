"""Where in a diff the code stands that a model quoted: certain, or nowhere."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bot.core.diff.patch import Anchor, FileDiff, Hunk, HunkLine
from bot.core.text import strip_invisible

_KEYWORDS = re.compile(
    "begin|break|continue|default|do|done|else|end|endif|esac|fi|finally|false|nil|none|null|pass|return|then|true"
    "|try|yield",
    re.IGNORECASE,
)
SHORTEST_PART = 8
"""Characters of a quote that is less than a line; a shorter one is everywhere."""


@dataclass(frozen=True, slots=True)
class _Place:
    start: int
    end: int
    touched: bool
    """Whether the change brought one of its lines."""


def anchor(file: FileDiff, quote: str, *, near: int | None = None) -> Anchor | None:
    """The lines of the new side, all in one hunk, that a quote copies; None where that is not certain.

    Ways of looking go from strict to lenient (exact lines; white space folded; without the diff's own marks;
    a part of one line), and the first that finds anything decides. Among several places the only one that the
    change touches counts, else the only one nearest to line `near`: a wrong line is worse than none.
    """
    places, telling = _found(file, quote)
    return _only(places, near, telling=telling) if places else None


def anchors(file: FileDiff, quote: str, shown: Sequence[Hunk] = ()) -> tuple[Anchor, ...]:
    """Every place that a quote may mean, in the order of the file, none over another: more than one only
    where the change touches all of them and the quote says something. What stands in the hunks that were
    `shown` goes before what does not."""
    places, telling = _found(file, quote)
    ranges = [(hunk.new_start, hunk.new_start + hunk.new_count - 1) for hunk in shown]
    places = [
        one for one in places if any(first <= one.start and one.end <= last for first, last in ranges)
    ] or places
    touched = [one for one in places if one.touched]
    if len(places) > 1 and (not touched or not telling):
        return ()
    apart: list[_Place] = []
    for one in touched or places:
        if not apart or one.start > apart[-1].end:
            apart.append(one)
    return tuple(map(_anchor, apart))


def occurs(file: FileDiff, quote: str) -> bool:
    """Whether a quote stands there at all, be it more than once."""
    return bool(_found(file, quote)[0])


def _found(file: FileDiff, quote: str) -> tuple[list[_Place], bool]:
    """The places that the strictest way finds, and whether the quote says something."""
    for wanted in _readings(file, quote):
        for fold in (_exact, folded):
            if places := list(_places(file, [fold(line) for line in wanted], fold)):
                return places, _telling(wanted)
    for wanted in _readings(file, quote):
        if len(wanted) == 1 and (places := list(_parts(file, folded(wanted[0])))):
            return places, True
    return [], False


def folded(text: str) -> str:
    """Without the white space around, with every run of it as one blank, composed, and without what nobody
    sees: prompts have none."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", strip_invisible(text)[0])
    return " ".join(text.split())


def _exact(text: str) -> str:
    return text


def _readings(file: FileDiff, quote: str) -> Iterator[list[str]]:
    """The quote's lines as they are, without a code fence around them, and as lines of a diff; never blank
    ones first or last."""
    lines = _trimmed(quote.split("\n"))
    if not lines:
        return
    yield lines
    fenced = len(lines) > 2 and lines[0].lstrip().startswith("```") and lines[-1].strip() == "```"
    if fenced:
        lines = _trimmed(lines[1:-1])
        yield from [lines] if lines else []
    if marked := _trimmed(_unmarked(file, lines)):
        yield marked


def _unmarked(file: FileDiff, lines: list[str]) -> list[str]:
    """The new side of lines that all bear a diff's mark; nothing when they do not. Lines marked as removed
    are not on it; a quote of nothing else counts only if the diff removes no such line: a mere slip."""
    marks = {line[:1] for line in lines if line.strip()}
    if not marks <= {"+", "-", " "} or marks == {" "}:
        return []
    if marks == {"-"}:
        removed = {folded(line.text) for hunk in file.hunks or () for line in hunk.lines if line.new is None}
        return [] if any(folded(line[1:]) in removed for line in lines) else [line[1:] for line in lines]
    return [line[1:] for line in lines if line[:1] != "-"]


def _trimmed(lines: list[str]) -> list[str]:
    told = [place for place, line in enumerate(lines) if folded(line)]
    return lines[told[0] : told[-1] + 1] if told else []


def _places(file: FileDiff, wanted: list[str], fold: Callable[[str], str]) -> Iterator[_Place]:
    """Consecutive lines of one hunk's new side that equal the wanted ones."""
    for hunk in file.hunks or ():
        side = hunk.new_side
        texts = [fold(line.text) for line in side]
        for first in range(len(side) - len(wanted) + 1):
            if texts[first] == wanted[0] and texts[first : first + len(wanted)] == wanted:
                yield _place(side[first : first + len(wanted)])


def _parts(file: FileDiff, wanted: str) -> Iterator[_Place]:
    """Single lines that hold the wanted text, whole words of it."""
    if len(wanted) < SHORTEST_PART:
        return
    for hunk in file.hunks or ():
        for line in hunk.new_side:
            if _holds(folded(line.text), wanted):
                yield _place([line])


def _holds(text: str, wanted: str) -> bool:
    start = text.find(wanted)
    while start >= 0:
        end = start + len(wanted)
        if not _same_word(text, start) and not _same_word(text, end):
            return True
        start = text.find(wanted, start + 1)
    return False


def _same_word(text: str, place: int) -> bool:
    """Whether the characters before and after `place` belong to one word."""
    return 0 < place < len(text) and _in_word(text[place - 1]) and _in_word(text[place])


def _in_word(char: str) -> bool:
    return char.isalnum() or char == "_"


def _place(lines: list[HunkLine]) -> _Place:
    return _Place(lines[0].new or 0, lines[-1].new or 0, any(line.kind == "+" for line in lines))


def _telling(lines: list[str]) -> bool:
    """Whether the lines say something: brackets and bare keywords stand everywhere."""
    words = [word for line in lines for word in re.findall(r"\w+", line)]
    return len(words) > 1 or (bool(words) and _KEYWORDS.fullmatch(words[0]) is None)


def _only(places: list[_Place], near: int | None, *, telling: bool) -> Anchor | None:
    touched = [place for place in places if place.touched]
    if len(places) > 1 and not telling:
        return None
    candidates = touched or places
    if len(candidates) > 1 and near is not None:
        distances = [max(place.start - near, near - place.end, 0) for place in candidates]
        candidates = [
            place for place, far in zip(candidates, distances, strict=True) if far == min(distances)
        ]
    if len(candidates) != 1:
        return None
    return _anchor(candidates[0])


def _anchor(place: _Place) -> Anchor:
    return Anchor(place.end, place.start if place.start < place.end else None)
