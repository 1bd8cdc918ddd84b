"""Conventions from the past: what is found, what is offered, what ends one."""

import json
import random
from dataclasses import replace

import pytest

from bot.agents.memory import table
from bot.core.conventions import (
    LEAST_CASES,
    MOST_TRIED,
    Count,
    after_dismissal,
    evidence_of,
    learned,
    lesson_of,
    tried_again,
    written,
)
from bot.core.memory import MOST_EVIDENCE, Lesson, Memory, conventions, covers
from bot.core.memory import learned as told
from bot.core.past_changes import (
    MOST_LINES,
    SOON_SECONDS,
    PastChange,
    PastRemark,
    is_fix,
    is_read,
    judged,
    kept_lines,
    reverted,
)
from bot.core.refs import Login

DAY = 86_400.0
ANN = Login("ann")


def change(n: int, *lines: str, title: str = "Add", path: str = "src/a.py", **more: object) -> PastChange:
    added = tuple((path, line) for line in lines)
    return PastChange(f"#{n}", f"https://github.com/o/r/pull/{n}", title, n * DAY, added, **more)  # type: ignore[arg-type]


def remark(line: str, said: str = "Use structlog.", path: str = "src/a.py") -> PastRemark:
    return PastRemark(path, line, said, "ann", "https://github.com/o/r/pull/1#discussion_r1")


def history(objected: float, newer: float | None = None, count: int = 100) -> list[PastChange]:
    """Each third change has a line that prints; of those this share was changed in review, of the newer ones
    another."""
    rng = random.Random(count)
    found = []
    for n in range(count):
        own = [f"value_{n} = compute_{n}(item)", f"return value_{n} or default"]
        share = objected if newer is None or n < 0.7 * count else newer
        if n % 3:
            found.append(change(n, *own))
        elif rng.random() < share:
            found.append(change(n, *own, remarks=(remark(f"print(value_{n})"),)))
        else:
            found.append(change(n, *own, f"print(value_{n})"))
    return found


def test_what_people_had_changed_is_found_and_its_precision_is_that_of_the_newer_part() -> None:
    (one, *others), tried = learned(judged(history(0.9)))
    assert (one.trigger, one.pattern, one.kind) == (("print",), "src/**/*.py", "remark")
    assert others == []
    assert 1 <= tried <= MOST_TRIED
    newer = [each for each in judged(history(0.9))[70:] if any("print" in line.words for line in each.lines)]
    right = sum(any(line.objection for line in each.lines) for each in newer)
    assert one.newer == Count(right, len(newer))
    assert len(one.examples) == 3
    assert all(each.said == "Use structlog." and "print(" in each.line for each in one.examples)
    assert all("print(" in each.line and not each.said for each in one.counter_examples)


@pytest.mark.parametrize(("older", "newer", "count"), [(0.2, 0.2, 100), (0.9, 0.2, 100), (0.9, 0.9, 40)])
def test_nothing_under_a_half_or_with_too_few_cases_is_offered(
    older: float, newer: float, count: int
) -> None:
    assert learned(judged(history(older, newer, count)))[0] == []


def test_names_of_one_piece_of_work_are_no_convention() -> None:
    burst = [
        change(n, "x = 1 if n else y", remarks=(remark(f"kettle_pour(n{n})"),) if 10 <= n < 16 else ())
        for n in range(100)
    ]
    assert learned(judged(burst)) == ([], 0)


@pytest.mark.parametrize("seed", range(5))
def test_what_is_objected_to_by_chance_is_seldom_offered(seed: int) -> None:
    rng = random.Random(seed)
    words = [f"word{n}" for n in range(40)]
    made = [
        change(
            n,
            *(" ".join(rng.sample(words, 4)) for _ in range(5)),
            remarks=(remark(" ".join(rng.sample(words, 4))),),
        )
        for n in range(150)
    ]
    assert len(learned(judged(made))[0]) <= 1


def test_a_fix_within_days_and_a_revert_object_and_others_do_not() -> None:
    lines = [("src/a.py", "total = price / count"), ("src/a.py", "name = user.name")]
    made = [
        change(1, *(text for _, text in lines)),
        change(2, "total = price", title="Fix crash on empty carts", removed=(lines[0],)),
        change(3, "rename = 1 + other", title="Refactor names", removed=(lines[1],)),
        change(40, "late = first or last"),
        change(
            40 + int(SOON_SECONDS / DAY) + 1,
            "x",
            title="Fix names",
            removed=(("src/a.py", "late = first or last"),),
        ),
        change(60, "open_gate(now) or fail"),
        change(61, title='Revert "Add"', reverts=("#60",)),
        change(
            62, "moved = here + there", title="Fix order", removed=(("src/a.py", "moved = here + there"),)
        ),
    ]
    found = {line.text: line.objection for one in judged(made) for line in one.lines}
    assert found["total = price / count"] == "fix"
    assert found["name = user.name"] == ""
    assert found["late = first or last"] == ""
    assert found["open_gate(now) or fail"] == "revert"
    assert not any(one.name == "#61" for one in judged(made))


@pytest.mark.parametrize(
    ("title", "body", "names"),
    [
        (
            'Revert "Add"',
            "This reverts commit 0123456789abcdef0123456789abcdef01234567.",
            ("0123456789abcdef0123456789abcdef01234567",),
        ),
        ('Revert "Add"', "Reverts octo/tea#12", ("#12",)),
        ("Revert that", "Reverts #12 and Reverts #12", ("#12",)),
        ("Add", "This reverts commit 0123456789abcdef", ()),
        ("Revert", "x" * 99_999, ()),
    ],
)
def test_what_is_taken_back_is_named(title: str, body: str, names: tuple[str, ...]) -> None:
    assert reverted(title, body) == names


