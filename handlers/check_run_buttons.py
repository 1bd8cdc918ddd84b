"""Reviews again when somebody presses a button of the check run: "Re-run", "Review all", or GitHub's own."""

from bot.agents import review
from bot.context import Context
from bot.core.effects import Plan, SetCheck
from bot.core.events import CheckRunRequested
from bot.core.refs import TRUSTED
from bot.implement_facts import looking
from bot.pull_request_facts import pull_request_facts
from bot.router import Router

router = Router()


@router.on(
    CheckRunRequested, may=review.MAY, priority="high", name="check-run-buttons", stored_as="checks.run_again"
)
async def run_again(event: CheckRunRequested, ctx: Context) -> Plan:
    """GitHub shows the buttons to those who may write; whether they may ask is asked all the same. A new
    check run tells what came of it, also when nothing is new."""
    set_here = (
        one.effect for past_run in ctx.past_runs for one in past_run.did if isinstance(one.effect, SetCheck)
    )
    if event.head_sha not in {check.head_sha for check in set_here}:
        return Plan(reason="no check run of this pull request")
    level = await ctx.github.permission(event.sender.login)
    if level not in TRUSTED:
        return Plan(reason=f"{event.sender.login} may not ask for a review here")
    state = await ctx.github.pull_request(event.number)
    if not state.open or state.head_sha != event.head_sha:
        return Plan(reason="closed" if not state.open else "the head moved on")
    context = await ctx.repository(state.base_sha)
    facts = await pull_request_facts(ctx, context, state, full=event.everything, by_person=True)
    return await review.plan(facts, ctx.infer, looking(ctx, state.head_sha))
