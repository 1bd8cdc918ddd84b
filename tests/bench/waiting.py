"""While models think: health, acknowledgements and memory."""

import asyncio
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bot.store import open_store
from bot.testing.github import GitHubStandIn
from tests.bench.figure import Figure
from tests.bench.load import delivery, get, quantile, send
from tests.fakes.acts import hang
from tests.fakes.models import FakeOllama
from tests.running import RunningHob, environment, running_hob, wait_for


def figures(folder: Path) -> Iterator[Figure]:
    for name, runs in (("eight", 8), ("thirtytwo", 32)):
        place = folder / name
        place.mkdir()
        with GitHubStandIn(place / "github") as github, FakeOllama() as ollama:
            ollama.answer = lambda _: hang
            github.install_app("octo", slug="my-hob")
            settings = environment(place, github, ollama.url, next(iter(ollama.models)))
            with running_hob(place, settings, "-n", str(runs)) as hob:
                time.sleep(3)
                if runs == 32:
                    yield _idle(hob)
                github.send_webhooks_to(f"{hob.url}/webhook")
                _busy(github, ollama, runs, hob)
                yield from (_burst(hob, place) if runs == 8 else _waiting(hob))


def _busy(github: GitHubStandIn, ollama: FakeOllama, runs: int, hob: RunningHob) -> None:
    """So many reviews wait on the model."""
    repo = github.repository("octo/tea", private=True, files={"a.py": "x = 1\n"})
    for number in range(runs):
        repo.open_pull_request(f"P{number}", {f"f{number}.py": "y = 2\n"}, author="ann", branch=f"b{number}")
    wait_for(lambda: ollama.now >= runs, 120, hob)


def _burst(hob: RunningHob, folder: Path) -> Iterator[Figure]:
    """200 deliveries over 200 connections at once, several times."""
    p99s, total, good = [], 0, True
    for _ in range(5):
        requests = [delivery(24_000) for _ in range(200)]
        answers = asyncio.run(send(hob.url, requests, 200))
        p99s.append(quantile([one.seconds for one in answers], 0.99))
        good &= {one.status for one in answers} == {202}
        total += len(answers)
    store = open_store(f"sqlite:///{folder / 'data' / 'hob.db'}")
    durable = sum(store.inbox.counts().values()) - 8
    store.close()
    p99 = statistics.median(p99s)
    met = good and durable == total and p99 < 1
    told = f"p99 {p99 * 1000:.0f} ms, {'all 202' if good else 'not all 202'}, {durable} of {total} durable"
    yield Figure(
        "200 deliveries at once, 8 runs in progress",
        told,
        "all 202, durable, p99 < 1 s",
        met,
        "PR-Agent 6.2-6.6 s",
    )


def _waiting(hob: RunningHob) -> Iterator[Figure]:
    answers = asyncio.run(send(hob.url, [get("/healthz") for _ in range(2_000)], 4))
    p99 = quantile([one.seconds for one in answers], 0.99)
    good = {one.status for one in answers} == {200}
    told = f"{p99 * 1000:.1f} ms"
    yield Figure(
        "/healthz p99 while 32 runs wait on a hanging model",
        told,
        "< 50 ms",
        good and p99 < 0.05,
        "PR-Agent 13.15 s",
    )
    memory = hob.pss()["work"]
    yield Figure(
        "worker with 32 waiting runs, PSS",
        f"{memory:.0f} MB",
        "<= 80 MB",
        memory <= 80,
        "RQ fork pool 608 MB",
    )


def _idle(hob: RunningHob) -> Figure:
    memory: dict[str, Any] = hob.pss()
    total = sum(memory.values())
    told = f"{total:.0f} MB (" + ", ".join(f"{name} {size:.0f}" for name, size in memory.items()) + ")"
    return Figure(
        "idle, everything that `hob up` runs, PSS", told, "<= 100 MB", total <= 100, "PR-Agent 226 MB"
    )
