"""Runs `git` to read a repository that strangers wrote: nothing that its configuration names (a file-system
monitor, hooks, a pager, filters) is run, nothing is fetched, and no path is taken for a pattern or an option.

https://git-scm.com/docs/git#_environment_variables
"""

import asyncio
import os
import shutil
from contextlib import suppress
from pathlib import Path

from bot.core.errors import UserError

SECONDS = 20.0
MOST_OUTPUT = 4 * 1024 * 1024

SAFE = (
    *("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.pager=cat"),
    *("-c", "grep.fallbackToNoIndex=false", "-c", "submodule.recurse=false", "-c", "core.quotePath=false"),
    *("-c", "protocol.allow=never", "-c", "log.showSignature=false"),
)


def environment() -> dict[str, str]:
    """This process's own without git's variables, and with those that keep git quiet and at home."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**kept, "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}


def program() -> str:
    """Where git is; UserError without one."""
    found = shutil.which("git")
    if found is None:
        raise UserError("git is not installed", "install it")
    return found


async def git(
    folder: Path,
    *arguments: str,
    stdin: bytes = b"",
    seconds: float = SECONDS,
    most: int = MOST_OUTPUT,
) -> tuple[int, bytes]:
    """(exit code, standard output). Past the deadline or the cap the process is killed and what it had said
    until then is given with code 0."""
    process = await asyncio.create_subprocess_exec(
        *(program(), "--no-pager", *SAFE, "-C", str(folder), *arguments),
        env=environment(),
        stdin=asyncio.subprocess.PIPE if stdin else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    feeding = asyncio.create_task(_feed(process, stdin))
    out = bytearray()
    try:
        async with asyncio.timeout(seconds):
            while process.stdout and len(out) < most:
                part = await process.stdout.read(65_536)
                if not part:
                    break
                out += part
            else:
                process.kill()
            code = await process.wait()
    except TimeoutError:
        code = 0
    finally:
        feeding.cancel()
        if process.returncode is None:
            process.kill()
            await process.wait()
    return (0 if len(out) >= most else code), bytes(out)


async def _feed(process: asyncio.subprocess.Process, data: bytes) -> None:
    if process.stdin is None:
        return
    with suppress(BrokenPipeError, ConnectionResetError):  # it had enough
        process.stdin.write(data)
        await process.stdin.drain()
    process.stdin.close()
