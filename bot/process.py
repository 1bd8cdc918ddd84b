"""Which process is this, and is that one still alive? Names that stay right across reused process ids and
machines."""

import hashlib
import multiprocessing
import os
import platform
import socket
import subprocess
import uuid
from collections.abc import Callable
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


class ProcessEnded(Exception):
    """A process of ours died, or was ended because it took too long."""


def apart(call: Callable[[], T], seconds: float) -> T:
    """What `call` gives, or the exception that it raises, in a process of its own which is killed after
    `seconds`: a thread cannot be left, and a regular expression holds every other thread of its process.
    `ProcessEnded` when nothing came. What goes over is pickled. Costs a second for the imports."""
    context = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_answer, args=(call, theirs), daemon=True)
    child.start()
    theirs.close()
    try:
        if not ours.poll(seconds):
            raise ProcessEnded(f"it took more than {seconds:g} seconds")
        value, error = ours.recv()
    except EOFError:
        raise ProcessEnded("its process died") from None
    finally:
        child.kill()
        child.join()
        ours.close()
    if error is not None:
        raise error
    answer: T = value
    return answer


def _answer(call: Callable[[], object], to: Connection) -> None:
    try:
        answer: tuple[object, Exception | None] = (call(), None)
    except Exception as error:  # whoever asked decides what it means
        answer = (None, error)
    to.send(answer)


@cache
def this_machine() -> str:
    """`hostname/8 hex digits`. The digits differ after a reboot and between process-id namespaces
    (containers), so that only processes whose ids mean the same thing share a name."""
    parts = [platform.system(), str(uuid.getnode())]
    if Path("/proc/self/ns/pid").exists():
        parts = [
            Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
            str(Path("/proc/self/ns/pid").readlink()),
        ]
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:8]
    return f"{socket.gethostname().replace(':', '-')[:80]}/{digest}"


def this_process() -> str:
    """`machine:pid:start`, the owner's name in leases."""
    return f"{this_machine()}:{os.getpid()}:{_started(os.getpid())}"


def is_gone(owner: str) -> bool:
    """True when `owner` was a process of this machine and lives no more. Of other machines nobody knows:
    False."""
    machine, _, rest = owner.partition(":")
    pid, _, start = rest.partition(":")
    if machine != this_machine() or not pid.isdecimal():
        return False
    return _started(int(pid)) != start


def _started(pid: int) -> str:
    """When a process started, in its system's own words; empty when there is none (a zombie counts as
    none)."""
    if Path("/proc/self/stat").exists():
        return _started_linux(pid)
    found = subprocess.run(  # noqa: S603
        ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    state, _, start = found.stdout.strip().partition(" ")
    return "" if state.startswith("Z") else start.strip().replace(":", ".")


def _started_linux(pid: int) -> str:
    """Field 22 of /proc/PID/stat, ticks since boot; the fields follow the last `)`. proc_pid_stat(5)"""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]
