"""A child that must not outlive its parent: it watches a pipe whose other end only the parent holds, and the
system closes that end however the parent dies."""

import os
import signal
import threading

import click

GRACE_SECONDS = 15.0

option = click.option(
    "--parent-watch", type=int, hidden=True, help="A pipe to watch: ends with whoever holds it."
)


def watch(descriptor: int | None) -> None:
    """From now on this process ends (SIGTERM, then at once) when `descriptor` reads end-of-file."""
    if descriptor is None:
        return
    os.set_inheritable(descriptor, False)
    threading.Thread(target=_wait, args=(descriptor,), name="parent-watch", daemon=True).start()


def _wait(descriptor: int) -> None:
    try:
        os.read(descriptor, 1)
    except OSError:
        return
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(GRACE_SECONDS)
    os._exit(1)
