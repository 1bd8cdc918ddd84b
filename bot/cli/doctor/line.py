"""What a check finds."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bot.core.errors import UserError


@dataclass(frozen=True, slots=True)
class DoctorFix:
    """What `hob doctor --fix` does about a line: only what can be done again without harm, and at once or not
    at all."""

    does: str
    """For a person, as an order: `chmod 600 app.pem`."""
    act: Callable[[], None]
    """Blocks; raises `OSError` or `HobError`."""
    asks: bool = False
    """Only where a person agrees, or said `--yes`."""


@dataclass(frozen=True, slots=True)
class DoctorResult:
    """One check; `hint` says how to mend it."""

    name: str
    ok: bool
    detail: str
    hint: str = ""
    fix: DoctorFix | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Fixable:
    """What a check found that is no failure, and could be put right all the same."""

    detail: str
    fix: DoctorFix


class Wrong(UserError):
    """A check failed: what is wrong, and how to mend it."""

    def __init__(self, message: str, hint: str = "", fix: DoctorFix | None = None) -> None:
        super().__init__(message, hint)
        self.fix = fix


DoctorCheck = Callable[[], Awaitable[str | Fixable]]
"""Says what it found, or raises `UserError`."""

SECONDS = 15.0


async def line(name: str, check: DoctorCheck, seconds: float | None = SECONDS) -> DoctorResult:
    """The check's line, whatever happens in it. `seconds`: None where the check bounds its own parts."""
    try:
        async with asyncio.timeout(seconds):
            found = await check()
        if isinstance(found, Fixable):
            return DoctorResult(name, True, found.detail, fix=found.fix)
        return DoctorResult(name, True, found)
    except UserError as wrong:
        return DoctorResult(name, False, str(wrong), wrong.hint, getattr(wrong, "fix", None))
    except TimeoutError:
        return DoctorResult(
            name,
            False,
            f"no answer within {seconds or SECONDS:g} s",
            "see whether it runs and can be reached",
        )
    except Exception as wrong:  # the report must be whole, whatever one check meets
        return DoctorResult(name, False, f"{type(wrong).__name__}: {wrong}", "run hob doctor --debug")


def ago(seconds: float) -> str:
    """A time span in its largest unit."""
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "less than a minute"
