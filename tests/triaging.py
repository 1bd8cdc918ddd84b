"""The command `triage`, for tests of what asks for it many times."""

import handlers
from bot.context import Context
from bot.core.effects import AddLabels, Comment, Effect, KeepDraft, Plan
from bot.core.events import CommentEvent
from bot.router import Router

router = Router()


@router.command("triage", help="sorts this issue", may={AddLabels, Comment, KeepDraft}, who="triage")
async def triage(event: CommentEvent, ctx: Context) -> Plan:
    """In two calls: what the issue says, and the repository's settings."""
    state = await ctx.github.issue(event.number)
    await ctx.repository()
    effects: list[Effect] = [AddLabels(event.number, ("bug",))] if "bug" not in state.labels else []
    if not state.body:
        effects.append(Comment(event.number, "What happens?", about="question"))
    return Plan(tuple(effects), reason=f"bug, normal: {state.title}")


def with_triage(into: Router) -> Router:
    """The router with a `triage` command: its own, if it has one."""
    return into if "triage" in into.commands else into.include(router)


EVERYTHING = with_triage(Router().include(handlers.router))
"""For HOB_HANDLERS."""
