"""One process at a time, told by a file: the lock goes with whoever holds it, however that ends."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.core.errors import TemporaryError

WAIT_SECONDS = 60.0
_LOOK_SECONDS = 0.05


@asynccontextmanager
async def locked(file: Path, seconds: float = WAIT_SECONDS) -> AsyncIterator[int]:
    """Holds the lock of `file` (made where it is missing) while the body runs; gives its descriptor. A child
    that was handed the descriptor holds it too: git goes on for a moment after a worker was killed.
    Whoever holds it may delete the file. `TemporaryError` when others keep it for longer than `seconds`."""
    while True:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            await _take(descriptor, file, seconds)
            if not _is_there(descriptor, file):  # its last holder deleted it
                continue
            yield descriptor
            return
        finally:
            os.close(descriptor)


async def _take(descriptor: int, file: Path, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            while not _free(descriptor):  # noqa: ASYNC110  another process holds it
                await asyncio.sleep(_LOOK_SECONDS)
    except TimeoutError:
        raise TemporaryError(f"another process works on {file.stem}", 30.0) from None


def _is_there(descriptor: int, file: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), file.stat())
    except FileNotFoundError:
        return False


def _free(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
