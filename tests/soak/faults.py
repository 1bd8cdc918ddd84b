"""What goes wrong during a soak, and when: all by chance of a seed."""

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from redis.exceptions import RedisError

from bot.testing.github import GitHubStandIn
from bot.testing.github.faults import FaultKind
from tests.soak.machines import Machines
from tests.soak.people import LOAD

REPOSITORY, GRAPHQL, TOKENS = "^/repos/{account}/", "^/graphql$", "/access_tokens$"
OF_GITHUB: tuple[tuple[FaultKind, str, str, int, float], ...] = (
    ("answer", "GET", REPOSITORY, 502, 0),
    ("answer", "POST", REPOSITORY, 503, 0),
    ("answer", "POST", GRAPHQL, 502, 0),
    ("answer", "POST", TOKENS, 500, 0),
    ("apply_then_answer", "POST", REPOSITORY, 502, 0),
    ("apply_then_reset", "POST", REPOSITORY, 0, 0),
    ("apply_then_reset", "POST", REPOSITORY, 0, 0),
    ("apply_then_reset", "PATCH", REPOSITORY, 0, 0),
    ("reset", "*", REPOSITORY, 0, 0),
    ("retry_after", "POST", REPOSITORY, 0, 2),
    ("too_many", "*", REPOSITORY, 0, 3),
    ("rate_limited", "GET", REPOSITORY, 0, 3),
    ("partly", "POST", GRAPHQL, 1, 0),
)
"""(kind, method, path, status, seconds)"""


@dataclass(frozen=True)
class Struck:
    """A fault that happened. `account`: whose requests it hit; empty: everybody's."""

    at: float
    what: str
    account: str = ""


class Faults:
    """A thread that lets them happen at their times. `a_minute`: of GitHub's, and of processes."""

    def __init__(
        self,
        machines: Machines,
        github: GitHubStandIn,
        chance: random.Random,
        seconds: float,
        a_minute: tuple[float, float],
        *,
        without: tuple[str, ...] = (),
    ) -> None:
        self._machines, self._github, self._chance = machines, github, chance
        of_processes: dict[str, Callable[[], None]] = {
            "worker killed": self._kill_worker,
            "receiver restarted": self._restart_receiver,
            "Redis restarted": self._restart_redis,
            "Redis emptied": self._empty_redis,
            "PostgreSQL restarted": self._restart_postgres,
            "model host died": self._kill_host,
        }
        self._ways = {name: way for name, way in of_processes.items() if name not in without}
        github_times = sorted(chance.uniform(0, seconds) for _ in range(round(a_minute[0] * seconds / 60)))
        count = max(round(a_minute[1] * seconds / 60), len(self._ways))
        gap = seconds / count
        names = [name for _ in range(count // len(self._ways) + 1) for name in self._ways][:count]
        chance.shuffle(names)
        # one in each stretch of time, and each kind about as often: else two at once hide what one does
        times = [gap * n + chance.uniform(0.1, 0.6) * gap for n in range(count)]
        self._todo = sorted([*((at, "GitHub") for at in github_times), *zip(times, names, strict=True)])
        self.struck: list[Struck] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="faults", daemon=True)

    def start(self) -> None:
        self._begun = time.monotonic()
        self._thread.start()

    def stop(self) -> None:
        """Waits for the one that is under way; nothing is wrong afterwards."""
        self._stop.set()
        self._thread.join(60)
        with self._github.changed:
            self._github.faults.clear()

    @property
    def counts(self) -> Counter[str]:
        return Counter(one.what for one in list(self.struck))

    def _run(self) -> None:
        for at, name in self._todo:
            if self._stop.wait(max(0.0, self._begun + at - time.monotonic())):
                return
            if name == "GitHub":
                self._spoil_github()
            else:
                self.struck.append(Struck(time.monotonic(), name))
                self._ways[name]()

    def _spoil_github(self) -> None:
        kind, method, path, status, seconds = self._chance.choice(OF_GITHUB)
        account = self._chance.choices(list(LOAD), list(LOAD.values()))[0]
        with self._github.changed:
            left = [one for one in self._github.faults if not one.used_up]
            self._github.faults[:] = left
            times, where = self._chance.randint(1, 3), path.format(account=account)
            self._github.fault(method, where, kind=kind, times=times, status=status, seconds=seconds)
        words = f"GitHub: {kind} {status or ''}".strip()
        self.struck.append(Struck(time.monotonic(), words, account if path == REPOSITORY else ""))

    def _kill_worker(self) -> None:
        """Never the first: the memory of a whole run is to be seen."""
        self._chance.choice(self._machines.workers[1:]).kill()

    def _restart_receiver(self) -> None:
        self._machines.receiver.kill(self._chance.choice((signal.SIGKILL, signal.SIGTERM)))

    def _restart_redis(self) -> None:
        self._machines.redis.kill()

    def _empty_redis(self) -> None:
        client = self._machines.client()
        try:
            client.flushall()
        except RedisError:
            pass
        finally:
            client.close()

    def _restart_postgres(self) -> None:
        self._machines.cluster.stop(self._chance.choice(("immediate", "fast")))
        self._machines.cluster.start()

    def _kill_host(self) -> None:
        host = self._chance.choice(self._machines.hosts)
        host.kill(down=self._chance.uniform(2, 10))
