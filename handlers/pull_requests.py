"""Reviews a pull request when it is opened, reopened, made ready or pushed to.

One review and one check run for each head. A newer push, or closing, supersedes what is under way; pushes
within a few seconds are judged once. Says nothing in the conversation when there is nothing to say: the
check run tells what was read.
"""

from dataclasses import replace

from bot.agents import review
from bot.context import Context
from bot.core.effects import Comment, Plan, SetCheck
from bot.core.events import (
    PullRequestClosed,
    PullRequestEvent,
    PullRequestOpened,
    PullRequestReadyForReview,
    PullRequestReopened,
    PullRequestSynchronized,
)
from bot.core.refs import Sha
from bot.gathering import change_reviewed, pull_request_facts, why_not_reviewed
from bot.router import Router
from handlers.describe import walkthrough

router = Router()


@router.on(
    PullRequestOpened,
    PullRequestReopened,
    PullRequestReadyForReview,
    PullRequestSynchronized,
    PullRequestClosed,
    may=review.MAY | {Comment},
    newest_only=True,
    coalesce={PullRequestSynchronized},
    name="review",
    stored_as="pull_requests.judge",
)
async def judge(event: PullRequestEvent, ctx: Context) -> Plan:
    """Facts at the head as it is now, whatever the delivery said: deliveries come in any order."""
    if isinstance(event, PullRequestClosed):
        return Plan(reason="closed: what was under way is superseded")
    if ctx.pull == "ignored":
        return Plan(reason="a person had it ignored")
    state = await ctx.github.pull_request(event.number)
    if not state.open:
        return Plan(reason="closed")
    context = await ctx.repository(state.base_sha)
    shadow = context.settings.review.shadow
    ctx = ctx.in_shadow() if shadow else ctx
    if ctx.earlier is not None and ctx.earlier.head_sha == state.head_sha:
        return Plan(reason="this head was reviewed")
    paused = "paused by a person; `resume` goes on" if ctx.pull == "paused" else ""
    if reason := paused or why_not_reviewed(state, context.settings.review):
        return replace(_left_out(event.number, state.head_sha, reason, ctx.slug), shadow=shadow)
    facts = await pull_request_facts(ctx, context, state)
    if reason := why_not_reviewed(state, facts.context.settings.review):  # another reviewer's settings say so
        return replace(_left_out(event.number, state.head_sha, reason, ctx.slug), shadow=shadow)
    plan = replace(await review.plan(facts, ctx.infer), shadow=shadow)
    if not facts.context.settings.review.walkthrough:
        return plan
    told = await walkthrough(change_reviewed(facts), ctx)
    return replace(plan, effects=(*plan.effects, *told.effects), usage=(*plan.usage, *told.usage))


def _left_out(number: int, head: Sha, reason: str, slug: str) -> Plan:
    """Said in the check run, which is neutral: nobody has read anything."""
    summary = f"Nothing was read: {reason}. `@{slug} review` asks for a review all the same."
    check = SetCheck(head, "neutral", f"Not reviewed: {reason}", summary, number=number)
    return Plan((check,), reason=reason, head_sha=head)
