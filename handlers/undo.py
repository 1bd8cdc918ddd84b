"""Takes back what Hob did last on an issue or pull request: `@slug undo`, and again for the one before."""

from bot.context import Context
from bot.core.effect_history import last
from bot.core.effects import Comment, Plan, TakenBack
from bot.core.events import CommentEvent
from bot.effects import UNDOING, undo
from bot.gathering import undo_facts
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
    return undo.plan(await undo_facts(ctx, event, past_run))
