"""The file of an SQLite database, held to be the same for as long as a process uses it: what is written into
one that was deleted, moved or emptied is lost, and nobody would know."""

import os
from pathlib import Path

from bot.store.types import StoreUnavailable

MEMORY = ":memory:"


class StoreFile:
    """Remembers the file of the first connection. `path` is empty for a database that is no file."""

    def __init__(self, path: str) -> None:
        self.path = "" if path == MEMORY else path
        self._known: tuple[int, int] | None = None

    def opened(self) -> None:
        """A connection has opened it, and has written its first page."""
        if self.path and self._known is None:
            found = Path(self.path).stat()
            self._known = (found.st_dev, found.st_ino)

    def check(self) -> None:
        """`StoreUnavailable` where it is not what was opened."""
        if not self.path or self._known is None:
            return
        try:
            found = os.stat(self.path)  # noqa: PTH116  at every transaction; a Path costs more than the call
        except FileNotFoundError:
            raise self._lost("was deleted or moved away") from None
        except OSError as error:
            raise self._lost(f"cannot be looked at ({error.strerror})") from None
        if found.st_size == 0:
            raise self._lost("was emptied")
        if (found.st_dev, found.st_ino) != self._known:
            raise self._lost("was put in the place of the one that is open")

    @property
    def is_known(self) -> bool:
        return self._known is not None

    @property
    def is_missing(self) -> bool:
        """Whether the database is a file that is not there (yet)."""
        return bool(self.path) and not Path(self.path).exists()

    def _lost(self, what: str) -> StoreUnavailable:
        name = Path(self.path).absolute()
        return StoreUnavailable(
            f"the database {name} {what} while Hob runs: put it back or restore a backup, then restart Hob"
        )
