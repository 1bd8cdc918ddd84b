"""Comments that wait for a person (`issues.comment: draft`): `draft` shows them, `draft post N` posts one as
it was shown, `draft drop N` discards it."""

import re
from datetime import UTC, datetime

from bot.context import Context, answer
from bot.core.drafts import Draft
from bot.core.effects import Comment, DropDraft, KeepDraft, Plan, ReplyInThread
from bot.core.events import CommandRequested, CommentEvent, IssueRemoved
from bot.core.text import in_code
from bot.router import Router

router = Router()
_ORDER = re.compile(r"(post|drop)(?:\s{1,9}#?(\d{1,9}))?[.!]?", re.IGNORECASE)


@router.command(
    "draft",
    help="shows what I would say here; `draft post N` posts it, `draft drop N` discards it",
    may={Comment, ReplyInThread, DropDraft},
    who="triage",
)
async def draft(event: CommentEvent, ctx: Context) -> Plan:
    """What is posted is the text that is kept, once, however many ask for it."""
    said = ctx.command.argument.strip() if ctx.command else ""
    found = _ORDER.fullmatch(said)
    if found is None:
        return _shown(event, ctx)
    wanted = [one for one in ctx.drafts if found[2] is None or one.n == int(found[2])]
    if len(wanted) != 1:
        return _shown(event, ctx, f"I keep no draft {found[2]} here. " if found[2] else "")
    (one,) = wanted
    drops = DropDraft(one.n, KeepDraft(one.number, one.body, one.about))
    if found[1].lower() == "post":
        name = f"draft {one.n} {one.refusals}"
        return Plan((Comment(one.number, one.body), drops), reason=f"posts draft {one.n}", once=name)
    told = () if isinstance(event, CommandRequested) else (answer(event, f"Draft {one.n} is discarded."),)
    return Plan((drops, *told), reason=f"discards draft {one.n}")


@router.on(IssueRemoved, may={DropDraft}, priority="low", name="drafts-issue-removed")
async def drop_all(_event: IssueRemoved, ctx: Context) -> Plan:
    """Nobody could post them, and their texts tell of an issue that was taken away."""
    drops = tuple(DropDraft(one.n) for one in ctx.drafts)
    return Plan(drops, reason=f"{len(drops)} drafts are discarded: the issue is no longer here")


def _shown(event: CommentEvent, ctx: Context, wrong: str = "") -> Plan:
    """The drafts as they would read, folded: this conversation may be read by many."""
    if not ctx.drafts:
        return Plan((answer(event, f"{wrong}There are no drafts here."),), reason="shows no draft")
    n = ctx.drafts[-1].n
    orders = f"`@{ctx.slug} draft post {n}` posts it, `@{ctx.slug} draft drop {n}` discards it."
    what = "one draft" if len(ctx.drafts) == 1 else f"{len(ctx.drafts)} drafts"
    texts = "\n\n---\n\n".join(f"{_named(one)}\n\n{one.body}" for one in ctx.drafts)
    words = f"{wrong}I keep {what} here, which I have not posted. {orders}"
    return Plan((Comment(event.number, words, texts),), reason=f"shows {what}")


def _named(one: Draft) -> str:
    day = datetime.fromtimestamp(one.at, UTC).date()
    return f"**Draft {one.n}** ({in_code(one.about)}, {day})"
