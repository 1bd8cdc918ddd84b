"""A control group for each run, where one is delegated to Hob: the kernel then counts memory and processes of
all that a run starts, and kills it at once. https://docs.kernel.org/admin-guide/cgroup-v2.html

systemd gives a service its own subtree with `Delegate=yes`, and `DelegateSubgroup=` keeps the service itself
in a leaf, as a group with processes of its own may not have others below that are limited.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bot.core.sandbox_types import TreeLimits

MOUNTED = Path("/sys/fs/cgroup")
NEEDED = ("memory", "pids")
GONE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class ControlGroup:
    """The group of one run."""

    folder: Path

    def joining(self, command: list[str]) -> list[str]:
        """The command, which first puts itself into the group."""
        return ["/bin/sh", "-c", 'echo $$ > "$0" && exec "$@"', str(self.folder / "cgroup.procs"), *command]

    def over(self) -> str:
        """Which of its limits was reached, for people; empty where none was."""
        if _events(self.folder / "memory.events").get("oom_kill"):
            return "it used more memory than it may"
        return ""

    def kill(self) -> None:
        """All that is in it."""
        with suppress(OSError):
            (self.folder / "cgroup.kill").write_text("1")


def parent(own: Path = Path("/proc/self/cgroup"), mounted: Path = MOUNTED) -> Path | None:
    """The group in which Hob may make others; None where none is delegated."""
    try:
        lines = own.read_text().splitlines()
        unified = next(line[3:] for line in lines if line.startswith("0::/"))
        found = (mounted / unified.lstrip("/")).parent
        controllers = (found / "cgroup.controllers").read_text().split()
        if (
            unified == "/"
            or not set(NEEDED) <= set(controllers)
            or (found / "cgroup.procs").read_text().strip()
        ):
            return None
    except (OSError, StopIteration):
        return None
    needed = (found, found / "cgroup.procs", found / "cgroup.subtree_control")
    return found if all(os.access(path, os.W_OK) for path in needed) else None


@contextmanager
def group(above: Path | None, name: str, limits: TreeLimits) -> Iterator[ControlGroup | None]:
    """A new group in `above`; nobody is left in it afterwards, and it is gone. None where none can be."""
    made = _made(above / name, limits) if above else None
    try:
        yield made
    finally:
        if made:
            made.kill()
            _removed(made.folder)


def _made(folder: Path, limits: TreeLimits) -> ControlGroup | None:
    try:
        for controller in NEEDED:
            (folder.parent / "cgroup.subtree_control").write_text(f"+{controller}")
        folder.mkdir()
        try:
            (folder / "memory.max").write_text(str(limits.memory_mb << 20))
            (folder / "pids.max").write_text(str(limits.processes + 8))  # of bubblewrap's own
            (folder / "memory.oom.group").write_text("1")
        except OSError:
            folder.rmdir()
            raise
    except OSError:
        return None
    with suppress(OSError):  # no swap here
        (folder / "memory.swap.max").write_text("0")
    return ControlGroup(folder)


def _removed(folder: Path) -> None:
    end = time.monotonic() + GONE_SECONDS
    while _events(folder / "cgroup.events").get("populated") and time.monotonic() < end:
        time.sleep(0.01)
    with suppress(OSError):
        folder.rmdir()


def _events(file: Path) -> dict[str, int]:
    with suppress(OSError, ValueError):
        return {
            name: int(value)
            for name, _, value in (line.partition(" ") for line in file.read_text().splitlines())
        }
    return {}
