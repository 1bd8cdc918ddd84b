"""What a check finds."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.core.errors import UserError


@dataclass(frozen=True, slots=True)
class DoctorResult:
    """One check; `hint` says how to mend it."""

    name: str
    ok: bool
    detail: str
    hint: str = ""


class Wrong(UserError):
    """A check failed: what is wrong, and how to mend it."""


DoctorCheck = Callable[[], Awaitable[str]]
"""Says what it found, or raises `UserError`."""

SECONDS = 15.0


async def line(name: str, check: DoctorCheck, seconds: float | None = SECONDS) -> DoctorResult:
    """The check's line, whatever happens in it. `seconds`: None where the check bounds its own parts."""
    try:
        async with asyncio.timeout(seconds):
            return DoctorResult(name, True, await check())
    except UserError as wrong:
        return DoctorResult(name, False, str(wrong), wrong.hint)
    except TimeoutError:
        return DoctorResult(
            name,
            False,
            f"no answer within {seconds or SECONDS:g} s",
            "see whether it runs and can be reached",
        )
    except Exception as wrong:  # the report must be whole, whatever one check meets
        return DoctorResult(name, False, f"{type(wrong).__name__}: {wrong}", "run hob doctor --debug")
