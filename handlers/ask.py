"""Answers a question about a conversation and its change: `@slug ask`, or anything that is no command."""

from bot.agents import chat
from bot.agents.rerank import rerank
from bot.context import Context, answer
from bot.core.code_search import Excerpt
from bot.core.effects import Comment, Plan, ReplyInThread, Usage
from bot.core.events import CommentEvent, ReviewCommentEvent
from bot.core.facts import ThreadFacts
from bot.core.github_reader import conversation
from bot.pull_request_facts import select
from bot.router import Router

router = Router()
WORTH_RERANKING = 8
"""Of fewer files that were found the best passages are shown anyway."""


@router.command(
    "ask",
    help="answers a question about this conversation and its change",
    may={Comment, ReplyInThread},
    stored_as="comments.ask",
)
async def ask(event: CommentEvent, ctx: Context) -> Plan:
    """In place: under a line in its thread, elsewhere as a comment."""
    question = ctx.command.argument if ctx.command else ""
    if not question:
        return Plan((answer(event, f"Ask me something: `@{ctx.slug} ask why is this cached?`"),))
    facts = await _thread_facts(ctx, event, question)
    body, used = await chat.reply(facts, ctx.infer)
    return Plan((answer(event, body),), reason="a question was asked", usage=used)


async def _thread_facts(ctx: Context, event: CommentEvent, question: str) -> ThreadFacts:
    """What stands around a question: the conversation, and on a pull request its change."""
    if not event.on_pull_request:
        issue = await ctx.github.issue(event.number)
        found, spent = await _found(ctx, question)
        comments = await ctx.github.comments(event.number, issue.comments)
        return ThreadFacts(
            context=await ctx.repository(),
            number=event.number,
            title=issue.title,
            body=issue.body,
            question=question,
            asker=event.author.login,
            conversation=conversation(comments, without=event.comment_id),
            unheard=max(0, issue.comments - len(comments)),
            found=found,
            spent=spent,
        )
    state = await ctx.github.pull_request(event.number)
    unheard = 0
    if isinstance(event, ReviewCommentEvent):
        comments = await ctx.github.thread(event.number, event.comment_id)
    else:
        comments = await ctx.github.comments(event.number, state.comments)
        unheard = max(0, state.comments - len(comments))
    context = await ctx.repository(state.base_sha)
    files, _ = select(await ctx.github.files(event.number), context.settings.review.paths)
    found, spent = await _found(ctx, question, state.base_sha)
    return ThreadFacts(
        context=context,
        number=event.number,
        title=state.title,
        body=state.body,
        question=question,
        asker=event.author.login,
        conversation=conversation(comments, without=event.comment_id),
        unheard=unheard,
        files=tuple(files),
        head_sha=state.head_sha,
        texts=await ctx.github.texts(state.head_sha, [file.path for file in files]),
        found=found,
        spent=spent,
    )


async def _found(ctx: Context, question: str, at: str = "") -> tuple[tuple[Excerpt, ...], tuple[Usage, ...]]:
    """What the index has about a question, and what looking took. While nothing else waits, a model says
    first which of the files matter."""
    if ctx.knowledge is None:
        return (), ()
    outlines = await ctx.knowledge.outlines(question, at) if ctx.idle else ()
    if len(outlines) <= WORTH_RERANKING:
        return await ctx.knowledge.search(question, at), ()
    done = await rerank(question, outlines, ctx.infer)
    first = tuple(outlines[place].path for place in done.order) if not done.failure else ()
    return await ctx.knowledge.search(question, at, first), done.usage
