"""What of a log is shown: the first error and the end of the step that failed, bounded."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.core.ci import FailedCheck, chosen, failure_of
from bot.core.ci_log import MOST_EXCERPT, errors, excerpt, readable, stands


def same(lines: str) -> str:
    return lines


def shown(*lines: str) -> str:
    return excerpt(readable("\n".join(lines).encode()), same)


NOISE = tuple(f"step {n} went well" for n in range(2_000))


@pytest.mark.parametrize(
    "error",
    [
        "Traceback (most recent call last):",
        "E       assert 1 == 2",
        "FAILED tests/test_a.py::test_b - assert 1 == 2",
        "src/app.ts(3,5): error TS2304: Cannot find name 'x'.",
        "error[E0425]: cannot find value `x` in this scope",
        "--- FAIL: TestBrew (0.00s)",
        "panic: runtime error: index out of range",
        "  ● brew > is hot",
        "npm ERR! code ELIFECYCLE",
        "[ERROR] /src/Tea.java:[3,5] error: cannot find symbol",
        "Program.cs(5,9): error CS0103: The name 'x' does not exist",
        "tea.c:3:5: error: 'x' undeclared",
        "fatal: not a git repository",
        "ModuleNotFoundError: No module named 'kettle'",
        "rspec ./spec/tea_spec.rb:3 # Tea failed",
        "make: *** [test] killed",
    ],
)
def test_the_first_error_is_shown_however_long_the_log_is(error: str) -> None:
    end = ("4 failed, 3 passed", "##[error]Process completed with exit code 1.")
    said = shown(
        "##[group]Run make", *NOISE, "just before", error, "just after", *NOISE, *end, "Post job cleanup."
    )
    assert error in said
    assert "just before" in said
    assert "just after" in said
    assert "4 failed, 3 passed" in said
    assert "Post job cleanup." not in said
    assert "lines left out" in said
    assert len(said) < MOST_EXCERPT + 500


def test_the_step_that_failed_is_shown_and_not_those_before_it() -> None:
    said = shown(
        "##[group]Run lint",
        "error: only a warning",
        "##[group]Run test",
        "Boom",
        "##[error]Process completed with exit code 2.",
    )
    assert "only a warning" not in said
    assert said.startswith("##[group]Run test")


def test_a_progress_bar_shows_its_last_state_and_times_go() -> None:
    raw = b"\xef\xbb\xbf2026-11-30T02:00:00.1234567Z 1%\r2%\r100% done\r\n[02:00:00] next\x1b]0;title\x07\n"
    assert readable(raw) == "100% done\nnext\n"


@given(st.binary(max_size=3_000))
def test_any_bytes_are_read_without_an_error_and_steer_no_terminal(raw: bytes) -> None:
    said = excerpt(readable(raw), same)
    assert not any(ord(char) < 32 and char not in "\n\t" for char in said)
    assert "\x7f" not in said


@example(["0" * 100], 100)
@given(st.lists(st.text(max_size=900), max_size=400), st.integers(100, 3_000))
def test_an_excerpt_is_bounded_and_holds_lines_of_the_log_in_their_order(lines: list[str], most: int) -> None:
    text = readable("\n".join(lines).encode("utf-8", "replace"))
    said = excerpt(text, same, most)
    whole = [line for line in said.split("\n") if " … " not in line and "[… " not in line]
    assert sum(map(len, whole)) <= most
    left = iter(text.split("\n"))
    assert all(any(line == other for other in left) for line in whole if line)


def test_a_credential_is_seen_whole_before_a_long_line_is_cut() -> None:
    seen: list[str] = []

    def hide(lines: str) -> str:
        seen.append(lines)
        return lines.replace("s3cr3t" * 10, "[hidden]")

    said = excerpt("x" * 250 + "s3cr3t" * 10 + "y" * 400, hide)
    assert "s3cr3t" not in said


def test_the_same_errors_are_one_failure_whatever_numbers_stand_in_them() -> None:
    def failure(*lines: str) -> str:
        return failure_of([FailedCheck("test", "failure", log="\n".join(lines))])

    assert failure("ok", "KeyError: 12 at 0xdeadbeef") == failure("KeyError: 7 at 0xcafe", "Took 3 s")
    assert failure("KeyError: 12") != failure("IndexError: 12")
    assert errors("KeyError: 1\nKeyError: 2\n##[error]Process completed with exit code 1.") == (
        "KeyError: 0",
    )


def test_one_of_each_matrix_is_read_before_the_others_and_cancelled_ones_last() -> None:
    checks = [FailedCheck(f"test ({n}, x)", "failure") for n in range(9)]
    checks.insert(0, FailedCheck("deploy", "cancelled"))
    checks.append(FailedCheck("lint", "failure"))
    assert [one.name for one in chosen(checks, 4)] == ["test (0, x)", "lint", "deploy", "test (1, x)"]


def test_a_quote_stands_where_its_words_do() -> None:
    assert stands("KeyError:   'tea'", ["\n  KeyError: 'tea'\n"])
    assert not stands("KeyError: 'pot'", ["KeyError: 'tea'"])
    assert not stands(" a ", ["a"])
