"""`hob checks`."""

import click

from bot.cli.framework import HobCommand


@click.command(cls=HobCommand, example="hob checks\nhob checks biome")
@click.argument("check", default="")
@click.option("--json", "as_json", is_flag=True, help="Print only JSON.")
def command(check: str, as_json: bool) -> None:
    """Shows what there is to check changes with: programs, versions, rules.

    With the name of a check: each rule that is let through, and why. Programs run in the sandbox, with Hob's
    own configuration; review.checks.NAME in .github/hob.yml switches one on or off.
    """
    from bot.cli.checks import table

    table.run(check, as_json)
