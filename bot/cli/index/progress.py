"""How far an index is, on stderr: a bar on a terminal, now and then a line elsewhere."""

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

import click

from bot.cli.waiting import so_far

SECONDS = 2.0
"""Between lines; what takes less says nothing."""


if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class ProgressBar:
    """Called with how much is done, of how much (0: nobody knows), and of what."""

    def __init__(self) -> None:
        self._bar: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._said = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def __call__(self, done: int, of: int, what: str) -> None:
        if sys.stderr.isatty():
            self._bar = self._bar or _started()
            if what not in self._tasks:
                self._tasks[what] = self._bar.add_task(what, total=of or None)
            self._bar.update(self._tasks[what], completed=done, total=of or None)
        elif time.monotonic() - self._said >= SECONDS:
            self._said = time.monotonic()
            click.echo(so_far(done, of, what), err=True)


def _started() -> "Progress":
    """Imported where there is something to show: an index that is up to date has nothing."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    bar.start()
    return bar
