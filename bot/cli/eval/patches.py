"""`hob eval --patches`."""

import asyncio
import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import click

from bot.cli.eval import named
from bot.cli.framework import tell
from bot.cli.waiting import TellWaiting


def run(file: Path, models: Sequence[str], results: Path | None, as_json: bool, boxed: bool) -> int:
    """Prints a row for each model; 1 where a case was none or could not be tried, or nothing was resolved."""
    from bot.evals.patches import rows

    with TellWaiting("having issues carried out"):
        outcomes, asked, bad = asyncio.run(_tried(file, models, results, boxed))
    table = rows(outcomes, asked)
    if as_json:
        told = {
            "rows": [_as_json(row) for row in table],
            "cases": [one.as_json() for one in outcomes],
            "bad": [{"line": one.line, "why": one.why} for one in bad],
        }
        click.echo(json.dumps(told, indent=2))
    else:
        _show(table)
    return int(bool(bad) or any(one.broken for one in outcomes) or not any(row.resolved for row in table))


async def _tried(file: Path, models: Sequence[str], results: Path | None, boxed: bool) -> Any:
    """(outcomes, models, lines that are no case). What was written to `results` is not done again."""
    from bot.evals.files import keep_line
    from bot.evals.patches import load_cases, load_results
    from bot.scripting import Workshop

    cases, bad = load_cases(file)
    for one in bad:
        tell(f"{file}, line {one.line}: {one.why}")
    done = {(one.key, one.model): one for one in (load_results(results) if results else ())}
    outcomes: list[Any] = []
    async with AsyncExitStack() as stack:
        shop = await stack.enter_async_context(Workshop())
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hob-eval-")))
        asked = named(models, shop.config.models.code, "code")
        bench = _Bench(shop.config, scratch, None if boxed else Unboxed())
        if left := [one for one in cases if any((one[1].key, model) not in done for model in asked)]:
            bench.refuse_without_sandbox()
            tell(f"{len(left)} of {len(cases)} cases are to be tried")
        for line, case in cases:
            for model in asked:
                outcome = done.get((case.key, model))
                if outcome is None or outcome.broken:
                    outcome = await bench.outcome(line, case, model, shop.infer(models=(model,)))
                    if results:
                        keep_line(results, json.dumps(outcome.as_json()))
                outcomes.append(replace(outcome, line=line))
                state = "resolved" if outcome.resolved else f"not resolved: {outcome.why}"
                tell(f"{model}: line {line}: {case.called}: {state}, {outcome.seconds:.1f} s")
    return outcomes, asked, bad


