"""What is said of a patch by what the tests did with it, without it, and with its own tests alone."""

import re
from collections.abc import Mapping

import pytest

from bot.agents.patch import Patched
from bot.agents.quality_gate import gate, remembered
from bot.core.file_kinds import is_test
from bot.core.quality_gate import GateResult
from bot.core.refs import Sha
from bot.core.suite_runs import RunSuite, SuiteRun
from tests.fakes.suites import FakeSuite, Texts

HEAD = Sha("a" * 40)
CODE = "def cool(): return 1\n"
FIXED = "def cool(): return 2\n"
TEST = "def test_cool(): assert cool() == 1\n"
NEW = TEST + "def test_two(): assert cool() == 2\n"


async def tried(suite: RunSuite, texts: Mapping[str, str], after: Texts, *, proof: bool = True) -> GateResult:
    return await gate(suite, HEAD, texts, Patched(texts=after), is_test, proof=proof)


BEFORE = {"tea.py": CODE, "test_tea.py": TEST}


@pytest.mark.parametrize(
    ("before", "after", "state", "said", "runs"),
    [
        pytest.param(
            BEFORE,
            {"tea.py": "def cool(): return 1\ndef hot(): return 3\n",
             "test_hot.py": "def test_hot(): assert hot() == 3\n"},
            "passed", "`test_hot.py::test_hot` fails without the code of the patch", 3,
            id="a new test fails without the fix, all else passes still",
        ),
        pytest.param(
            {"tea.py": CODE, "test_tea.py": NEW.replace("== 1", "in (1, 2)")},
            {"tea.py": FIXED},
            "passed", "`test_tea.py::test_two` failed before and passes with it", 2,
            id="a test that stood there failed before",
        ),
        pytest.param(
            BEFORE, {"tea.py": FIXED, "test_two.py": "def test_two(): assert cool() == 2\n"},
            "failed", "`test_tea.py::test_cool` passed before and fails now", 3,
            id="what passed before fails",
        ),
        pytest.param(
            BEFORE, {"tea.py": CODE + "x = 1\n", "test_x.py": "def test_x(): assert cool() == 1\n"},
            "unproved", "`test_x.py::test_x` passes without the patch too, and so proves nothing", 3,
            id="a new test that passes without the fix proves nothing",
        ),
        pytest.param(
            BEFORE, {"tea.py": CODE + "x = 1\n"}, "unproved", "no test fails without the patch", 2,
            id="no test in the patch",
        ),
        pytest.param(
            BEFORE, {"tea.py": FIXED, "test_tea.py": None},
            "failed", "`test_tea.py::test_cool` passed before and is not run any more", 2,
            id="the test that would fail is deleted",
        ),
        pytest.param(
            BEFORE, {"tea.py": FIXED, "test_tea.py": ""},
            "failed", "passed before and is not run any more", 2, id="the test is emptied",
        ),
        pytest.param(
            BEFORE, {"tea.py": FIXED, "test_tea.py": "# " + TEST},
            "failed", "passed before and is not run any more", 2, id="the test is skipped",
        ),
        pytest.param(
            BEFORE, {"test_tea.py": None, "tests/test_cold.py": TEST}, "passed", "1 passed, 0 failed", 2,
            id="a test that moved is the same one",
        ),
        pytest.param(
            {"tea.py": CODE, "test_tea.py": NEW}, {"tea.py": "def cool(): return 2 if x else 1\nx = 0\n"},
            "unproved", "`test_tea.py::test_two` fails with and without the patch", 2,
            id="what failed before may fail still",
        ),
        pytest.param(
            {"tea.py": CODE, "test_tea.py": NEW.replace("== 1", "> 0")},
            {"tea.py": CODE + "x = 1\n", "test_tea.py": NEW.replace("== 1", "> 0").replace("== 2", "== 1")},
            "unproved", "no test fails without the patch", 3,
            id="a failing test that is written to pass proves no fix",
        ),
        pytest.param(
            BEFORE, {"tea.py": FIXED, "test_tea.py": TEST.replace("== 1", "== 2")},
            "passed", "`test_tea.py::test_cool` fails without the code of the patch", 3,
            id="a test that is changed with its code",
        ),
        pytest.param(
            BEFORE, {"test_new.py": "def test_new(): assert cool() == 5\n"},
            "failed", "`test_new.py::test_new` is new and fails", 2, id="a new test fails",
        ),
        pytest.param(
            BEFORE, {"test_new.py": "def test_new(): assert cool() == 1\n"}, "passed", "2 passed", 2,
            id="tests alone have to pass",
        ),
        pytest.param(BEFORE, {"README.md": "# Tea\n"}, "passed", "1 passed", 2, id="prose proves nothing"),
    ],
)  # fmt: skip
async def test_a_patch_is_judged_by_tests_that_are_named(
    before: Mapping[str, str], after: Texts, state: str, said: str, runs: int
) -> None:
    suite = FakeSuite(before)
    result = await tried(suite, before, after)
    assert (result.state, len(suite.runs)) == (state, runs), result.words
    assert said in result.words
    assert bool(result.problems) == (state == "failed")


