"""What a process and all below it use, as Linux tells: proc_pid_task(5), proc_pid_stat(5),
proc_pid_status(5). Elsewhere nothing is known."""

import os
import re
import select
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_OWN_MEMORY = re.compile(rb"^(?:RssAnon|RssShmem):\s+(\d{1,15}) kB", re.MULTILINE)
_OWN_PART = re.compile(rb"^(?:Pss_Anon|Pss_Shmem):\s+(\d{1,15}) kB", re.MULTILINE)
_TICKS = os.sysconf("SC_CLK_TCK")
MOST = 20_000


@dataclass(frozen=True, slots=True)
class Used:
    """`memory`: bytes that no file holds."""

    count: int = 0
    memory: int = 0
    cpu_seconds: float = 0.0


def children(pid: int) -> list[int]:
    """Of all threads; none where there is no such file."""
    found: list[int] = []
    with suppress(OSError, ValueError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with suppress(OSError):
                found += map(int, (thread / "children").read_text().split())
    return found


def below(pid: int) -> list[int]:
    """It and all that it started, as far as they have not ended."""
    found: list[int] = []
    waiting = [pid]
    while waiting and len(found) < MOST:
        found.append(waiting.pop())
        waiting += children(found[-1])
    return found


def used(pid: int, most_memory: int) -> Used:
    """By it and all below it. Memory that processes share is told apart only where it would be too much."""
    pids = below(pid)
    memory = sum(_kilobytes(one, "status", _OWN_MEMORY) for one in pids) << 10
    if memory > most_memory:
        shares = [_kilobytes(one, "smaps_rollup", _OWN_PART) for one in pids]
        memory = sum(shares) << 10 if all(shares[1:]) else memory
    return Used(len(pids), memory, sum(map(_cpu, pids)))


def _kilobytes(pid: int, file: str, wanted: re.Pattern[bytes]) -> int:
    try:
        return sum(map(int, wanted.findall(Path(f"/proc/{pid}/{file}").read_bytes())))
    except OSError:
        return 0


def _cpu(pid: int) -> float:
    """Its own and that of its children that have ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b") ")[2].split()
        return sum(map(int, fields[11:15])) / _TICKS
    except (OSError, ValueError, IndexError):
        return 0.0


def wait_gone(pid: int, seconds: float) -> bool:
    """Whether a process that is no child of ours ends within the time. The first of a namespace ends last."""
    if not hasattr(os, "pidfd_open"):
        return _gone_by(pid, time.monotonic() + seconds)
    try:
        held = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    except OSError:
        return _gone_by(pid, time.monotonic() + seconds)
    try:
        poll = select.poll()
        poll.register(held, select.POLLIN)
        return bool(poll.poll(seconds * 1000))
    finally:
        os.close(held)


def _gone_by(pid: int, end: float) -> bool:
    while Path(f"/proc/{pid}").exists():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True
