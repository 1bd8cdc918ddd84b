"""`hob up`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import click

from bot.cli.framework import HobCommand, is_debug


@click.command(cls=HobCommand, example="hob up\nhob up --port 9000 -n 4")
@click.option("--host", help="Instead of server.host.")
@click.option("--port", type=click.IntRange(0, 65535), help="Instead of server.port; 0 takes a free one.")
@click.option("-n", "--slots", type=click.IntRange(1, 256), help="Runs at once; instead of queue.workers.")
def command(host: str | None, port: int | None, slots: int | None) -> int:
    """Runs everything on this machine: receiver, worker, schedule, embedded Redis and SQLite.

    Makes the data directory and brings the database to the newest schema first. What dies is started again;
    Ctrl-C or SIGTERM ends it all, and no run is lost.
    """
    debug = ["--debug"] if is_debug() else []
    where = [*_given("--host", host), *_given("--port", port)]
    prepared = subprocess.run([sys.executable, "-m", "bot.cli", "prepare", *where, *debug], check=False)  # noqa: S603
    if prepared.returncode:
        return prepared.returncode
    serve = ["serve", *where, *debug]
    work = ["work", *_given("-n", slots), *debug]
    _become_supervisor({"serve": serve, "work": work})
    return 1


def _given(name: str, value: object) -> list[str]:
    return [] if value is None else [name, str(value)]


def _become_supervisor(commands: dict[str, list[str]]) -> None:
    """This process from now on only watches, so it sheds what it has imported: the standard library is enough
    (`-I -S`), and the script stands alone."""
    script = str(Path(__file__).with_name("supervise.py"))
    # glibc would give each thread a heap of its own, none of which lends another what it has free.
    os.environ.setdefault("MALLOC_ARENA_MAX", "1")
    sys.stdout.flush()
    arguments = [sys.executable, "-I", "-S", script, json.dumps(commands)]
    os.execv(sys.executable, arguments)  # noqa: S606
