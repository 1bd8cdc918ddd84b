"""Looks for what was missed while Hob was down, or could not be reached."""

from typing import Any

from bot.context import HobContext
from bot.core.due_times import Every
from bot.core.effects import Plan
from bot.core.events import HobDue
from bot.router import Router

router = Router()


def minutes(config: Any) -> Every:
    seconds: int = config.intake.reconcile_minutes * 60
    return seconds


@router.every(minutes, may=(), name="reconcile", per="hob", priority="default")
async def look(event: HobDue, hob: HobContext) -> Plan:
    """At start, and so often."""
    return Plan(reason=await hob.reconcile())
