"""`hob purge`."""

import json
import sys

import click

from bot.cli.framework import HobCommand
from bot.cli.waiting import TellWaiting
from bot.core.errors import UserError


@click.command(
    cls=HobCommand,
    example="hob purge octo/tea --dry-run\nhob purge octo/tea\nhob purge 1296269 --yes --json",
)
@click.argument("repository", metavar="OWNER/NAME|NUMBER")
@click.option("--dry-run", is_flag=True, help="Only show what there is.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print only JSON.")
def command(repository: str, *, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Deletes everything of one repository that Hob keeps in the database and on this machine.

    A repository that was renamed or deleted is named by its number on GitHub. On GitHub nothing changes, and
    where the App has access still, the next event there begins anew. Keys by which nothing is posted twice
    stay for a week, without number, name or text (docs/operations.md).
    """
    from bot.cli.purge import operations
    from bot.config import load_config
    from bot.core.refs import ID, LOGIN, NAME

    owner, _, name = repository.partition("/")
    if not ID.fullmatch(repository) and not (LOGIN.fullmatch(owner) and NAME.fullmatch(name)):
        raise click.UsageError("name a repository as OWNER/NAME, or by its number on GitHub")
    config = load_config()
    with operations.opened(config, repository) as purge:
        with TellWaiting("counting what is kept"):
            found = purge.kept()
        if not dry_run and any(one.count for one in found):
            if not yes:
                _ask(purge.title, found, as_json=as_json)
            with TellWaiting("deleting"):
                found = purge.delete()
    if as_json:
        kinds = {one.kind: {"count": one.count, "bytes": one.size} for one in found}
        told = {"repository": purge.repo_id, "names": sorted(purge.names)}
        click.echo(json.dumps({**told, "deleted": not dry_run, "kinds": kinds}))
        return
    click.echo(operations.table(found))
    click.echo(f"{purge.title}: {_said(any(one.count for one in found), dry_run=dry_run)}")


def _said(anything: bool, *, dry_run: bool) -> str:
    if not anything:
        return "nothing is kept"
    return "nothing was deleted (--dry-run)" if dry_run else "deleted"


def _ask(title: str, found: list, *, as_json: bool) -> None:  # type: ignore[type-arg]
    from bot.cli.purge import operations

    if as_json or not sys.stdin.isatty():
        raise UserError("this deletes for good, and nobody is there to ask", "say --yes, or --dry-run")
    click.echo(operations.table(found), err=True)
    click.confirm(f"Delete all of this of {title}? It cannot be brought back.", abort=True, err=True)
