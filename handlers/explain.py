"""What code does and why: `@slug explain`, of a thread's lines, of `path:12-40`, or of the whole change."""

from bot.agents.explain import explain as explained
from bot.context import Context
from bot.core.effects import Comment, Plan, ReplyInThread
from bot.core.events import CommentEvent
from bot.gathering import explain_facts
from bot.router import Router
from handlers.comments import answer

router = Router()


@router.command(
    "explain",
    help="what code does and why, by its history: of this thread, of `explain path:12-40`, of the change",
    may={Comment, ReplyInThread},
    stored_as="explain.explain",
)
async def explain(event: CommentEvent, ctx: Context) -> Plan:
    """From the code, the commits that touched it, and what these name."""
    facts = await explain_facts(ctx, event)
    if isinstance(facts, str):
        return Plan((answer(event, facts),), reason="it is not clear what to explain")
    body, used = await explained(facts, ctx.infer)
    return Plan((answer(event, body),), reason="an explanation was asked for", usage=used)
