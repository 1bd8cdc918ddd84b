"""Each week, what reviews that were only kept would have said (`review.shadow`), as a file a repository."""

from bot.context import HobContext
from bot.core.effects import Plan
from bot.core.events import HobDue
from bot.router import Router

router = Router()


@router.every("week", name="shadow-report", may=(), per="hob")
async def report(event: HobDue, hob: HobContext) -> Plan:
    """Those that are missing, of the last weeks: Hob may have been down."""
    return Plan(reason=await hob.write_shadow_reports(event.due))
