"""Each night, where `issues.nightly` says so: what needs attention, in one issue of Hob's own that is edited
in place, with what was found in code that nobody is changing (`review.scan`). Its boxes give commands, with
the permission of whoever ticks them."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from bot.agents.duplicates import Now, suggestion
from bot.agents.scan import LEAST_CALLS
from bot.context import Context
from bot.core import nightly as core
from bot.core.dashboard_issue import DashboardIssue, ticked, with_ticked
from bot.core.duplicates import sure
from bot.core.effects import Comment, EditIssue, OpenIssue, Plan, RequestCommand
from bot.core.errors import Gone, HobError
from bot.core.events import IssueEdited, RepositoryDue
from bot.core.github_reader import IssueState, OpenPull
from bot.core.inference import Usage
from bot.core.knowledge import Overlap
from bot.core.nightly import NightlySection
from bot.core.pathnames import shown
from bot.core.refs import TRUSTED, Actor
from bot.core.scan import MOST_BEGUN
from bot.core.security_reports import suspicion
from bot.core.standup import standup, standup_facts
from bot.core.text import day, in_code, some_of
from bot.core.work_items import WorkItem
from bot.router import Router
from handlers.duplicates import duplicate_facts
from handlers.scan import NightScan, night_scan

router = Router()
MOST_NAMED = 3
"""Files in the summary of a night."""
MOST_PULLS, MOST_REVIEWS = 100, 20
"""That are read; the reviews of one pull request are a call."""
QUESTION_DAYS, MOST_SAID, MOST_ASKERS = 14, 300, 10
"""Comments of so many days; people of whom it is asked whether they may triage: a call each."""
MOST_COMPARED, MOST_JUDGED, RECENT_DAYS = 200, 10, 7
"""Issues that are looked up in the index, the last changed first; questions to a model, about issues that
changed in so many days."""


@router.every("night", may={OpenIssue, EditIssue}, name="nightly")
async def nightly(event: RepositoryDue, ctx: Context) -> Plan:
    """Says nothing where there is nothing to say, and where the issue was closed."""
    context = await ctx.repository()
    reads = context.settings.review.scan > 0
    if not context.settings.issues.nightly and not reads:
        return Plan(reason="issues.nightly is off")
    ctx.give_way()
    before = ctx.dashboard
    if before.number:
        try:
            now = await ctx.github.issue(before.number)
        except Gone:
            before = DashboardIssue(made=before.made)
        else:
            if not now.open or now.transferred:
                return Plan(
                    reason=f"the dashboard issue #{before.number} is closed or gone: it is left alone"
                )
    if not before.number and not ctx.github.takes_issues:
        return Plan(reason="issues are off in this repository: there is no place for one of mine")
    usage: list[Usage] = []
    scanned = await night_scan(ctx, context, day(event.due), usage)
    sections = await _sections(ctx, usage) if context.settings.issues.nightly else []
    sections += [core.scan_section(scanned.standing)] if reads else []
    plan = Plan(usage=tuple(usage), findings=scanned.new)
    read = _read(scanned, context.settings.review.scan) if reads else ""
    if not before.number and not any(one.lines for one in sections):
        return replace(plan, reason=f"there is nothing to say{read}")
    page = core.page(sections, event.due, before, ctx.slug)
    if page is None:
        return replace(plan, reason=f"it says the same already{read}")
    if before.number:
        edit = EditIssue(before.number, page.body, page.folded, page.boxes)
        return replace(plan, effects=(edit,), reason=f"edited the dashboard issue #{before.number}{read}")
    opens = OpenIssue(core.TITLE, page.body, "nightly", page.folded, page.boxes)
    once = f"dashboard issue {before.made}"
    return replace(plan, effects=(opens,), reason=f"opened the dashboard issue{read}", once=once)


def _read(scanned: NightScan, most: int) -> str:
    """What a night of at most so many questions read, and what it leaves out."""
    told = f"; {scanned.files} files were read, {scanned.left} are left"
    if not scanned.indexed:
        told = "; no file was read: there is no index yet"
    if most < LEAST_CALLS:
        told += f"; review.scan is too small: a file takes {LEAST_CALLS} questions or more"
    if scanned.too_large:
        names = some_of([shown(path) for path in scanned.too_large], MOST_NAMED)
        told += f"; not read whole within review.scan, review.max_calls and the model's window: {names}"
    if scanned.fatal:
        names = some_of([shown(path) for path in scanned.fatal], MOST_NAMED)
        told += f"; left out until it changes, because its reading did not end {MOST_BEGUN} times: {names}"
    return told


async def _sections(ctx: Context, usage: list[Usage]) -> list[NightlySection]:
    """Those that can be told: what GitHub or git does not answer now is left out for the night."""
    now = time.time()
    told = await standup_facts(ctx.github, ctx.repo.full_name, now - core.DAY, now, slug=ctx.slug)
    rest = {ref: one for ref, one in told.graph.items.items() if one.number != ctx.dashboard.number}
    told = replace(told, graph=replace(told.graph, items=rest))
    items = [one for one in rest.values() if one.state == "open"]
    items.sort(key=lambda one: (-one.updated, -one.number))
    issues = [one for one in items if one.kind == "issue" and one.author != f"{ctx.slug}[bot]"]
    pulls = await ctx.github.open_pulls(MOST_PULLS)
    quiet = core.stale(pulls, now)[-MOST_REVIEWS:]
    wanted = {one.number: await ctx.github.changes_requested(one.number) for one in quiet}
    catch_up = any(one.name == "catch-up" for one in ctx.offers)
    return [
        core.drafts_section(ctx.drafts, ctx.link),
        await _duplicates(ctx, issues, usage),
        await _answered(ctx, issues, now),
        core.fixed_section(issues, await _commits(ctx, issues), ctx.link),
        core.overlap_section(await _overlaps(ctx, pulls), {one.number: one for one in pulls}, ctx.link),
        core.stale_section(pulls, wanted, now, ctx.link, catch_up),
        core.standup_section(standup(told)),
    ]


async def _overlaps(ctx: Context, pulls: Sequence[OpenPull]) -> Sequence[Overlap]:
    """By git alone, where there is a clone."""
    into = [one.number for one in pulls if one.base_ref == ctx.repo.default_branch]
    if ctx.knowledge is None or not into or not await ctx.still_idle():
        return ()
    try:
        return await ctx.knowledge.overlaps(into)
    except HobError:
        return ()


async def _duplicates(ctx: Context, issues: Sequence[WorkItem], usage: list[Usage]) -> NightlySection:
    """Open issues that an open, older one may say too: by their words where those are sure enough, else as a
    model judges of those that changed lately, while nobody waits."""
    known = {one.number: one for one in issues}
    pairs: dict[int, core.Repeated] = {}
    asked, recent = 0, time.time() - RECENT_DAYS * core.DAY
    for place, one in enumerate(issues[:MOST_COMPARED]):
        if place % 20 == 0 and not await ctx.still_idle():
            break
        if suspicion(one.title, one.body) == "certain":
            continue
        facts = await duplicate_facts(ctx, one.number, one.title, one.body)
        if facts is None:
            break
        older = [each for each in facts.candidates if each.issue.number in known]
        facts = replace(facts, candidates=tuple(older), now=_as_listed(known))
        if by_words := [number for number in sure([each.found for each in older]) if number < one.number]:
            found = next(each.found for each in older if each.issue.number == by_words[0])
            why = " ".join(each for each in found.why if each.startswith("words: "))
            pairs[one.number] = core.Repeated(by_words[0], in_code(why or "nearly the same words"))
        elif older and one.updated >= recent and asked < MOST_JUDGED and await ctx.still_idle():
            asked += 1
            told = await suggestion(facts, ctx.infer)
            usage += told.usage
            if told.number and not told.failure:
                pairs[one.number] = core.Repeated(told.number, "a model says so, quoting both")
    titles = {one.number: one.title for one in issues}
    offered = any(one.name == "duplicates" for one in ctx.offers)
    return core.duplicates_section(pairs, titles, ctx.link, command=offered)


def _as_listed(known: Mapping[int, WorkItem]) -> Now:
    """GitHub has just told how they stand."""

    async def now(number: int) -> IssueState | None:
        if (one := known.get(number)) is None:
            return None
        author = Actor(one.author, 0)
        return IssueState(number, True, one.title, one.body, author, one.labels, one.comments, False)

    return now


async def _answered(ctx: Context, issues: Sequence[WorkItem], now: float) -> NightlySection:
    """Questions of Hob's and of people who may triage."""
    said = await ctx.github.said_since(now - QUESTION_DAYS * core.DAY, MOST_SAID)
    found = core.answered(said, {one.number: one for one in issues}, f"{ctx.slug}[bot]")
    asking = list(dict.fromkeys(one.asker for one in found if one.asker != f"{ctx.slug}[bot]"))
    trusted = {f"{ctx.slug}[bot]"}
    trusted |= {who for who in asking[:MOST_ASKERS] if await ctx.github.permission(who) in TRUSTED}
    offered = any(one.name == "triage" for one in ctx.offers)
    titles = {one.number: one.title for one in issues}
    return core.answered_section(
        [one for one in found if one.asker in trusted], titles, ctx.link, command=offered
    )


