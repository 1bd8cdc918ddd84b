"""Which findings a dismissal keeps from being shown."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.findings import Finding, choose
from bot.core.memory import Lesson, Memory, code_words, conventions, dismissal, dismissed_by
from bot.core.refs import Login

POINT = Finding(
    "src/tea.py", "major", "bug", "Water may be cold", "b", quote="steep(water, minutes=kettle.minutes + 1)"
)
SECRET = Finding("till.py", "critical", "secret", "GitHub token in the source", "b", source="secrets", line=1)


def kept(finding: Finding, number: int = 5) -> list[Memory]:
    return [Memory(3, dismissal(finding, "by design", Login("tom"), number), 0.0)]


@pytest.mark.parametrize(
    ("changed", "dismissed"),
    [
        ({}, True),
        ({"title": "The kettle was never heated", "category": "correctness"}, True),  # the same code
        ({"quote": "    steep(water,\n  minutes=kettle.minutes + 1)"}, True),
        ({"quote": "steep(water, minutes=kettle.minutes + 2)"}, True),  # alike, the same category
        (
            {"quote": "steep(water, minutes=kettle.minutes + 2)", "category": "x", "title": "Off"},
            False,
        ),
        ({"quote": "pour(milk, cups=table.cups - 1)"}, False),
        ({"path": "lib/tea.py"}, False),  # too few words to know it elsewhere
        ({"source": "ruff"}, False),
    ],
)
def test_the_same_point_is_known_again_and_no_other(changed: dict[str, str], dismissed: bool) -> None:
    finding = replace(POINT, **changed)  # type: ignore[arg-type]
    assert bool(dismissed_by(kept(POINT), finding, 9)) is dismissed


def test_a_moved_file_takes_its_dismissals_along() -> None:
    long = replace(POINT, quote="steep(water, minutes=kettle.minutes, cups=table.cups, milk=None)")
    assert dismissed_by(kept(long), replace(long, path="lib/tea.py"), 9)


def test_a_dismissed_secret_hides_no_later_secret_of_its_kind() -> None:
    assert dismissed_by(kept(SECRET, number=5), SECRET, 5)
    assert not dismissed_by(kept(SECRET, number=5), SECRET, 6)
    harmless = replace(SECRET, severity="minor", source="ruff", category="F821")
    assert dismissed_by(kept(harmless, number=5), harmless, 6)


def test_dismissed_findings_are_counted_and_neither_shown_nor_standing() -> None:
    other = replace(POINT, quote="pour(milk)", title="Spills")
    chosen = choose(
        [POINT, other],
        min_severity="minor",
        max_comments=8,
        posted=frozenset(),
        dismissed=lambda one: dismissed_by(kept(POINT), one, 1),
    )
    assert (chosen.shown, chosen.dismissed, chosen.standing) == ((other,), (POINT,), ())


def test_conventions_dismiss_nothing() -> None:
    convention = Memory(1, Lesson("convention", "Never print.", Login("ann")), 0.0)
    assert dismissed_by([convention], replace(POINT, quote=""), 1) is None
    assert conventions([convention, *kept(POINT)]) == ("Never print.",)


@given(st.text(), st.text())
def test_words_are_the_same_whatever_white_space_lies_between(one: str, other: str) -> None:
    words = code_words(f"{one} \n{other}")
    assert words == code_words(f"{other}\t{one}")
    assert all(word and len(word) <= 60 for word in words)
    assert len(words) <= 60
