"""What a command needs to know, read through its Context."""

from bot.context import Context, select, to_file_diff
from bot.core.deeds import Deed, undone
from bot.core.effects import Comment, PostReview
from bot.core.events import CommentEvent
from bot.core.facts import ChangeFacts, PullRequestFacts, Talk, UndoFacts
from bot.github.gather import PullRequestState, Thread


async def undo_facts(ctx: Context, event: CommentEvent, deed: Deed) -> UndoFacts:
    """The threads are read only where a review is to be taken back."""
    reviewed = any(isinstance(one.effect, PostReview) for one in deed.did)
    threads = await ctx.github.threads(event.number) if reviewed else ()
    return UndoFacts(
        number=event.number,
        deed=deed,
        deeds=ctx.deeds,
        asker=event.author.login,
        talks=tuple(_talk(thread, f"{ctx.slug}[bot]", event.comment_id) for thread in threads),
        memory=ctx.memory,
        slug=ctx.slug,
    )


def _talk(thread: Thread, me: str, asking: int) -> Talk:
    """The comment that asks is no answer to the thread it stands in."""
    ours = tuple(one.id for one in thread.comments if one.author.login == me)
    answered = any(one.author.login != me and one.id != asking for one in thread.comments)
    return Talk(thread.comments[0].review, ours, answered)


async def change_facts(ctx: Context, state: PullRequestState) -> ChangeFacts:
    """The change as it is to be described, with the labels that exist."""
    context = await ctx.repository(state.base_sha, labels=True)
    raw = await ctx.github.files(state.number)
    files, skipped = select([to_file_diff(file) for file in raw], context.settings.review.paths)
    return ChangeFacts(
        context=context,
        number=state.number,
        title=state.title,
        body=state.body,
        head_sha=state.head_sha,
        files=tuple(files),
        skipped=tuple(skipped),
        labels=state.labels,
    )


def change_reviewed(facts: PullRequestFacts) -> ChangeFacts:
    """Of what was read for a review."""
    return ChangeFacts(
        context=facts.context,
        number=facts.number,
        title=facts.title,
        body=facts.body,
        head_sha=facts.head_sha,
        files=facts.files,
        skipped=facts.skipped,
    )


async def comment_about(ctx: Context, about: str) -> tuple[Comment, int] | None:
    """Hob's newest comment of that name here which still stands, and its id."""
    gone = undone(ctx.deeds)
    for deed in reversed(ctx.deeds):
        for one in reversed(deed.did):
            if deed.run not in gone and isinstance(one.effect, Comment) and one.effect.about == about:
                there = await ctx.github.has_comment(one.github_id)
                return (one.effect, one.github_id) if there else None
    return None
