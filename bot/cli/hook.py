"""`hob hook`."""

import asyncio
import json
import os
import shlex
import sys
from pathlib import Path

import click

from bot.cli.framework import Group, HobCommand, folder_option
from bot.core.settings import SEVERITIES

MARK = "Written by `hob hook install`."
KEPT = "before-hob"
"""The ending of another's hook that was put away."""
LINE = 'hob review --hook pre-push{options} "$@"'
SCRIPT = """\
#!/bin/sh
# {mark} https://git-scm.com/docs/githooks#_pre_push
# `git push --no-verify` leaves it out for once, `hob hook remove` for good.
hob={hob}
[ -x "$hob" ] || hob=hob
exec "$hob" review --hook pre-push{options} "$@"
"""


@click.group(cls=Group, example="hob hook install\nhob hook install --fail-on critical --no-model")
def command() -> None:
    """Git's pre-push hook, so that what is pushed is reviewed first."""


@command.command("install", cls=HobCommand, example="hob hook install --fail-on critical --no-model")
@folder_option(old="--repo")
@click.option(
    "--fail-on",
    type=click.Choice([*SEVERITIES[:3], "never"]),
    default="major",
    show_default=True,
    help="What refuses a push; `never` only tells.",
)
@click.option("--no-model", is_flag=True, help="Only the deterministic checks: seconds instead of minutes.")
@click.option("--force", is_flag=True, help=f"Put another's hook away as pre-push.{KEPT}.")
@click.option("--json", "as_json", is_flag=True, help="Print only JSON.")
def install(folder: Path, fail_on: str, no_model: bool, force: bool, as_json: bool) -> None:
    """Writes the hook that reviews what is pushed. Another's hook is never written over.

    A push that brings nothing (a deleted branch, a tag of what is there) passes without a review.
    """
    file = asyncio.run(_file(folder))
    options = f" --fail-on {fail_on}" + " --no-model" * no_model
    if os.path.lexists(file) and not _is_ours(file):
        _put_away(file, options, force)
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f"{file.name}.hob-{os.getpid()}")
    new.write_text(SCRIPT.format(mark=MARK, hob=shlex.quote(_program()), options=options))
    new.chmod(0o755)
    new.replace(file)
    said = f"{file} reviews what is pushed from now on (git push --no-verify leaves it out)"
    click.echo(_as_json(file, "installed") if as_json else said)


@command.command("remove", cls=HobCommand, example="hob hook remove")
@folder_option(old="--repo")
@click.option("--json", "as_json", is_flag=True, help="Print only JSON.")
def remove(folder: Path, as_json: bool) -> None:
    """Takes Hob's hook away, and brings back the one that was put away for it."""
    from bot.core.errors import UserError

    file = asyncio.run(_file(folder))
    if not os.path.lexists(file):
        click.echo(_as_json(file, "none") if as_json else "there is no pre-push hook")
        return
    if not _is_ours(file):
        raise UserError(f"{file} is not Hob's", "it stays as it is")
    file.unlink()
    before = file.with_name(f"{file.name}.{KEPT}")
    if os.path.lexists(before):
        before.rename(file)
        click.echo(_as_json(file, "brought back") if as_json else f"{file} is again what it was before Hob's")
    else:
        click.echo(_as_json(file, "removed") if as_json else f"{file} is gone")


def _as_json(file: Path, done: str) -> str:
    return json.dumps({"file": str(file), "done": done})


def _put_away(file: Path, options: str, force: bool) -> None:
    """UserError unless another's hook may be renamed."""
    from bot.core.errors import UserError

    if not force:
        raise UserError(
            f"{file} is there already and is not Hob's",
            f"add `{LINE.format(options=options)}` to it, or put it away with --force",
        )
    kept = file.with_name(f"{file.name}.{KEPT}")
    if os.path.lexists(kept):
        raise UserError(f"{kept} is there already", "look what it is, and move it away")
    file.rename(kept)
    click.echo(f"the hook that was there is now {kept}, and does not run any more", err=True)


def _is_ours(file: Path) -> bool:
    try:
        return not file.is_symlink() and MARK in file.read_text(errors="replace")[:1000]
    except OSError:
        return False


def _program() -> str:
    """Where this very `hob` is."""
    here = Path(sys.argv[0])
    return str(here.absolute()) if here.name == "hob" else str(Path(sys.executable).with_name("hob"))


async def _file(folder: Path) -> Path:
    """Where git looks for the hook; UserError."""
    from bot.core.errors import UserError
    from bot.git import git
    from bot.local import find_root

    root = await find_root(folder)
    _, out = await git(root, "config", "--null", "--get-all", "core.hooksPath")
    if own := out.decode("utf-8", "surrogateescape").split("\0")[:-2]:  # the last is this command's own
        raise UserError(
            f"core.hooksPath is {own[-1]}, where others may keep their hooks",
            f"add `{LINE.format(options=' --fail-on major')}` to {own[-1]}/pre-push",
        )
    _, out = await git(root, "rev-parse", "--git-common-dir")
    return root / out.decode("utf-8", "surrogateescape").removesuffix("\n") / "hooks" / "pre-push"
