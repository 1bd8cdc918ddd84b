"""Deterministic findings on what a change brings, by rules that Hob brings along and no model.

Each check is one file: a coroutine from a `Change` to its findings, in whichever lines; None where there is
nothing that it could read. What runs a program raises `Unusable` where that may not be. No check runs, loads
or obeys anything of the repository.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from importlib import import_module

from bot.checks.grouping import alike, causes_only
from bot.core.check_input import CheckedChange, CheckReport
from bot.core.findings import Finding
from bot.core.sandbox_types import RunProgram, SandboxUnusable
from bot.core.settings import CHECKS

Check = Callable[[CheckedChange, RunProgram], Awaitable[list[Finding] | None]]

_RUN: dict[str, Check] = {name: import_module(f"{__name__}.{name}").run for name in CHECKS}


async def run(change: CheckedChange, wanted: frozenset[str], run_program: RunProgram) -> CheckReport:
    """What the wanted checks find on the lines that the change brings, or about files as a whole."""
    findings: list[Finding] = []
    ran: list[str] = []
    not_run: list[tuple[str, str]] = []
    # The last ones begin first: their programs work while the others read.
    names = [name for name in CHECKS if name in wanted][::-1]
    results = await asyncio.gather(*(_found(_RUN[name], change, run_program) for name in names))
    for name, found in list(zip(names, results, strict=True))[::-1]:
        if isinstance(found, SandboxUnusable):
            not_run.append((name, str(found)))
        elif found is not None:
            ran.append(name)
            findings += [_quoted(one, change) for one in found if _is_new(one, change)]
    return CheckReport(tuple(alike(causes_only(findings, change))), tuple(ran), tuple(not_run))


async def _found(
    check: Check, change: CheckedChange, run_program: RunProgram
) -> list[Finding] | SandboxUnusable | None:
    try:
        return await check(change, run_program)
    except SandboxUnusable as reason:
        return reason


def _is_new(finding: Finding, change: CheckedChange) -> bool:
    return finding.line is None or finding.line in change.added.get(finding.path, ())


def _quoted(finding: Finding, change: CheckedChange) -> Finding:
    """With its line, by which it is known when that line moves or goes; a secret is never quoted."""
    text = change.texts.get(finding.path)
    if finding.quote or finding.line is None or text is None or finding.source == "secrets":
        return finding
    lines = text.split("\n")
    return replace(finding, quote=lines[finding.line - 1]) if finding.line <= len(lines) else finding
