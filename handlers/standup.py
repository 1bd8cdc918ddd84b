"""How this repository, or a milestone of it, stands: `@slug standup`, `standup v1.0`, `standup since 3 days`.
From real events alone; no model is asked."""

import time

from bot.context import Context, answer
from bot.core.effects import Comment, Plan, ReplyInThread
from bot.core.events import CommentEvent
from bot.core.since import since
from bot.core.standup import DAY, markdown, standup, standup_facts
from bot.core.text import in_code
from bot.router import Router

router = Router()
USUAL_DAYS = 7


@router.command(
    "standup",
    help="what moved in a week, what is stuck, who is asked; `standup v1.0 since 3 days`: of a milestone",
    may={Comment, ReplyInThread},
    who="triage",
)
async def stand_up(event: CommentEvent, ctx: Context) -> Plan:
    """Answered where it was asked."""
    now = time.time()
    asked = since(ctx.command.argument if ctx.command else "", now)
    if asked.wrong:
        return Plan((answer(event, asked.wrong),), reason="there is no such time")
    milestone = asked.rest.strip("`\"' ?!")
    at = now - USUAL_DAYS * DAY if asked.at is None else asked.at
    facts = await standup_facts(ctx.github, ctx.repo.full_name, at, now, milestone, ctx.slug)
    if milestone and not facts.graph.items:
        words = f"I find nothing in a milestone named {in_code(milestone, 90)}."
        return Plan((answer(event, words),), reason="there is no such milestone")
    return Plan((answer(event, markdown(standup(facts))),), reason="a standup was asked for")
