"""What stands around something that a person said: a conversation, a thread, the code that it is about."""

from collections.abc import Sequence

from bot.agents.rerank import Reranking
from bot.context import Context
from bot.core.code_search import AtHead
from bot.core.effect_history import of_thread
from bot.core.effects import Usage
from bot.core.events import CommentEvent, ReviewCommentEvent
from bot.core.facts import (
    FixFacts,
    ReplyFacts,
    ThreadFacts,
)
from bot.core.findings import fingerprint
from bot.core.refs import Login
from bot.gathering.changes import select, to_file_diff
from bot.github.gather import PullRequestState, RawComment, Thread

TRUSTED = frozenset({"triage", "write", "maintain", "admin"})
"""Permissions with which a person may have findings dismissed."""
AROUND = 5
"""Lines shown before and after those that a thread is about."""


async def thread_facts(ctx: Context, event: CommentEvent, question: str) -> ThreadFacts:
    """What stands around a question: the conversation, and on a pull request its change."""
    spent: list[Usage] = []
    if not event.on_pull_request:
        issue = await ctx.github.issue(event.number)
        comments = await ctx.github.comments(event.number, issue.comments)
        return ThreadFacts(
            context=await ctx.repository(),
            number=event.number,
            title=issue.title,
            body=issue.body,
            question=question,
            asker=event.author.login,
            conversation=_talk(comments, event),
            unheard=max(0, issue.comments - len(comments)),
            library=_index(ctx, spent),
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
    raw = await ctx.github.files(event.number)
    files, _ = select([to_file_diff(file) for file in raw], context.settings.review.paths)
    paths = [file.path for file in files]
    texts = await ctx.github.texts(state.head_sha, paths)
    return ThreadFacts(
        context=context,
        number=event.number,
        title=state.title,
        body=state.body,
        question=question,
        asker=event.author.login,
        conversation=_talk(comments, event),
        unheard=unheard,
        files=tuple(files),
        head_sha=state.head_sha,
        library=AtHead(frozenset(paths), texts, _index(ctx, spent, state.base_sha)),
        spent=spent,
    )


def _index(ctx: Context, spent: list[Usage], at: str = "") -> Reranking | None:
    """What the index has. While nothing else waits, a model says first which of the files matter."""
    return Reranking(ctx.knowledge, ctx.infer, at, spent, ctx.idle) if ctx.knowledge else None


async def thread_meant(ctx: Context, event: CommentEvent, n: int | None) -> Thread | None:
    """The thread of the N-th finding of Hob's last review; without a number the one that was written in, or
    that of an only finding."""
    threads = await ctx.github.threads(event.number)
    if n is None and isinstance(event, ReviewCommentEvent):
        here = (one for one in threads if any(said.id == event.comment_id for said in one.comments))
        return next(here, None)
    review = next((one for one in reversed(ctx.reviews) if one.findings), None)
    if review is None:
        return None
    if n is None and len(review.findings) == 1:
        n = 1
    if n is None or not 1 <= n <= len(review.findings):
        return None
    name = fingerprint(review.findings[n - 1])
    told = {" ".join(one.body.split()) for one in review.comments if one.fingerprint == name}
    firsts = ((one, one.comments[0]) for one in threads)
    own = (one for one, said in firsts if said.author.login == f"{ctx.slug}[bot]" and _words(said) in told)
    return next(own, None)


def _words(comment: RawComment) -> str:
    return " ".join(comment.body.split())


async def fix_facts(
    ctx: Context, state: PullRequestState, thread: Thread, asker: Login, words: str
) -> FixFacts | None:
    """What stands around a thread whose point somebody wants mended; None where its lines are not in the
    change any more, or their file cannot be read."""
    files = await ctx.github.files(state.number)
    file = next((to_file_diff(one) for one in files if one.path == thread.path), None)
    text = (await ctx.github.texts(state.head_sha, [thread.path])).get(thread.path)
    if file is None or text is None or thread.line is None:
        return None
    return FixFacts(
        context=await ctx.repository(state.base_sha),
        title=state.title,
        file=file,
        text=text,
        start=thread.start_line or thread.line,
        end=thread.line,
        conversation=tuple((one.author.login, one.body) for one in thread.comments),
        asker=asker,
        wish=words,
        tools=ctx.tools,
    )


async def reply_facts(ctx: Context, event: ReviewCommentEvent) -> ReplyFacts | None:
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
        conversation=_talk(thread.comments, event),
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


def _talk(comments: Sequence[RawComment], event: CommentEvent) -> tuple[tuple[Login, str], ...]:
    """Who said what before the question."""
    return tuple((one.author.login, one.body) for one in comments if one.id != event.comment_id)
