"""A whole Hob as its processes: a receiver, two workers of which one leads, and the embedded Redis. What dies
is started again when the test says so."""

import json
import os
import signal
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Literal

import redis

from bot.queue.connect import Unreachable, connect
from bot.queue.embedded import embedded_url
from bot.queue.leader import KEY
from tests.faults import crash_points
from tests.faults.forked import CLOCK, Forking, lives

Victim = Literal["self", "receiver", "worker", "leader", "redis", "tree"]
"""What dies: the process that comes to the point, or another one at that moment, or all."""
COMMANDS: dict[str, Sequence[str]] = {
    "receiver": ("serve",),
    "worker": ("work", "-n", "4"),
    "worker 2": ("work", "-n", "4"),
}
_UNSETTLED = {
    "deliveries without a run": "SELECT guid, event FROM inbox WHERE state = 'new'",
    "runs that are not over": (
        "SELECT id, handler, state, error FROM runs WHERE state IN ('queued', 'running', 'planned')"
        " AND delivery NOT LIKE 'schedule:%'"
    ),
    "effects that are not over": (
        "SELECT kind, state, error FROM outbox WHERE state IN ('planned', 'waiting', 'sending', 'ambiguous')"
        " AND target NOT LIKE '%/tick'"
    ),
    "dead runs": "SELECT id, handler, error FROM runs WHERE state = 'dead'",
}


class Tree:
    """`folder` is where its crash points are told what to do."""

    def __init__(self, forking: Forking, environment: Mapping[str, str], url: str, log: Path) -> None:
        self.forking, self.folder, self.url, self.log = forking, forking.folder, url, log
        self._environment = environment
        self.data = Path(environment["HOB_HOB__DATA_DIR"])
        self.pids: dict[str, int] = {}

    def prepare(self) -> None:
        """The data directory and the newest schema."""
        pid = self.forking.start(["prepare"], self._environment, self.log)
        wait_until(lambda: not lives(pid), 60)

    def tend(self) -> list[str]:
        """Starts what is dead; gives which that were."""
        dead = [name for name in COMMANDS if name not in self.pids or not lives(self.pids[name])]
        for name in dead:
            self.pids[name] = self.forking.start(COMMANDS[name], self._environment, self.log)
        return dead

    def redis(self) -> "redis.Redis":
        return connect(embedded_url(self.data))

    def redis_pid(self) -> int:
        """0 where none answers."""
        client = self.redis()
        try:
            return int(client.info("server")["process_id"])  # type: ignore[index]
        except Unreachable:
            return 0
        finally:
            client.close()

    def leader(self) -> str:
        """The worker that turns what is due into runs; some worker where none does."""
        client = self.redis()
        found = b""
        with suppress(*Unreachable):
            found = client.get(KEY) or b""  # type: ignore[assignment]
        client.close()
        pid = int(found.split(b":")[1]) if found else 0
        return next((name for name, one in self.pids.items() if one == pid), "worker")

    def of(self, victim: Victim) -> list[int]:
        """Process ids; 0 for the one that comes to the point."""
        match victim:
            case "self":
                return [0]
            case "redis":
                return [pid] if (pid := self.redis_pid()) else []
            case "tree":
                return [*self.pids.values(), *([pid] if (pid := self.redis_pid()) else [])]
            case "leader":
                return [self.pids[self.leader()]]
            case _:
                return [self.pids[victim]]

    def arm(self, point: str, nth: int, victim: Victim, how: int = signal.SIGKILL) -> None:
        kill = self.of(victim) or self.of("receiver")  # Redis may be away already
        crash_points.arm(self.folder, point, nth, kill, time.monotonic_ns(), how)

    def disarm(self) -> bool:
        """Whether it had come to the point."""
        return crash_points.disarm(self.folder) is not None

    def kill(self, victim: Victim) -> None:
        """Now."""
        for pid in self.of(victim):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def hit_by(self) -> int:
        """The process that came to the point."""
        found: int = json.loads((self.folder / crash_points.HIT).read_text())["pid"]
        return found

    def was_hit(self) -> bool:
        return (self.folder / crash_points.HIT).exists()

    def set_clock(self, seconds: float) -> None:
        """For all of its processes at once, while they run: so much ahead of the true time."""
        part = self.folder / f"{CLOCK}.part"
        part.write_text(str(seconds))
        part.replace(self.folder / CLOCK)

    def unsettled(self) -> dict[str, list[tuple[object, ...]]]:
        """What is not over in the database; empty when all is well."""
        with closing(self.connect()) as database:
            found = {what: database.execute(query).fetchall() for what, query in _UNSETTLED.items()}
        return {what: rows for what, rows in found.items() if rows}

    def connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self.data / "hob.db", timeout=10, isolation_level=None)

    def stop(self) -> None:
        """In peace."""
        for pid in self.pids.values():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
                os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not any(map(lives, self.pids.values())), 40)

    def said(self) -> str:
        return self.log.read_text(errors="replace")[-3000:]


def wait_until(true: Callable[[], object], seconds: float) -> bool:
    """Whether it became true."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True
