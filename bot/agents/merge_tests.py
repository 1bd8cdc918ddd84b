"""Tries a merge by the repository's own tests: what passes on either side has to pass in the merge."""

from bot.core.merging import MergedTree
from bot.core.quality_gate import GateResult
from bot.core.refs import Sha
from bot.core.suite_runs import RunSuite, SuiteRun
from bot.core.text import code_block, in_code, some_of

MOST_NAMES = 5
MOST_OUTPUT = 2_000
"""Characters of the output that people are shown; its end."""


async def tested(run: RunSuite | None, made: MergedTree, head: Sha, base: Sha) -> GateResult | None:
    """One run where all is well, else one more of each side; None where the operator runs no tests here."""
    if run is None or made.beside is None:
        return None
    if made.texts is None:
        return GateResult("not run", "**Tests**: not run. Files of the merge are no text, or too much of it.")
    merged = await run(made.beside, made.texts)
    if merged.refused:
        return GateResult("not run", f"**Tests**: not run. {merged.refused.rstrip('.')}.")
    if merged.good and merged.note:
        return GateResult("unproved", f"**Tests**: not proved: {merged.note}. {_ran(merged)}.")
    if merged.good:
        return GateResult("passed", f"**Tests**: passed. {_ran(merged)}.")
    sides = [await run(one, {}) for one in (head, base)]
    passed = frozenset[str]().union(*(one.passed for one in sides))
    broke = sorted(merged.failed & passed)
    tail = merged.output[-MOST_OUTPUT:].strip("\n")
    told = f"\n\nThe end of what they wrote:\n\n{code_block(tail)}" if tail else ""
    if broke:
        names = some_of([in_code(one, 120) for one in broke], MOST_NAMES)
        return GateResult("failed", f"**Tests**: **failed**: {names} passed before. {_ran(merged)}.{told}")
    if any(one.good for one in sides) or merged.killed:
        return GateResult("failed", f"**Tests**: **failed**. {_ran(merged)}.{told}")
    why = next(
        (f"one side could not be tried ({one.refused.rstrip('.')})" for one in sides if one.refused), ""
    )
    why = why or "they fail on both sides too"
    return GateResult("unproved", f"**Tests**: not proved: {why}. {_ran(merged)}.")


def _ran(one: SuiteRun) -> str:
    return f"{in_code(one.command, 200) if one.command else 'The command'}: {one.figures}"
