"""Issues and pull requests about the same things: `@slug related`."""

from bot.agents.related import listed
from bot.context import Context, answer
from bot.core.effects import Comment, Plan, ReplyInThread
from bot.core.events import CommentEvent
from bot.router import Router
from handlers.duplicates import UNKNOWN

router = Router()
MOST = 6


@router.command(
    "related",
    help="issues and pull requests about the same things, each with a reason",
    may={Comment, ReplyInThread},
    who="triage",
)
async def related(event: CommentEvent, ctx: Context) -> Plan:
    """By the index alone; no model is asked."""
    if ctx.knowledge is None:
        return Plan((answer(event, UNKNOWN),), reason="there is no index")
    state = await ctx.github.issue(event.number)
    found = await ctx.knowledge.related(state.title, state.body, but=event.number, k=MOST)
    issues = await ctx.knowledge.known_issues([one.number for one in found])
    words = listed([(one, issues[one.number]) for one in found if one.number in issues], ctx.link)
    return Plan((answer(event, words),), reason="what is related was asked for")
