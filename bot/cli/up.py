"""`hob up`."""

import click

from bot.cli.manners import Command, is_debug


@click.command(cls=Command, example="hob up\nhob up --port 9000 -n 4")
@click.option("--host", help="Instead of server.host.")
@click.option("--port", type=click.IntRange(0, 65535), help="Instead of server.port; 0 takes a free one.")
@click.option("-n", "--workers", type=click.IntRange(1, 256), help="Runs at once; instead of queue.workers.")
def up(host: str | None, port: int | None, workers: int | None) -> int:
    """Runs everything on this machine: receiver, worker, schedule, embedded Redis and SQLite.

    Makes the data directory and brings the database to the newest schema first. What dies is started again;
    Ctrl-C or SIGTERM ends it all, and no run is lost.
    """
    from bot.cli.supervise import Supervisor, hob

    debug = ["--debug"] if is_debug() else []
    prepared = hob("prepare", *debug)
    if code := prepared.wait():
        return code
    serve = [
        part
        for name, value in (("--host", host), ("--port", port))
        if value is not None
        for part in (name, str(value))
    ]
    work = ["-n", str(workers)] if workers else []
    return Supervisor({"serve": ["serve", *serve, *debug], "work": ["work", *work, *debug]}).run()
