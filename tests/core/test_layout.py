"""An edit keeps how the lines of a file end and how they are indented."""

import pytest

from bot.core.layout import changed_layout


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("def a():\n\treturn 1\n", "def a():\n\treturn 2\n    return 3\n", "indented with tabs"),
        ("def a():\n\treturn 1\n", "def a():\n    return 3\n", "indented with tabs"),
        ("def a():\n\treturn 1\n", "def a():\n\tif x:\n\t\treturn 3\n", ""),
        ("def a():\n\treturn 1\n", "a = 1\n", ""),
        ("a = 1\n", "def a():\n\treturn 1\n", ""),
        ("def a():\n    return 1\n", "def a():\n    x = 1\n\treturn 1\n", "indented with blanks"),
        ("def a():\n    x = 1\n\treturn 1\n", "def a():\n    x = 2\n\treturn 1\n", ""),
        ("/*\n * x\n */\n\treturn 1\n", "/*\n * y\n */\n\treturn 1\n", ""),
        ("", "def a():\n\treturn 1\r\n", ""),
        ("a\r\nb\r\n", "a\r\nc\n", "end in CRLF"),
        ("a\r\nb\r\n", "a\nb\n", "end in CRLF"),
        ("a\nb\n", "a\r\nb\n", "end in LF"),
        ("a\r\nb\n", "a\nb\n", ""),
        ("a\r\nb", "a", ""),
    ],
)
def test_what_changes_a_files_form_is_told(before: str, after: str, said: str) -> None:
    told = changed_layout("pot.go", before, after)
    assert said in told
    assert bool(told) == bool(said)


def test_prose_is_indented_as_it_likes() -> None:
    assert changed_layout("a.md", "a\n\tb\n", "a\n    b\n") == ""
