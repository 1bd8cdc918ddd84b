"""`hob schedule`."""

import click

from bot.cli import parent_watch as life
from bot.cli.framework import HobCommand, is_debug


@click.command(cls=HobCommand, example="hob schedule")
@life.option
def command(parent_watch: int | None) -> None:
    """Makes the runs that `hob work --no-schedule` does, and does none.

    Routes deliveries, starts what is due, gives lost runs to others, polls where that is on, deletes what is
    old. May stand on many machines: one leads, and another goes on when that one ends.
    """
    from bot.cli.work.worker import run_schedule
    from bot.config import load_config
    from bot.config.running import write_running
    from bot.log import setup

    life.watch(parent_watch)
    config = load_config()
    setup("debug" if is_debug() else config.hob.log_level)
    write_running(config, "schedule")
    run_schedule(config)
