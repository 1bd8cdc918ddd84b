"""Calls an hour and latency of polling, by the real poller over HTTP against the stand-in, on the stand-in's
clock: it jumps from one look to the next, so an hour takes seconds.

The way from the inbox to the start of a run is measured apart, in a real `hob up` on the real clock, and
added to the former, each pair by chance.
"""

import asyncio
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from bot.core.polling_pace import HOUR
from bot.github.payloads import reads
from bot.runs.polling import Poller
from bot.store import Run, open_store
from bot.testing.github import GitHubStandIn
from tests.bench.figure import Figure
from tests.fakes.models import FakeOllama
from tests.running import SLUG, environment, running_hob, wait_for
from tests.runs.test_polling import PollingHob, polling_hob

EVENTS = 60
HOURS = 16
QUESTIONS = 20
ACTIONS = {
    "push to a pull request": (3, ["push", "pull_request.synchronize", "check_suite.requested"]),
    "comment": (5, ["issue_comment.created"]),
    "review with three remarks": (
        2,
        ["pull_request_review.submitted", *["pull_request_review_comment.created"] * 3],
    ),
    "open a pull request": (1, ["push", "pull_request.opened", "check_suite.requested"]),
    "open an issue and mend its text": (1, ["issues.opened", "issues.edited"]),
    "checks end": (2, ["check_suite.completed", "check_run.completed"]),
}
"""What people do: how often of fourteen times, and the deliveries that come of it at once; of those with
`requested` and `check_run` Hob reads no payload."""
Hour = list[tuple[float, str]]
"""(seconds into the hour, event.action)"""


def in_spells(chance: random.Random) -> Hour:
    """People come, do two to six things with pauses between (20 s in the median), and go."""
    found: Hour = []
    while len(found) < EVENTS:
        at = chance.uniform(0, HOUR - 300)
        for _ in range(chance.randint(2, 6)):
            _, events = chance.choices(list(ACTIONS.values()), [often for often, _ in ACTIONS.values()])[0]
            found += [(at + 0.2 * n, event) for n, event in enumerate(events)]
            at += chance.lognormvariate(3.0, 0.8)
    return sorted(one for one in found[:EVENTS] if one[0] < HOUR)


def one_by_one(chance: random.Random) -> Hour:
    """Each for itself, at any moment: nothing tells when the next comes."""
    return sorted((chance.uniform(0, HOUR), "issue_comment.created") for _ in range(EVENTS))


def nothing(_: random.Random) -> Hour:
    return []


