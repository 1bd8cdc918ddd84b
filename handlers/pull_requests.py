"""Reviews a pull request when it is opened, reopened, made ready or pushed to.

One review and one check run for each head. A newer push, or closing, supersedes what is under way; pushes
within a few seconds are judged once. Says nothing in the conversation when there is nothing to say: the
check run tells what was read.
"""

from bot.agents import review
from bot.context import Context, pull_request_facts, why_not_reviewed
from bot.core.effects import Plan, PostReview, ReplyInThread, ResolveThread, SetCheck
from bot.core.events import (
    PullRequestClosed,
    PullRequestEvent,
    PullRequestOpened,
    PullRequestReadyForReview,
    PullRequestReopened,
    PullRequestSynchronized,
)
from bot.core.refs import Sha
from bot.router import Router

router = Router()


@router.on(
    PullRequestOpened,
    PullRequestReopened,
    PullRequestReadyForReview,
    PullRequestSynchronized,
    PullRequestClosed,
    may={PostReview, SetCheck, ReplyInThread, ResolveThread},
    newest_only=True,
    coalesce={PullRequestSynchronized},
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
    if ctx.earlier is not None and ctx.earlier.head_sha == state.head_sha:
        return Plan(reason="this head was reviewed")
    context = await ctx.repository(state.base_sha)
    paused = "paused by a person; `resume` goes on" if ctx.pull == "paused" else ""
    if reason := paused or why_not_reviewed(state, context.settings.review):
        return _left_out(state.head_sha, reason, ctx.slug)
    return await review.plan(await pull_request_facts(ctx, context, state), ctx.infer)


def _left_out(head: Sha, reason: str, slug: str) -> Plan:
    """Said in the check run, which is neutral: nobody has read anything."""
    summary = f"Nothing was read: {reason}. `@{slug} review` asks for a review all the same."
    check = SetCheck(head, "neutral", f"Not reviewed: {reason}", summary)
    return Plan((check,), reason=reason, head_sha=head)
