"""`hob triage`."""

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any

import click

from bot.cli.framework import HobCommand, RepositoryParam, day, tell

EVERY_SECONDS = 10.0
"""Between two lines about a batch that goes on."""


@click.command(
    cls=HobCommand,
    example="hob triage octo/tea --dry-run\nhob triage octo/tea --since 2026-01-01 --label bug\n"
    "hob triage octo/tea --follow 4711",
)
@click.argument("repository", metavar="OWNER/REPO", type=RepositoryParam())
@click.option(
    "--since",
    type=day,
    help="Only issues that were opened on this day (UTC) or after it; '3 days' is understood too.",
)
@click.option(
    "--label", "labels", multiple=True, help="Only issues with this label; with each that is given."
)
@click.option(
    "--state",
    type=click.Choice(["open", "closed", "all"]),
    default="open",
    show_default=True,
    help="Of which issues.",
)
@click.option("--again", is_flag=True, help="Also issues that Hob has triaged before.")
@click.option(
    "--comment", is_flag=True, help="Ask on the issues too for what is missing; without, only label."
)
@click.option("--dry-run", is_flag=True, help="Show what would be done; write nothing anywhere.")
@click.option(
    "--follow",
    type=click.IntRange(1),
    metavar="RUN",
    help="Show a batch that was asked for: the number of its run.",
)
@click.option("--json", "as_json", is_flag=True, help="Print only JSON.")
def command(
    repository: str,
    since: float | None,
    labels: tuple[str, ...],
    state: Any,
    again: bool,
    comment: bool,
    dry_run: bool,
    follow: int | None,
    as_json: bool,
) -> int:
    """Triages the issues of a repository that Hob has not triaged yet, the oldest first.

    A running Hob does it (`hob up`), at about 400 issues an hour, which leaves GitHub's limits to people; it
    goes on when this command ends, and what is done stays done however often it is interrupted.
    """
    from bot.log import setup
    from bot.runs import batch
    from bot.runs.asking import Wanted

    setup("error")
    if follow and dry_run:
        raise click.UsageError("--follow shows a batch that was asked for; --dry-run asks for none")
    wanted = Wanted(since or 0.0, labels, state, again, quiet=not comment)
    if dry_run:
        planned = asyncio.run(batch.plan_only(repository, wanted, _planned))
        _show(repository, None, planned, as_json, dry_run=True)
        return 0
    run = follow or asyncio.run(batch.start(repository, wanted))
    try:
        ended = asyncio.run(batch.follow(run, _Line(run)))
    except KeyboardInterrupt:
        tell(f"it goes on without me: `hob triage {repository} --follow {run}` shows how far it is")
        raise
    _show(repository, ended, ended.issues, as_json)
    return int(ended.run.state != "done" or any(one.state == "dead" for one in ended.issues))


class _Line:
    """Says how far a batch is, when that has changed, and now and then."""

    def __init__(self, run: int) -> None:
        self._run, self._at, self._said = run, 0.0, ""

    def __call__(self, now: Any) -> None:
        if not now.total and now.run.state not in ("done", "dead", "ignored", "superseded"):
            line = (
                f"run {self._run} waits for a worker (`hob up`)" if now.run.state == "queued" else "listing"
            )
        else:
            told = ", ".join(f"{count} {state}" for state, count in now.counts.items())
            line = f"run {self._run}: {now.over} of {now.total} issues" + (f" ({told})" if told else "")
        if line != self._said and (
            not self._said or now.is_over or time.monotonic() - self._at > EVERY_SECONDS
        ):
            self._at, self._said = time.monotonic(), line
            tell(line)


def _planned(done: int, total: int, issue: Any) -> None:
    tell(f"{done} of {total}: #{issue.number}: {issue.summary[:100]}")


def _show(
    repository: str, ended: Any, issues: Sequence[Any], as_json: bool, *, dry_run: bool = False
) -> None:
    from bot.cli.tables import console, row, table
    from bot.log import redact

    if as_json:
        listed = [
            {"number": one.number, "state": one.state, "summary": redact(one.summary), "effects": one.effects}
            for one in issues
        ]
        run = ended.run.id if ended else None
        counts = ended.counts if ended else {"planned": len(issues)}
        told = {"repository": repository, "dry_run": dry_run, "run": run, "counts": counts, "issues": listed}
        click.echo(json.dumps(told, indent=2, default=str))
        return
    made = table("issue", "state", "what", "effects")
    for one in issues:
        row(made, f"#{one.number}", one.state, one.summary, "\n".join(map(_words, one.effects)))
    out = console(120)
    if issues:
        out.print(made)
    none = "No such issue that was not triaged before (--again takes those too)"
    planned = f"{len(issues)} issue{'s' if len(issues) > 1 else ''}" if issues else none
    out.print(ended.run.summary if ended else f"{planned}; nothing was written.")


def _words(effect: dict[str, Any]) -> str:
    """An effect in a line: its kind and what it says, the way it is stored."""
    said = [
        ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        for name, value in effect.items()
        if name in ("labels", "type", "body") and value
    ]
    failed = f" ({effect['state']})" if effect["state"] not in ("done", "planned") else ""
    words = " ".join(" ".join(said).split())[:200]
    return f"{effect['kind']}{failed}: {words}" if words else f"{effect['kind']}{failed}"
