"""What became of a finding."""

import pytest

from bot.core.finding_outcome import outcome
from bot.core.findings import Finding

HEAD = "def brew(water):\n    return water / 0\n"


def said(line: int | None = 2, quote: str = "return water / 0") -> Finding:
    return Finding("tea.py", "major", "bug", "T", "B", quote, line=line)


@pytest.mark.parametrize(
    ("merged", "now", "expected"),
    [
        (HEAD, HEAD, "still there"),
        (HEAD, "x = 1\n\n  return  water/0\n", "still there"),
        (HEAD, HEAD.replace("0", "2"), "changed since"),
        (HEAD, None, "changed since"),
        (HEAD.replace("0", "2"), HEAD, "fixed before the merge"),
        (None, None, "fixed before the merge"),
    ],
)
def test_its_lines_are_followed(merged: str | None, now: str | None, expected: str) -> None:
    assert outcome(said(), HEAD, merged, now) == expected
    assert outcome(said(line=None), None, merged, now) == expected


def test_a_finding_without_code_cannot_be_followed() -> None:
    assert outcome(said(line=None, quote=" \n"), HEAD, HEAD, HEAD) == "unknown"
    assert outcome(said(line=99, quote=""), HEAD, HEAD, HEAD) == "unknown"


def test_several_lines_are_followed_as_one() -> None:
    finding = Finding("tea.py", "major", "bug", "T", "B", start_line=1, line=2)
    moved = HEAD.replace("\n    return", "\n\n    return")
    apart = HEAD.replace("\n    return", "\n    x = 1\n    return")
    assert outcome(finding, HEAD, moved, moved) == "still there"
    assert outcome(finding, HEAD, apart, apart) == "fixed before the merge"
