"""Runs a repository's tests in a work tree of their own, watches what they use from outside, and ends
everything that they started."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bot.core.sandbox_types import TreeLimits, TreeProgram
from bot.sandbox import boxes, cgroups, processes
from bot.sandbox.boxes import CONTAINER, RunFolder
from bot.sandbox.bubblewrap import INFO
from bot.sandbox.container import Container, left_over
from bot.sandbox.running import end, started

LOOK_SECONDS = 0.25
TAIL = 64 * 1024
"""Bytes of the end of the output that are kept."""
GONE_SECONDS = 10.0
ENDINGS = 3
"""Tries to end a container."""
log = logging.getLogger(__name__)


class TreeWay(Protocol):
    """One kind of sandbox for such runs."""

    @property
    def name(self) -> str: ...
    @property
    def environment(self) -> Mapping[str, str]: ...
    def tree_command(self, program: TreeProgram, box: RunFolder) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class TreeEnded:
    """`output` is the end of what it wrote to both its outputs; `killed`: past which limit, or empty."""

    code: int
    output: bytes
    killed: str
    seconds: float


@asynccontextmanager
async def work_box(base: Path) -> AsyncIterator[RunFolder]:
    """`boxes.box`, whose folder goes whenever this is cancelled. Containers that a Hob that was killed has
    left are ended first."""
    for left, way in left_over(base):
        with suppress(OSError):  # its program is not there any more
            if await _ended(way, RunFolder(left)):
                (left / CONTAINER).unlink(missing_ok=True)
    held = boxes.box(base)
    entering = asyncio.ensure_future(asyncio.to_thread(held.__enter__))
    try:
        made = await asyncio.shield(entering)
    except asyncio.CancelledError:
        with suppress(OSError):
            await entering
            await _left(held)
        raise
    try:
        yield made
    finally:
        await _left(held)


async def _left(held: AbstractContextManager[RunFolder]) -> None:
    leaving = asyncio.ensure_future(asyncio.to_thread(held.__exit__, None, None, None))
    try:
        await asyncio.shield(leaving)
    except asyncio.CancelledError:
        await leaving
        raise


async def run_in_tree(program: TreeProgram, box: RunFolder, way: TreeWay) -> TreeEnded:
    """When it returns, or is cancelled, nothing of it runs any more."""
    await asyncio.to_thread(boxes.given, box)
    above = await asyncio.to_thread(cgroups.parent)
    with cgroups.group(above, box.name, program.limits) as group:
        command = way.tree_command(program, box)
        if isinstance(way, Container):
            way.note(box)
        since = time.monotonic()
        process = await started(
            group.joining(command) if group else command,
            box.folder,
            way.environment,
            asyncio.subprocess.STDOUT,
        )
        tail = bytearray()
        try:
            killed = await _watched(process, program.limits, box, tail)
        finally:
            if group:
                group.kill()
            if isinstance(way, Container) and await _ended(way, box):
                (box.folder / CONTAINER).unlink(missing_ok=True)
            await end(process)
            await _gone(box)
        killed = killed or (group.over() if group else "")
    return TreeEnded(process.returncode or 0, bytes(tail), killed, time.monotonic() - since)


async def _watched(
    process: asyncio.subprocess.Process, limits: TreeLimits, box: RunFolder, tail: bytearray
) -> str:
    """Until it ends (empty) or goes too far: says how."""
    tasks = {
        asyncio.ensure_future(one)
        for one in (_read(process, limits, tail), _look(process.pid, limits), _count(box, limits))
    }
    try:
        done, _ = await asyncio.wait(tasks, timeout=limits.seconds, return_when=asyncio.FIRST_COMPLETED)
        return (
            next((why for one in done if (why := one.result())), "")
            if done
            else (f"it took longer than {limits.seconds:g} s")
        )
    finally:
        for one in tasks:
            one.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _read(process: asyncio.subprocess.Process, limits: TreeLimits, tail: bytearray) -> str:
    assert process.stdout is not None  # noqa: S101  a pipe was asked for
    total = 0
    while part := await process.stdout.read(65_536):
        total += len(part)
        tail += part
        del tail[:-TAIL]
        if total > limits.output_bytes:
            return f"it wrote more than {limits.output_bytes >> 10:,} KB to its output"
    await process.wait()
    return ""


async def _look(pid: int, limits: TreeLimits) -> str:
    most = limits.memory_mb << 20
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        used = await asyncio.to_thread(processes.used, pid, most)
        if used.memory > most:
            return f"it used more than {limits.memory_mb:,} MB of memory"
        if used.cpu_seconds > limits.cpu_seconds:
            return f"it used more than {limits.cpu_seconds:,} s of processor time"


async def _count(box: RunFolder, limits: TreeLimits) -> str:
    """The more there is to count, the more seldom."""
    while True:
        since = time.monotonic()
        try:
            await asyncio.to_thread(boxes.measure, box, limits.tree_mb, limits.files)
        except boxes.TooMuch as found:
            return str(found)
        await asyncio.sleep(max(LOOK_SECONDS, 4 * (time.monotonic() - since)))


async def _gone(box: RunFolder) -> None:
    """The first process of the namespace ends when all others have."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        first = int(json.loads((box.folder / INFO).read_text())["child-pid"])
        if not await asyncio.to_thread(processes.wait_gone, first, GONE_SECONDS):
            log.error("process %d of a sandbox could not be ended", first)


async def _ended(way: Container, box: RunFolder) -> bool:
    """Whether the container, whose processes are none of ours, is no more."""
    remove, inspect = way.ending(box)
    for _ in range(ENDINGS):
        await _quietly(remove, way.environment)
        if await _quietly(inspect, way.environment):
            return True
    log.error("the container %s could not be ended", box.name)
    return False


async def _quietly(command: list[str], environment: Mapping[str, str]) -> int:
    """Its exit code; that of a killed one where it takes too long."""
    process = await started(command, Path("/"), environment, asyncio.subprocess.DEVNULL)
    with suppress(TimeoutError):
        async with asyncio.timeout(GONE_SECONDS * 3):
            while process.stdout and await process.stdout.read(65_536):
                pass
            await process.wait()
    await end(process)
    return process.returncode or 0
