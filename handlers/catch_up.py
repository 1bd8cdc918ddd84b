"""What happened here while somebody was away: `@slug catch-up`, by default since they last spoke, else since
a day (`catch-up since 2026-11-02`). Only what was really said and done."""

import re
import time

from bot.agents.catch_up import CatchUpFacts, catch_up
from bot.context import Context, answer
from bot.core.commands import only_to_hob
from bot.core.effects import Comment, Plan, ReplyInThread
from bot.core.events import CommentEvent
from bot.core.github_reader import IssueState, RawComment
from bot.core.since import since
from bot.router import Router

router = Router()
MOST = 1_000
"""Comments, the newest."""
_MINE = re.compile(r"(?:since )?(?:i|my|me)\b", re.IGNORECASE)


@router.command(
    "catch-up",
    help="what happened here since you last spoke, or `catch-up since 2026-11-02`; who waits for whom",
    may={Comment, ReplyInThread},
    who="triage",
)
async def tell(event: CommentEvent, ctx: Context) -> Plan:
    """Answered where it was asked."""
    now = time.time()
    said = ctx.command.argument if ctx.command else ""
    asked = since("" if _MINE.match(said) else said, now)
    if asked.wrong:
        return Plan((answer(event, asked.wrong),), reason="there is no such time")
    issue = await ctx.github.issue(event.number)
    if issue.transferred:
        return Plan(reason="transferred to another repository")
    heard = await _heard(event, ctx, issue)
    at, why = (asked.at, "") if asked.at is not None else _last_word(event, ctx, heard)
    happenings = await ctx.github.happenings(event.number)
    unread = max(0, issue.comments - MOST) if heard and heard[0].at > at else 0
    facts = CatchUpFacts(
        context=await ctx.repository(),
        title=issue.title,
        since=at,
        why=why,
        open=issue.open,
        comments=tuple(one for one in heard if one.at > at and not only_to_hob(one.body, ctx.slug)),
        happenings=tuple(one for one in happenings if one.at > at and one.by != f"{ctx.slug}[bot]"),
        unread=unread,
    )
    body, used = await catch_up(facts, ctx.infer)
    return Plan((answer(event, body),), reason="somebody catches up", usage=used)


async def _heard(event: CommentEvent, ctx: Context, issue: IssueState) -> list[RawComment]:
    """All that others and the person have said, Hob left out, on lines too; oldest first."""
    heard = list(await ctx.github.comments(event.number, issue.comments, MOST))
    if issue.is_pull_request:
        heard += [one for thread in await ctx.github.threads(event.number) for one in thread.comments]
    me = f"{ctx.slug}[bot]"
    kept = [one for one in heard if one.id != event.comment_id and one.author.login != me]
    return sorted(kept, key=lambda one: (one.at, one.id))[-MOST:]


def _last_word(event: CommentEvent, ctx: Context, heard: list[RawComment]) -> tuple[float, str]:
    """When the person spoke last, whatever they asked of Hob left out; 0 where they have not."""
    own = [
        one.at
        for one in heard
        if one.author.login == event.author.login and not only_to_hob(one.body, ctx.slug)
    ]
    return (max(own), "you last spoke") if own else (0.0, "")