@pytest.mark.parametrize(
    ("title", "fix"),
    [
        ("Fix #3", True),
        ("bugfix: x", True),
        ("Prefix names", False),
        ("Revert a fix", False),
        ("Correct it", True),
    ],
)
def test_a_fix_says_so(title: str, fix: bool) -> None:
    assert is_fix(title) is fix


def test_only_code_that_people_wrote_counts_and_no_flood_of_it() -> None:
    paths = [
        "a.py",
        "README.md",
        "poetry.lock",
        "vendor/x.go",
        "CHANGES.rst",
        "docs/changelog/a.py",
        "x.min.js",
    ]
    assert [path for path in paths if is_read(path)] == ["a.py"]
    assert kept_lines([("a.py", f"line {n}") for n in range(MOST_LINES + 1)]) == ()
    assert kept_lines([("a.py", "  x = 1  "), ("a.py", " "), ("b.md", "x")]) == (("a.py", "x = 1"),)
    said = judged([change(1, "x = 1 + y", remarks=(remark("y = z", path="README.md"),))])
    assert [line.text for line in said[0].lines] == ["x = 1 + y"]


def offered(right: int = 6, spoken: int = 8) -> Lesson:
    (one,), _ = learned(judged(history(0.9)))
    return lesson_of(replace(one, newer=Count(right, spoken)), "Use structlog, never print.", ANN)


def test_dismissals_count_against_a_convention_until_it_is_retired() -> None:
    lesson = replace(offered(6, 8), kind="convention")
    about = Lesson("dismissal", "by design", ANN, path="src/b.py", words=("print", "x"))
    for n in range(1, 6):
        lesson = after_dismissal(lesson, about)
        known = evidence_of(lesson)
        assert known is not None
        assert known.now == Count(6, 8 + n)
        assert lesson.kind == ("convention" if n <= 4 else "retired")
    assert after_dismissal(lesson, about) == lesson
    for other in (
        replace(about, path="lib/b.py"),
        replace(about, words=("x",)),
        replace(about, path="src/b.ts"),
    ):
        assert after_dismissal(replace(offered(), kind="convention"), other).kind == "convention"
        assert evidence_of(after_dismissal(replace(offered(), kind="convention"), other)).against == 0  # type: ignore[union-attr]
    assert after_dismissal(offered(), about) == offered()


def test_new_evidence_keeps_the_words_and_ends_what_is_not_right_any_more() -> None:
    lesson = replace(offered(), kind="convention", text="As Ann put it.")
    again = tried_again(lesson, offered(9, 10))
    assert (again.kind, again.text) == ("convention", "As Ann put it.")
    assert evidence_of(again).newer == Count(9, 10)  # type: ignore[union-attr]
    assert tried_again(lesson, offered(1, LEAST_CASES)).kind == "retired"
    assert tried_again(lesson, offered(0, LEAST_CASES - 1)).kind == "convention"
    assert tried_again(replace(offered(), kind="declined"), offered(9, 9)).kind == "declined"


def test_reviewers_are_told_of_what_was_accepted_where_it_holds() -> None:
    lessons = [
        Lesson("convention", "Everywhere.", ANN),
        replace(offered(), kind="convention"),
        *(replace(offered(), kind=kind, text=kind) for kind in ("candidate", "declined", "retired")),
    ]
    kept = [Memory(n, one, 0.0) for n, one in enumerate(lessons)]
    assert conventions(kept) == ("Everywhere.",)
    assert told(kept, ["lib/y.py", "src/x.py"]) == ("Use structlog, never print.",)
    assert told(kept, ["lib/x.py"]) == told(kept, []) == ()


def test_a_comment_lists_what_was_learned_with_how_right_it_was() -> None:
    kinds = ("candidate", "convention", "declined", "retired")
    kept = [Memory(n, replace(offered(), kind=kind), 0.0) for n, kind in enumerate(kinds, 1)]  # type: ignore[arg-type]
    for n, word in enumerate(("offered", "agreed", "declined", "retired"), 1):
        (row,) = [line for line in table(kept).splitlines() if line.startswith(f"| {n} |")]
        assert "“Use structlog, never print.”" in row
        assert word in row
        assert "right on 6 of 8 changes" in row


@pytest.mark.parametrize(
    ("pattern", "path", "held"),
    [
        ("*.py", "a.py", True),
        ("*.py", "a/b.py", True),
        ("*.py", "a.pyi", False),
        ("src/**/*.py", "src/a.py", True),
        ("src/**/*.py", "lib/src/a.py", False),
        ("src/**/*", "src/Makefile", True),
        ("*", "any", True),
    ],
)
def test_a_pattern_covers_its_paths(pattern: str, path: str, held: bool) -> None:
    assert covers(pattern, path) is held


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"pattern": 1}', "[" * 9_999, json.dumps({"older": {"right": "x"}})]
)
def test_evidence_that_cannot_be_read_is_none(text: str) -> None:
    assert evidence_of(replace(offered(), evidence=text)) is None


def test_evidence_is_short_whatever_strangers_wrote_and_reads_back() -> None:
    one = evidence_of(offered())
    assert one is not None
    assert evidence_of(replace(offered(), evidence=written(one))) == one
    long = replace(one, examples=tuple(replace(each, line="\x00é" * 9_000) for each in one.examples))
    assert len(written(long)) <= MOST_EVIDENCE
