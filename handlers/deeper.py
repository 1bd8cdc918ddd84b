"""Each night, where nobody waits: what a rule of `review.effort` had read quickly is read deeply."""

from bot.context import Context
from bot.core.effects import Plan, RequestCommand
from bot.core.effort import effort_rule
from bot.core.events import PACE, RepositoryDue
from bot.core.refs import OPERATOR
from bot.router import Router
from handlers.review import was_read_quickly

router = Router()
MOST_PULLS, MOST_READ = 100, 20
"""That are looked at, those that changed last first; that are read in one night."""


@router.every("night", may={RequestCommand}, name="deeper")
async def deeper(event: RepositoryDue, ctx: Context) -> Plan:
    """One request for each head, for ever: what a night did not come to is asked for in the next."""
    context = await ctx.repository()
    rules = (effort_rule(text) for text in context.settings.review.effort)
    if not any(rule and rule.effort == "quick" for rule in rules):
        return Plan(reason="nothing is read quickly here")
    ctx.give_way()
    drafts = context.settings.review.drafts
    heads = [
        (pull.number, pull.head_sha)
        for pull in await ctx.github.open_pulls(MOST_PULLS)
        if (drafts or not pull.draft) and await was_read_quickly(ctx, pull.number, pull.head_sha)
    ]
    requests = [
        RequestCommand(
            number,
            "/hob review deep",
            OPERATOR,
            f"deeper:{event.repo.id}:{number}:{head[:40]}",
            on_pull_request=True,
            channel="batch",
            quiet=True,
            after=turn * PACE * ctx.write_gap,
        )
        for turn, (number, head) in enumerate(heads[:MOST_READ])
    ]
    return Plan(tuple(requests), reason=f"{len(requests)} to read deeply that were read quickly")
