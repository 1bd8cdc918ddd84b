"""A soak: people, faults and a watch over all of it, for so many minutes."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from redis.exceptions import RedisError

from bot.testing.github import GitHubStandIn
from bot.testing.github.exchange import Exchange
from tests.soak.faults import Faults, Struck
from tests.soak.machines import Machines, wait
from tests.soak.oracle import LIVE, Ledger, Verdict, applied, judge, note_ends, trim
from tests.soak.people import LOAD, QUIET, Act, People
from tests.soak.sampling import Life, Sampler, cpu

HOST_SECONDS = 0.3
"""What an answer of a model host takes."""
ALONE_GAP = 2.0
"""Seconds between two events of the quiet account while it is alone."""
TOUCHED_SECONDS = 15.0
"""For so long after a fault of a process an event may wait for it: a lease is 10 s, a restart some more."""
SAYS_EVERY = 10.0


@dataclass(frozen=True)
class Plan:
    """`github` and `processes`: faults a minute. `alone`: events of the quiet account before all others;
    `quiet`: how many it has at least afterwards, for its p95 to mean something."""

    seconds: float
    events: int
    seed: int
    alone: int = 20
    quiet: int = 20
    github: float = 8.0
    processes: float = 1.0
    without: tuple[str, ...] = ()
    settle_seconds: float = 300.0


@dataclass
class Soaked:
    """What came of it. `lag`: seconds by which the latest event was behind its time."""

    plan: Plan
    acts: list[Act]
    alone: list[Act]
    took: float
    lag: float
    settled_after: float
    verdict: Verdict
    struck: list[Struck]
    lives: list[Life]
    ended_by_themselves: dict[str, int] = field(default_factory=dict)
    restarts: dict[str, int] = field(default_factory=dict)
    redis_keys: dict[str, int] = field(default_factory=dict)
    connections: int = 0
    cpu: dict[str, float] = field(default_factory=dict)
    """Seconds, by what used them; `people`: this process, GitHub's stand-in with it."""

    @property
    def unsettled(self) -> list[Act]:
        return [one for one in self.acts if not one.settled]

    def of_quiet(self, *, touched: bool) -> list[float]:
        """Seconds from an event of the quiet account to its effect; without `touched` only of those that no
        fault of a process, or of its own requests, came near."""
        acts = [one for one in self.acts if one.account == QUIET and one.seen_at]
        return [one.seconds for one in acts if touched or not self._touched(one)]

    def _touched(self, act: Act) -> bool:
        return any(
            act.at - TOUCHED_SECONDS <= one.at <= act.seen_at and one.account in ("", QUIET)
            for one in self.struck
        )


