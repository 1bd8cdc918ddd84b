"""Answers people who answer a finding in its thread, without being called by name."""

from bot.agents import reply
from bot.context import Context
from bot.core.effects import Plan, Remember, ReplyInThread, ResolveThread
from bot.core.events import ReviewCommentCreated
from bot.gathering import reply_facts
from bot.router import Router

router = Router()
MOST_REPLIES = 4
"""Of Hob's in one thread: past them people talk among themselves."""


@router.on(
    ReviewCommentCreated,
    may={ReplyInThread, Remember, ResolveThread},
    priority="high",
    name="thread-replies",
    stored_as="threads.converse",
)
async def converse(event: ReviewCommentCreated, ctx: Context) -> Plan:
    """Silent in everybody else's threads, where nothing needs to be said, and where it has said enough."""
    if ctx.pull == "ignored":
        return Plan(reason="a person had it ignored")
    facts = await reply_facts(ctx, event)
    if facts is None:
        return Plan(reason="no answer to a finding")
    if sum(who == f"{ctx.slug}[bot]" for who, _ in facts.conversation) > MOST_REPLIES:
        return Plan(reason="enough was said in this thread")
    return await reply.plan(facts, ctx.infer)
