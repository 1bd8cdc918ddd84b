"""What people tell Hob about its part in a pull request: pause, resume, ignore, resolve."""

from bot.context import Context, answer
from bot.core.effects import Comment, Effect, Plan, PullState, ReplyInThread, ResolveThread, SetPull
from bot.core.events import CommentEvent
from bot.router import Router

router = Router()
MOST_RESOLVED = 50
"""Threads by one command: each costs a write."""


@router.command(
    "pause",
    help="I leave this pull request's pushes alone until `resume`",
    may={SetPull, Comment, ReplyInThread},
    who="author",
    stored_as="steering.pause",
    place="pull requests",
)
async def pause(event: CommentEvent, ctx: Context) -> Plan:
    """Commands still work."""
    words = f"I don't look at new pushes here until `@{ctx.slug} resume`; `@{ctx.slug} review` still works."
    return _set(event, ctx, "paused", words)


@router.command(
    "resume",
    help="I look at pushes again, and at what was pushed meanwhile",
    may={SetPull, Comment, ReplyInThread},
    who="author",
    stored_as="steering.resume",
    place="pull requests",
)
async def resume(event: CommentEvent, ctx: Context) -> Plan:
    """Also after `ignore`. The review of a head that nobody has looked at follows as a run of its own."""
    return _set(event, ctx, "active", "I look at pushes here again, and now at what came meanwhile.")


@router.command(
    "ignore",
    help="I have no part in this pull request any more",
    may={SetPull, Comment, ReplyInThread},
    who="author",
    stored_as="steering.ignore",
    place="pull requests",
)
async def ignore(event: CommentEvent, ctx: Context) -> Plan:
    """No reviews and no check runs by themselves."""
    return _set(
        event, ctx, "ignored", f"I leave this pull request alone; `@{ctx.slug} resume` takes it back."
    )


@router.command(
    "resolve",
    help="resolves all threads that I began here",
    may={ResolveThread, Comment, ReplyInThread},
    who="author",
    stored_as="steering.resolve",
    place="pull requests",
)
async def resolve(event: CommentEvent, ctx: Context) -> Plan:
    """GitHub wants contents:write of an App for that."""
    if not event.on_pull_request:
        return Plan((answer(event, "An issue has no threads on lines; ask on a pull request."),))
    found = [thread for thread in await ctx.github.own_threads(event.number) if not thread.resolved]
    if not found:
        return Plan((answer(event, "None of my threads is open here."),), reason="nothing to resolve")
    if (await ctx.github.granted()).get("contents") != "write":
        why = (
            "GitHub lets an App resolve threads only with write permission for contents, which I don't have."
        )
        return Plan((answer(event, why),), reason="not permitted to resolve")
    effects: list[Effect] = [ResolveThread(event.number, one.id) for one in found[:MOST_RESOLVED]]
    said = f"Resolved {len(effects)} of my threads."
    return Plan((*effects, answer(event, said)), reason="threads were to be resolved")


def _set(event: CommentEvent, ctx: Context, state: PullState, words: str) -> Plan:
    if not event.on_pull_request:
        return Plan((answer(event, "That is for pull requests; I review no issues."),))
    if ctx.pull == state:
        return Plan((answer(event, "That is how it is already."),), reason="nothing to change")
    return Plan((SetPull(event.number, state), answer(event, words)), reason=f"{state} by a person")
