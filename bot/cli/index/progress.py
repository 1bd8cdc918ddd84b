"""How far an index is, on stderr: a bar on a terminal, now and then a line elsewhere."""

import sys
import time
from types import TracebackType
from typing import Self

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from bot.cli.waiting import so_far

SECONDS = 2.0
"""Between lines; what takes less says nothing."""


class ProgressBar:
    """Called with how much is done, of how much (0: nobody knows), and of what."""

    def __init__(self) -> None:
        bar = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
        self._bar = Progress(
            *bar, console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True
        )
        self._tasks: dict[str, TaskID] = {}
        self._said = time.monotonic()

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def __call__(self, done: int, of: int, what: str) -> None:
        if not self._bar.disable:
            if what not in self._tasks:
                self._tasks[what] = self._bar.add_task(what, total=of or None)
            self._bar.update(self._tasks[what], completed=done, total=of or None)
        elif time.monotonic() - self._said >= SECONDS:
            self._said = time.monotonic()
            click.echo(so_far(done, of, what), err=True)
