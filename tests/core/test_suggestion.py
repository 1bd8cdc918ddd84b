"""A replacement is offered for one click only when the file can take it."""

import pytest

from bot.core.code_analysis import Tools
from bot.core.diff import FileDiff, parse_patch
from bot.core.findings import Finding
from bot.core.suggestion import change, in_one_hunk, proved
from tests.agents.facts import new_file

TEA = "def brew(water):\n    leaves = 3\n    return water / 0\n"


@pytest.mark.parametrize(
    ("replacement", "taken"),
    [
        ("    return water / 2", True),
        ("    return water / 2\n", True),
        ("    half = water / 2\n    return half", True),
        ("return water / 2", False),
        ("\treturn water / 2", False),
        ("    if water:\n\t\treturn 1", False),
        ("    return water / 0", False),
        ("", False),
        ("\n", False),
        ("    x = '" + "a" * 5_000 + "'", False),
        ("    return\rwater", False),
    ],
)
def test_indentation_and_size_are_kept(replacement: str, taken: bool) -> None:
    assert (change(new_file("tea.py", TEA), TEA, 3, 3, replacement) is not None) is taken


def test_X7_a_file_with_carriage_returns_gets_no_suggestion() -> None:
    text = TEA.replace("\n", "\r\n")
    assert change(new_file("tea.py", TEA), text, 3, 3, "    return water / 2") is None


def test_X7_lines_out_of_one_hunk_get_no_suggestion() -> None:
    file = FileDiff("a", "modified", parse_patch("@@ -1 +1 @@\n-a\n+b\n@@ -9,2 +9,2 @@\n x\n-y\n+z"))
    text = "\n".join("bcdefghixz")
    assert in_one_hunk(file, 9, 10)
    assert not in_one_hunk(file, 1, 9)
    assert change(file, text, 1, 9, "new") is None
    assert change(file, text, 5, 5, "new") is None
    assert change(file, text, 9, 10, "new") is not None


async def lint(texts):
    """Complains about each line that says `bad`."""
    return [
        Finding(path, "minor", "B", "bad", "", line=n)
        for path, text in texts.items()
        for n, line in enumerate(text.split("\n"), 1)
        if "bad" in line
    ]


async def test_a_change_must_parse_and_bring_no_new_remark_wherever_old_ones_have_moved_to() -> None:
    text = "x = 1\nbad = 2\n"
    file = new_file("a.py", text)
    made = [change(file, text, 1, 1, new) for new in ("x = (", "x = 3\ny = 4", "bad2 = 1", "x = 5")]
    assert [one is not None for one in made] == [True] * 4
    changes = [one for one in made if one]
    assert await proved(changes, Tools(lint=lint)) == [False, True, False, True]
    assert await proved(changes, Tools()) == [False, True, True, True]
    assert await proved((), Tools(lint=lint)) == []
