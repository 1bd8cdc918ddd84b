"""What there is to check with on this machine, for `hob checks` and `hob doctor`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.checks import launching, linter, programs
from bot.checks.ruff import SELECT
from bot.checks.ruff_reasons import WHY
from bot.core.sandbox_types import RunProgram, SandboxedProgram, SandboxUnusable
from bot.core.settings import CHECKS

_VERSION = re.compile(rb"\d{1,6}(?:\.\d{1,6}){1,3}[\w.+-]{0,20}")
RUFF_MEASURED = "See docs/evaluation.md."
RUFF_INSTALL = "It comes with Hob."


@dataclass(frozen=True, slots=True)
class RuleTold:
    """One rule that is let through: what comes of it, and why it is trusted."""

    name: str
    why: str
    precision: str


@dataclass(frozen=True, slots=True)
class CheckProgram:
    """A check's program; `path` is empty where it is not installed. `measured` is about all its rules."""

    check: str
    program: str
    path: str
    install: str
    measured: str
    rules: tuple[RuleTold, ...]
    version: str = ""
    trouble: str = ""
    """Why it did not say its version: it will not check anything here either."""


def programs_of() -> Iterator[CheckProgram]:
    """Of each check that has one, in the order of the checks, without starting any."""
    for check in CHECKS:
        if check == "ruff":
            rules = tuple(RuleTold(name, why, "") for name, why in WHY.items())
            path = programs.find("ruff") or ""
            yield CheckProgram(check, "ruff", path, RUFF_INSTALL, f"{SELECT}. {RUFF_MEASURED}", rules)
        elif check in linter.names():
            known = linter.known(check)
            rules = tuple(RuleTold(name, one.why, one.precision) for name, one in known.rules.items())
            path = programs.find(known.program) or ""
            yield CheckProgram(check, known.program, path, known.install, known.measured, rules)


async def version(one: CheckProgram, run_program: RunProgram) -> tuple[str, str]:
    """What the program says of its version, and why it says none. In the sandbox, as when it checks."""
    try:
        if one.check == "ruff":
            program = SandboxedProgram(one.path, ("--version",), only_reads=True)
        else:
            native = linter.known(one.check).native
            program = launching.launched(one.path, ("--version",), native)
        ended = await run_program(program)
    except (SandboxUnusable, OSError) as reason:
        return "", str(reason)
    found = _VERSION.search(ended.output[:2_000])
    if ended.killed or ended.code or found is None:
        return "", ended.killed or f"it did not say its version ({programs.exited(ended)})"
    return found[0].decode(), ""
