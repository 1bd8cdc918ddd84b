"""Two real workers, or schedulers, with one store and one Redis: what is due is done once, also when the
leader dies."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest
import redis

from bot.queue.embedded import Embedded
from bot.queue.leader import KEY, LEADER_SECONDS, Leader
from bot.runs.schedule import LOOK_SECONDS
from bot.store import Store, open_store
from bot.store.schedule import PREFIX
from bot.testing.github import GitHubStandIn
from tests.databases import at_newest_schema
from tests.running import environment, wait_for

pytestmark = [pytest.mark.kills, pytest.mark.xdist_group("kills")]

HANDLER = """
import os
from bot.core.effects import Plan
from bot.router import Router

router = Router()

@router.every(1, name="tick", may=(), per="hob")
async def tick(event, hob):
    with open("ticks", "a") as file:
        file.write(f"{event.delivery} {os.getpid()}\\n")
    return Plan(reason="tick")
"""
BUSY = 15.0
"""Seconds that a busy machine may add."""


@pytest.fixture
def own_redis() -> Iterator[Embedded]:
    folder = Path(tempfile.mkdtemp(prefix="hob-q-"))  # a short path: it is a socket's
    server = Embedded(folder)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder)


WORK = ("work", "-n", "2")


@contextmanager
def worker(
    folder: Path, settings: dict[str, str], arguments: tuple[str, ...] = WORK
) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "bot.cli", *arguments]
    with (folder / "work.log").open("ab") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=settings, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def done(store: Store) -> int:
    return sum(run.state == "done" and run.delivery.startswith(PREFIX) for run in store.runs.latest(500))


@pytest.mark.parametrize("leads", [WORK, ("schedule",)], ids=lambda command: command[0])
def test_R13_what_is_due_is_done_once_and_goes_on_when_the_leader_is_killed(
    tmp_path: Path, own_redis: Embedded, leads: tuple[str, ...]
) -> None:
    """Workers that schedule, or schedulers and a worker that leaves it to them."""
    (tmp_path / "ours.py").write_text(HANDLER)
    (tmp_path / "data").mkdir(mode=0o700)
    database = f"sqlite:///{tmp_path / 'data' / 'hob.db'}"
    at_newest_schema(database)
    store, client = open_store(database), redis.Redis.from_url(own_redis.url)
    root = str(Path(__file__).parent.parent.parent)
    with GitHubStandIn(tmp_path / "github") as github:
        github.install_app("octo", slug="my-hob")
        settings = environment(
            tmp_path,
            github,
            "http://127.0.0.1:9",
            "none",
            HOB_QUEUE__REDIS_URL=own_redis.url,
            HOB_STORE__DATABASE_URL=database,
            HOB_HANDLERS="ours:router",
            PYTHONPATH=root,
        )
        apart = nullcontext() if leads == WORK else worker(tmp_path, settings, (*WORK, "--no-schedule"))
        with (
            apart,
            worker(tmp_path, settings, leads) as one,
            worker(tmp_path, settings, leads) as other,
        ):
            wait_for(lambda: done(store) >= 2, 60)
            leader = int(client.get(KEY).split(b":")[1])  # type: ignore[union-attr]
            assert leader in (one.pid, other.pid)
            os.kill(leader, signal.SIGKILL)
            died, before = time.monotonic(), done(store)
            wait_for(lambda: done(store) > before + 1, LEADER_SECONDS + 2 * LOOK_SECONDS + BUSY)
            assert time.monotonic() - died < LEADER_SECONDS + 2 * LOOK_SECONDS + BUSY
            assert int(client.get(KEY).split(b":")[1]) not in (0, leader)  # type: ignore[union-attr]
        assert client.get(KEY) is None  # who leaves in peace keeps nobody waiting
    runs = {run.delivery: run for run in store.runs.latest(500)}
    ticks = Counter(line.split()[0] for line in (tmp_path / "ticks").read_text().splitlines())
    assert all(count <= 1 + runs[name].crashes for name, count in ticks.items())
    assert all(run.state == "done" or run.crashes or not ticks[name] for name, run in runs.items())
    store.close()
    client.close()


def test_R2_who_cannot_ask_redis_leads_for_the_rows_keep_it_from_being_twice(tmp_path: Path) -> None:
    leader = Leader(f"unix://{tmp_path}/none.sock", "a:1:1")
    assert leader.leads()
    leader.resign()


def test_one_leads_until_it_resigns_and_no_other_can_make_it(own_redis: Embedded) -> None:
    one, other = Leader(own_redis.url, "a:1:1"), Leader(own_redis.url, "a:2:1")
    assert [one.leads(), other.leads(), one.leads()] == [True, False, True]
    other.resign()
    assert Leader(own_redis.url, "a:3:1").leads() is False
    one.resign()
    assert Leader(own_redis.url, "a:3:1").leads()
