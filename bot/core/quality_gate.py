"""Whether a patch holds, judged by runs of the repository's own tests: with it all that passed before has to
pass still, and of a fix a test has to fail first. Names and output are the repository's own, so hostile."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from bot.core.file_kinds import is_prose, steers_tests
from bot.core.suite_runs import SuiteRun
from bot.core.text import code_block, in_code

GateState = Literal["passed", "failed", "unproved", "not run"]
MOST_NAMES = 5
"""Tests that are named of each sort."""
MOST_OUTPUT = 2_000
"""Characters of the output that people are shown; its end."""
MOST_TOLD = 6_000
"""Those that a model is told."""
_TEST = re.compile(
    r"\bdef +test\w|@(?:\w+\.)?(?:Test|ParameterizedTest|Property)\b|\bfunc (?:Test|Fuzz|Example)\w?"
    r"|#\[(?:\w+::)?test\b|\b(?:it|test|specify)(?:\.each)?(?:\(| ['\"])|\[(?:Fact|Theory|Test|TestMethod)\b"
    r"|\b(?:TEST|TEST_F|TEST_P|TEST_CASE)\(|\bpublic function test\w"
)
_COMMENT = re.compile(r"\s*(?:#(?!\[)|//|--|/?\*)")
_SKIP = re.compile(
    r"\b(?:pytest|mark|unittest|t|b)\.(?:skip|Skip|xfail)|@skip|\bskipTest\("
    r"|\b(?:it|test|describe)\.(?:skip|todo)\b|@(?:Disabled|Ignore)\b|#\[ignore\b"
    r"|\bx(?:it|describe|test)\(|\bGTEST_SKIP\b|\bmarkTestSkipped\b|\bSkip ?="
)

_SKIPS_ALL = re.compile(
    r"\bpytestmark\b|allow_module_level|__test__ *= *False|\bSkipTest\b|\b(?:sys\.exit|os\._exit)\("
    r"|\b(?:it|test|describe|context|suite)\.only\b|\bf(?:it|describe)\(|\b(?:describe|context|suite)\.skip\b"
    r"|\bxdescribe\(|\bfunc TestMain\b|process\.exit\("
)
"""What keeps other tests of a file, or of all files, from being run."""


@dataclass(frozen=True, slots=True)
class GateResult:
    """`words`: for the body of a pull request, in Markdown. `problems`: what a model is told that may mend
    the patch, a line each; `output`: the end of what the tests wrote then. Both are data."""

    state: GateState
    words: str
    problems: tuple[str, ...] = ()
    output: str = ""


@dataclass(frozen=True, slots=True)
class PatchedTests:
    """What of a patch its tests have to show. `tests`: whether it writes any; `code`: whether it changes
    anything that tests could show; `lost`: files in which there are fewer tests after it, or more of them are
    skipped."""

    tests: bool
    code: bool
    lost: tuple[str, ...] = ()
    proof: bool = True
    """Whether a test has to fail without it."""
    steering: tuple[str, ...] = ()
    """Files that say how tests are run."""


@dataclass(frozen=True, slots=True)
class GateRuns:
    """`whole`: with the patch; `before`: without; `alone`: with its tests and none of its code; `again`: with
    the patch once more, for what failed may be flaky."""

    whole: SuiteRun
    before: SuiteRun | None = None
    alone: SuiteRun | None = None
    again: SuiteRun | None = None


NextRun = Literal["before", "alone", "again"]


def patched_tests(
    before: Mapping[str, str],
    after: Mapping[str, str | None],
    is_test: Callable[[str], bool],
    *,
    proof: bool = True,
) -> PatchedTests:
    """`before`, `after`: texts of the files that the patch touches."""
    tests = [path for path in after if is_test(path)]
    return PatchedTests(
        tests=any(after[path] is not None for path in tests),
        code=any(not is_test(path) and not is_prose(path) for path in after),
        lost=_lost(before, after, tests),
        proof=proof,
        steering=tuple(path for path in after if steers_tests(path)),
    )


def _lost(
    before: Mapping[str, str], after: Mapping[str, str | None], tests: Iterable[str]
) -> tuple[str, ...]:
    """A test may move from one file to another: all of them are counted together."""
    counts = {path: _run_in(after.get(path)) - _run_in(before.get(path)) for path in tests}
    fewer = [path for path, more in counts.items() if more < 0] if sum(counts.values()) < 0 else []
    shut = [path for path in counts if _shut_in(after.get(path)) > _shut_in(before.get(path))]
    return tuple(dict.fromkeys((*fewer, *shut)))


def _run_in(text: str | None) -> int:
    """About how many tests of a file are run."""
    return sum(len(_TEST.findall(line)) - len(_SKIP.findall(line)) for line in _code_of(text))


def _shut_in(text: str | None) -> int:
    return sum(len(_SKIPS_ALL.findall(line)) for line in _code_of(text))


def _code_of(text: str | None) -> list[str]:
    return [line for line in (text or "").splitlines() if not _COMMENT.match(line)]


def needed(runs: GateRuns, patch: PatchedTests) -> NextRun | None:
    """The run without which nothing can be said; None where it can."""
    whole = runs.whole
    if whole.refused:
        return None
    if runs.before is None:
        return "before"
    found = _compared(runs, patch)
    if found.regressed and runs.again is None and not whole.killed:
        return "again"
    if found.reasons or found.unclear or runs.again or not (patch.proof and patch.code and patch.tests):
        return None
    return "alone" if runs.alone is None else None


@dataclass(slots=True)
class _Compared:
    """`reasons`: why the patch does not hold; `unclear`: why nobody can say; `regressed`: whether some of
    the reasons are tests that could be flaky."""

    reasons: list[str]
    unclear: list[str]
    regressed: bool = False


def _compared(runs: GateRuns, patch: PatchedTests) -> _Compared:
    """With the patch and without it."""
    whole, before = runs.whole, runs.before or SuiteRun()
    found = _Compared([], [])
    if before.refused:
        found.unclear.append(f"without the patch nothing could be run: {before.refused.rstrip('.')}")
        return found
    if before.killed:
        found.unclear.append(f"without the patch the tests were killed ({before.killed})")
        return found
    if whole.note and not whole.killed:
        found.unclear.append(whole.note)
    if whole.killed:
        found.reasons.append(f"with the patch the tests were killed ({whole.killed})")
    failed, passed = _either(runs)
    if not (before.passed or before.failed):
        _by_exit_code(found, runs, patch)
        return found
    if broke := before.passed & failed:
        found.regressed = True
        found.reasons.append(f"{_names(broke)} passed before and {_fail(broke)} now")
    if not whole.killed and (gone := _gone(before.passed, failed, passed)):
        found.reasons.append(f"{_names(gone)} passed before and {_are(gone)} not run any more")
    if new := failed - before.passed - before.failed:
        found.reasons.append(f"{_names(new)} {_are(new)} new and {_fail(new)}")
    if dropped := _gone(before.failed, failed, passed):
        found.unclear.append(f"{_names(dropped)} failed before and {_are(dropped)} not run any more")
    if whole.code and not (whole.killed or whole.failed or found.reasons):
        why = f"the command ended with exit code {whole.code}, and no test says why"
        (found.unclear if before.code else found.reasons).append(why)
    return found


def _by_exit_code(found: _Compared, runs: GateRuns, patch: PatchedTests) -> None:
    """Where no report names the tests of the code as it was."""
    whole, before, again = runs.whole, runs.before, runs.again
    if whole.killed or before is None:
        return
    if not whole.good and before.good and not (again and again.good):
        found.regressed = True
        found.reasons.append(f"the tests passed before and fail now (exit code {whole.code})")
    elif not whole.good and not before.good:
        found.unclear.append(
            f"the tests fail without the patch too (exit code {before.code}), and none is named that did not"
        )
    if patch.lost:
        names = _names(frozenset(patch.lost))
        found.reasons.append(f"fewer tests are run in {names} than before")


def _either(runs: GateRuns) -> tuple[frozenset[str], frozenset[str]]:
    """(failed, passed) with the patch: what passed once of two runs did not fail."""
    both = [one for one in (runs.whole, runs.again) if one and not one.refused]
    passed = frozenset[str]().union(*(one.passed for one in both))
    return frozenset[str]().union(*(one.failed for one in both)) - passed, passed


def _flaky(runs: GateRuns) -> frozenset[str]:
    again = runs.again or SuiteRun()
    return (runs.whole.failed & again.passed) | (runs.whole.passed & again.failed)


def _gone(before: frozenset[str], failed: frozenset[str], passed: frozenset[str]) -> frozenset[str]:
    """Of those that passed, what is not run any more; a test of the same name elsewhere is the same one,
    moved."""
    moved = Counter(map(_stem, passed - before))
    gone = set()
    for name in sorted(before - failed - passed):
        if moved[_stem(name)]:
            moved[_stem(name)] -= 1
        else:
            gone.add(name)
    return frozenset(gone)


def _stem(name: str) -> str:
    """The test's own name: without its file, class and parameters."""
    return re.split(r"::|[./ >]", name.partition("[")[0])[-1]


