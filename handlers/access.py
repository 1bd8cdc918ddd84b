"""Looks at what the App may read: an event that nobody heard changes it all the same."""

from bot.context import HobContext
from bot.core.effects import Plan
from bot.core.events import HobDue
from bot.router import Router

router = Router()
EVERY_SECONDS = 3600


@router.every(EVERY_SECONDS, may=(), name="access", per="hob", priority="default")
async def look(event: HobDue, hob: HobContext) -> Plan:
    """Each hour: a call for each hundred installations, three for each hundred repositories."""
    return Plan(reason=await hob.look_at_access())
