"""`hob memory`."""

import json
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from bot.cli.framework import Group, HobCommand
from bot.core.errors import UserError

if TYPE_CHECKING:
    from bot.core.memory import MemoryKind

REPO = click.option("--repo", required=True, metavar="OWNER/NAME", help="Of which repository.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print only JSON.")
NUMBER = click.IntRange(1, 2**31 - 1)
MOST_BYTES = 8 << 20


@click.group(
    cls=Group,
    example="hob memory list --repo octo/tea\nhob memory export --repo octo/tea > memory.jsonl\n"
    "hob memory import memory.jsonl --repo octo/cups\nhob memory forget 3 --repo octo/tea",
)
def command() -> None:
    """What people taught Hob about a repository: dismissed findings and conventions."""


@command.command("list", cls=HobCommand, example="hob memory list --repo octo/tea --json")
@REPO
@JSON
def show(repo: str, as_json: bool) -> None:
    """Shows everything that is remembered, with the number by which it is forgotten."""
    from bot.cli.memory import jsonl, operations

    kept = operations.listed(repo)
    if as_json:
        click.echo(json.dumps({"memory": [{"n": one.n, **jsonl.fields(one)} for one in kept]}))
        return
    for one in kept:
        click.echo(operations.told(one))
    if not kept:
        click.echo(f"nothing is remembered of {repo}")


@command.command("export", cls=HobCommand, example="hob memory export --repo octo/tea -o memory.jsonl")
@REPO
@click.option(
    "-o", "--output", type=click.File("w", "utf-8", lazy=False, atomic=True), default="-", help="A file."
)
@click.option("--json", "as_json", is_flag=True, help="Print only JSON (what is printed is JSON anyway).")
def export(repo: str, output: IO[str], as_json: bool) -> None:
    """Writes what is remembered as JSON lines, one for each; `import` reads them. What nobody accepted is
    not among it."""
    from bot.cli.memory import jsonl, operations

    for one in operations.listed(repo):
        if one.lesson.kind in jsonl.KINDS:
            click.echo(jsonl.written(one), file=output)


@command.command("import", cls=HobCommand, example="hob memory import memory.jsonl --repo octo/tea")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@REPO
@JSON
def take(file: Path, repo: str, as_json: bool) -> None:
    """Adds what `export` wrote, all of it or, where a line is wrong, none; known things are renewed."""
    from bot.cli.memory import jsonl, operations

    with click.open_file(str(file), "rb") as source:
        body: bytes = source.read(MOST_BYTES + 1)
    if len(body) > MOST_BYTES:
        raise UserError(f"{file} is over {MOST_BYTES >> 20} MB", "is it the right file?")
    found = jsonl.read(body)
    new = operations.taken(repo, found)
    told = {"read": len(found), "new": new, "known": len(found) - new}
    click.echo(json.dumps(told) if as_json else f"{new} new, {len(found) - new} known before or said twice")


@command.command("accept", cls=HobCommand, example="hob memory accept 3 --repo octo/tea")
@click.argument("number", type=NUMBER)
@REPO
@JSON
def accept(number: int, repo: str, as_json: bool) -> None:
    """Accepts a convention that `hob learn --write` offered: reviewers are told of it from then on."""
    _decide(repo, number, "convention", "accepted", as_json)


@command.command("decline", cls=HobCommand, example="hob memory decline 3 --repo octo/tea")
@click.argument("number", type=NUMBER)
@REPO
@JSON
def decline(number: int, repo: str, as_json: bool) -> None:
    """Declines a convention that `hob learn --write` offered: it is not offered again."""
    _decide(repo, number, "declined", "declined", as_json)


def _decide(repo: str, number: int, kind: "MemoryKind", word: str, as_json: bool) -> None:
    from bot.cli.memory import operations

    operations.decided(repo, number, kind)
    click.echo(json.dumps({word: number}) if as_json else f"{word} {number}")


@command.command("forget", cls=HobCommand, example="hob memory forget 3 --repo octo/tea")
@click.argument("number", type=NUMBER)
@REPO
@JSON
def forget(number: int, repo: str, as_json: bool) -> None:
    """Deletes what is remembered under a number."""
    from bot.cli.memory import operations

    operations.forgotten(repo, number)
    click.echo(json.dumps({"forgotten": number}) if as_json else f"forgot {number}")