@dataclass(slots=True)
class _Bench:
    """Where cases are tried; what is known of one case serves all models."""

    config: Any
    scratch: Path
    way: Any = None
    roots: dict[str, Path] = field(default_factory=dict)
    suites: dict[str, Any] = field(default_factory=dict)

    def refuse_without_sandbox(self) -> None:
        from bot.core.errors import UserError
        from bot.core.sandbox_types import SandboxUnusable
        from bot.sandbox import for_trees

        if self.way is None and isinstance(found := for_trees(self.scratch), SandboxUnusable):
            raise UserError(
                f"no tests are run without a sandbox: {found}",
                "see the line sandbox of `hob doctor`; --no-sandbox runs the cases' tests as yourself",
            )

    async def outcome(self, line: int, case: Any, model: str, infer: Any) -> Any:
        """Whatever is wrong with a case is its own outcome: the others go on."""
        from bot.core.errors import HobError
        from bot.evals.patches import PatchOutcome

        blank = PatchOutcome(case.called, case.key, line, model)
        try:
            root, base, suite = await self._prepared(case)
        except (HobError, OSError, ValueError) as wrong:
            return replace(blank, why=str(wrong), broken=True)
        begun = time.monotonic()
        try:
            made = await self._made(root, base, case, infer)
        except (HobError, OSError) as wrong:
            return replace(blank, why=str(wrong), seconds=round(time.monotonic() - begun, 3))
        return await _judged(
            replace(blank, seconds=round(time.monotonic() - begun, 3)), case, made, base, suite
        )

    async def _prepared(self, case: Any) -> Any:
        """(repository, commit, its tests); UserError where the tests say nothing of a patch."""
        from bot.agents.quality_gate import remembered
        from bot.core.errors import UserError
        from bot.core.suite_runs import SuiteRun
        from bot.evals.patches import holds
        from bot.local.implement import starting_point

        root = await self._root(case.repo)
        base = await starting_point(root, case.base)
        if case.key not in self.suites:
            suite = remembered(self._suite(root, case))
            without: SuiteRun = await suite(base, dict(case.files))
            if without.refused:
                raise UserError(without.refused)
            if not holds(without, case):
                raise UserError("its tests pass without any patch")
            self.suites[case.key] = suite
        return root, base, self.suites[case.key]

    async def _root(self, repo: str) -> Path:
        """A repository is used where it lies and nothing is written to it; a bundle is unpacked."""
        from bot.core.errors import UserError
        from bot.git import run as run_git
        from bot.local import find_root

        if repo not in self.roots:
            place = Path(repo)
            if await asyncio.to_thread(place.is_file):
                folder = self.scratch / f"bundle-{len(self.roots)}.git"
                folder.mkdir()
                for words in (("init", "--quiet", "--bare"), ("bundle", "unbundle", str(place))):
                    ran = await run_git(folder, *words, seconds=600.0)
                    if ran.why:
                        raise UserError(f"{repo} is no bundle that can be unpacked: {ran.why}")
                place = folder
            self.roots[repo] = await find_root(place)
        return self.roots[repo]

    def _suite(self, root: Path, case: Any) -> Any:
        from bot.config.code import CodeTable, SuiteTable
        from bot.knowledge.checkout import write_out
        from bot.knowledge.git import Git
        from bot.runs.suites import Suite, SuiteSlots

        table = SuiteTable(
            command=case.argv, report=case.report, mount=tuple(case.mount), seconds=case.seconds
        )
        git = Git(root)

        async def write(commit: Any, texts: Any, folder: Path, most: Any) -> object:
            return await asyncio.to_thread(write_out, git, commit, texts, folder, most)

        return Suite(table, CodeTable(), write, self.scratch, SuiteSlots(), self.way)

    async def _made(self, root: Path, base: Any, case: Any, infer: Any) -> Any:
        """As `hob implement` does it; no index: that would know what came after `base`."""
        from bot.local.implement import implement_here

        return await implement_here(
            root, base, case.issue, infer, None, self.config.code.budget(), lambda _: None
        )


async def _judged(blank: Any, case: Any, work: Any, base: Any, suite: Any) -> Any:
    """The patch applied in a work tree of its own, the case's tests put back, and run."""
    from bot.agents.quality_gate import gate
    from bot.core.file_kinds import is_test
    from bot.evals.patches import as_judged, held_back, holds

    made = work.done.patched
    blank = replace(
        blank, calls=len(made.usage), tokens=sum(one.tokens_in + one.tokens_out for one in made.usage)
    )
    if made.why or not work.files:
        return replace(blank, why=made.why or "there is no patch")
    texts: Mapping[str, str | None] = {one.path: one.text for one in work.files}
    ran = await suite(base, as_judged(texts, case))
    if ran.refused:
        return replace(blank, why=ran.refused, broken=True)
    why = holds(ran, case)
    judged = await gate(suite, base, work.done.facts.texts, made, is_test)
    return replace(
        blank,
        applied=True,
        resolved=not why,
        why=why,
        gate=judged.state,
        held_back=tuple(held_back(texts, case)),
    )


@dataclass(frozen=True, slots=True)
class Unboxed:
    """No sandbox: what the operator said may be run as they are."""

    name: str = "none"

    @property
    def environment(self) -> Mapping[str, str]:
        import os

        return {name: os.environ[name] for name in ("PATH", "LANG", "HOME") if name in os.environ}

    def tree_command(self, program: Any, box: Any) -> list[str]:
        return ["/bin/sh", "-c", 'cd "$0" && exec "$@"', str(box.tree), *program.command]


def _as_json(row: Any) -> dict[str, Any]:
    return {
        "model": row.model,
        "cases": row.cases,
        "resolved": row.resolved,
        "applied": row.applied,
        "gate_passed": row.gate,
        "calls": row.calls,
        "tokens": row.tokens,
        "seconds": round(row.seconds, 3),
        "not_tried": row.broken,
    }


def _show(table_rows: Sequence[Any]) -> None:
    from bot.cli.tables import console, row, table

    made = table("model", "resolved", "applied", "gate passed", "calls", "tokens", "s/case", "not tried")
    for each in table_rows:
        cases = max(1, each.cases)
        row(
            made,
            each.model,
            f"{each.resolved} of {each.cases}",
            str(each.applied),
            str(each.gate),
            str(each.calls),
            str(each.tokens),
            f"{each.seconds / cases:.1f}",
            str(each.broken),
        )
    console(110).print(made)
