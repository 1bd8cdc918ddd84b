"""Reviews a pull request when it is opened, reopened, made ready or pushed to, and by `@slug review`.

One review and one check run for each head. A newer push, or closing, supersedes what is under way; pushes
within a few seconds are judged once. Says nothing in the conversation when there is nothing to say: the
check run tells what was read.
"""

import re
from dataclasses import replace

from bot.agents import review
from bot.context import Context, answer
from bot.core import effect_history as past
from bot.core.check_judgement import may_stand, unread
from bot.core.effects import Comment, Plan, ReplyInThread, SetCheck
from bot.core.effort import Effort
from bot.core.errors import HobError
from bot.core.events import (
    CommandRequested,
    CommentEvent,
    PullRequestClosed,
    PullRequestConvertedToDraft,
    PullRequestEvent,
    PullRequestOpened,
    PullRequestReadyForReview,
    PullRequestRelabeled,
    PullRequestReopened,
    PullRequestRetargeted,
    PullRequestRetitled,
    PullRequestSynchronized,
)
from bot.core.github_reader import PullRequestState
from bot.core.refs import Sha
from bot.core.settings import RepoSettings, ReviewSettings
from bot.core.skip_rules import AUTHORS_OWN, why_not_reviewed
from bot.implement_facts import looking
from bot.pull_request_facts import pull_request_facts
from bot.router import Router
from handlers.describe import walkthrough

router = Router()
_WISH = re.compile(
    r"^(?P<how>(?:(?:full|quick|deep|security)(?:[ ,]{1,5}|$)){0,3})"
    r"(?:focus(?:ed)? {1,5}on {1,5}(?P<focus>\S.{0,999}))?",
    re.IGNORECASE,
)
PAUSED = "paused by a person; `resume` goes on"


@router.on(
    PullRequestOpened,
    PullRequestReopened,
    PullRequestReadyForReview,
    PullRequestSynchronized,
    PullRequestClosed,
    PullRequestConvertedToDraft,
    PullRequestRetargeted,
    PullRequestRetitled,
    PullRequestRelabeled,
    may=review.MAY | {Comment},
    newest_only=True,
    coalesce={PullRequestSynchronized, PullRequestRetargeted, PullRequestRetitled, PullRequestRelabeled},
    looks_again={PullRequestRetitled, PullRequestRelabeled},
    name="review",
    stored_as="pull_requests.judge",
)
async def judge(event: PullRequestEvent, ctx: Context) -> Plan:
    """Facts at the head as it is now, whatever the delivery said: deliveries come in any order."""
    if isinstance(event, PullRequestClosed):
        return await _closed(event, ctx)
    if ctx.pull == "ignored":
        return Plan(reason="a person had it ignored")
    state = await ctx.github.pull_request(event.number)
    if not state.open:
        return Plan(reason="closed")
    context = await ctx.repository(state.base_sha)
    shadow = context.settings.review.shadow
    ctx = ctx.in_shadow() if shadow else ctx
    if ctx.earlier is not None and ctx.earlier.stands_for(state.head_sha, state.base_ref):
        return Plan(reason="this head was reviewed")
    again = past.times_judged(ctx.past_runs, state.head_sha)
    at = (event.number, state.head_sha, state.base_ref)
    paused = PAUSED if ctx.pull == "paused" else ""
    if reason := paused or why_not_reviewed(state, context.settings.review):
        return replace(await _left_out(ctx, at, context.settings, reason), shadow=shadow, again=again)
    facts = await pull_request_facts(ctx, context, state)
    if reason := why_not_reviewed(state, facts.context.settings.review):  # another reviewer's settings say so
        return replace(await _left_out(ctx, at, facts.context.settings, reason), shadow=shadow, again=again)
    plan = replace(
        await review.plan(facts, ctx.infer, looking(ctx, state.head_sha)), shadow=shadow, again=again
    )
    if not facts.context.settings.review.walkthrough:
        return plan
    told = await walkthrough(facts, ctx)
    return replace(plan, effects=(*plan.effects, *told.effects), usage=(*plan.usage, *told.usage))


