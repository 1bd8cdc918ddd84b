"""Each night, where `issues.nightly` says so: what needs attention, in one issue of Hob's own that is edited
in place. Its boxes give commands, with the permission of whoever ticks them."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime

from bot.context import Context
from bot.core import nightly as core
from bot.core.dashboard_issue import DashboardIssue, ticked, with_ticked
from bot.core.effects import Comment, EditIssue, OpenIssue, Plan, RequestCommand
from bot.core.errors import Gone, HobError, OthersWait
from bot.core.events import IssueEdited, RepositoryDue
from bot.core.github_reader import OpenPull
from bot.core.knowledge import Overlap
from bot.core.nightly import Section
from bot.core.refs import TRUSTED
from bot.core.text import in_code
from bot.router import Router

router = Router()
GIVES_WAY = 300.0
"""Seconds after which it looks again whether nobody waits."""
MOST_ITEMS, MOST_PULLS, MOST_REVIEWS = 1_000, 100, 20
"""That are read; the reviews of one pull request are a call."""


@router.every("night", may={OpenIssue, EditIssue}, name="nightly")
async def nightly(event: RepositoryDue, ctx: Context) -> Plan:
    """Says nothing where there is nothing to say, and where the issue was closed."""
    context = await ctx.repository()
    if not context.settings.issues.nightly:
        return Plan(reason="issues.nightly is off")
    if not ctx.idle:
        raise OthersWait("somebody waits for another run", GIVES_WAY)
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
    sections = await _sections(ctx)
    if not before.number and not any(one.lines for one in sections):
        return Plan(reason="there is nothing to say")
    page = core.page(sections, event.due, before, ctx.slug)
    if page is None:
        return Plan(reason="it says the same already")
    if before.number:
        edit = EditIssue(before.number, page.body, page.folded, page.boxes)
        return Plan((edit,), reason=f"edited the dashboard issue #{before.number}")
    opens = OpenIssue(core.TITLE, page.body, "nightly", page.folded, page.boxes)
    return Plan((opens,), reason="opened the dashboard issue", once=f"dashboard issue {before.made}")


async def _sections(ctx: Context) -> list[Section]:
    """Those that can be told: what GitHub or git does not answer now is left out for the night."""
    now = time.time()
    items = await ctx.github.work_items(most=MOST_ITEMS)
    pulls = await ctx.github.open_pulls(MOST_PULLS)
    quiet = core.stale(pulls, now)[-MOST_REVIEWS:]
    wanted = {one.number: await ctx.github.changes_requested(one.number) for one in quiet}
    catch_up = any(one.name == "catch-up" for one in ctx.offers)
    return [
        core.drafts_section(ctx.drafts, _link(ctx)),
        core.fixed_section(items, _link(ctx)),
        core.overlap_section(await _overlaps(ctx, pulls), {one.number: one for one in pulls}, _link(ctx)),
        core.stale_section(pulls, wanted, now, _link(ctx), catch_up),
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


def _link(ctx: Context) -> core.Link:
    return lambda number: f"`#{number}`"


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
