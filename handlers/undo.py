"""Takes back what Hob did last on an issue or pull request: `@slug undo`, and again for the one before."""

from bot.context import Context
from bot.core.effect_history import PastRun, last
from bot.core.effects import Comment, Plan, PostReview, SetCheck, TakenBack
from bot.core.events import CommentEvent
from bot.core.facts import StartedThread, UndoFacts
from bot.core.github_reader import Thread
from bot.effects import UNDOING, undo
from bot.router import Router

router = Router()


@router.command(
    "undo",
    help="takes back what I did last here; again: the one before",
    may=UNDOING | {Comment, TakenBack},
    who="triage",
    stored_as="undo.take_back",
)
async def take_back(event: CommentEvent, ctx: Context) -> Plan:
    """Answers in the conversation: the thread in which it was asked may be gone by then."""
    past_run = last(ctx.past_runs)
    if past_run is None:
        words = "There is nothing here that I could take back."
        return Plan((Comment(event.number, words), TakenBack(0)), reason="nothing to take back")
    return undo.plan(await _undo_facts(ctx, event, past_run))


async def _undo_facts(ctx: Context, event: CommentEvent, past_run: PastRun) -> UndoFacts:
    """The threads are read only where a review is to be taken back."""
    reviewed = any(isinstance(one.effect, PostReview) for one in past_run.did)
    threads = await ctx.github.threads(event.number) if reviewed else ()
    gates = False
    if any(isinstance(one.effect, SetCheck) for one in past_run.did):
        base = (await ctx.github.pull_request(event.number)).base_sha
        gates = (await ctx.repository(base)).settings.review.request_changes
    return UndoFacts(
        number=event.number,
        past_run=past_run,
        past_runs=ctx.past_runs,
        asker=event.author.login,
        talks=tuple(_started(thread, f"{ctx.slug}[bot]", event.comment_id) for thread in threads),
        memory=ctx.memory,
        drafts=ctx.drafts,
        slug=ctx.slug,
        gates=gates,
    )


def _started(thread: Thread, me: str, asking: int) -> StartedThread:
    """The comment that asks is no answer to the thread it stands in."""
    ours = tuple(one.id for one in thread.comments if one.author.login == me)
    answered = any(one.author.login != me and one.id != asking for one in thread.comments)
    return StartedThread(thread.comments[0].review, ours, answered)
