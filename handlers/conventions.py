"""Each week, where `review.learn` says so: merged pull requests are looked at for conventions. They are
offered in the dashboard, where a person accepts or declines them; nothing is said on GitHub."""

from bot.context import Context
from bot.core.effects import Plan
from bot.core.events import RepositoryDue
from bot.router import Router

router = Router()


@router.every("week", may=(), name="conventions")
async def conventions(event: RepositoryDue, ctx: Context) -> Plan:
    """A week that ends in the middle goes on in the next: what was read is kept beside the index."""
    settings = (await ctx.repository()).settings
    if not settings.review.learn:
        return Plan(reason="review.learn is off")
    if ctx.knowledge is None:
        return Plan(reason="[knowledge] is off: there is no place for what was read")
    ctx.give_way()
    return await ctx.look_back(settings.review.learn, settings.language)