async def _commits(ctx: Context, issues: Sequence[WorkItem]) -> Mapping[int, str]:
    if ctx.knowledge is None or not await ctx.still_idle():
        return {}
    return await ctx.knowledge.fixing_commits([one.number for one in issues[:MOST_COMPARED]])


@router.on(IssueEdited, may={RequestCommand, EditIssue, Comment}, priority="high", name="dashboard-boxes")
async def boxes(event: IssueEdited, ctx: Context) -> Plan:
    """Only boxes of Hob's own text count, with the commands that Hob stored: what else was changed in the
    issue means nothing and goes with the next edit."""
    ours = ctx.dashboard
    if event.number != ours.number:
        return Plan(reason="not the dashboard issue")
    if event.sender.is_bot or event.previous_body is None:
        return Plan(reason="no person changed its text")
    found = list(ticked(ours, event.previous_body, event.body))
    if not found:
        return Plan(reason="no box was ticked")
    who = event.sender.login
    if await ctx.github.permission(who) not in TRUSTED:
        words = "Boxes here are for people with triage permission; I did nothing."
        return Plan((Comment(event.number, words),), reason="refused", once=f"boxes {ours.number} {who}")
    asks = [
        RequestCommand(
            box.number,
            box.line,
            event.sender,
            f"box:{event.repo.id}:{ours.edition}:{place}",
            box.on_pull_request,
        )
        for place, box in found
    ]
    today = datetime.now(UTC).date()
    body, left = with_ticked(ours, [place for place, _ in found], f"{in_code(who)}, {today}")
    history = [f"- {today}: {in_code(who)} ticked {in_code(box.line)} on `#{box.number}`" for _, box in found]
    folded = core.folded([*history, *ours.folded.split("\n")])
    edit = EditIssue(ours.number, body, folded, left)
    name = f"boxes {ours.edition} {who} {[place for place, _ in found]}"
    return Plan((*asks, edit), reason=f"{len(asks)} boxes were ticked", once=name)
