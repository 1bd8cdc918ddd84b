"""What a command needs to know, read through its Context."""

from bot.context import Context
from bot.core.deeds import Deed
from bot.core.effects import PostReview
from bot.core.events import CommentEvent
from bot.core.facts import Talk, UndoFacts
from bot.github.gather import Thread


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
