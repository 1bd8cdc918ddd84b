"""What of a patch counts, and when a case is resolved."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.core.suite_runs import SuiteRun
from bot.evals.patches import PatchCase, as_judged, held_back, holds, load_cases, load_results

CASE: dict[str, Any] = {
    "repo": "tea",
    "base": "a" * 40,
    "issue": "Cold",
    "tests": ["python3", "-m", "unittest"],
}
NAMED = {**CASE, "command": ["pytest"], "report": "r.xml", "tests": ["test_tea.Pot::test_brew"]}


@pytest.mark.parametrize(
    "path",
    [
        "tests/test_tea.py",
        "tea_test.go",
        "src/tea.spec.ts",
        "conftest.py",
        "sub/pytest.ini",
        "Makefile",
        "setup.cfg",
    ],
)
def test_what_a_patch_changes_of_tests_and_of_how_they_are_run_does_not_count(path: str) -> None:
    case = PatchCase(**CASE, files={"check.py": "ours"})
    made = {path: "theirs", "tea.py": "hot", "check.py": "theirs", "old.py": None}
    assert as_judged(made, case) == {"tea.py": "hot", "check.py": "ours", "old.py": None}
    assert held_back(made, case) == sorted([path, "check.py"])


@pytest.mark.parametrize(
    ("run", "good"),
    [
        (SuiteRun(), True),
        (SuiteRun(code=1), False),
        (SuiteRun(killed="it took longer"), False),
        (SuiteRun(refused="no sandbox"), False),
    ],
)
def test_without_names_the_exit_code_decides(run: SuiteRun, good: bool) -> None:
    assert (not holds(run, PatchCase(**CASE))) is good


@pytest.mark.parametrize(
    ("passed", "failed", "good"),
    [
        (["test_tea.Pot::test_brew"], [], True),
        (["test_tea.Pot::test_brew"], ["test_tea.Pot::test_other"], True),
        (["test_tea.Pot::test_brewer", "other"], [], False),
        ([], [], False),
        (["test_tea.Pot::test_brew"], ["deep::test_tea.Pot::test_brew"], False),
    ],
)
def test_with_names_each_must_have_passed_whatever_the_exit_code(
    passed: list[str], failed: list[str], good: bool
) -> None:
    run = SuiteRun(passed=frozenset(passed), failed=frozenset(failed), code=1)
    assert (not holds(run, PatchCase(**NAMED))) is good


def test_cases_and_what_is_none_are_told_apart_by_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "cases.jsonl"
    lines = ["", json.dumps(CASE), "[" * 5_000, json.dumps({**CASE, "base": "main"}), json.dumps(NAMED), "1"]
    file.write_text("\n".join(lines))
    cases, bad = load_cases(file)
    assert [line for line, _ in cases] == [2, 5]
    assert [one.line for one in bad] == [3, 4, 6]
    assert cases[0][1].repo == str(tmp_path / "tea")


def test_results_that_broke_off_are_left_out(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    assert load_results(file) == []
    good = {"case": "c", "key": "k", "line": 1, "model": "m", "held_back": []}
    file.write_text(
        "\n".join([json.dumps(good), '{"case": "c"', "[]", json.dumps({**good, "x": 1}), "[" * 9_999])
    )
    assert [one.key for one in load_results(file)] == ["k"]