class Soak:
    """`say` is given a line now and then."""

    def __init__(self, folder: Path, plan: Plan, say: Callable[[str], None]) -> None:
        self.plan, self._folder, self._say = plan, folder, say
        self._writes: list[tuple[str, str]] = []

    def run(self) -> Soaked:
        with GitHubStandIn(self._folder / "github") as github:
            github.limits.per_hour = github.limits.app_per_hour = 10**9  # a day's work in half an hour
            people = People(github, random.Random(f"people {self.plan.seed}"))
            github.observers += [people.observe, self._note]
            with Machines(self._folder, github, HOST_SECONDS) as machines:
                github.send_webhooks_to(machines.webhook)
                with self._watched(machines, people) as (ledger, sampler):
                    return self._run(github, people, machines, ledger, sampler)

    @contextmanager
    def _watched(self, machines: Machines, people: People) -> Iterator[tuple[Ledger, Sampler]]:
        ledger, sampler = Ledger(machines.database_url), Sampler(machines)
        sampler.start()
        try:
            yield ledger, sampler
        finally:
            sampler.stop()
            ledger.close()

    def _run(
        self, github: GitHubStandIn, people: People, machines: Machines, ledger: Ledger, sampler: Sampler
    ) -> Soaked:
        self._say(f"seed {self.plan.seed}; the quiet account alone: {self.plan.alone} events")
        for _ in range(self.plan.alone):
            people.act(QUIET)
            time.sleep(ALONE_GAP)
        self._settle(people, ledger, 120)
        alone = list(people.acts)
        chance = random.Random(f"faults {self.plan.seed}")
        pace = (self.plan.github, self.plan.processes)
        faults = Faults(machines, github, chance, self.plan.seconds, pace, without=self.plan.without)
        begun = time.monotonic()
        faults.start()
        telling = threading.Event()
        teller = threading.Thread(
            target=self._tell, args=(telling, begun, people, faults, sampler, ledger), daemon=True
        )
        teller.start()
        try:
            lag = self._act(people, begun)
            took = time.monotonic() - begun
            faults.stop()
            wait(lambda: all(one.is_up for one in machines.all), 60, "not all processes came back")
        finally:
            telling.set()
            teller.join(30)
        ended = time.monotonic()
        self._settle(people, ledger, self.plan.settle_seconds)
        settled_after = time.monotonic() - ended
        with github.changed:
            verdict = judge(people, ledger, self._writes)
        found = Soaked(
            self.plan,
            people.acts[len(alone) :],
            alone,
            took,
            lag,
            settled_after,
            verdict,
            faults.struck,
            sampler.lives,
        )
        for one in machines.hob:
            found.ended_by_themselves[one.name] = one.ended_by_itself
            found.restarts[one.name] = one.starts - 1
        found.redis_keys = _keys_of(machines)
        found.cpu = self._cpu(sampler, machines)
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        found.connections = int(ledger.rows(query)[0][0]) - 1
        return found

    def _cpu(self, sampler: Sampler, machines: Machines) -> dict[str, float]:
        found = Counter({"people": time.process_time()})
        for life in sampler.lives:
            found[life.name.partition("-")[0]] += life.cpu
        for one in [*machines.hosts, machines.redis]:
            if one.process is not None:
                found[one.name.partition("-")[0]] += cpu(one.process.pid)
        postgres = int((machines.cluster.folder / "data" / "postmaster.pid").read_text().split()[0])
        found["postgres"] += cpu(postgres)
        return dict(found)

    def _act(self, people: People, begun: float) -> float:
        """All events at their times; gives by how many seconds the latest was late."""
        chance = random.Random(f"times {self.plan.seed}")
        accounts = chance.choices(list(LOAD), list(LOAD.values()), k=self.plan.events)
        for n in chance.sample(range(self.plan.events), self.plan.quiet):
            accounts[n] = QUIET
        times = sorted(chance.uniform(0, self.plan.seconds) for _ in accounts)
        lag = 0.0
        for at, account in zip(times, accounts, strict=True):
            time.sleep(max(0.0, begun + at - time.monotonic()))
            lag = max(lag, time.monotonic() - begun - at)
            people.act(account)
        return lag

    def _note(self, exchange: Exchange) -> None:
        """An observer of the stand-in; what it has taken note of need not be kept."""
        if applied(exchange):
            self._writes.append((exchange.method, exchange.path))

    def _settle(self, people: People, ledger: Ledger, seconds: float) -> None:
        """Until nothing is under way any more, or the time is over."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with suppress(psycopg.Error):
                if self._look(people, ledger) == 0 and _at_rest(ledger):
                    return
            time.sleep(0.5)

    def _look(self, people: People, ledger: Ledger) -> int:
        """How many events are not settled yet."""
        with people.github.changed:
            people.look()
            trim(people.github)
        open_acts = [one for one in list(people.acts) if not one.settled]
        note_ends(ledger, open_acts)
        return sum(not one.settled for one in open_acts)

    def _tell(
        self,
        over: threading.Event,
        begun: float,
        people: People,
        faults: Faults,
        sampler: Sampler,
        ledger: Ledger,
    ) -> None:
        while not over.wait(SAYS_EVERY):
            left: object = "?"
            with suppress(psycopg.Error):
                left = self._look(people, ledger)
            memory = " ".join(f"{name} {size:.0f}" for name, size in sampler.now().items())
            elapsed = time.monotonic() - begun
            told = ", ".join(f"{count} {what}" for what, count in _grouped(faults.counts).items())
            made = len(people.acts) - self.plan.alone
            self._say(
                f"{elapsed // 60:02.0f}:{elapsed % 60:02.0f}  {made} of {self.plan.events} events, {left} not"
                f" settled; faults: {told or 'none'}; MB: {memory}"
            )


def _grouped(counts: Counter[str]) -> dict[str, int]:
    """GitHub's of every kind as one."""
    found: Counter[str] = Counter()
    for what, count in counts.items():
        found[what.partition(":")[0]] += count
    return dict(sorted(found.items()))


def _at_rest(ledger: Ledger) -> bool:
    """Whether what deliveries caused is over, that of Hob's own doings too."""
    fresh = ledger.rows("SELECT count(*) FROM inbox WHERE state = 'new'")[0][0]
    query = "SELECT count(*) FROM runs JOIN inbox ON inbox.guid = runs.delivery WHERE runs.state = ANY(%s)"
    return not fresh and not ledger.rows(query, list(LIVE))[0][0]


def _keys_of(machines: Machines) -> dict[str, int]:
    """How many keys Redis holds, and how many of those have no end."""
    client = machines.client()
    try:
        keys = list(client.scan_iter(count=1_000))
        return {"all": len(keys), "without an end": sum(client.ttl(key) == -1 for key in keys)}
    except RedisError:
        return {}
    finally:
        client.close()
