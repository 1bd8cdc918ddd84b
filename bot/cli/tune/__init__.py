"""`hob tune`."""

import click

from bot.cli.framework import Group
from bot.cli.tune import run, switch
from bot.cli.tune.export import export


@click.group(cls=Group, example="hob tune export octo/tea\nhob tune run octo/tea\nhob tune use octo/tea")
def command() -> None:
    """Trains a model of this machine on a repository's own past, and uses it where it reviews better."""


command.add_command(export)
command.add_command(run.command)
command.add_command(switch.show)
command.add_command(switch.use)
command.add_command(switch.off)
