"""Which rule says how thoroughly a change is read."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.diff import FileDiff
from bot.core.effort import RULE, effort_of, effort_rule, passes
from bot.core.settings_schema import WrongValue, find, taken
from bot.patterns import wanted

FILES = (
    FileDiff(path="src/auth/login.py", status="modified", hunks=(), additions=30, deletions=10),
    FileDiff(path="docs/index.md", status="modified", hunks=(), additions=5),
)


def effort(*rules: str, files: Any = FILES, labels: tuple[str, ...] = ()) -> tuple[str, str]:
    return effort_of(rules, files, labels, wanted)


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ("deep", True), ("  deep  ", True),
        ("deep src/auth/**", True), ("deep auth", True), ("deep *.md", True), ("deep src/pay/**", False),
        ("quick docs/**", False), ("quick docs/", False), ("quick **", True), ("quick *.py", False),
        ("deep lines>44", True), ("deep lines>45", False), ("quick lines<46", True),
        ("quick lines < 45", False),
        ("deep label:Security", True), ("deep label: security", True), ("deep label:secure", False),
        ("deep label:needs care", True), ("normal label:security", True),
    ],
)  # fmt: skip
def test_a_rule_holds_by_label_path_or_size(rule: str, holds: bool) -> None:
    found = effort(rule, labels=("security", "Needs Care"))
    assert found == ((rule.split()[0], rule.strip()) if holds else ("normal", ""))


def test_the_first_rule_that_fits_counts() -> None:
    rules = ("deep src/pay/**", "quick lines>20", "deep src/auth/**", "quick")
    assert effort(*rules) == ("quick", "quick lines>20")
    assert effort("deep src/auth/**", *rules)[0] == "deep"
    assert effort("normal", *rules) == ("normal", "normal")
    assert effort() == ("normal", "")


def test_what_moved_or_is_gone_is_a_change_of_such_a_file() -> None:
    moved = (FileDiff(path="docs/login.py", status="renamed", hunks=(), old_path="src/auth/login.py"),)
    prose = (FileDiff(path="docs/index.md", status="modified", hunks=()),)
    gone = (FileDiff(path="src/auth/check.py", status="removed", hunks=None),)
    rules = ("quick docs/**", "deep src/auth/**")
    assert effort(*rules, files=moved) == ("deep", "deep src/auth/**")
    assert effort(*rules, files=prose) == ("quick", "quick docs/**")
    assert effort_of(rules, prose, (), wanted, gone) == ("deep", "deep src/auth/**")


def test_a_change_without_files_fits_no_path() -> None:
    assert effort("quick docs/**", "deep **", files=()) == ("normal", "")


@pytest.mark.parametrize(
    "wrong",
    [
        "", "fast", "Deep", "deeply", "deep label:", "deep lines>", "deep lines>x", "deep lines>12345678",
        "quick label :x", "security", "deep\tsrc", "deep a\nb", "quick " + "x" * 300, "lines>5",
    ],
)  # fmt: skip
def test_what_is_no_rule_is_said_and_never_read_as_a_path(wrong: str) -> None:
    assert effort_rule(wrong) is None
    if wrong.strip() and "\t" not in wrong:
        with pytest.raises(WrongValue, match=r"is no rule|at most|expected"):
            taken(find("review.effort"), [wrong])


@given(st.text(max_size=60), st.sampled_from(["quick ", "normal ", "deep ", ""]))
def test_any_text_is_a_rule_or_none(text: str, head: str) -> None:
    rule = effort_rule(head + text)
    if rule is not None:
        assert sum(map(bool, (rule.label, rule.pattern, rule.over is not None, rule.under is not None))) <= 1
        assert effort_of([head + text], FILES, ["x"], wanted)[0] in ("normal", rule.effort)


def test_editors_are_given_the_same_pattern() -> None:
    assert re.fullmatch(RULE.pattern, "deep src/**")
    assert not re.fullmatch(RULE.pattern, "deep lines>x")


@pytest.mark.parametrize(
    ("name", "most", "idle", "times"),
    [
        ("quick", 5, True, 1), ("normal", 3, True, 3), ("normal", 3, False, 1),
        ("deep", 1, False, 3), ("deep", 5, True, 5), ("security", 4, True, 1),
    ],
)  # fmt: skip
def test_how_often_a_change_is_read(name: Any, most: int, idle: bool, times: int) -> None:
    assert passes(name, most, idle=idle) == times
