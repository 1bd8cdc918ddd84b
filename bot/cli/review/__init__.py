"""`hob review`."""

import asyncio
import re
from pathlib import Path
from typing import Any

import click

from bot.cli.manners import Command
from bot.core.settings import SEVERITIES

FORMATS = ("text", "json", "markdown", "sarif")
_PULL_REQUEST = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100})#([0-9]{1,9})")
FINDINGS = 3
"""The exit code for findings at or above --fail-on."""


@click.command(
    cls=Command,
    example="hob review\nhob review main..HEAD --format sarif > hob.sarif\n"
    "hob review --fail-on major        # in .git/hooks/pre-push\nhob review octo/tea#12",
)
@click.argument("change", metavar="[BASE..HEAD | OWNER/REPO#N]", default="")
@click.option("--repo", type=click.Path(path_type=Path), default=".", help="A folder of the repository.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option(
    "--fail-on",
    type=click.Choice([*SEVERITIES[:3], "never"]),
    default="never",
    show_default=True,
    help="End with 3 when a finding is at least this severe, with 1 when no model could read the change.",
)
@click.option("--no-model", is_flag=True, help="Only the deterministic checks.")
def command(change: str, repo: Path, form: str, as_json: bool, fail_on: str, no_model: bool) -> int:
    """Reviews a local git range and posts nothing.

    By default the branch that is checked out, from where it left the default branch. What was not
    committed is not read. OWNER/REPO#N reads a pull request through the App and prints only.
    """
    from bot.log import setup

    setup("error")
    judged = asyncio.run(_judge(change, repo, no_model))
    _print(judged, "json" if as_json else form)
    return _code(judged, fail_on, no_model)


async def _judge(change: str, repo: Path, no_model: bool) -> Any:
    if found := _PULL_REQUEST.fullmatch(change):
        if no_model:
            raise click.UsageError("--no-model is for local ranges")
        from bot.jobs.preview import preview

        return await preview(found[1], int(found[2]))
    from bot.cli.review.local import judge

    return await judge(repo, change, no_model)


def _print(judged: Any, form: str) -> None:
    import json
    from importlib.metadata import version

    from bot.cli.review.showing import show
    from bot.core.report import as_json, as_markdown, as_sarif
    from bot.core.text import strip_invisible
    from bot.log import redact

    match form:
        case "json":
            click.echo(redact(json.dumps(as_json(judged), indent=2)))
        case "sarif":
            click.echo(redact(json.dumps(as_sarif(judged, version("hobbot")), indent=2)))
        case "markdown":
            click.echo(strip_invisible(redact(as_markdown(judged)))[0], nl=False)
        case _:
            show(judged)


def _code(judged: Any, fail_on: str, no_model: bool) -> int:
    """What a hook reads: found something, or could not look."""
    if fail_on == "never":
        return 0
    bad = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
    if any(one.severity in bad for one in (*judged.chosen.shown, *judged.chosen.over_cap)):
        return FINDINGS
    if judged.coverage.failure and not no_model:
        click.echo(f"hob: not wholly read: {judged.coverage.failure}", err=True)
        return 1
    return 0
