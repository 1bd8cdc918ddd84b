"""`hob review`."""

import asyncio
import os
import re
import sys
from pathlib import Path
from typing import Any, get_args

import click

from bot.cli.framework import HobCommand, folder_option
from bot.core.effort import Effort
from bot.core.settings import SEVERITIES

FORMATS = ("text", "json", "markdown", "sarif")
_NAME = r"([A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100})"
_PULL_REQUEST = re.compile(rf"(){_NAME}#([0-9]{{1,9}})")
_ADDRESS = re.compile(rf"https?://([^/\s@?#]{{1,260}})/{_NAME}/pull/([0-9]{{1,9}})(?:[/?#]\S{{0,2000}})?")
FINDINGS = 3
"""The exit code for findings at or above --fail-on."""


@click.command(
    cls=HobCommand,
    example="hob review\nhob review main..HEAD --format sarif > hob.sarif\n"
    "hob review --staged --no-model    # in a pre-commit hook\nhob review octo/tea#12\n"
    "hob hook install                  # judges what is pushed",
)
@click.argument("change", metavar="[BASE..HEAD | OWNER/REPO#N | URL]", nargs=-1)
@folder_option(old="--repo")
@click.option("--staged", is_flag=True, help="What is staged, instead of commits.")
@click.option("--worktree", is_flag=True, help="All that is not committed, new files too.")
@click.option(
    "--hook",
    type=click.Choice(["pre-push"]),
    help="What is pushed, as git tells a hook of that name (its arguments and standard input).",
)
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option(
    "--fail-on",
    type=click.Choice([*SEVERITIES[:3], "never"]),
    default="never",
    show_default=True,
    help="End with 3 when a finding is at least this severe, with 1 when no model could read the change.",
)
@click.option(
    "--effort",
    type=click.Choice(get_args(Effort)),
    help="How thoroughly: quick reads the riskiest parts, deep reads all several times and votes, security "
    "looks for holes alone; by default as review.effort says, and never quickly.",
)
@click.option("--no-model", is_flag=True, help="Only the deterministic checks.")
def command(
    change: tuple[str, ...],
    folder: Path,
    staged: bool,
    worktree: bool,
    hook: str | None,
    form: str,
    as_json: bool,
    fail_on: str,
    effort: Any,
    no_model: bool,
) -> int:
    """Reviews a local git range and posts nothing.

    By default the branch that is checked out, from where it left the default branch. What was not
    committed is read with --staged or --worktree only. OWNER/REPO#N, or its address, reads a pull request
    through the App and prints only. Where there is nothing to review, that is said, and the code is 0.
    """
    from bot.log import setup

    if not hook and len(change) > 1:
        raise click.UsageError(f"one change at a time, not {len(change)}")
    if sum((bool(change) and not hook, staged, worktree, bool(hook))) > 1:
        raise click.UsageError("a range, --staged, --worktree and --hook exclude each other")
    setup("error")
    form = "json" if as_json else form
    if effort and (no_model or hook):
        raise click.UsageError("--effort is about what models read: leave --no-model and --hook away")
    if hook:
        found = asyncio.run(_pushed(folder, change, no_model))
    else:
        work = "staged" if staged else "worktree" if worktree else ""
        found = asyncio.run(_judge(change[0] if change else "", folder, work, form, no_model, effort))
    _print(found, form)
    code = max((_code(judged, fail_on) for judged in found), default=0)
    if hook and code:
        why = f"mend what is {fail_on} or worse" if code == FINDINGS else "not all of it was read"
        click.echo(f"hob: this push is refused: {why}; git push --no-verify leaves the review out", err=True)
    return code


async def _judge(change: str, folder: Path, work: Any, form: str, no_model: bool, effort: Any) -> list[Any]:
    from bot.cli.review import local
    from bot.local import LocalRange, NothingToReview, find_root

    if found := _PULL_REQUEST.fullmatch(change) or _ADDRESS.fullmatch(change):
        if no_model:
            raise click.UsageError("--no-model is for local ranges")
        website, name, number = found.groups()
        return [await _preview(website, name, number, effort)]
    root = await find_root(folder)
    try:
        return [await local.judge(root, change, work, no_model, effort=effort)]
    except NothingToReview as nothing:
        click.echo(f"hob: {nothing} — {nothing.hint}" if nothing.hint else f"hob: {nothing}", err=True)
        if form == "text":
            return []
        nobody = LocalRange(nothing.head, nothing.head, "", "", "")
        return [await local.judge_change(root, nobody, no_model=True)]


async def _preview(website: str, name: str, number: str, effort: Any) -> Any:
    from bot.cli.review.progress import Asked
    from bot.runs.preview import preview

    async with Asked() as asked:
        return await preview(name, int(number), website, asked.through, effort)


async def _pushed(folder: Path, arguments: tuple[str, ...], no_model: bool) -> list[Any]:
    """Judgements of what is pushed; `arguments` are the other side's name and address."""
    from bot.cli.review.local import judge_pushes
    from bot.local import find_root, pre_commits, pushes

    remote = arguments[0] if arguments else os.environ.get("PRE_COMMIT_REMOTE_NAME", "")
    if os.environ.get("PRE_COMMIT"):
        some = pre_commits(os.environ)
    elif sys.stdin.isatty():
        raise click.UsageError("--hook reads what git tells a hook: `hob hook install` has git call it")
    else:
        some = pushes(sys.stdin.read())
    found = await judge_pushes(await find_root(folder), remote, some, no_model)
    if not found:
        click.echo("hob: nothing is pushed that is to be reviewed", err=True)
    return found


def _print(found: list[Any], form: str) -> None:
    """Of several judgements one document after the other; of SARIF one with a run for each."""
    if not found:
        return
    import json
    from importlib.metadata import version

    from bot.cli.review.table import show
    from bot.core.report import as_json, as_markdown, as_sarif
    from bot.core.text import for_terminal
    from bot.log import redact

    if form == "sarif":
        logs = [as_sarif(judged, version("hobbot")) for judged in found]
        whole = {**logs[0], "runs": [run for log in logs for run in log["runs"]]}
        click.echo(redact(json.dumps(whole, indent=2)))
        return
    for judged in found:
        match form:
            case "json":
                click.echo(redact(json.dumps(as_json(judged), indent=2)))
            case "markdown":
                click.echo(for_terminal(redact(as_markdown(judged))), nl=False)
            case _:
                show(judged)


def _code(judged: Any, fail_on: str) -> int:
    """What a hook reads: found something, or could not look."""
    from bot.core.report.plain import every

    if fail_on == "never":
        return 0
    bad = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
    if any(one.severity in bad for one in every(judged)):
        return FINDINGS
    if judged.coverage.failure:
        click.echo(f"hob: not wholly read: {judged.coverage.failure}", err=True)
        return 1
    return 0
