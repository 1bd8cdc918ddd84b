"""Free text to Hob, exchanged for the command that it asks for: what only answers is done, what changes
something is offered as the exact command. The person's own permission is asked again for that command."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from bot.agents.intent import understand
from bot.context import Context, answer
from bot.core.commands import Command, as_comment
from bot.core.dependency_questions import dependency_question
from bot.core.effects import Plan, RequestCommand
from bot.core.events import CommentEvent, ReviewCommentEvent
from bot.core.inference import Usage
from bot.core.intents import OfferedCommand
from bot.core.recipes import asked_for, path_of
from bot.core.text import in_code
from bot.effects import BUILDING_ON_BEFORE
from bot.router import Route, Router
from bot.runs.authorize import CommandRefusal
from bot.runs.dispatch import cause

Refuses = Callable[[Route], Awaitable[CommandRefusal | None]]


@dataclass(frozen=True, slots=True)
class Understood:
    """The route that answers and its context; `plan` where nothing more need be asked."""

    route: Route
    ctx: Context
    plan: Plan | None = None
    why: str = ""
    usage: tuple[Usage, ...] = ()


async def understood(
    route: Route, event: CommentEvent, ctx: Context, router: Router, refuses: Refuses
) -> Understood:
    """`route` itself for whatever is no free text, or asks for nothing else. `refuses`: why this person may
    not give a route's command here."""
    if recipe := await _recipe_asked(route, event, ctx, router, refuses):
        return recipe
    if ctx.command is None or not ctx.command.free or route.command != "ask":
        return Understood(route, ctx)
    if dependency_question(ctx.command.argument):
        return Understood(route, ctx)  # answered by query, and no doubt about it
    meant, used = await understand(ctx.command.argument, _where(event), offered(ctx), ctx.infer)
    chosen = router.commands.get(meant.name)
    if chosen is None or await refuses(chosen):
        return Understood(route, ctx, usage=used)
    why = f"understood as {meant.line}"
    if not chosen.reads:
        plan = Plan((answer(event, offer(ctx.slug, meant.line)),), reason="offered")
        return Understood(route, ctx, plan, why, used)
    if BUILDING_ON_BEFORE & chosen.may:  # it has to hold all of the issue or pull request: a run of its own
        plan = Plan((_request(event, meant.line),), reason="asked for")
        return Understood(replace(route, may=route.may | {RequestCommand}), ctx, plan, why, used)
    return Understood(chosen, replace(ctx, command=Command(meant.name, meant.argument)), None, why, used)


async def _recipe_asked(
    route: Route, event: CommentEvent, ctx: Context, router: Router, refuses: Refuses
) -> Understood | None:
    """The recipe that a word which is no command names: read on the base branch, a call for a word that may
    be one."""
    runs = router.commands.get("recipe")
    said = asked_for(ctx.command) if route.command in ("ask", "help") else None
    if said is None or runs is None:
        return None
    base = ctx.repo.default_branch
    if event.on_pull_request:
        base = (await ctx.github.pull_request(event.number)).rules_at
    known = await ctx.recipes(base, said.name)
    recipe = known.by_name.get(said.name)
    if recipe is None:
        path = path_of(said.name)
        wrong = [one.message for one in known.complaints if one.path == path]
        if not wrong or not (await ctx.repository(base)).settings.code.enabled or await refuses(runs):
            return None
        words = "\n".join([f"{in_code(path)} is not taken as a recipe:\n", *(f"- {one}" for one in wrong)])
        return Understood(route, ctx, Plan((answer(event, words),), reason=f"{path} is not taken"))
    why = f"the recipe {recipe.name}"
    if refused := await refuses(replace(runs, command=recipe.name)):
        if recipe.bundled and not (await ctx.repository(base)).settings.code.enabled:
            return None  # nobody meant a recipe here
        return Understood(route, ctx, Plan((answer(event, refused.words),), reason=f"refused: {why}"))
    command = Command("recipe", f"{recipe.name} {said.argument}".strip())
    return Understood(runs, replace(ctx, command=command, recipe=recipe), None, why)


def offered(ctx: Context) -> list[OfferedCommand]:
    """What this person may have here beside answers."""
    allowed = (one for one in ctx.offers if one.allowed and one.name != "ask")
    return [OfferedCommand(one.name, one.help, one.reads) for one in allowed]


def offer(slug: str, line: str) -> str:
    """One line: the exact command, for the person to give."""
    said = in_code(as_comment(slug, line))
    return f"That changes something, so I leave it to you: comment {said} and I do it."


def _request(event: CommentEvent, line: str) -> RequestCommand:
    name = f"meant:{event.repo.id}:{cause(event)}"
    return RequestCommand(event.number, f"/hob {line}", event.author, name, event.on_pull_request)


def _where(event: CommentEvent) -> str:
    if isinstance(event, ReviewCommentEvent):
        return "under a line of code, in a pull request"
    return "in a pull request" if event.on_pull_request else "in an issue"
