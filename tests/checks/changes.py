"""Changes for tests of the checks, and what came of them."""

from bot import checks, sandbox
from bot.core.check_input import CheckedChange, CheckReport
from bot.core.diff import FileDiff
from bot.core.findings import Finding
from bot.core.sandbox_types import Ended, SandboxedProgram, SandboxUnusable
from tests.agents.facts import new_file


async def no_program(program: SandboxedProgram) -> Ended:
    """For checks that must run none."""
    raise AssertionError(f"{program.path} was run")


async def refused(program: SandboxedProgram) -> Ended:
    """As where no sandbox works."""
    return await sandbox.run(program, SandboxUnusable("no sandbox works here"))


def added(files: dict[str, str], **more: object) -> CheckedChange:
    """A change that adds these files."""
    return CheckedChange(tuple(new_file(path, text) for path, text in files.items()), files, **more)  # type: ignore[arg-type]


async def report(change: CheckedChange | dict[str, str], *names: str) -> CheckReport:
    """What these checks say, their programs in the sandbox where there is one."""
    change = added(change) if isinstance(change, dict) else change
    return await checks.run(change, frozenset(names), sandbox.run)


async def found(change: CheckedChange | dict[str, str], *names: str) -> list[tuple[str, int | None, str]]:
    """(path, line, title) of what these checks find."""
    said: tuple[Finding, ...] = (await report(change, *names)).findings
    return [(one.path, one.line, one.title) for one in said]


def binary(path: str, status: str = "added") -> FileDiff:
    """A file whose lines GitHub does not show."""
    return FileDiff(path=path, status=status, hunks=None)  # type: ignore[arg-type]
