"""What waits for what, by GitHub's own facts and without a model: `@slug blockers`, `blockers #12`, `blockers
v1.0`."""

from bot.agents.dependencies import dependency_answer
from bot.context import Context, answer
from bot.core.dependency_questions import dependency_question, subject
from bot.core.effects import Comment, Plan, ReplyInThread
from bot.core.events import CommentEvent
from bot.router import Router

router = Router()
HOW = "Name an issue (`blockers #12`) or a milestone (`blockers v1.0`), or nothing for what this is about."


@router.command(
    "blockers",
    help="what blocks this, and what waits for it; `blockers #12`, `blockers MILESTONE`",
    may={Comment, ReplyInThread},
)
async def blockers(event: CommentEvent, ctx: Context) -> Plan:
    """Both directions of an issue; of a milestone what keeps it open. Whoever may read it here may ask."""
    said = ctx.command.argument if ctx.command else ""
    question = dependency_question(said) or subject(said)
    body = question and await dependency_answer(
        question, ctx.github, ctx.repo.full_name, event.number, both=question.kind == "blocks"
    )
    return Plan((answer(event, body or HOW),), reason="what waits for what was asked for")