@dataclass
class Measured:
    calls: list[int] = field(default_factory=list)
    counted: list[int] = field(default_factory=list)
    """Without those that were answered 304, which GitHub says it does not count."""
    seconds: list[float] = field(default_factory=list)

    @property
    def most(self) -> str:
        return f"{max(self.calls)} ({max(self.counted)} without 304)"

    @property
    def median(self) -> float:
        return sorted(self.seconds)[len(self.seconds) // 2]


async def measure(folder: Path, hours: Callable[[random.Random], Hour], count: int) -> Measured:
    found = Measured()
    for seed in range(count):
        with (
            GitHubStandIn() as github,
            FakeOllama() as ollama,
            tempfile.TemporaryDirectory(dir=folder) as own,
        ):
            async with polling_hob(Path(own), github, ollama) as hob:
                await _hour(hob, hours(random.Random(seed)), found)
    return found


async def _hour(hob: PollingHob, hour: Hour, found: Measured) -> None:
    github = hob.github
    waiting: list[float] = []

    def arrived() -> None:
        found.seconds.append(github.now() - waiting.pop(0))

    poller = Poller(hob.services, arrived, github.now)
    await poller.look()
    github.clock_offset += HOUR  # what its start costs is over
    await poller.look()
    before, begun, into = len(github.requests), github.now() + 1, 0.0
    while into < HOUR:
        while hour and hour[0][0] <= into:
            (at, event), *hour = hour
            _shows(github, begun + at)
            name, _, action = event.partition(".")
            github.deliver(name, _payload(action))
            waiting += [begun + at] if reads(name, action) else []
        _shows(github, begun + into)
        into += await poller.look()
    asked = list(github.requests)[before:]
    found.calls.append(len(asked))
    found.counted.append(sum(one.status != 304 for one in asked))


def _shows(github: GitHubStandIn, when: float) -> None:
    github.clock_offset = when - time.time()


def _payload(action: str) -> dict[str, object]:
    repository = {"id": 11, "full_name": "octo/tea", "name": "tea", "owner": {"login": "octo"}}
    told = {"repository": repository, "sender": {"login": "ann", "id": 1}, "installation": {"id": 3}}
    return {**told, **({"action": action} if action else {"ref": "refs/heads/pot"})}


def to_the_run(folder: Path) -> list[float]:
    """Seconds from the inbox to the start of the run, of so many questions."""
    with GitHubStandIn(folder / "github") as github, FakeOllama() as ollama:
        github.install_app("octo", slug=SLUG, webhook_url="http://127.0.0.1:9/webhook")
        told = environment(folder, github, ollama.url, next(iter(ollama.models)), HOB_INTAKE__MODE="poll")
        store = open_store(f"sqlite:///{folder / 'data' / 'hob.db'}")
        repo = github.repository("octo/tea", files={"tea.py": "x = 1\n"})
        with running_hob(folder, told) as hob:
            for number in range(QUESTIONS):
                repo.open_issue(f"Cold {number}", author="ann").comment("ann", f"@{SLUG} help")
                time.sleep(1.0)

            def asked() -> list[Run]:
                runs = store.runs.latest(500)
                return [one for one in runs if one.handler == "comments.show_help" and one.started_at]

            wait_for(lambda: len(asked()) == QUESTIONS, 120, hob)
            lines = [json.loads(line) for line in hob.log.splitlines() if '"delivery recovered"' in line]
        kept = {one["delivery"]: datetime.fromisoformat(one["time"]).timestamp() for one in lines}
        found = [run.started_at - kept[run.delivery] for run in asked() if run.started_at]
        store.close()
        return found


def figures(folder: Path) -> Iterator[Figure]:
    rest = asyncio.run(measure(folder, nothing, 1))
    yield Figure(
        "poll: calls an hour at rest", rest.most, "<= 70", max(rest.calls) <= 70, "720, computed, every 5 s"
    )
    spells = asyncio.run(measure(folder, in_spells, HOURS))
    within = max(spells.calls) <= 200
    yield Figure(
        "poll: calls behind 60 events, people in spells, most of 16 hours", spells.most, "<= 200", within
    )
    delivered = f"{spells.median:.1f} s"
    yield Figure(
        "poll: delivery to inbox, p50",
        delivered,
        "none",
        True,
        "30 s, computed, every 60 s",
    )
    place = folder / "up"
    place.mkdir()
    started, chance = to_the_run(place), random.Random(1)
    inner = statistics.median(started)
    told = f"{inner:.2f} s, at most {max(started):.2f}"
    yield Figure("poll: inbox to the start of the run, p50, `hob up`", told, "none", True)
    whole = statistics.median(one + chance.choice(started) for one in spells.seconds)
    yield Figure("poll: delivery to the start of the run, p50", f"{whole:.1f} s", "<= 6 s", whole <= 6)
    alone = asyncio.run(measure(folder, one_by_one, 2))
    within = max(alone.calls) <= 200
    yield Figure(
        "poll: calls behind 60 events, each at any moment, most of 2 hours", alone.most, "<= 200", within
    )
    yield Figure(
        "poll: delivery to inbox, p50",
        f"{alone.median:.1f} s",
        "none",
        True,
        "13 s, computed, 140 looks evenly",
    )
