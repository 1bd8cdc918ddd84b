"""What people teach Hob: `memory`, `remember …`, `forget N`, `dismiss N why`, `why N`.

N of `dismiss` and `why` is the N-th finding of Hob's last review of the pull request, worst first; in a
finding's own thread it may be left out. N of `forget` is a number that `memory` shows.
"""

import re
from dataclasses import replace

from bot.agents.memory import explained, grounds, listed, named, table
from bot.context import Context, answer
from bot.core.effect_history import last_explained, of_thread
from bot.core.effects import Comment, Effect, Forget, Plan, Remember, ReplyInThread
from bot.core.events import CommentEvent, ReviewCommentEvent
from bot.core.findings import Finding
from bot.core.memory import LASTS_DAYS, MOST, MOST_TEXT, Lesson, dismissal
from bot.router import Router

router = Router()
_NUMBER = re.compile(r"#?(\d{1,9})\b[.:,]?\s*")
_FOR = re.compile(r"for (?:(\d{1,4}) (day|week|month|year)s?|(good))\b[.:,]?\s*", re.IGNORECASE)
_DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}


@router.command(
    "memory",
    help="what I was taught about this repository",
    may={Comment, ReplyInThread},
    who="triage",
    stored_as="memory.show_memory",
)
async def show_memory(event: CommentEvent, ctx: Context) -> Plan:
    """A short table."""
    return _said(event, table(ctx.memory))


@router.command(
    "remember",
    help="a convention that I keep in mind, as in `remember We use structlog, never print`",
    may={Remember, Comment, ReplyInThread},
    who="triage",
    stored_as="memory.agree",
)
async def agree(event: CommentEvent, ctx: Context) -> Plan:
    """Reviewers are told of it from then on."""
    text = ctx.command.argument if ctx.command else ""
    if not text:
        return _said(event, f"Tell me what: `@{ctx.slug} remember We use structlog, never print`.")
    if full := _full(ctx):
        return _said(event, full)
    lesson = Lesson("convention", text[:MOST_TEXT], event.author.login, event.number)
    return _taught(event, Remember(lesson), f"I will keep that in mind when I review. {_undo(ctx)}")


@router.command(
    "forget",
    help="`forget N` deletes what `memory` shows",
    may={Forget, Comment, ReplyInThread},
    who="triage",
    stored_as="memory.forget",
)
async def forget(event: CommentEvent, ctx: Context) -> Plan:
    """One memory goes; its number is not given again."""
    n, _ = _numbered(ctx)
    one = next((one for one in ctx.memory if one.n == n), None)
    if one is None:
        wrong = "Name one by its number" if n is None else f"I remember nothing under the number {n}"
        return _said(event, f"{wrong}; `@{ctx.slug} memory` lists what I remember.")
    return _taught(event, Forget(one.n), f"Forgotten: {named(one.lesson)}.")


@router.command(
    "dismiss",
    help="`dismiss N why`: that finding is not shown again (for a while: `dismiss N for 30 days why`)",
    may={Remember, Comment, ReplyInThread},
    who="triage",
    stored_as="memory.dismiss",
)
async def dismiss(event: CommentEvent, ctx: Context) -> Plan:
    """Kept from every pull request of the repository, with its reason; for a year if no time is named."""
    finding, rest = await _meant(event, ctx)
    if finding is None:
        return _said(event, rest)
    days, why = _how_long(rest)
    if not why:
        return _said(event, f"Tell me why, for whoever reads it later: `@{ctx.slug} dismiss 1 by design`.")
    if full := _full(ctx):
        return _said(event, full)
    every = (finding, *finding.also)
    lesson, *others = [dismissal(one, why, event.author.login, event.number) for one in every]
    span = "until somebody has me forget it" if days is None else f"for {days} days"
    here = (
        " on this pull request"
        if not lesson.words and finding.severity == "critical" and not finding.content
        else ""
    )
    words = f"I won't show {named(finding)} again{here}, {span}. {_undo(ctx)}"
    taught = _taught(event, Remember(lesson, days), words)
    return replace(taught, effects=(*(Remember(one, days) for one in others), *taught.effects))


@router.command(
    "why",
    help="what a finding rests on (`why 2`), and whether it was dismissed; on an issue: labels and comments",
    may={Comment, ReplyInThread},
    who="triage",
    stored_as="memory.give_grounds",
)
async def give_grounds(event: CommentEvent, ctx: Context) -> Plan:
    """As it was stored; no model is asked anew."""
    if not ctx.reviews and _numbered(ctx)[0] is None:
        return _said(event, explained(last_explained(ctx.past_runs)))
    finding, rest = await _meant(event, ctx)
    return _said(event, rest if finding is None else grounds(finding, ctx.memory, event.number))


def _said(event: CommentEvent, words: str) -> Plan:
    return Plan((answer(event, words),), reason="memory was asked about")


def _taught(event: CommentEvent, effect: Effect, words: str) -> Plan:
    """What changes comes first; the reply acknowledges it."""
    return Plan((effect, answer(event, words)), reason="memory was changed")


def _undo(ctx: Context) -> str:
    return f"`@{ctx.slug} memory` lists what I remember, `@{ctx.slug} forget N` takes it back."


def _full(ctx: Context) -> str:
    if len(ctx.memory) < MOST:
        return ""
    return f"I remember {MOST:,} things here, which is all I have room for; have me forget some first."


def _numbered(ctx: Context) -> tuple[int | None, str]:
    """The number that a command begins with, and the rest."""
    said = ctx.command.argument if ctx.command else ""
    found = _NUMBER.match(said)
    return (int(found[1]), said[found.end() :]) if found else (None, said)


def _how_long(said: str) -> tuple[int | None, str]:
    """Days (None: for good), and the reason."""
    found = _FOR.match(said)
    if found is None:
        return LASTS_DAYS, said.strip()
    days = None if found[3] else int(found[1]) * _DAYS[found[2].lower()]
    return days, said[found.end() :].strip()


async def _meant(event: CommentEvent, ctx: Context) -> tuple[Finding | None, str]:
    """The finding that a command means, and what else it says; or None, and why there is none."""
    n, rest = _numbered(ctx)
    if n is None and isinstance(event, ReviewCommentEvent) and event.in_reply_to is not None:
        thread = await ctx.github.thread(event.number, event.comment_id)
        if found := of_thread(ctx.reviews, event.path, thread[0].body):
            return found, rest
    findings = next((review.findings for review in reversed(ctx.reviews) if review.findings), ())
    if n is not None and 1 <= n <= len(findings):
        return findings[n - 1], rest
    if not findings:
        return None, "I have said nothing here that I could look up."
    return None, f"Which finding do you mean? My last review here had:\n\n{listed(findings)}"
