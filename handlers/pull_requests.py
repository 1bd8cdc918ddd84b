"""Reviews a pull request when it is opened, reopened, made ready or pushed to.

One review and one check run for each head. A newer push, or closing, supersedes what is under way; pushes
within a few seconds are judged once. Says nothing in the conversation when there is nothing to say: the
check run tells what was read.
"""

from bot.agents import review
from bot.context import Context, pull_request_facts, why_not_reviewed
from bot.core.effects import Plan, PostReview, SetCheck
from bot.core.events import (
    PullRequestClosed,
    PullRequestEvent,
    PullRequestOpened,
    PullRequestReadyForReview,
    PullRequestReopened,
    PullRequestSynchronized,
)
from bot.router import Router

router = Router()


@router.on(
    PullRequestOpened,
    PullRequestReopened,
    PullRequestReadyForReview,
    PullRequestSynchronized,
    PullRequestClosed,
    may={PostReview, SetCheck},
    newest_only=True,
    coalesce={PullRequestSynchronized},
)
async def judge(event: PullRequestEvent, ctx: Context) -> Plan:
    """Facts at the head as it is now, whatever the delivery said: deliveries come in any order."""
    if isinstance(event, PullRequestClosed):
        return Plan(reason="closed: what was under way is superseded")
    state = await ctx.github.pull_request(event.number)
    context = await ctx.repository(state.base_sha)
    if reason := why_not_reviewed(state, context.settings.review):
        return Plan(reason=reason)
    return await review.plan(await pull_request_facts(ctx, context, state), ctx.infer)
