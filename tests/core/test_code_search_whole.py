"""A file is read whole from a library that gives it in pieces, however that behaves."""

import pytest

from bot.core.code_search import Excerpt, whole


class Pieces:
    """Gives so many lines at once of a file of so many; `wrong`: always its beginning."""

    def __init__(self, lines: int, piece: int, *, wrong: bool = False) -> None:
        self.lines, self.piece, self.wrong, self.asked = lines, piece, wrong, 0

    async def search(self, query: str) -> tuple[Excerpt, ...]:
        return ()

    async def read(self, path: str, start: int, end: int) -> Excerpt | None:
        self.asked += 1
        first = 1 if self.wrong else start
        last = min(end, self.lines, first + self.piece - 1)
        return Excerpt(path, first, tuple(f"line {n}" for n in range(first, last + 1)))


@pytest.mark.parametrize(
    ("lines", "piece", "most", "read", "asked"),
    [(10, 400, 99, 10, 2), (1_000, 400, 2_000, 1_000, 4), (1_000, 400, 700, 700, 2), (0, 400, 9, 0, 1)],
)
async def test_every_line_once_and_no_more_than_was_asked_for(
    lines: int, piece: int, most: int, read: int, asked: int
) -> None:
    library = Pieces(lines, piece)
    assert await whole(library, "tea.py", most) == tuple(f"line {n}" for n in range(1, read + 1))
    assert library.asked == asked


async def test_a_library_that_repeats_itself_is_not_asked_for_ever() -> None:
    library = Pieces(1_000, 400, wrong=True)
    assert len(await whole(library, "tea.py")) == 400
    assert library.asked == 2