def verdict(runs: GateRuns, patch: PatchedTests) -> GateResult:
    """What the runs say together."""
    whole = runs.whole
    if whole.refused:
        return GateResult("not run", f"**Tests**: not run. {whole.refused.rstrip('.')}.")
    found = _compared(runs, patch)
    facts = [_ran(runs)]
    state: GateState = "passed"
    if found.reasons:
        state = "failed"
    else:
        shown, idle = _shown(runs, patch)
        if shown:
            facts.append(shown)
        if idle:
            verb = _pass(idle), _prove(idle)
            facts.append(f"{_names(idle)} {verb[0]} without the patch too, and so {verb[1]} nothing.")
        tried = runs.alone or not (patch.tests and found.unclear)
        if patch.proof and patch.code and not shown and tried:
            found.unclear.append("no test fails without the patch and passes with it")
        if flaky := _flaky(runs):
            found.unclear.append(f"{_names(flaky)} failed once and passed once with the same code")
        elif runs.again:
            found.unclear.append("the tests failed once and passed once with the same code")
        if patch.steering:
            names = _names(frozenset(patch.steering))
            found.unclear.append(f"the patch changes how tests are run ({names}), and so what they prove")
        state = "unproved" if found.unclear else "passed"
    if still := _either(runs)[0] & (runs.before or SuiteRun()).failed:
        facts.append(f"{_names(still)} {_fail(still)} with and without the patch.")
    reasons = found.reasons or found.unclear
    heads = {"passed": "passed", "failed": "**failed**", "unproved": "not proved"}
    head = f"**Tests**: {heads[state]}" + (": " + "; ".join(reasons) if reasons else "") + "."
    words = " ".join([head, *facts])
    if state != "failed":
        return GateResult(state, words)
    tail = _tail(whole.output, MOST_OUTPUT)
    shown_tail = f"\n\nThe end of what they wrote:\n\n{code_block(tail)}" if tail else ""
    return GateResult(state, words + shown_tail, tuple(found.reasons), _tail(whole.output, MOST_TOLD))


