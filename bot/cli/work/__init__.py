"""`hob work`."""

import click

from bot.cli import parent_watch as life
from bot.cli.framework import HobCommand, is_debug


@click.command(cls=HobCommand, example="hob work -n 4")
@click.option("-n", "--slots", type=click.IntRange(1, 256), help="Runs at once; instead of queue.workers.")
@click.option("--no-schedule", is_flag=True, help="Only does runs; hob schedule, somewhere, makes them.")
@life.option
def command(slots: int | None, no_schedule: bool, parent_watch: int | None) -> None:
    """Does the runs: asks models, writes to GitHub; and makes them: routes deliveries, and what is due.

    May stand on many machines. With queue.redis_url = "embedded" it starts the embedded Redis, or uses the
    one that runs already.
    """
    from bot.cli.work.worker import run
    from bot.config import load_config
    from bot.config.running import write_running
    from bot.log import setup

    life.watch(parent_watch)
    config = load_config()
    setup("debug" if is_debug() else config.hob.log_level)
    write_running(config, "work")
    run(config, slots or config.queue.workers, schedules=not no_schedule)
