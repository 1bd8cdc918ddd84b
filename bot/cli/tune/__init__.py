"""`hob tune`."""

import click

from bot.cli.framework import Group
from bot.cli.tune.export import export


@click.group(cls=Group, example="hob tune export octo/tea")
def command() -> None:
    """Trains a model on a repository's own past."""


command.add_command(export)
