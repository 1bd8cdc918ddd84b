"""What the log of a CI job says of why the job failed. Whoever can make a job print something writes it: all
of it is data. Every step here goes over the text once."""

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence

from bot.core.text import for_terminal, undrawn

MOST_EXCERPT = 9_000
"""Characters of one log that a model is shown."""
LONGEST_LINE = 400
_HEAD, _AROUND, _LAST = 5, 60, 80
"""Lines before the first error, from it on, and at the end."""
_TIME = re.compile(
    r"^\ufeff?(?:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)|\[\d\d:\d\d:\d\d\]) ?",
    re.MULTILINE,
)
_SURE = re.compile(
    r"##\[error\]|Traceback \(most recent|^E {1,10}\S|^(?:FAILED|FAIL|ERROR)\b|--- FAIL|\bpanic:|^fatal:"
    r"|\b[Ee]rror(?:\[\w{1,12}\])?:|\berror [A-Z]{1,4}\d{2,5}\b|npm ERR!|\b[A-Z]\w{0,60}(?:Error|Exception)\b"
    r"|[\u2715\u2717\u25cf\u2716] |BUILD FAILED|BUILD FAILURE"
)
_PERHAPS = re.compile(
    r"(?i)\berrors?\b|\bfail(?:ed|ure|s)?\b|\bfatal\b|\bcannot\b|not found|denied|timed out|\bkilled\b"
    r"|out of memory|no such file|unable to|undefined"
)
_ENDED = re.compile(r"##\[error\](?:Process completed with exit code|The operation was canceled)")
_FAILURE = "##[error]"
_STEP = "##[group]Run "
_CHANGING = re.compile(r"0x[0-9a-f]{1,40}|\b[0-9a-f]{7,64}\b|\d{1,40}")


def readable(raw: bytes) -> str:
    """A log's bytes as lines without colours, control characters and the times before them; empty for what is
    no text. Of a line that was drawn over (`\\r`) the last state."""
    if raw.count(b"\0", 0, 4_096) > len(raw[:4_096]) // 50 or raw[:4] in (b"PK\3\4", b"\x1f\x8b\x08\0"):
        return ""
    return for_terminal(_TIME.sub("", undrawn(raw)))


def excerpt(text: str, hide: Callable[[str], str], most: int = MOST_EXCERPT) -> str:
    """The part of a readable log that tells most: of the step that failed the first error with what follows
    it, and the end. What is left out between is counted. `hide` takes credentials out, and no line; it is
    given more of a long line than is shown, so that it sees none in half."""
    whole = text.rstrip("\n").split("\n")
    lines = [_short(line) for line in whole]
    start, end = _failed_step(lines)
    whole, lines = whole[start:end], lines[start:end]
    first = _first_error(lines)
    from_first = range(max(0, first - _HEAD), min(len(lines), first + _AROUND))
    last = range(max(0, len(lines) - _LAST), len(lines))
    kept = _within(lines, from_first, most // 2)
    room = most - sum(len(lines[number]) + 1 for number in kept)
    kept |= _within(lines, reversed(last), room)
    numbers = sorted(kept)
    told = "\n".join(_short(whole[number], 2_000) for number in numbers)
    hidden = hide(told).split("\n") if numbers else []  # no line has room: all are counted
    return "\n".join(_with_gaps([_short(line) for line in hidden], numbers, len(lines)))


def errors(text: str, most: int = 20) -> tuple[str, ...]:
    """Lines that surely tell of an error, without what is another in each run of the same."""
    found = (line for line in text.split("\n") if _SURE.search(_short(line)) and not _ENDED.search(line))
    same = dict.fromkeys(_CHANGING.sub("0", _short(line).strip()) for line in found)
    return tuple(same)[:most]


def digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:24]


def stands(quote: str, texts: Iterable[str]) -> bool:
    """Whether somebody who quotes it has read it there, however its blanks are written."""
    words = " ".join(quote.split())
    return len(words) >= 4 and any(words in " ".join(text.split()) for text in texts)


def _short(line: str, longest: int = LONGEST_LINE) -> str:
    if len(line) <= longest:
        return line
    return f"{line[: longest * 7 // 10]} … {line[-longest // 4 :]}"


def _failed_step(lines: Sequence[str]) -> tuple[int, int]:
    """Where the step begins and ends that failed first; all where GitHub's own marks tell of none."""
    ended = (number for number, line in enumerate(lines) if _ENDED.search(line))
    end = next(ended, None)
    if end is None:
        failures = [number for number, line in enumerate(lines) if line.startswith(_FAILURE)]
        if not failures:
            return 0, len(lines)
        end = failures[-1]
    begun = (number for number in range(end, -1, -1) if lines[number].startswith(_STEP))
    return next(begun, 0), end + 1


def _first_error(lines: Sequence[str]) -> int:
    for pattern in (_SURE, _PERHAPS):
        hits = (n for n, line in enumerate(lines) if pattern.search(line) and not _ENDED.search(line))
        if (found := next(hits, None)) is not None:
            return found
    return len(lines)


def _within(lines: Sequence[str], numbers: Iterable[int], room: int) -> set[int]:
    kept: set[int] = set()
    for number in numbers:
        room -= len(lines[number]) + 1
        if room < 0:
            break
        kept.add(number)
    return kept


def _with_gaps(shown: Sequence[str], numbers: Sequence[int], total: int) -> Iterable[str]:
    """`numbers`: those of the lines that are shown, of so many in all."""
    before = -1
    for number, line in zip((*numbers, total), (*shown, ""), strict=True):
        if number > before + 1:
            yield f"[… {number - before - 1} lines left out …]"
        if number < total:
            yield line
        before = number
