"""How upgrade/store_0_1_0.sql and upgrade/github_0_1_0.json were made: by 0.1.0 itself, for today's code no
longer makes what it made. The names of modules here are those of that version (7a9eb3d) and stay.

    git worktree add --detach OLD 7a9eb3d
    cd OLD && PYTHONPATH=. python HERE/tests/samples/make_store_0_1_0.py HERE/tests/samples/upgrade

The database is what its own worker left behind: runs that ended, and some that `kill -9` cut short. The other
file is what GitHub showed by then, and the one job that waited in Redis.
"""
# mypy: ignore-errors

import asyncio
import importlib
import json
import multiprocessing
import os
import signal
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

from bot.jobs.house import build
from bot.jobs.routing import route_delivery
from bot.schedule import dispatch_once
from bot.standin import GitHub

from bot.config import load_router
from bot.github.limits import LocalPacer
from bot.queue.embedded import Embedded
from bot.queue.queues import Queues
from bot.store.outbox import Outbox
from tests.fakes.models import FakeOllama
from tests.living import SLUG, by_schema, living_hob
from tests.tea import BROKEN, TEA, finding

performing = importlib.import_module("bot.jobs.perform")  # the package shows a function of this name
SERVER_KEY = b"the server key of a sample, 32 B"
AFTER = 60.0
"""Seconds between the last of it and the moment for which the sample stands: leases have ended by then."""


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def doomed(config, run_id: int, thinking: bool) -> None:
    """A worker process that is killed."""
    if thinking:
        performing._plan = lambda *_: die()
    Outbox.done = lambda *_: die()
    asyncio.run(performing.perform_in(build(config, LocalPacer()), run_id))


def killed(house, run_id: int, *, thinking: bool = False) -> None:
    """Another worker process does the run, and is killed while it thinks, or when it has written the first
    effect and GitHub has taken it."""
    child = multiprocessing.get_context("spawn").Process(target=doomed, args=(house.config, run_id, thinking))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL


async def live(hob) -> dict:
    """A day of this Hob; gives the job that waits in Redis."""
    github, store = hob.github, hob.house.store
    with store.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM meta WHERE key = 'server_key'")
        connection.exec_driver_sql("INSERT INTO meta VALUES ('server_key', ?)", (SERVER_KEY,))
    object.__setattr__(hob.house.seal, "server_key", SERVER_KEY)
    store.settings.change("repo", "octo/tea", lambda old: {**old, "language": "en"})
    repo = github.repository("octo/tea", private=True, files={"tea.py": TEA})
    for login in ("mona", "tom"):
        repo.grant(login, "triage")
    repo.grant("ann", "read")

    def pull(title: str):
        return repo.open_pull_request(title, {"tea.py": f"{BROKEN}# {title}\n"}, author="ann")

    async def routed(found):
        hob._take()
        hob._route(0.0)
        target = f"{repo.id}#{found.number}"
        return next(run for run in store.runs.latest(500) if run.target == target)

    async def performed(run):
        """By a process of its own, which alone remembers that GitHub asked it to wait."""
        house = build(hob.house.config, LocalPacer())
        await performing.perform_in(house, run.id)
        await house.aclose()

    done = pull("Done")  # 1
    await hob.works()
    done.comment("mona", "@my-hob ask Why is that wrong?")
    await hob.works()
    done.comment("mona", "@my-hob remember Cups are never empty.")
    await hob.works()
    repo.open_issue("Tea is cold", "It cools down within a minute.", author="ann")  # 2
    await hob.works()
    half = pull("Half sent")  # 3
    await asyncio.to_thread(killed, hob.house, (await routed(half)).id)
    lost = pull("Lost while thinking")  # 4
    run = await routed(lost)
    await asyncio.to_thread(lambda: killed(hob.house, run.id, thinking=True))
    limited = pull("Limited before it began")  # 5
    github.fault("GET", "/pulls/5", kind="retry_after", seconds=1800)
    await performed(await routed(limited))
    github.faults.clear()
    waiting = pull("Limited at its check run")  # 6
    github.fault("POST", "/check-runs", kind="retry_after", seconds=1800)
    await performed(await routed(waiting))
    github.faults.clear()
    dead = pull("Dead")  # 7
    run = await routed(dead)
    github.fault("GET", "/pulls/7", kind="answer", status=500, times=1000)
    while store.runs.get(run.id).state == "queued":
        with store.database.write() as connection:
            connection.exec_driver_sql("UPDATE runs SET not_before = 0 WHERE id = ?", (run.id,))
        await performed(run)
    github.faults.clear()
    queued = pull("Queued in Redis")  # 8
    hob._take()
    job = await asyncio.to_thread(in_redis, hob, f"{repo.id}#{queued.number}")
    repo.open_issue("Pending", "Nobody has looked at this delivery yet.", author="ann")  # 9
    hob._take()
    return job


