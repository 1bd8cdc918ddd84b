"""Path rules of strangers: as git reads them, in linear time, and no pattern is an error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.patterns import is_pattern, wanted
from tests.spent import Spent


@pytest.mark.parametrize(
    ("path", "patterns", "taken"),
    [
        ("src/a.py", [], True),
        ("src/a.py", ["src/**"], True),
        ("docs/a.md", ["src/**"], False),
        ("vendor/a.py", ["!**/vendor/**"], False),
        ("src/vendor/a.py", ["!**/vendor/**"], False),
        ("src/a.py", ["!**/vendor/**"], True),
        ("src/keep.py", ["src/", "!src/keep.py"], False),  # git does not take up what a folder leaves out
        ("a.py", ["*.py", "!a.py"], False),
        ("a.py", ["[z-a]", "*.py", "!"], True),
        ("b\udcff.py", ["*.py"], True),
    ],
)
def test_patterns_are_read_as_git_reads_them(path: str, patterns: list[str], taken: bool) -> None:
    assert wanted(path, patterns) is taken


@pytest.mark.parametrize("pattern", ["(a+)+$", "*a" * 30 + "b", "**/a*" * 20 + "/b", "(x|x)*y" * 30])
def test_C6_the_worst_pattern_costs_little(pattern: str) -> None:
    """In processor time, so that a busy machine changes nothing; `re` takes minutes."""
    wanted("a" * 250, [pattern])
    with Spent() as spent:
        wanted("a" * 251, [pattern])
    assert spent.seconds < 0.01


@given(st.text(), st.lists(st.text(max_size=40), max_size=8))
def test_no_pattern_and_no_path_is_an_error(path: str, patterns: list[str]) -> None:
    assert wanted(path, patterns) in (True, False)


def test_a_hundred_long_patterns_have_room() -> None:
    many = ["*a" * 120 + str(number) for number in range(100)]
    assert wanted("x.py", ["*.py", *many]) is True


@pytest.mark.parametrize("text", ["!", "\\", "a\\", "[z-a]"])
def test_what_git_does_not_understand_is_no_pattern(text: str) -> None:
    assert not is_pattern(text)
    assert is_pattern("*.py")
