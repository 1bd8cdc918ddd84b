"""Memory, descriptors and threads of processes over time, and how they grow. Linux (reads /proc)."""

import math
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.soak.machines import Machines

EVERY = 2.0
"""Seconds between two samples."""
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Sample:
    """`rss` in MB. What is private to a process would depend on who shares its libraries at the moment."""

    at: float
    rss: float
    descriptors: int
    threads: int


@dataclass
class Life:
    """One process from its start to its end; a restarted one has another."""

    name: str
    pid: int
    samples: list[Sample] = field(default_factory=list)
    cpu: float = 0.0

    def after(self, seconds: float) -> list[Sample]:
        """Without its first so many seconds."""
        return [one for one in self.samples if one.at >= self.samples[0].at + seconds]


@dataclass(frozen=True, slots=True)
class Slope:
    """Growth in MB/h, with its standard error; `hours` of processes' time it was seen in."""

    per_hour: float
    error: float
    hours: float


def slope(lives: Sequence[Sequence[tuple[float, float]]]) -> Slope:
    """Of (seconds, MB) by least squares: one slope for all lives, each with a level of its own, so that a
    restart is no fall and no growth."""
    xx = xy = yy = hours = 0.0
    count, levels = 0, 0
    for points in lives:
        if len(points) < 3:
            continue
        x = [at / 3600 for at, _ in points]
        y = [size for _, size in points]
        mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
        xx += sum((one - mean_x) ** 2 for one in x)
        xy += sum((one - mean_x) * (other - mean_y) for one, other in zip(x, y, strict=True))
        yy += sum((other - mean_y) ** 2 for other in y)
        hours += x[-1] - x[0]
        count, levels = count + len(points), levels + 1
    if xx == 0.0:
        return Slope(0.0, math.inf, 0.0)
    free = max(count - levels - 1, 1)
    found = xy / xx
    return Slope(found, math.sqrt(max(yy - found * xy, 0.0) / free / xx), hours)


class Sampler:
    """A thread that looks at the receiver and the workers."""

    def __init__(self, machines: Machines) -> None:
        self._machines = machines
        self.lives: list[Life] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(10)

    def of(self, prefix: str) -> list[Life]:
        return [one for one in self.lives if one.name.startswith(prefix)]

    def now(self) -> dict[str, float]:
        """MB by process."""
        last = {life.name: life.samples[-1].rss for life in list(self.lives) if life.samples}
        return dict(sorted(last.items()))

    def _run(self) -> None:
        while not self._stop.wait(EVERY):
            for one in self._machines.hob:
                if one.process is not None and one.process.poll() is None:
                    self._look(one.name, one.process.pid)

    def _look(self, name: str, pid: int) -> None:
        try:
            sample, used = look(pid), cpu(pid)
        except (OSError, ValueError, IndexError):
            return  # gone in this moment
        life = next((one for one in self.lives if one.pid == pid and one.name == name), None)
        if life is None:
            life = Life(name, pid)
            self.lives.append(life)
        life.samples.append(sample)
        life.cpu = used


def look(pid: int) -> Sample:
    """A process as it is now; OSError where it is no more."""
    folder = Path(f"/proc/{pid}")
    rss = int((folder / "statm").read_text().split()[1]) * PAGE / 1e6
    counts = (len(list((folder / part).iterdir())) for part in ("fd", "task"))
    return Sample(time.monotonic(), rss, *counts)


def cpu(pid: int) -> float:
    """Seconds of processor that a process and its children that ended have used; OSError where it is gone."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(one) for one in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def leaked(values: Sequence[int]) -> int:
    """By how much the least of the last third is above the most of the first third; 0 or less: nothing
    stays open."""
    third = len(values) // 3
    return min(values[-third:]) - max(values[:third]) if third else 0
