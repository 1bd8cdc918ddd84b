"""The deterministic checks as handlers and commands see them."""

from bot import sandbox
from bot.checks import run
from bot.core.check_input import CheckedChange, CheckReport


async def check(change: CheckedChange, wanted: frozenset[str]) -> CheckReport:
    """The checks' room, its programs in the sandbox."""
    return await run(change, wanted, sandbox.run)
