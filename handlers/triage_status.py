"""An issue's status labels follow what happens: a pull request that is to fix it is opened, merged, closed or
reverted; its author answers what was asked. Only labels that exist are set, only those that Hob put on are
taken off."""

import re
from collections.abc import Sequence
from dataclasses import replace

from bot.agents import issue
from bot.context import Context
from bot.core.effect_history import labels_put
from bot.core.effects import AddLabels, Comment, Effect, KeepDraft, Plan, RemoveLabels
from bot.core.errors import Gone
from bot.core.events import (
    IssueCommentCreated,
    PullRequestClosed,
    PullRequestEvent,
    PullRequestOpened,
    PullRequestReopened,
)
from bot.core.facts import RepoContext
from bot.core.folding import folded
from bot.core.github_reader import PullRequestState
from bot.core.labels import IssueStatus, status_labels
from bot.core.mentions import in_branch, mentions
from bot.core.text import in_code
from bot.core.triage_sources import TriageSources
from bot.router import Router
from handlers.label_listeners import listened_to
from handlers.triage import MAY, facts, read_sources, sorted_by

router = Router()
MOST_LINKED = 5
"""Issues of one pull request: its author is anybody."""
_REVERTS = re.compile(r"^Reverts (?:[\w.-]{1,100}/[\w.-]{1,100})?#([1-9]\d{0,8})\b", re.MULTILINE)


def _concerns(event: PullRequestEvent | IssueCommentCreated) -> bool:
    """Of the comments only those of an issue's own author, of pull requests those that may name an issue:
    there is a run for each. GitHub links none to a pull request for another branch than the default one."""
    if isinstance(event, IssueCommentCreated):
        return not event.on_pull_request and event.author.login == event.issue_author
    names = linked_issues(event, event.repo.full_name) or _REVERTS.search(event.body[:2_000])
    return event.base_ref == event.repo.default_branch and bool(names)


@router.on(
    PullRequestOpened,
    PullRequestReopened,
    PullRequestClosed,
    IssueCommentCreated,
    may=MAY | {RemoveLabels},
    priority="low",
    when=_concerns,
    name="triage-status",
)
async def follow(event: PullRequestEvent | IssueCommentCreated, ctx: Context) -> Plan:
    """Silent: labels, and what a triage with the answer adds."""
    if isinstance(event, IssueCommentCreated):
        return await _answered(event, ctx)
    state = await ctx.github.pull_request(event.number)
    closed = isinstance(event, PullRequestClosed)
    reverted = await _reverted(ctx, state) if closed and state.merged else ()
    linked = linked_issues(state, ctx.repo.full_name)
    if not linked and not reverted:
        return Plan(reason="it names no issue that it is to fix")
    sources, context = await read_sources(ctx, 0)
    if not context.settings.issues.triage:
        return Plan(reason="triage is off in .github/hob.yml")
    effects: list[Effect] = []
    for number in linked:
        if not closed:
            effects += await _move(
                ctx, context, sources, number, to="in progress", why=f"#{event.number} is open"
            )
        elif state.merged:
            why = f"#{event.number} was merged"
            effects += await _move(ctx, context, sources, number, to="fixed", off="in progress", why=why)
        else:
            why = f"#{event.number} was closed without being merged"
            effects += await _move(ctx, context, sources, number, off="in progress", why=why)
    for number in reverted:
        effects += await _move(
            ctx, context, sources, number, off="fixed", why=f"#{event.number} reverted the fix"
        )
    return Plan(
        tuple(effects), f"{len(effects)} changes of status", once=f"{type(event).__name__} {event.delivery}"
    )


def linked_issues(state: PullRequestState | PullRequestEvent, full_name: str) -> tuple[int, ...]:
    """The issues that a pull request is to fix, by its text's closing words; a branch of the repository's own
    counts too, for GitHub names those that it makes for an issue after it."""
    said = mentions(state.body, full_name)
    named = [int(one.issue) for one in said if one.relation == "fixes" and one.issue.isdigit()]
    branch = () if state.from_fork else in_branch(state.head_ref)
    return tuple(dict.fromkeys(one for one in (*named, *branch) if one != state.number))[:MOST_LINKED]


