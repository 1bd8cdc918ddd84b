"""Tries a patch by the repository's own tests, in as few runs as can say whether it holds."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from bot.agents.patch import Patched
from bot.core.inference import Passage
from bot.core.quality_gate import GateResult, GateRuns, needed, patched_tests, verdict
from bot.core.refs import Sha
from bot.core.suite_runs import RunSuite, SuiteRun

MOST_SHOWN = 12_000
"""Characters of a patch that failed."""


async def gate(
    run: RunSuite,
    parent: Sha,
    before: Mapping[str, str],
    made: Patched,
    is_test: Callable[[str], bool],
    *,
    proof: bool = True,
) -> GateResult:
    """`before`: the texts of `parent` that the patch was made from. `proof`: whether a test has to fail
    without the patch; documentation needs none, and code that is only made simpler. Give a `remembered(run)`
    where several patches of one commit are tried."""
    patch = patched_tests(before, made.texts, is_test, proof=proof)
    alone = {path: text for path, text in made.texts.items() if is_test(path)}
    runs = GateRuns(await run(parent, made.texts))
    while more := needed(runs, patch):
        if more == "before":
            runs = replace(runs, before=await run(parent, {}))
        elif more == "alone":
            runs = replace(runs, alone=await run(parent, alone))
        else:
            runs = replace(runs, again=await run(parent, made.texts))
    return verdict(runs, patch)


def remembered(run: RunSuite) -> RunSuite:
    """Runs the tests of a commit as it is only once."""
    kept: dict[Sha, SuiteRun] = {}

    async def one(commit: Sha, texts: Mapping[str, str | None]) -> SuiteRun:
        if texts:
            return await run(commit, texts)
        if commit not in kept:
            kept[commit] = await run(commit, texts)
        return kept[commit]

    return one


def to_mend(result: GateResult, diff: str) -> tuple[Passage, ...]:
    """What a model is shown of a patch (`diff`) that failed, as data: it goes with `result.problems`."""
    shown = (
        Passage("the patch that failed", diff[:MOST_SHOWN]),
        Passage("what the tests wrote", result.output),
    )
    return tuple(one for one in shown if one.text)