def in_redis(hob, target: str) -> dict:
    """What the dispatcher of 0.1.0 puts into Redis for a run."""
    with tempfile.TemporaryDirectory() as folder:
        server = Embedded(Path(folder))
        server.start()
        queues = Queues(server.url)
        router = load_router(hob.house.config)
        dispatch_once(hob.house.store, queues, lambda one: route_delivery(one, router, SLUG, 0.0))
        (run,) = (one for one in hob.house.store.runs.latest(9) if one.target == target)
        queue = queues.by_priority[run.priority]
        (identity,) = queue.get_job_ids()
        found = queues.connection.hgetall(f"rq:job:{identity}")
        queues.close()
        server.stop()
    fields = {key.decode(): value.hex() for key, value in found.items()}
    return {"queue": queue.key, "id": identity, "run": run.id, "fields": fields}


def shown(github) -> dict:
    """The repository as GitHub shows it. Code is a stream for `git fast-import`, which gives every commit its
    own name again."""
    (repo,) = github.repositories.values()
    (installation,) = github.installations.values()
    return {
        "repository": {"name": repo.full_name, "id": repo.id, "roles": repo.roles},
        "installation": installation.id,
        "code": repo.git.run("fast-export", "--all").decode(),
        "issues": [_issue(one) for one in repo.issues.values()],
        "check_runs": [
            {name: getattr(one, name) for name in _CHECK} | {"output": [one.title, one.summary, one.text]}
            for one in repo.check_runs
        ],
        "deliveries": [[one.guid, one.event, one.body.decode()] for one in github.deliveries[:1]],
    }


_CHECK = ("id", "name", "head_sha", "status", "conclusion", "external_id", "actions", "annotations", "suite")


def _issue(one) -> dict:
    told = {
        "number": one.number,
        "title": one.title,
        "body": one.body,
        "author": one.author.login,
        "labels": one.label_names,
        "comments": [_remark(remark) for remark in one.comments],
    }
    if not hasattr(one, "head_ref"):
        return told
    reviews = [
        {
            "id": review.id,
            "author": review.author.login,
            "body": review.body,
            "state": review.state,
            "commit_id": review.commit_id,
            "comments": [_remark(line) | {"path": line.path, "line": line.line} for line in review.comments],
        }
        for review in one.reviews
    ]
    return told | {"branch": one.head_ref, "head_sha": one.head_sha, "reviews": reviews}


def _remark(one) -> dict:
    return {"id": one.id, "author": one.author.login, "body": one.body}


def dumped(path: Path, at: float) -> str:
    """Tables and rows as statements of SQL. The first line says for which second the times in it stand."""
    with sqlite3.connect(path) as database:
        database.execute("UPDATE runs SET owner = 'another-machine:4711:1' WHERE owner != ''")
        database.commit()
        lines = "\n".join(database.iterdump())
    return f"-- 0.1.0 at {at}\n{lines}\n"


async def main(folder: str) -> None:
    with tempfile.TemporaryDirectory() as made, FakeOllama() as ollama, GitHub() as github:
        triage = {"kind": "bug", "labels": ["bug"], "priority": "normal", "summary": "Cold tea."}
        ollama.answer = by_schema(
            review={"findings": [finding()], "summary": ""},
            triage={**triage, "missing": [], "reply": ""},
        )
        async with living_hob(Path(made), github, ollama) as hob:
            job = await live(hob)
            told = shown(github) | {"job": job, "routes": sorted(one.name for one in hob.house.router.routes)}
        target = Path(folder)
        target.mkdir(exist_ok=True)
        (target / "store_0_1_0.sql").write_text(dumped(Path(made) / "hob" / "hob.db", time.time() + AFTER))
        (target / "github_0_1_0.json").write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
