"""Starting and stopping a heavy host by the commands of hob.toml; nothing else can name a command."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from subprocess import DEVNULL

from bot.core.hosts import Host

log = logging.getLogger(__name__)

START_SECONDS = 300.0
"""A large model takes minutes to load."""
STOP_SECONDS = 60.0
_PASSED_ON = (
    "PATH",
    "HOME",
    "USER",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
)
"""Of our environment, which may hold keys."""


class HostProgram:
    """One host's commands."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._running: asyncio.subprocess.Process | None = None
        self.was_started = False

    async def start(self, answers: Callable[[], Awaitable[bool]]) -> bool:
        """Runs the command and waits until the host answers. The command may end at once or be the host
        itself."""
        log.info("starting host %s", self._host.name)
        try:
            self._running = await _run(self._host.start)
        except OSError as error:
            log.warning("host %s cannot be started: %s", self._host.name, error.strerror)
            return False
        with suppress(TimeoutError):
            async with asyncio.timeout(START_SECONDS):
                while not await answers():
                    if self._running.returncode:
                        log.warning(
                            "the start command of %s ended with %s", self._host.name, self._running.returncode
                        )
                        return False
                    await asyncio.sleep(0.25)
                self.was_started = True
                return True
        log.warning("host %s does not answer %d s after its start", self._host.name, START_SECONDS)
        return False

    async def stop(self) -> None:
        """Runs the stop command; without one, ends the start command where that is still running."""
        self.was_started = False
        log.info("stopping host %s: nobody uses it", self._host.name)
        if self._host.stop:
            with suppress(OSError, TimeoutError):
                process = await _run(self._host.stop)
                async with asyncio.timeout(STOP_SECONDS):
                    await process.wait()
        await self.aclose()

    async def aclose(self) -> None:
        """Ends the start command where that is the host itself."""
        process, self._running = self._running, None
        if process is None:
            return
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.terminate()
            try:
                async with asyncio.timeout(10):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()


async def _run(command: tuple[str, ...]) -> asyncio.subprocess.Process:
    inherited = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return await asyncio.create_subprocess_exec(
        *command, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL, env=inherited, start_new_session=True
    )