async def _reverted(ctx: Context, state: PullRequestState) -> tuple[int, ...]:
    """The issues of the pull request that this one reverts, as GitHub's button words it."""
    found = _REVERTS.search(state.body[:2_000]) if state.title.startswith('Revert "') else None
    if found is None:
        return ()
    try:
        before = await ctx.github.pull_request(int(found[1]))
    except Gone:
        return ()
    return linked_issues(before, ctx.repo.full_name) if before.merged else ()


async def _move(
    ctx: Context,
    context: RepoContext,
    sources: TriageSources,
    number: int,
    *,
    to: IssueStatus | None = None,
    off: IssueStatus | None = None,
    why: str,
) -> Sequence[Effect]:
    """The label of the new status, and without that of the old one; nothing for what is no issue here."""
    names = [name for name, _ in context.labels]
    heard = {} if context.settings.issues.labels else listened_to(sources.workflows, names)
    allowed = context.settings.issues.labels
    wanted = status_labels(to, names, allowed, heard)[:1] if to else ()
    gone = set(map(folded, status_labels(off, names, allowed, heard))) if off else set()
    if not wanted and not gone:
        return ()
    try:
        state = await ctx.github.issue(number)
    except Gone:
        return ()
    if state.is_pull_request or state.transferred or (to == "in progress" and not state.open):
        return ()
    present = set(map(folded, state.labels))
    put, unwanted = labels_put(await ctx.deeds(number), number)
    add = tuple(one for one in wanted if folded(one) not in present and folded(one) not in unwanted)
    take = tuple(one for one in state.labels if folded(one) in gone & put)
    rule = tuple(f"{in_code(one)}: by rule, {why}" for one in (*add, *take))
    effects: list[Effect] = [AddLabels(number, add, rule)] if add else []
    return [*effects, RemoveLabels(number, take, rule)] if take else effects


async def _answered(event: IssueCommentCreated, ctx: Context) -> Plan:
    """The author's first words after Hob asked: the label that says so goes, and triage goes on."""
    put, _ = labels_put(ctx.past_runs, event.number)
    if not put and not _asked(ctx):
        return Plan(reason="no answer to a question of mine")
    sources, context = await read_sources(ctx, event.number)
    names = [name for name, _ in context.labels]
    needs = status_labels("needs information", names, context.settings.issues.labels, {})
    waiting = put & set(map(folded, needs))
    first = _asked(ctx) and _is_first(sources, event)
    if not (waiting or first) or not context.settings.issues.triage:
        return Plan(reason="I wait for no answer here")
    state = await ctx.github.issue(event.number)
    take = tuple(one for one in state.labels if folded(one) in waiting)
    if state.transferred or not state.open or not (take or first):
        return Plan(reason="I wait for no answer here any more")
    why = tuple(f"{in_code(one)}: by rule, its author answered" for one in take)
    known = await facts(ctx, context, sources, state)
    said = (event.author.login, event.body)
    known = known if said in known.said else replace(known, said=(*known.said, said))
    plan = await sorted_by(ctx, known)
    effects = (*((RemoveLabels(event.number, take, why),) if take else ()), *plan.effects)
    return replace(plan, effects=effects, reason=f"answered; {plan.reason}")


def _asked(ctx: Context) -> bool:
    """Whether a question of Hob's stands here, be it that a person posted it."""
    past = [one.effect for past_run in ctx.past_runs for one in past_run.did]
    kept = {one.body for one in past if isinstance(one, KeepDraft) and one.about == issue.QUESTION}
    return any(isinstance(one, Comment) and (one.about == issue.QUESTION or one.body in kept) for one in past)


def _is_first(sources: TriageSources, event: IssueCommentCreated) -> bool:
    """Of its author's comments since Hob spoke."""
    since = [place for place, one in enumerate(sources.said) if one.ours]
    later = sources.said[since[-1] + 1 :] if since else ()
    own = [one.body for one in later if one.author == event.author.login]
    return not own or own[0] == event.body
