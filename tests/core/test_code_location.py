"""Places in files as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.code_location import MOST_LINES, CodeLocation, location


@pytest.mark.parametrize(
    ("words", "found", "rest"),
    [
        ("src/tea.py:12-40 why?", CodeLocation("src/tea.py", 12, 40), "why?"),
        ("`tea.py:7`", CodeLocation("tea.py", 7, 7), ""),
        ("/tea.py", CodeLocation("tea.py"), ""),
        ("`green tea/a: b.py:3-4` why?", CodeLocation("green tea/a: b.py", 3, 4), "why?"),
        ('"green tea.py":7 why?', CodeLocation("green tea.py", 7, 7), "why?"),
        ("'app/[id]/my page.tsx' why?", CodeLocation("app/[id]/my page.tsx"), "why?"),
        ("`green tea`.py", CodeLocation("green"), "tea`.py"),
        ("why is it so", CodeLocation("why"), "is it so"),
    ],
)
def test_a_place_and_what_follows_it(words: str, found: CodeLocation, rest: str) -> None:
    assert location(words) == (found, rest)


def test_no_words_name_no_place() -> None:
    assert location("") == (None, "")
    assert not CodeLocation("why?").is_path
    assert CodeLocation("tea.py").is_path
    assert CodeLocation("Makefile", 1).is_path


@given(st.text(), st.integers(0, 2_000), st.integers(0, 2_000))
def test_an_excerpt_is_of_the_file_and_holds_the_place(text: str, start: int, end: int) -> None:
    excerpt = CodeLocation("a", start, end).excerpt(text)
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    lines = lines if lines[-1] else lines[:-1]  # what a line end ends is a line, and nothing after it
    if excerpt is None:
        assert not lines or start > len(lines) or end < start
        return
    assert len(excerpt.lines) <= MOST_LINES
    assert tuple(lines[excerpt.start - 1 : excerpt.end]) == excerpt.lines
    assert excerpt.start <= max(start, 1) <= excerpt.end


@pytest.mark.parametrize("odd", ["\f", "\v", "\r", "\x1c", "\x85", "\u2028", "\u2029"])
def test_lines_are_those_of_git_and_editors(odd: str) -> None:
    text = f"one{odd}\r\n" * 40 + "here\r\n"
    excerpt = CodeLocation("a", 41).excerpt(text)
    assert excerpt
    assert (excerpt.end, excerpt.lines[-1], excerpt.lines[0]) == (41, "here", f"one{odd}")


@given(st.text())
def test_reading_a_place_never_fails(said: str) -> None:
    found, _ = location(said)
    assert found is None or found.path.strip() or found.path == ""
