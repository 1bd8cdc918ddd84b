"""Carries an issue out: `@slug implement` on an issue becomes one commit on a branch of Hob's own with a
draft pull request that says what was done, what was not, and how it was checked.

Where Hob's plan stands on the issue, its open steps are done, as people left them; the draft has them as a
task list. The plan's own boxes are left to people: a draft is a proposal, and may be closed. Of drafts that
were merged the ticked steps count as done."""

from collections.abc import Sequence
from dataclasses import replace

from bot.agents.implement import implement, told
from bot.context import Context, answer
from bot.core.effect_history import StandingComment, standing_comment, undone
from bot.core.effects import Comment, OpenPullRequest, Plan, PushCommit, ReplyInThread, TakenBack
from bot.core.errors import Gone
from bot.core.events import CommandRequested, CommentEvent
from bot.core.facts import RepoContext
from bot.core.github_reader import IssueState, PullRequestState, RawComment, conversation
from bot.core.plan_text import ABOUT, beside_steps, steps_of, task_list, visible
from bot.implement_facts import WantedChange, implement_facts, lookups, reading
from bot.proposals import Target, is_off, judging, may_push, offered
from bot.router import Router

router = Router()
MOST_DRAFTS = 5
"""Earlier drafts that are looked at, the newest."""


@router.command(
    "implement",
    help="carries this issue out: a draft pull request from a branch of mine",
    may={PushCommit, OpenPullRequest, Comment, ReplyInThread, TakenBack},
    who="code",
    place="issues",
    one_at_a_time=True,
)
async def implement_issue(event: CommentEvent, ctx: Context) -> Plan:
    """A failure is said; nothing is pushed then."""
    if event.on_pull_request:
        words = "This is a pull request already; on an issue I make one."
        return _declined(event, words, "a pull request already")
    context = await ctx.repository()
    if why := is_off(context) or await may_push(ctx):
        return _declined(event, why, why)
    state = await ctx.github.issue(event.number)
    if not state.open:
        return _declined(event, "This issue is closed; reopen it, and ask again.", "the issue is closed")
    drafts = await _drafts(ctx)
    if standing := next((one for one in drafts if one.open), None):
        return _declined(event, _waits(ctx, standing), "a draft is open already")
    try:
        tip, tree = await ctx.github.tip(ctx.repo.default_branch)
    except Gone:
        return _declined(event, "There is no code here to start from.", "no default branch")
    return await _carried_out(
        event,
        ctx,
        context,
        state,
        Target(event.number, tip, ctx.repo.default_branch, state.title[:80], pull_request=False, tree=tree),
        drafts,
    )


async def _carried_out(
    event: CommentEvent,
    ctx: Context,
    context: RepoContext,
    state: IssueState,
    to: Target,
    drafts: Sequence[PullRequestState],
) -> Plan:
    budget = ctx.budget()
    alone = state.comments == 1 and not isinstance(event, CommandRequested)  # the command itself
    comments = [] if alone else await ctx.github.comments(event.number, state.comments)
    there = standing_comment(ctx.past_runs, ABOUT)
    plan = _merged(await _standing(ctx, there, comments) if there else "", drafts)
    if plan and all(one.done for one in steps_of(plan)):
        said = "All steps of the plan above are done: untick one or add one, and ask again."
        return _declined(event, said, "all steps are done")
    wanted = WantedChange(
        state.title,
        state.body,
        conversation(
            [one for one in comments if not (plan and there and one.id == there.id)],
            without=event.comment_id,
        ),
        plan,
        _wish(event, ctx),
    )
    facts, used = await implement_facts(ctx, context, to.parent, wanted, ctx.knowledge, budget)
    done = await implement(
        facts,
        ctx.chain("implement"),
        ctx.persona,
        ctx.infer,
        reading(ctx, to.parent, facts.modes),
        budget,
        plan=plan,
        judge=judging(ctx, to.parent),
        lookups=lookups(ctx, to.parent, ctx.knowledge),
    )
    made = replace(done.patched, usage=(*used, *done.patched.usage))
    return await offered(event, ctx, to, done.facts, made, told(done), done.gated, done.but)


def _declined(event: CommentEvent, words: str, reason: str) -> Plan:
    """Said where a person asked, so that `undo` still takes back what was done before; of the operator's
    request the run tells."""
    if isinstance(event, CommandRequested) and event.channel == "api":
        return Plan(reason=words)
    return Plan((answer(event, words), TakenBack(0)), reason=reason)


def _wish(event: CommentEvent, ctx: Context) -> str:
    asked = event.context if isinstance(event, CommandRequested) else ""
    return "\n\n".join(filter(None, (ctx.command.argument if ctx.command else "", asked)))


def _waits(ctx: Context, standing: PullRequestState) -> str:
    return (
        f"My draft for this issue is open still: {ctx.link(standing.number)}. Merge or close it, or take it "
        f"back with `@{ctx.slug} undo`, and ask again."
    )


async def _drafts(ctx: Context) -> list[PullRequestState]:
    """Hob's own for this issue that were not taken back, as they stand now, the newest first."""
    gone = undone(ctx.past_runs)
    numbers = [
        one.github_id
        for past in ctx.past_runs
        if past.run not in gone
        for one in past.did
        if isinstance(one.effect, OpenPullRequest) and one.github_id
    ]
    found: list[PullRequestState] = []
    for number in reversed(numbers[-MOST_DRAFTS:]):
        try:
            found.append(await ctx.github.pull_request(number))
        except Gone:
            continue
    return found


async def _standing(ctx: Context, there: StandingComment, comments: Sequence[RawComment]) -> str:
    """Hob's plan on this issue as it is now; empty where it is gone, or has no tasks."""
    read = next((one.body for one in comments if one.id == there.id), None)
    text = visible(read if read is not None else await ctx.github.comment_text(there.id) or "")
    return text if steps_of(text) else ""


def _merged(plan: str, drafts: Sequence[PullRequestState]) -> str:
    """The plan with those steps ticked that merged drafts did."""
    ticked = {one.title for draft in drafts if draft.merged for one in steps_of(draft.body) if one.done}
    steps = [replace(one, done=one.done or one.title in ticked) for one in steps_of(plan)]
    if not any(one.title in ticked for one in steps):
        return plan
    return f"{task_list(steps)}\n\n{beside_steps(plan)}".strip()
