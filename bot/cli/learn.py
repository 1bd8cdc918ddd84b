"""`hob learn`."""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from bot.cli.framework import HobCommand, RepositoryParam, tell
from bot.cli.waiting import TellWaiting


@click.command(
    cls=HobCommand,
    example="hob learn octo/tea --last 300\nhob learn octo/tea --write\nhob learn --json",
)
@click.argument("repository", metavar="[OWNER/REPO]", type=RepositoryParam(), required=False)
@click.option(
    "--last",
    type=click.IntRange(10, 2_000),
    default=200,
    show_default=True,
    help="How many merged pull requests are read; each costs two calls to GitHub or more.",
)
@click.option(
    "--write", is_flag=True, help="Offer them in the dashboard (Memory), where a person accepts or declines."
)
@click.option("--json", "as_json", is_flag=True, help="Print only JSON.")
def command(repository: str | None, last: int, *, write: bool, as_json: bool) -> None:
    """Finds conventions in what people had changed: in review, by fixes soon after, by reverts, and in what
    they dismissed.

    Each is tried on the newer part of the past, which had no say in it; none is shown that would have been
    right less than half of the time, or spoken on fewer than five changes. Without OWNER/REPO it is the
    repository on GitHub that this clone comes from. What was interrupted goes on where it was.
    """
    from bot.log import setup
    from bot.runs.learning import learn

    setup("error")
    name = repository or asyncio.run(_origin())
    with TellWaiting(f"reading {name}"):
        made = asyncio.run(learn(name, last, tell, write=write))
    if as_json:
        click.echo(json.dumps({"repository": name, **_as_json(made)}, indent=2))
        return
    _show(name, made, write=write)


async def _origin() -> str:
    """UsageError where this is no clone of a repository on Hob's GitHub: another site may have one of that
    name, which is somebody else's."""
    from bot.config import load_config
    from bot.github.site import site_of
    from bot.local.history import origin_name

    host = site_of(load_config().github.api_url).partition("://")[2].partition(":")[0]
    if name := await origin_name(Path.cwd(), host):
        return name
    raise click.UsageError(f"this folder has no remote 'origin' on {host}: name a repository, OWNER/REPO")


def _as_json(made: Any) -> dict[str, Any]:
    found = [
        {"sentence": one.lesson.text, "known": one.known, "precision": round(one.evidence.newer.precision, 3)}
        | asdict(one.evidence)
        for one in made.found
    ]
    counts = {"pull_requests": made.pulls, "remarks": made.remarks, "not_read": made.left}
    return {**counts, "tried": made.tried, "offered": found, "new": made.new}


def _show(name: str, made: Any, *, write: bool) -> None:
    from bot.core.text import count, for_terminal

    read = count(made.pulls, "merged pull request")
    if made.left:
        rest = f"{made.left} more are not, for its limit is left to others, or GitHub does not answer"
        click.echo(f"{read} of {name} are read; {rest}. Run it again later: it goes on where it was.")
        return
    lines = [f"{read} of {name}, {count(made.remarks, 'remark')} that led to a change"]
    for number, one in enumerate(made.found, 1):
        seen, newer, older = one.evidence, one.evidence.newer, one.evidence.older
        lines += ["", f"{number}. {one.lesson.text}" + (f" ({one.known} before)" if one.known else "")]
        right = f"right on {newer.right} of {newer.spoken} newer changes ({newer.precision:.0%})"
        right += f", {older.right} of {older.spoken} older ones"
        lines.append(f"   {seen.pattern}, {' + '.join(seen.trigger)}: {right}")
        lines += [f"   + {each.line[:100]}  {each.url}" for each in seen.examples]
        lines += [f"   - {each.line[:100]}  {each.url}" for each in seen.counter_examples]
    if not made.found:
        lines.append(f"none of {count(made.tried, 'candidate')} was right often enough on the newer part")
    elif write:
        waits = f"{count(made.new, 'new one')} wait{'s' * (made.new == 1)} in the dashboard, under Memory"
        lines += [
            "",
            waits if made.new else "none of them is new: what was offered before is in the dashboard",
        ]
    else:
        lines += ["", "nothing was kept: --write offers them in the dashboard"]
    click.echo(for_terminal("\n".join(lines)))