@pytest.mark.parametrize(
    ("before", "after", "state", "said", "runs"),
    [
        (BEFORE, {"tea.py": CODE + "x = 1\n"}, "unproved", "no test fails", 2),
        (BEFORE, {"tea.py": FIXED}, "failed", "passed before and fail now (exit code 1)", 3),
        (BEFORE, {"tea.py": FIXED, "test_tea.py": None}, "failed", "fewer tests are run in `test_tea.py`", 2),
        (BEFORE, {"tea.py": FIXED, "test_tea.py": "\n"}, "failed", "fewer tests are run in `test_tea.py`", 2),
        (
            BEFORE,
            {"tea.py": FIXED, "test_tea.py": "# @pytest.mark.skip\n# " + TEST},
            "failed",
            "fewer tests are run",
            2,
        ),
        (
            BEFORE,
            {"tea.py": FIXED, "test_tea.py": TEST.replace("== 1", "== 2")},
            "passed",
            "Its tests fail without its code (exit code 1)",
            3,
        ),
        (BEFORE, {"tea.py": CODE + "x = 1\n", "test_tea.py": TEST + TEST}, "unproved", "no test fails", 3),
        ({**BEFORE, "test_x.py": "def test_x(): assert 0\n"}, {"tea.py": FIXED}, "unproved", "too (exit", 2),
        (
            {"tea.py": CODE, "test_tea.py": TEST.replace("== 1", "== 2")},
            {"tea.py": FIXED},
            "passed",
            "The tests failed before and pass with it",
            2,
        ),
        (
            {"tea.py": CODE, "test_tea.py": TEST.replace("== 1", "== 2")},
            {"tea.py": CODE + "x = 1\n", "test_tea.py": TEST},
            "unproved",
            "no test fails",
            3,
        ),
        (BEFORE, {"test_new.py": TEST}, "passed", "exit code 0", 2),
    ],
)
async def test_a_patch_is_judged_by_the_exit_code_alone(
    before: Mapping[str, str], after: Texts, state: str, said: str, runs: int
) -> None:
    suite = FakeSuite(before, report=False)
    result = await tried(suite, before, after)
    assert (result.state, len(suite.runs)) == (state, runs), result.words
    assert said in result.words


def scripted(*runs: SuiteRun) -> RunSuite:
    """These in turn: with the patch first."""
    left = list(runs)

    async def run(commit: Sha, texts: Texts) -> SuiteRun:
        return left.pop(0)

    return run


