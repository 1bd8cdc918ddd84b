"""The receiver: processor time of a durable acknowledgement beside an endpoint that only checks the
signature."""

import asyncio
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from bot.store import migrate, open_store
from bot.testing.github import GitHubStandIn
from tests.bench.figure import Figure
from tests.bench.load import delivery, send
from tests.running import environment

SIZE = 24_000
DELIVERIES = 1_000
ROUNDS = 5


def figures(folder: Path) -> Iterator[Figure]:
    with GitHubStandIn(folder / "github") as github:
        github.install_app("octo")
        settings = environment(folder, github, "http://127.0.0.1:9", "none")
        (folder / "data").mkdir(mode=0o700)
        database = f"sqlite:///{folder / 'data' / 'hob.db'}"
        migrate(database)
        bare, ours, single = [], [], []
        with _serving([sys.executable, "-m", "tests.bench.bare"], None, folder) as baseline:
            serve = [sys.executable, "-m", "bot.cli", "serve", "--port"]
            with _serving(serve, settings, folder) as receiver:
                for _ in range(ROUNDS):
                    bare.append(_cost(baseline, connections=8))
                    ours.append(_cost(receiver, connections=8))
                    single.append(_cost(receiver, connections=1))
        store = open_store(database)
        stored = sum(store.inbox.counts().values())
        store.close()
    cost, base, alone = (statistics.median(each) for each in (ours, bare, single))
    sent = DELIVERIES * ROUNDS * 2
    note = f"{base:.0f} µs bare Starlette, HMAC only"
    name = f"durable ack of a 24 KB delivery, CPU, 8 connections ({stored} of {sent} stored)"
    yield Figure(name, f"{cost:.0f} µs", "<= 450 µs", cost <= 450 and stored == sent, note)
    yield Figure(
        "the same, one connection: a commit each", f"{alone:.0f} µs", "<= 450 µs", alone <= 450, note
    )
    yield Figure("times the bare endpoint", f"{cost / base:.1f} x", "<= 6 x", cost <= 6 * base, note)


Server = tuple[int, str]


def _cost(server: Server, connections: int) -> float:
    """Microseconds of processor time for each delivery."""
    pid, url = server
    requests = [delivery(SIZE) for _ in range(DELIVERIES)]
    before = _cpu(pid)
    answers = asyncio.run(send(url, requests, connections))
    assert {answer.status for answer in answers} == {202}, answers[:3]
    return (_cpu(pid) - before) / DELIVERIES * 1e6


def _cpu(pid: int) -> float:
    """Seconds on a processor, of all threads, counted by the scheduler in nanoseconds."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


@contextmanager
def _serving(command: list[str], settings: dict[str, str] | None, folder: Path) -> Iterator[Server]:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        port = listening.getsockname()[1]
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen([*command, str(port)], env=settings, stdout=log, stderr=log)
    try:
        _await_port(port)
        yield process.pid, f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def _await_port(port: int) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return
