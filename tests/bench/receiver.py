"""The receiver: processor time of a durable acknowledgement beside an endpoint that only checks the
signature, and beside Probot, which keeps nothing, where `HOB_BENCH_PROBOT` names a folder in which
`npm install probot@14` was done."""

import asyncio
import os
import socket
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from bot.queue.embedded import Embedded
from bot.store import migrate, open_store
from bot.testing.github import GitHubStandIn
from tests.bench.figure import Figure
from tests.bench.load import delivery, send
from tests.running import environment

SIZE = 24_000
DELIVERIES = 1_000
ROUNDS = 5
AT_ONCE = 200


def figures(folder: Path) -> Iterator[Figure]:
    with GitHubStandIn(folder / "github") as github, ExitStack() as stack:
        github.install_app("octo")
        settings = environment(folder, github, "http://127.0.0.1:9", "none")
        (folder / "data").mkdir(mode=0o700)
        database = f"sqlite:///{folder / 'data' / 'hob.db'}"
        migrate(database)
        redis = Embedded(folder / "data")  # so that the wake-ups cost what they cost
        redis.start()
        stack.callback(redis.stop)

        def serving(command: list[str], environ: dict[str, str] | None = None) -> Server:
            return stack.enter_context(_serving(command, environ, folder))

        servers = {
            "bare": serving([sys.executable, "-m", "tests.bench.bare"]),
            "hob": serving([sys.executable, "-m", "bot.cli", "serve", "--port"], settings),
        }
        if probot := os.environ.get("HOB_BENCH_PROBOT"):
            (Path(probot) / "hob_bench.mjs").write_text(PROBOT)
            servers["probot"] = serving(["node", str(Path(probot) / "hob_bench.mjs")])
        costs, bursts = _measured(servers)
        store = open_store(database)
        stored = sum(store.inbox.counts().values())
        store.close()
    sent = (DELIVERIES * 2 + AT_ONCE) * ROUNDS
    yield from _figures(costs, bursts, stored, sent)


def _figures(
    costs: dict[tuple[str, int], float], bursts: dict[str, float], stored: int, sent: int
) -> Iterator[Figure]:
    for connections, most in ((8, 1.0), (1, 1.5)):
        ours, base = costs["hob", connections], costs["bare", connections]
        name = f"durable ack of a 24 KB delivery, CPU, {connections} connections ({stored} of {sent} stored)"
        note = f"{base:.0f} µs bare Starlette, HMAC only"
        yield Figure(name, f"{ours:.0f} µs", "<= 450 µs", ours <= 450 and stored == sent, note)
        yield Figure("times the bare endpoint", f"{ours / base:.1f} x", "<= 6 x", ours <= 6 * base, note)
        if theirs := costs.get(("probot", connections)):
            note = f"{theirs:.0f} µs Probot, in memory"
            met = ours <= most * theirs
            yield Figure("times Probot", f"{ours / theirs:.2f} x", f"<= {most} x", met, note)
    if theirs := bursts.get("probot"):
        share, note = bursts["hob"] / theirs, f"{theirs:.0f} ms Probot"
        name = f"{AT_ONCE} at once, all acknowledged: times Probot"
        yield Figure(name, f"{share:.2f} x", "<= 0.6 x", share <= 0.6, note)


Server = tuple[int, str]


def _measured(servers: dict[str, Server]) -> tuple[dict[tuple[str, int], float], dict[str, float]]:
    """The median of each in turn: microseconds of processor time for a delivery, by server and connections;
    milliseconds for `AT_ONCE` over as many connections, by server."""
    costs, bursts = defaultdict[tuple[str, int], list[float]](list), defaultdict[str, list[float]](list)
    for _ in range(ROUNDS):
        for name, server in servers.items():
            for connections in (8, 1):
                costs[name, connections].append(_cost(server, connections))
            bursts[name].append(_burst(server))
    return (
        {each: statistics.median(found) for each, found in costs.items()},
        {each: statistics.median(found) for each, found in bursts.items()},
    )


def _cost(server: Server, connections: int) -> float:
    """Microseconds of processor time for each delivery."""
    pid, url = server
    requests = [delivery(SIZE) for _ in range(DELIVERIES)]
    before = _cpu(pid)
    answers = asyncio.run(send(url, requests, connections))
    assert {answer.status for answer in answers} <= {200, 202}, answers[:3]
    return (_cpu(pid) - before) / DELIVERIES * 1e6


def _burst(server: Server) -> float:
    """Milliseconds until all are acknowledged."""
    requests = [delivery(SIZE) for _ in range(AT_ONCE)]
    begun = time.perf_counter()
    answers = asyncio.run(send(server[1], requests, AT_ONCE))
    assert {answer.status for answer in answers} <= {200, 202}, answers[:3]
    return (time.perf_counter() - begun) * 1e3


def _cpu(pid: int) -> float:
    """Seconds on a processor, of all threads, counted by the scheduler in nanoseconds."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


PROBOT = """
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { createNodeMiddleware, createProbot } from "probot";
const pem = { type: "pkcs1", format: "pem" };
const made = { modulusLength: 2048, privateKeyEncoding: pem, publicKeyEncoding: pem };
const { privateKey } = generateKeyPairSync("rsa", made);
const overrides = { appId: "1", privateKey, secret: "It's a Secret to Everybody", logLevel: "fatal" };
const probot = createProbot({ overrides });
const app = (app) => { app.onAny(() => {}); };
const answer = await createNodeMiddleware(app, { probot, webhooksPath: "/webhook" });
createServer((asked, told) => { answer(asked, told); }).listen(Number(process.argv[2]), "127.0.0.1");
"""


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