async def _closed(event: PullRequestClosed, ctx: Context) -> Plan:
    """What people thought of the remarks is looked up for the last time; no delivery tells of reactions."""
    plan = Plan(reason="closed: what was under way is superseded")
    if not ctx.posted:
        return plan
    try:
        threads = await ctx.github.own_threads(event.number)
    except HobError:  # nice to know, and nothing to try again for
        return plan
    return replace(plan, opinions=review.opinions(ctx.reviews, threads))


async def _left_out(ctx: Context, at: tuple[int, Sha, str], settings: RepoSettings, reason: str) -> Plan:
    """Said in the check run of (number, head, base): nobody has read anything. GitHub lets `neutral` pass, so
    where findings are to gate, a reason that the author can bring about is none that passes. What was judged
    is not covered."""
    number, head, base = at
    gates = settings.review.request_changes and reason in {PAUSED, *AUTHORS_OWN}
    summary = f"Nothing was read: {reason}. `@{ctx.slug} review` asks for a review all the same."
    if gates:
        summary += " Here findings gate (`review.request_changes`): what nobody read does not pass."
    check = SetCheck(head, unread(gates=gates), f"Not reviewed: {reason}", summary, number=number)
    stands = may_stand(check, base, await ctx.judged(head))
    return Plan((check,) if stands else (), reason=reason, head_sha=head)


@router.command(
    "review",
    help="reviews what is new since the last review; `review full`: everything; `quick`: the riskiest parts; "
    "`deep`: several times, with a vote; `security`: for holes alone; `focus on …`: for that",
    may=review.MAY | {Comment, ReplyInThread},
    who="triage",
    stored_as="comments.judge_again",
    place="pull requests",
)
async def judge_again(event: CommentEvent, ctx: Context) -> Plan:
    """Reviews even what settings leave out by themselves (drafts, titles, authors): a person asked. Narrowed
    to something, it is another review: the whole change is read for that."""
    if not event.on_pull_request:
        return Plan((answer(event, "There is nothing to review on an issue; ask on a pull request."),))
    state = await ctx.github.pull_request(event.number)
    if not state.open:
        return Plan((answer(event, "This pull request is closed; there is nothing to review."),))
    argument = ctx.command.argument if ctx.command else ""
    full, effort, focus = wish(argument)
    context = await ctx.repository(state.base_sha)
    nobody = isinstance(event, CommandRequested) and event.channel == "batch"
    if nobody and (reason := await _better_left(ctx, state, context.settings.review)):
        return Plan(reason=reason)
    facts = await pull_request_facts(ctx, context, state, full=full, effort=effort, by_person=True)
    if nobody and (left := why_not_reviewed(state, facts.context.settings.review)):
        return Plan(reason=left)  # another reviewer's settings say so
    facts = replace(facts, focus=focus)
    if facts.earlier is not None and facts.read_before:
        nothing = (
            f"Nothing is new since I reviewed `{state.head_sha[:10]}`; `review full` reads it all again."
        )
        return Plan((answer(event, nothing),), reason="nothing is new")
    return await review.plan(facts, ctx.infer, looking(ctx, state.head_sha))


async def _better_left(ctx: Context, state: PullRequestState, settings: ReviewSettings) -> str:
    """Why a head is not read deeply in the night: much may have happened since that was asked for."""
    if ctx.pull != "active":
        return f"{ctx.pull} by a person"
    if not await was_read_quickly(ctx, state.number, state.head_sha):
        return "this head was not read quickly, or was read since"
    return why_not_reviewed(state, settings) or ""


async def was_read_quickly(ctx: Context, number: int, head: Sha) -> bool:
    """Whether the newest judgement of that head of a pull request came of a quick reading; one that looked
    for something alone does not count."""
    judged = [one for one in await ctx.judged(head) if one.number == number and not one.narrowed]
    return bool(judged) and judged[-1].quick


def wish(argument: str) -> tuple[bool, Effort | None, str]:
    """(whether everything is to be read, how thoroughly, for what alone) of what stands after `review`. What
    is looked at in another way is read from the beginning."""
    said = _WISH.match(argument.strip())
    words = set(said["how"].casefold().replace(",", " ").split()) if said else set()
    focus = (said["focus"] or "") if said else ""
    efforts: tuple[Effort, ...] = ("security", "deep", "quick")
    effort = next((one for one in efforts if one in words), None)
    return bool("full" in words or focus or effort in ("deep", "security")), effort, focus
