"""What became of a finding."""

import pytest

from bot.core.finding_outcome import Followed, outcome, ranked, shares
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


def followed(what: str, source: str = "model", confidence: float = 0.9, severity: str = "major") -> Followed:
    found = Finding("tea.py", severity, "bug", what, "B", confidence=confidence, source=source)  # type: ignore[arg-type]
    return Followed(found, what)  # type: ignore[arg-type]


def test_what_people_changed_soonest_comes_first_and_then_the_worst() -> None:
    said = [
        (1, followed("still there", severity="critical")),
        (1, followed("changed since", severity="minor")),
        (2, followed("unknown")),
        (2, followed("fixed before the merge", severity="nit")),
        (3, followed("changed since", severity="critical")),
    ]
    found = [(number, one.outcome, one.finding.severity) for number, one in ranked(said)]
    assert found == [
        (2, "fixed before the merge", "nit"),
        (3, "changed since", "critical"),
        (1, "changed since", "minor"),
        (2, "unknown", "major"),
        (1, "still there", "critical"),
    ]


def test_each_kind_of_finding_has_its_share_and_the_unknown_count_nowhere() -> None:
    said = [
        followed("still there", "ruff"), followed("changed since", "ruff"), followed("unknown", "ruff"),
        followed("fixed before the merge", confidence=0.8), followed("still there", confidence=0.79),
        followed("still there", confidence=0.2), followed("unknown", "secrets"),
    ]  # fmt: skip
    assert shares(said) == [
        ("model, sure", 1, 1), ("ruff", 2, 1), ("model, fairly sure", 1, 0), ("model, unsure", 1, 0),
    ]  # fmt: skip
    assert shares([]) == []