def _shown(runs: GateRuns, patch: PatchedTests) -> tuple[str, frozenset[str]]:
    """(what shows that the patch does something, the new tests that pass without it). A test that the patch
    itself makes pass, by writing it anew, shows nothing: its tests alone are what counts."""
    before, alone = runs.before or SuiteRun(), runs.alone
    passed = _either(runs)[1]
    if not patch.tests:
        if mended := before.failed & passed:
            return f"{_names(mended)} failed before and {_pass(mended)} with it.", frozenset()
        red = runs.before is not None and not before.refused and not before.good
        return ("The tests failed before and pass with it." if red and runs.whole.good else ""), frozenset()
    if alone is None or alone.refused:
        return "", frozenset()
    if passed and (alone.passed or alone.failed) and not (alone.killed and not passed & alone.failed):
        # what is not told of was kept from running by something that failed, or was left out
        broken = (
            passed - before.passed - alone.passed if alone.code and not alone.killed else frozenset[str]()
        )
        fails = passed & (alone.failed | broken)
        idle = (passed & alone.passed) - before.passed
        return (f"{_names(fails)} {_fail(fails)} without the code of the patch." if fails else ""), idle
    how = f"killed: {alone.killed}" if alone.killed else f"exit code {alone.code}"
    return ("" if alone.good else f"Its tests fail without its code ({how})."), frozenset()


def _ran(runs: GateRuns) -> str:
    """What was run, and how often."""
    whole, before = runs.whole, runs.before
    command = in_code(whole.command, 200) if whole.command else "The tests"
    parts = [f"{command} with the patch: {whole.figures}"]
    if before and not before.refused:
        parts.append(f"without it: {before.figures}")
    if runs.alone and not runs.alone.refused:
        parts.append(f"with its tests alone: {runs.alone.figures}")
    return f"{'; '.join(parts)}."


def _names(some: frozenset[str]) -> str:
    shown = ", ".join(in_code(one, 120) for one in sorted(some)[:MOST_NAMES])
    return f"{shown} and {len(some) - MOST_NAMES} more" if len(some) > MOST_NAMES else shown


def _are(some: frozenset[str]) -> str:
    return "is" if len(some) == 1 else "are"


def _fail(some: frozenset[str]) -> str:
    return "fails" if len(some) == 1 else "fail"


def _pass(some: frozenset[str]) -> str:
    return "passes" if len(some) == 1 else "pass"


def _prove(some: frozenset[str]) -> str:
    return "proves" if len(some) == 1 else "prove"


def _tail(output: str, most: int) -> str:
    """Its end, in whole lines where there are any."""
    if len(output) <= most:
        return output.strip("\n")
    end = output[-most:]
    return (end.partition("\n")[2] or end).strip("\n")
