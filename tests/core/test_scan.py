"""Which code is read first, and what is known of what was read."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.diff import render
from bot.core.findings import Finding, fingerprint
from bot.core.knowledge import FileRisk
from bot.core.scan import ScannedFile, as_change, moved, questions, riskiest, spent, standing


def file(path: str, lines: int = 50, **more: int | bool) -> FileRisk:
    return FileRisk(path, path.encode().hex()[:40].ljust(40, "0"), lines, **more)  # type: ignore[arg-type]


def found(path: str, title: str = "T", severity: str = "major") -> Finding:
    return Finding(path, severity, "bug", title, "B", quote=title, line=3)  # type: ignore[arg-type]


def test_what_is_mended_often_guards_something_and_has_no_test_comes_first() -> None:
    quiet, busy = file("quiet.py", tested=True), file("busy.py", commits=40, tested=True)
    mended = file("mended.py", commits=40, fixes=20, tested=True)
    guard = file("auth/login.py", commits=40, fixes=20)
    assert riskiest([quiet, busy, mended, guard], {}) == [guard, mended, busy, quiet]
    assert (
        guard.why
        == "40 commits, 20 of them mended something; guards something; no test is named after it; 50 lines"
    )


@pytest.mark.parametrize(
    "left_out",
    [
        file("tests/test_a.py"), file("README.md"), file("package-lock.json"), file("vendor/x.js"),
        file("a.yml"), file("tiny.py", lines=9), file("huge.py", lines=2_001), file("dist/app.min.js"),
    ],
)  # fmt: skip
def test_only_code_that_people_write_is_read(left_out: FileRisk) -> None:
    assert riskiest([left_out, file("a.py")], {}) == [file("a.py")]


def test_a_file_is_read_again_when_it_has_changed() -> None:
    one, other = file("a.py"), file("b.py")
    known = {
        "a.py": ScannedFile("a.py", one.blob, "2026-03-04", 2),
        "b.py": ScannedFile("b.py", "0" * 40, "", 2),
    }
    assert riskiest([one, other], known) == [other]


def test_a_file_that_only_moved_is_known_under_its_new_name() -> None:
    old = ScannedFile("a.py", "1", "2026-03-04", 2, (found("a.py"),))
    copied, begun = replace(old, path="copy.py"), ScannedFile("d.py", "", "", 2, begun=1)
    known = {one.path: one for one in (old, copied, begun)}
    here = [FileRisk(path, blob, 50) for path, blob in (("b.py", "1"), ("c.py", "1"), ("copy.py", "1"))]
    assert moved(here, known) == {"a.py": replace(old, path="b.py", findings=(found("b.py"),))}
    assert moved([*here, FileRisk("a.py", "2", 50)], known) == {}


def test_what_a_night_has_spent_counts_for_that_night() -> None:
    known = [ScannedFile("a.py", "", "2026-03-04", 2), ScannedFile("b.py", "", "2026-03-04", 3)]
    assert (spent(known, "2026-03-04"), spent(known, "2026-03-05")) == (5, 0)


def test_what_stands_is_of_files_that_are_the_same_and_nothing_that_was_dismissed() -> None:
    worst, wrong, old = found("a.py", "W", "critical"), found("a.py", "D"), found("b.py", "O")
    known = [ScannedFile("b.py", "1", "", 0, (old,)), ScannedFile("a.py", "2", "", 0, (wrong, worst))]
    assert standing(known, {"a.py": "2", "b.py": "1"}) == [worst, wrong, old]
    assert standing(known, {"a.py": "2", "b.py": "9"}, [fingerprint(wrong)]) == [worst]
    assert standing(known, {}) == []


@given(st.lists(st.text(alphabet=st.characters(exclude_characters="\n\r"), max_size=200), max_size=60))
def test_a_file_as_a_change_has_all_its_lines_and_they_are_new(lines: list[str]) -> None:
    made = as_change("a.py", lines)
    (hunk,) = made.hunks or ()
    assert [(line.kind, line.new, line.text) for line in hunk.lines] == [
        ("+", number, text) for number, text in enumerate(lines, 1)
    ]
    assert made.additions == len(lines)
    assert render(made)
    assert questions(lines) >= 2
