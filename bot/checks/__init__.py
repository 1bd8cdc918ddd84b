"""Deterministic findings on what a change brings, by rules that Hob brings along and no model.

Each check is one file: a coroutine from a `CheckedChange` to its findings, in whichever lines; None where
there is nothing that it could read. What runs a program raises `SandboxUnusable` where that may not be, and
`PartlyRun` with what was found all the same. A check that is a program alone is a file of `linters/`. No
check runs, loads or obeys anything of the repository."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from importlib import import_module

from bot.checks import linter
from bot.checks.grouping import alike, causes_only
from bot.checks.programs import ProgramMissing
from bot.core.check_input import CheckedChange, CheckReport, NotJudged, PartlyRun
from bot.core.findings import Finding
from bot.core.sandbox_types import RunProgram, SandboxUnusable
from bot.core.settings import CHECKS

MISSING = "not installed here (`hob checks` says how)"
Check = Callable[[CheckedChange, RunProgram], Awaitable[list[Finding] | None]]

OWN = ("ruff", "shellcheck", "actionlint")
"""Checks that run a program and have rules of Hob's beside it: a module each."""
_ALONE = frozenset(linter.names()) - frozenset(OWN)
_RUN: dict[str, Check] = {
    name: partial(linter.run, name) if name in _ALONE else import_module(f"{__name__}.{name}").run
    for name in CHECKS
}


async def run(change: CheckedChange, wanted: frozenset[str], run_program: RunProgram) -> CheckReport:
    """What the wanted checks find on the lines that the change brings, or about files as a whole."""
    findings: list[Finding] = []
    ran: list[str] = []
    not_run: list[tuple[str, str]] = []
    missing: list[str] = []
    unjudged: list[str] = []
    # The last ones begin first: their programs work while the others read.
    names = [name for name in CHECKS if name in wanted][::-1]
    results = await asyncio.gather(*(_found(_RUN[name], change, run_program) for name in names))
    for name, found in list(zip(names, results, strict=True))[::-1]:
        if isinstance(found, ProgramMissing):
            missing.append(name)
        elif isinstance(found, SandboxUnusable):
            part = "a part of " if isinstance(found, PartlyRun) else ""
            not_run.append((f"{part}{name}", str(found)))
            unjudged += [name] if isinstance(found, NotJudged) else []
        new = found.findings if isinstance(found, PartlyRun) else found
        if new is not None and not isinstance(new, SandboxUnusable):
            ran.append(name)
            findings += [_quoted(one, change) for one in new if _is_new(one, change)]
    not_run += [(", ".join(missing), MISSING)] if missing else []
    told = tuple(alike(causes_only(findings, change)))
    return CheckReport(told, tuple(ran), tuple(not_run), tuple(unjudged))


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
