"""`hob demo`: the main job end to end on loopback, with no account: a stand-in for GitHub with a real small
repository, the receiver, embedded Redis, SQLite and one worker. What is shown is what was posted."""

from pathlib import Path

import click

from bot.cli.framework import HobCommand, Output


@click.command(cls=HobCommand, example="hob demo --keep")
@click.option("--keep", is_flag=True, help="Stay up afterwards, with the dashboard.")
@click.option("--svg", type=Output(), help="Also save what is shown as a picture.")
@click.option("--json", "as_json", is_flag=True, help="Print only JSON.")
def command(keep: bool, svg: Path | None, as_json: bool) -> None:
    """Plays the main job end to end on loopback and shows the review.

    Needs no account. Uses Ollama on port 11434 when one answers; else shows what the static checks alone
    found.
    """
    if svg and as_json:
        raise click.UsageError("--svg is a picture of what --json does not print")
    import tempfile

    from rich.console import Console

    from bot.cli.demo.play import play
    from bot.cli.demo.show import picture

    out = Console(record=svg is not None, width=100 if svg else None)
    with tempfile.TemporaryDirectory(prefix="hob-demo-", ignore_cleanup_errors=True) as folder:
        play(Path(folder), out, Console(stderr=True), keep=keep, as_json=as_json)
    if svg:
        svg.write_text(picture(out))
