"""Cutting what is too long for one passage, at the places where a reader would."""

from collections.abc import Iterator, Sequence

WHOLE = 100
"""Lines up to which a definition stays one passage."""
WINDOW = 60
"""Lines of a passage of what is longer."""
WINDOW_CHARS = 8_000


def windows(lines: Sequence[str], start: int, end: int) -> Iterator[tuple[int, int]]:
    """Lines `start` to `end` (from 1, included) as consecutive passages; what is short stays whole."""
    while start <= end:
        stop = _fits(lines, start, end)
        yield start, stop
        start = stop + 1


def _fits(lines: Sequence[str], start: int, end: int) -> int:
    """The last line of the passage that begins at `start`."""
    if end - start < WHOLE and sum(map(len, lines[start - 1 : end])) + end - start < WINDOW_CHARS:
        return end
    chars, most = 0, WHOLE if end - start < WHOLE else WINDOW
    for at in range(start, end + 1):
        chars += len(lines[at - 1]) + 1
        if at > start and (at - start >= most or chars > WINDOW_CHARS):
            return _seam(lines, start, at - 1)
    return end


def _seam(lines: Sequence[str], start: int, stop: int) -> int:
    """The best line to end with in the last third: before an unindented line, best after a blank one."""

    def cost(last: int) -> tuple[int, bool, int]:
        following = lines[last]
        indent = len(following) - len(following.lstrip()) if following.strip() else 1_000
        return indent, bool(lines[last - 1].strip()), -last

    earliest = max(start, stop - (stop - start) // 3)
    return min(range(earliest, stop + 1), key=cost)
