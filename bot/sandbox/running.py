"""Runs a program on files in a fresh folder, and kills it with all that it started when it goes too far."""

import asyncio
import os
import platform
import signal
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from bot.core.sandbox_types import Ended, ProgramLimits, SandboxedProgram, SandboxUnusable
from bot.sandbox.bubblewrap import ENVIRONMENT
from bot.sandbox.processes import children
from bot.sandbox.seatbelt import limited
from bot.sandbox.ways import Way, here

LAST_SECONDS = 5.0
"""For what was killed to be gone."""


async def run(program: SandboxedProgram, way: Way | SandboxUnusable | None = None) -> Ended:
    """Runs it in the sandbox of this machine. Where none works: with limits alone if it only reads, else
    Unusable."""
    way = await asyncio.to_thread(here) if way is None else way
    if isinstance(way, SandboxUnusable) and not program.only_reads:
        raise SandboxUnusable(str(way))
    with tempfile.TemporaryDirectory(prefix="hob-box-") as outer:
        folder = await asyncio.to_thread(_filled, outer, program.files)
        command = _bare(program) if isinstance(way, SandboxUnusable) else way.command(program, folder)
        return await _watched(command, program.limits, folder)


def _filled(outer: str, files: Mapping[str, str]) -> Path:
    """A folder with the files. The outer one is its owner's alone; this one is what a program that is nobody
    may read."""
    folder = Path(outer).resolve() / "work"
    folder.mkdir()
    folder.chmod(0o755)
    for name, text in files.items():
        path = folder / name
        if path.parent != folder:
            raise ValueError(f"{name!r} is no name for a file of Hob's")
        path.write_bytes(text.encode("utf-8", "replace"))
        path.chmod(0o644)
    return folder


def _bare(program: SandboxedProgram) -> list[str]:
    command = [program.path, *program.arguments]
    if platform.system() != "Darwin":  # there a shell cannot limit memory
        memory = f'ulimit -v {program.limits.memory_mb * 1024} && exec "$@"'
        command = ["/bin/sh", "-c", memory, "sh", *command]
    return limited(command, program.limits)


async def _watched(command: list[str], limits: ProgramLimits, folder: Path) -> Ended:
    # what it complains of is dropped: such texts may hold what it read (C4)
    process = await started(command, folder, ENVIRONMENT, asyncio.subprocess.DEVNULL)
    output, killed = bytearray(), ""
    try:
        async with asyncio.timeout(limits.seconds):
            if await _read(process, output, limits.output_bytes):
                await process.wait()
            else:
                killed = f"it wrote more than {limits.output_bytes // 1024:,} KB"
    except TimeoutError:
        killed = f"it took longer than {limits.seconds:g} s"
    finally:
        await end(process)
    return Ended(process.returncode or 0, bytes(output), killed)


async def started(
    command: list[str], folder: Path, environment: Mapping[str, str], stderr: int
) -> asyncio.subprocess.Process:
    """Never half: cancelled while it starts, asyncio would kill the one process that it knows of."""
    creating = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            *command,
            cwd=folder,
            env=environment,
            start_new_session=True,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
        )
    )
    try:
        return await asyncio.shield(creating)
    except asyncio.CancelledError:
        await end(await creating)
        raise


async def _read(process: asyncio.subprocess.Process, output: bytearray, most: int) -> bool:
    """Until its end: True; False once there is more than `most`."""
    assert process.stdout is not None  # noqa: S101  a pipe was asked for
    while part := await process.stdout.read(65_536):
        output += part
        if len(output) > most:
            return False
    return True


async def end(process: asyncio.subprocess.Process) -> None:
    """Kills what still runs. The pipe's end is the end of the last process that holds it; until it is read,
    asyncio does not call a process ended."""
    if process.returncode is None:
        _kill(process.pid)
    ending = [asyncio.ensure_future(process.wait()), asyncio.ensure_future(_drained(process))]
    try:
        await asyncio.wait(ending, timeout=LAST_SECONDS)
    finally:
        for one in ending:
            one.cancel()
        await asyncio.gather(*ending, return_exceptions=True)


def _kill(pid: int) -> None:
    """The process, its children, its group. bubblewrap's child dies with it only once it is set up, and
    leaves the group before; so it is asked for, while bubblewrap is stopped and can start nothing."""
    with suppress(ProcessLookupError, ChildProcessError):
        os.kill(pid, signal.SIGSTOP)
        os.waitid(os.P_PID, pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        for child in children(pid):
            os.kill(child, signal.SIGKILL)
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


async def _drained(process: asyncio.subprocess.Process) -> None:
    while process.stdout is not None and await process.stdout.read(1 << 20):
        pass
