"""The dashboard's pages over a database that has lived: 10,000 runs, 50,000 findings."""

import asyncio
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from bot.core.hosts import Host
from bot.store import Store
from bot.store.tables import calls, findings, inbox, issues, memory, outbox, repositories, runs
from tests.bench.figure import Figure
from tests.databases import at_newest_schema
from tests.web.conftest import TOKEN, opened

RUNS, FINDINGS, ROUNDS = 10_000, 50_000, 5
MOST_MS, MOST_KB = 100, 100
PAGES = (
    *(
        "/",
        "/pulls",
        "/issues",
        "/issues/7/3",
        "/findings",
        "/findings?by=week&outcome=open",
        "/findings?q=row",
    ),
    *("/runs", "/runs?internal=true&q=judge", "/runs/5000", "/drafts", "/memory", "/repositories"),
    *("/repositories/octo/r7", "/hosts", "/deliveries", "/deliveries?q=octo", "/budget"),
)


# fmt: off
def fill(store: Store) -> None:
    """As Hob leaves it, in few statements."""
    now = time.time()
    with store.database.write() as connection:
        connection.execute(
            repositories.insert(),
            [
                {"id": n, "name": f"octo/r{n}", "installation_id": 1, "private": True, "told_at": now}
                for n in range(50)
            ],
        )
        connection.execute(
            issues.insert(),
            [
                {
                    "repo_id": n % 50,
                    "number": n // 50,
                    "is_pull": n % 3 > 0,
                    "title": f"Change number {n} of the tea",
                    "author": "mona",
                    "state": ("open", "closed", "merged")[n % 3],
                    "changed_at": now - n,
                }
                for n in range(2_000)
            ],
        )
        connection.execute(
            inbox.insert(),
            [
                {
                    "guid": f"guid-{n}",
                    "event": "pull_request",
                    "action": "opened",
                    "installation_id": 1,
                    "repo_id": n % 50,
                    "repo": f"octo/r{n % 50}",
                    "number": n // 250,
                    "sender": "mona",
                    "body": b"x",
                    "size": 1,
                    "received_at": now - RUNS + n,
                    "state": "routed",
                    "note": "",
                }
                for n in range(RUNS)
            ],
        )
        blank = {
            "superseded": False,
            "supersedes": True,
            "attempts": 0,
            "crashes": 0,
            "revivals": 0,
            "owner": "",
            "lease_until": 0.0,
            "fence": 1,
            "not_before": 0.0,
            "error": "",
            "host": "mini",
            "model": "qwen2.5-coder:14b",
            "tokens_in": 9_000,
            "tokens_out": 400,
        }
        connection.execute(
            runs.insert(),
            [
                {
                    **blank,
                    "delivery": f"guid-{n}",
                    "handler": "pull_requests.judge",
                    "priority": "default",
                    "target": f"{n % 50}#{n // 250}",
                    "repo_id": n % 50,
                    "repo": f"octo/r{n % 50}",
                    "head_sha": "a" * 40,
                    "state": "dead" if n % 97 == 0 else "done",
                    "arrived_at": now - RUNS + n,
                    "created_at": now - RUNS + n,
                    "started_at": now - RUNS + n,
                    "finished_at": now - RUNS + n + 30,
                    "summary": "2 findings in 3 of 3 files",
                }
                for n in range(RUNS)
            ],
        )
        connection.execute(
            outbox.insert(),
            [
                {
                    "key": f"{n:064d}",
                    "run_id": n + 1,
                    "target": f"{n % 50}#{n // 250}",
                    "ordinal": 1,
                    "kind": "SetCheck",
                    "payload": "{}",
                    "state": "done",
                    "attempts": 1,
                    "not_before": 0.0,
                    "fence": 1,
                    "url": "https://x/y",
                    "error": "",
                    "created_at": now,
                    "changed_at": now,
                }
                for n in range(RUNS)
            ],
        )
        connection.execute(
            calls.insert(),
            [
                {
                    "at": now,
                    "run_id": n + 1,
                    "repo": f"octo/r{n % 50}",
                    "prompt": "review",
                    "role": "review",
                    "host": "mini",
                    "model": "qwen2.5-coder:14b",
                    "tokens_in": 9_000,
                    "tokens_out": 400,
                    "seconds": 30.0,
                    "first_token_seconds": 9.0,
                    "failure": "",
                    "left_out": "[]",
                    "cost_usd": 0.0,
                    "cached": False,
                }
                for n in range(RUNS)
            ],
        )
        connection.execute(
            findings.insert(),
            [
                {
                    "run_id": n // 5 + 1,
                    "n": n % 5,
                    "repo_id": n // 5 % 50,
                    "number": n // 1_250,
                    "head_sha": "a" * 40,
                    "fingerprint": f"{n:024x}",
                    "path": f"src/module_{n % 400}.py",
                    "line": n % 900 + 1,
                    "severity": ("critical", "major", "minor", "nit")[n % 4],
                    "category": "bug",
                    "source": "model",
                    "model": "qwen2.5-coder:14b",
                    "title": f"Loses row {n} where the list is empty",
                    "state": ("said", "held back", "refused")[n % 3],
                    "why": "",
                    "outcome": "fixed" if n % 7 == 0 else "",
                    "liked": 0,
                    "disliked": 0,
                    "at": now - (FINDINGS - n) * 300,
                }
                for n in range(FINDINGS)
            ],
        )
        connection.execute(memory.insert(), [
            {"repo_id": n % 50, "n": n // 50 + 1, "kind": "dismissal", "text": "By design.", "author": "mona",
             "number": 3, "fingerprint": f"{n * 11:024x}", "path": "src/a.py", "category": "bug",
             "title": "Loses a row", "source": "model", "words": "a b c", "at": now - n, "expires": None}
            for n in range(2_000)
        ])


# fmt: on
async def measured(store: Store) -> list[tuple[str, float, float]]:
    """(page, median milliseconds, kB) of each."""
    found = []
    host = Host("mini", "scripted", "")
    async with opened(store, model_hosts=(host,)) as front:
        for path in PAGES:
            took = []
            for _ in range(ROUNDS):
                begun = time.perf_counter()
                answer = await _page(front.client, path)
                took.append(1000 * (time.perf_counter() - begun))
            found.append((path, statistics.median(took), len(answer.content) / 1000))
    return found


async def _page(client: httpx.AsyncClient, path: str) -> httpx.Response:
    headers = {"authorization": f"Bearer {TOKEN}", "accept": "text/html"}
    answer = await client.get(path, headers=headers)
    assert answer.status_code == 200, (path, answer.status_code)
    return answer


def figures(folder: Path) -> Iterator[Figure]:
    url = f"sqlite:///{folder}/hob.db"
    at_newest_schema(url)
    store = Store(url)
    fill(store)
    pages = asyncio.run(measured(store))
    store.close()
    slowest = max(pages, key=lambda one: one[1])
    largest = max(pages, key=lambda one: one[2])
    name = f"{RUNS:,} runs, {FINDINGS:,} findings"
    yield Figure(
        f"slowest page of the dashboard ({slowest[0]}), {name}",
        f"{slowest[1]:.0f} ms",
        f"< {MOST_MS} ms",
        slowest[1] < MOST_MS,
        ", ".join(f"{path} {ms:.0f}" for path, ms, _ in pages),
    )
    yield Figure(
        f"largest page ({largest[0]})", f"{largest[2]:.0f} kB", f"< {MOST_KB} kB", largest[2] < MOST_KB
    )
