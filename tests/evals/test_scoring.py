"""What counts as the same remark, and the sums of a table."""

from bot.core.findings import Finding
from bot.core.scoring import Golden, Score, closeness, pairs


def said(quote: str = "", path: str = "a.py", line: int | None = None, start: int | None = None) -> Finding:
    return Finding(path, "major", "bug", "T", "B", quote, line=line, start_line=start)


def test_the_same_code_is_the_same_remark_wherever_it_stands() -> None:
    target = Golden("a.py", 3, 4, "x = 1\n    y = 2")
    assert closeness(said("x = 1\ny = 2"), target) == 1.0
    assert closeness(said("  x=1"), target) == 1.0
    assert closeness(said("y = 2\nz = 3\nw = 4"), target) == 0.5
    assert closeness(said("z = 3"), target) == 0.0
    assert closeness(said("x = 1", path="b.py"), target) == 0.0


def test_lines_that_meet_count_a_little_and_brackets_not_at_all() -> None:
    target = Golden("a.py", 3, 4, "}")
    assert closeness(said("}"), target) == 0.0
    assert closeness(said("other", line=4), target) == 0.25
    assert closeness(said("other", line=6, start=4), target) == 0.25
    assert closeness(said("other", line=5), target) == 0.0
    assert closeness(said("other", line=3), Golden("a.py")) == 0.0


def test_each_remark_is_matched_once_and_the_closest_first() -> None:
    targets = [Golden("a.py", 1, 9, "x = 1"), Golden("a.py", 2, 2, "y = 2")]
    findings = [said("other", line=2), said("y = 2", line=2), said("y = 2", line=7)]
    assert pairs(findings, targets) == [(1, 1), (0, 0)]


def test_sums_and_what_has_no_value() -> None:
    total = Score(1, 1, 2, 1) + Score(1, 0, 0, 2)
    assert (total.precision, total.recall, total.f1, total.comments) == (0.5, 1 / 3, 0.4, 1.0)
    assert (Score().precision, Score().recall, Score().f1, Score().comments) == (None, None, None, 0.0)
    assert Score(1, 0, 2, 0).f1 == 0.0
