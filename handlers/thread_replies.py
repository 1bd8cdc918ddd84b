"""Answers people who answer a finding in its thread, without being called by name."""

from bot.agents import reply
from bot.context import Context
from bot.core.effect_history import of_thread
from bot.core.effects import Plan, Remember, ReplyInThread, ResolveThread
from bot.core.events import ReviewCommentCreated
from bot.core.facts import ReplyFacts
from bot.core.github_reader import Thread, conversation
from bot.core.refs import TRUSTED
from bot.router import Router

router = Router()
MOST_REPLIES = 4
"""Of Hob's in one thread: past them people talk among themselves."""
AROUND = 5
"""Lines shown before and after those that a thread is about."""


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
    facts = await _reply_facts(ctx, event)
    if facts is None:
        return Plan(reason="no answer to a finding")
    if sum(who == f"{ctx.slug}[bot]" for who, _ in facts.conversation) > MOST_REPLIES:
        return Plan(reason="enough was said in this thread")
    return await reply.plan(facts, ctx.infer)


async def _reply_facts(ctx: Context, event: ReviewCommentCreated) -> ReplyFacts | None:
    """An answer in a thread that began with a finding of Hob's; None where it is anything else."""
    if event.in_reply_to is None or not ctx.reviews:
        return None
    thread = next(
        (one for one in await ctx.github.threads(event.number) if one.comments[0].id == event.in_reply_to),
        None,
    )
    if thread is None or thread.comments[0].author.login != f"{ctx.slug}[bot]":
        return None
    root = thread.comments[0]
    finding = of_thread(ctx.reviews, thread.path, root.body)
    if finding is None:
        return None
    state = await ctx.github.pull_request(event.number)
    own = {one.comment_id: one for one in await ctx.github.own_threads(event.number) if not one.resolved}
    text = (await ctx.github.texts(state.head_sha, [thread.path])).get(thread.path, "")
    context = await ctx.repository(state.base_sha)
    trusted = await ctx.github.permission(event.author.login) in TRUSTED
    return ReplyFacts(
        number=event.number,
        thread=root.id,
        finding=finding,
        code=_lines_around(text, thread),
        conversation=conversation(thread.comments, without=event.comment_id),
        who=event.author.login,
        said=event.body,
        trusted=trusted,
        node=own[root.id].id if root.id in own else "",
        may_resolve=trusted and (await ctx.github.granted()).get("contents") == "write",
        remembered=len(ctx.memory),
        slug=ctx.slug,
        language=context.settings.language,
    )


def _lines_around(text: str, thread: Thread) -> str:
    if thread.line is None:
        return ""
    lines = text.split("\n")
    start = max(1, (thread.start_line or thread.line) - AROUND)
    return "\n".join(lines[start - 1 : thread.line + AROUND])
