"""The issue that Hob keeps in a repository, told by its own outbox."""

import asyncio

from bot.core.dashboard_issue import DashboardIssue
from bot.core.effects import EditIssue, OpenIssue
from bot.runs.effect_policy import load
from bot.store import EffectRow
from bot.store.outbox import Outbox

ROUTE = "nightly"
"""The route that opens it; its runs hold `{repository}/nightly`."""


async def dashboard_issue(outbox: Outbox, repo_id: int) -> DashboardIssue:
    """As it was written last."""
    return await asyncio.to_thread(_read, outbox, repo_id)


def _read(outbox: Outbox, repo_id: int) -> DashboardIssue:
    nightly = f"{repo_id}/{ROUTE}"
    opened = outbox.of_kind("OpenIssue", [nightly], ["done", "rejected"])
    newest = next((row for row in reversed(opened) if row.state == "done"), None)
    if newest is None or not newest.github_id:
        return DashboardIssue(made=len(opened))
    number = newest.github_id
    targets = [nightly, f"{repo_id}#{number}"]
    edits = [row for row in outbox.of_kind("EditIssue", targets, ["done"], 1) if _about(row, number)]
    row = edits[-1] if edits else newest
    now = load(row.kind, row.payload)
    if not isinstance(now, OpenIssue | EditIssue):
        raise TypeError(f"a {row.kind} is no text of an issue")
    return DashboardIssue(number, now.body, now.folded, now.boxes, len(opened), row.id)


def edits_of(outbox: Outbox, repo_id: int, number: int) -> list[EffectRow]:
    """What the scheduled run did to this issue, oldest first; nothing where it is another one."""
    nightly = [f"{repo_id}/{ROUTE}"]
    opened = [row for row in outbox.of_kind("OpenIssue", nightly, ["done"]) if row.github_id == number]
    if not opened:
        return []
    return [*opened, *(row for row in outbox.of_kind("EditIssue", nightly, ["done"]) if _about(row, number))]


def _about(row: EffectRow, number: int) -> bool:
    effect = load(row.kind, row.payload)
    return isinstance(effect, EditIssue) and effect.number == number