def run_of(passed: str = "", failed: str = "", **more: object) -> SuiteRun:
    names = frozenset(passed.split()), frozenset(failed.split())
    return SuiteRun(*names, **{"code": 1 if failed else 0, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("runs", "state", "said"),
    [
        ([run_of(refused="there is no sandbox here")], "not run", "there is no sandbox here"),
        ([run_of("a", "b"), run_of("a b"), run_of("a b")], "unproved", "`b` failed once and passed once"),
        ([run_of("a", "b"), run_of("a b"), run_of("a", "b")], "failed", "`b` passed before and fails now"),
        ([run_of(killed="600 seconds", code=-9), run_of("a")], "failed", "were killed (600 seconds)"),
        (
            [run_of("a", killed="600 seconds", code=-9), run_of(killed="600 seconds", code=-9)],
            "unproved",
            "without the patch the tests were killed (600 seconds)",
        ),
        ([run_of("a", code=3), run_of("a")], "failed", "ended with exit code 3, and no test says why"),
        ([run_of("a", code=3), run_of("a", code=3)], "unproved", "no test fails without the patch"),
        ([run_of(code=2), run_of("a b")], "failed", "`a`, `b` passed before and are not run any more"),
        ([run_of("a", "b"), run_of(refused="busy")], "unproved", "without the patch nothing could be run"),
        ([run_of("a", "b"), run_of(code=2)], "unproved", "fail without the patch too (exit code 2)"),
    ],
)
async def test_what_runs_end_in_is_told(runs: list[SuiteRun], state: str, said: str) -> None:
    result = await tried(scripted(*runs), BEFORE, {"tea.py": FIXED})
    assert result.state == state, result.words
    assert said in result.words


NOTE = "the report report.xml was not read: No such file or directory"
WITH_TEST = {"tea.py": FIXED, "test_new.py": "def test_new(): assert cool() == 2\n"}
LIES: dict[str, tuple[list[SuiteRun], Texts, str, str]] = {
    "nobody knows what was run": (
        [run_of(note=NOTE), run_of(note=NOTE)], {"tea.py": FIXED}, "unproved", NOTE,
    ),
    "all pass, and the command fails as it did": (
        [run_of("a b", code=2), run_of("a", "b")], {"tea.py": FIXED}, "unproved", "exit code 2, and no test",
    ),
    "a test that failed is deleted": (
        [run_of("a"), run_of("a", "b")], {"test_b.py": None}, "unproved", "`b` failed before and is not run",
    ),
    "the code as it was could not be run": (
        [run_of("a"), run_of(refused="busy"), run_of("", "a")], WITH_TEST, "unproved", "could be run: busy",
    ),
    "the new test was skipped, not failed": (
        [run_of("a new"), run_of("a"), run_of("a")], WITH_TEST, "unproved", "no test fails without the patch",
    ),
    "the new test was never reached": (
        [run_of("a new"), run_of("a"), run_of("a", killed="600 seconds", code=-9)], WITH_TEST,
        "passed", "Its tests fail without its code (killed: 600 seconds)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LIES)
async def test_nothing_is_said_to_pass_or_to_be_shown_that_was_not_seen(name: str) -> None:
    runs, after, state, said = LIES[name]
    result = await tried(scripted(*runs), BEFORE, after)
    assert (result.state, said in result.words) == (state, True), result.words
    assert "`new` fails" not in result.words


STEERING = [
    *(
        "conftest.py",
        "tests/conftest.py",
        "pytest.ini",
        "tox.ini",
        "setup.cfg",
        "pyproject.toml",
        "noxfile.py",
    ),
    *("package.json", "web/package.json", "jest.config.js", "vitest.config.mts", ".mocharc.json", "Makefile"),
    *(
        "GNUmakefile",
        "rules.mk",
        "ci/test.sh",
        "run_tests.sh",
        "scripts/check.ps1",
        "sitecustomize.py",
        "x.pth",
    ),
    *("pom.xml", "build.gradle.kts", "Cargo.toml", "build.rs", ".rspec", "spec/spec_helper.rb", "Rakefile"),
    *("phpunit.xml.dist", "src/Tea.csproj", "CMakeLists.txt", "BUILD.bazel", "MAKEFILE", "nextest.toml"),
]


@pytest.mark.parametrize("path", STEERING)
async def test_tests_that_a_patch_steers_prove_nothing(path: str) -> None:
    runs = scripted(run_of("a new"), run_of("a"), run_of("a", "new"))
    result = await tried(runs, BEFORE, {**WITH_TEST, path: "x"})
    assert result.state == "unproved", result.words
    assert f"changes how tests are run (`{path}`)" in result.words


@pytest.mark.parametrize(
    "path", ["src/tea.py", "tests/test_setup.py", "config.py", "build/tea.py", "docs/make.md"]
)
async def test_other_files_steer_no_tests(path: str) -> None:
    runs = scripted(run_of("a new"), run_of("a"), run_of("a", "new"))
    assert (await tried(runs, BEFORE, {**WITH_TEST, path: "x = 1\n"})).state == "passed"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("test_tea.py", f"import pytest\npytestmark = pytest.mark.skip\n{TEST}\ndef test_b(): pass\n"),
        ("test_tea.py", f"import unittest\nraise unittest.SkipTest('x')\n{TEST}\ndef test_b(): pass\n"),
        ("test_tea.py", f"import sys\nsys.exit(0)\n{TEST}\ndef test_b(): pass\n"),
        ("test_tea.py", f"__test__ = False\n{TEST}\ndef test_b(): pass\n"),
        ("tea.test.js", "it.only('x', () => {})\nit('a', f)\n"),
        ("tea.test.js", "fdescribe('x', () => { it('b', f) })\nit('a', f)\n"),
        ("tea.test.js", "describe.skip('x', () => { it('b', f); it('a', f); it('c', f) })\n"),
        (
            "tea_test.go",
            "func TestMain(m *testing.M) { os.Exit(0) }\nfunc TestA(t *testing.T) {}\nfunc TestB(",
        ),
    ],
)
async def test_other_tests_that_are_kept_from_running_are_seen_without_a_report(path: str, text: str) -> None:
    before = {
        "test_tea.py": TEST,
        "tea.test.js": "it('a', f)\n",
        "tea_test.go": "func TestA(t *testing.T) {}\n",
    }
    result = await gate(scripted(run_of(), run_of()), HEAD, before, Patched(texts={path: text}), is_test)
    assert result.state == "failed", result.words
    assert "fewer tests are run" in result.words


async def test_a_failing_test_that_is_deleted_mends_nothing_without_a_report() -> None:
    result = await tried(scripted(run_of(), run_of(code=1)), BEFORE, {"tea.py": FIXED, "test_tea.py": None})
    assert result.state == "failed", result.words


async def test_what_only_documents_or_simplifies_needs_no_test_that_fails() -> None:
    suite = FakeSuite(BEFORE)
    result = await tried(suite, BEFORE, {"tea.py": CODE + "x = 1\n"}, proof=False)
    assert result.state == "passed"


async def test_a_commit_as_it_is_is_run_once_for_several_patches() -> None:
    suite = FakeSuite(BEFORE)
    kept = remembered(suite)
    for text in (FIXED, FIXED + "y = 1\n"):
        await tried(kept, BEFORE, {"tea.py": text})
    assert len([one for one in suite.runs if not one]) == 1


@pytest.mark.parametrize(
    "name",
    [
        "a`b",
        "`" * 300,
        "a\n\n# Passed\n@octo/team",
        "](http://evil.example)",
        "<details>",
        "x" * 9_000,
        "\u202eab",
    ],
)
async def test_P5_names_and_output_are_data_in_bounds(name: str) -> None:
    output = f"```\n**Tests**: passed.\n{name}\n" * 2_000
    bad = SuiteRun(frozenset(), frozenset({name, *(f"{name}{n}" for n in range(400))}), 1, output)
    result = await tried(scripted(bad, run_of("a"), bad), BEFORE, {"tea.py": FIXED})
    assert result.state == "failed"
    assert len(result.words) < 6_000
    assert len(result.output) <= 6_000
    outside = re.sub(r"(?ms)^(`{3,})\n.*?^\1$", "", result.words)
    assert len(outside.splitlines()) <= 4
    assert "# Passed" not in outside.splitlines()
