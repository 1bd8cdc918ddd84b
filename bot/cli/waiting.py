"""What a command is at, on stderr, where that takes long: after two seconds a line that moves on a terminal,
every ten seconds a line elsewhere."""

import shutil
import sys
import threading
import time
from types import TracebackType
from typing import Self

import click

AFTER_SECONDS = 2.0
EVERY_SECONDS = 10.0
"""Between lines where no terminal shows them."""
DRAWN_SECONDS = 0.25
"""Between two pictures of the line that moves."""
_ERASED = "\r\x1b[2K"
_lock = threading.Lock()
_moving = False
"""Whether such a line stands on the terminal; held by the lock."""


def say(line: str) -> None:
    """A line on stderr, above the one that moves."""
    with _lock:
        _draw("")
        click.echo(line, err=True)


def _draw(line: str) -> None:
    global _moving
    if line or _moving:
        sys.stderr.write(f"{_ERASED}{line}")
        sys.stderr.flush()
    _moving = bool(line)


def so_far(done: int, of: int, what: str) -> str:
    """`of`: how much there is, 0 where nobody knows."""
    return f"{what}: {done:,} of {of:,}" if of else f"{what}: {done:,}"


class TellWaiting:
    """`with TellWaiting("writing the backup"):`. Within, lines on stderr go through `say`, and standard
    output is written to after `over()`."""

    def __init__(self, what: str) -> None:
        self.what = what
        self._began = time.monotonic()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._tell, name="waiting", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over()

    def over(self) -> None:
        """Nothing more is told, and the terminal is as it was; any number of times."""
        self._over.set()
        self._thread.join()

    def _tell(self) -> None:
        is_terminal = sys.stderr.isatty()
        self._over.wait(AFTER_SECONDS if is_terminal else EVERY_SECONDS)
        while not self._over.is_set():
            if is_terminal:
                with _lock:
                    _draw(self._line()[: shutil.get_terminal_size().columns - 1])
            else:
                say(self._line())
            self._over.wait(DRAWN_SECONDS if is_terminal else EVERY_SECONDS)
        with _lock:
            _draw("")

    def _line(self) -> str:
        return f"{self.what}: {time.monotonic() - self._began:.0f} s"
