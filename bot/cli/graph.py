"""`hob graph`."""

import json
from pathlib import Path

import click

from bot.cli.framework import EXISTING, Group, HobCommand, Output, folder_option
from bot.cli.waiting import TellWaiting

EXAMPLE = "hob graph export --format graphml -o shop.graphml\nhob graph export --format cypher | cypher-shell"


@click.group(cls=Group, example=EXAMPLE)
def command() -> None:
    """What hangs together in a repository: files, symbols, commits, people, issues."""


@command.command(cls=HobCommand, example=EXAMPLE)
@click.option(
    "--format", "form", type=click.Choice(["graphml", "cypher"]), default="graphml", show_default=True
)
@folder_option(old="--path", type=EXISTING)
@click.option(
    "-o",
    "--output",
    type=Output(allow_dash=True),
    default="-",
    help="A file; - is standard output.",
)
@click.option("--json", "as_json", is_flag=True, help="Print only JSON: what was written to the file of -o.")
def export(form: str, folder: Path, output: Path, as_json: bool) -> None:
    """Writes the graph of the last commit and its history, for Neo4j, Gephi and the like.

    The index is brought to the last commit first. Issues are in it where the index knows them.
    """
    from bot.cli.index.progress import ProgressBar
    from bot.config import load_config
    from bot.knowledge import export as writing
    from bot.knowledge.edges import edges
    from bot.knowledge.graph import Graph
    from bot.knowledge.local import Local, with_index_store
    from bot.knowledge.storage import IndexStore
    from bot.log import setup

    setup("error")
    if as_json and str(output) == "-":
        raise click.UsageError("--json needs a file to write to: say -o FILE")
    local = Local(folder, load_config().hob.data_dir)
    with ProgressBar() as told:
        local.index(told)

    def write(index_store: IndexStore) -> writing.ExportCounts:
        counts = writing.ExportCounts()
        write_one = writing.cypher if form == "cypher" else writing.graphml
        with click.open_file(str(output), "w", encoding="utf-8", atomic=str(output) != "-") as file:
            for part in write_one(edges(Graph(index_store)), counts):
                file.write(part)
        return counts

    with TellWaiting("writing the graph") as waits:
        if str(output) == "-":
            waits.over()
        counts = with_index_store(local.path, write)
    said = {"nodes": counts.nodes, "edges": counts.edges, "sha": local.tip, "file": str(output)}
    if as_json:
        click.echo(json.dumps(said))
    else:
        click.echo(f"{counts.nodes:,} nodes and {counts.edges:,} edges, as of {local.tip[:7]}", err=True)
