"""Every handler, and one that comments again and again by the clock."""

from bot.context import Context
from bot.core.effects import Comment, Plan
from bot.core.events import RepositoryDue
from bot.router import Router
from handlers import router as handlers

SECONDS = 4.0
CLOCK_TOWER = "clock-tower"
ours = Router()


@ours.every(SECONDS, name="tick", may={Comment})
async def tick(event: RepositoryDue, ctx: Context) -> Plan:
    if event.repo.name != CLOCK_TOWER:
        return Plan(reason="no clock here")
    return Plan((Comment(1, f"It is {event.delivery}."),), reason="told the time")


router = Router().include(handlers, ours)
