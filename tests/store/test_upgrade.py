"""A database of 0.1.0, taken over in the middle of its work: nothing is said twice, nothing is lost.

What rows and Redis hold is literal here and in the sample, for other machines hold it too: no renaming in the
code may change it.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rq.serializers import JSONSerializer

from bot.config import Config, load_router
from bot.queue.embedded import Embedded
from bot.queue.job import HobJob
from bot.queue.queues import Queues
from bot.queue.worker import AsyncWorker
from bot.runs.dispatch import route_delivery
from bot.runs.effect_policy import load
from bot.runs.execute import perform, perform_in
from bot.runs.schedule import dispatch_once, sweep_once
from bot.testing.github.pulls import PullRequest
from bot.testing.github.repository import Repository
from tests.fakes.github import GitHubStandIn, contract, github
from tests.fakes.models import FakeOllama
from tests.living import SLUG, LivingHob, by_schema, living_hob, until
from tests.samples.released import github_state, postgresql_store, show_on, sqlite_store
from tests.tea import finding

__all__ = ["contract", "github"]

QUEUED, DEAD, HALF_SENT, ASKED, TRIAGED = 17, 15, 7, 3, 5
"""Runs of the sample."""
TRIAGE = {"kind": "bug", "labels": ["bug"], "priority": "normal", "summary": "", "missing": [], "reply": ""}

EFFECTS = {
    "PostReview": '{"number":1,"head_sha":"b","body":"x","comments":[{"path":"a","line":2,"body":"y"}]}',
    "SetCheck": '{"head_sha":"b","conclusion":"neutral","title":"x","summary":"y","read":["a"],"waiting":3}',
    "Comment": '{"number":1,"body":"x","folded":"y","about":"z"}',
    "ReplyInThread": '{"number":1,"comment_id":2,"body":"x","suggestion":"y"}',
    "AddLabels": '{"number":1,"labels":["bug"]}',
    "React": '{"subject":"issue_comment","id":2,"content":"eyes"}',
    "ResolveThread": '{"number":1,"thread":"PRRT_1"}',
    "EditComment": '{"number":1,"comment_id":2,"body":"x"}',
    "DeleteComment": '{"subject":"review_comment","id":2}',
    "EditReview": '{"number":1,"review_id":2,"body":"x"}',
    "DismissReview": '{"number":1,"review_id":2,"why":"x"}',
    "RemoveLabels": '{"number":1,"labels":["bug"]}',
    "EditPullRequest": '{"number":1,"title":"x","body":"y","own":"z"}',
    "SetPull": '{"number":1,"state":"paused"}',
    "Remember": '{"lesson":{"kind":"convention","text":"x","author":"mona","number":1},"days":30}',
    "Forget": '{"n":1}',
    "TakenBack": '{"run":1}',
}
"""Each kind of row in the outbox, as that version wrote it."""


@pytest.fixture
def queues(tmp_path: Path) -> Iterator[Queues]:
    server = Embedded(tmp_path / "queue")
    server.start()
    made = Queues(server.url)
    yield made
    made.close()
    server.stop()


@pytest.fixture
def ollama() -> Iterator[FakeOllama]:
    with FakeOllama() as host:
        host.answer = by_schema(review={"findings": [finding()], "summary": ""}, triage=TRIAGE)
        yield host


@pytest.fixture
async def hob(
    request: pytest.FixtureRequest, tmp_path: Path, github: GitHubStandIn, ollama: FakeOllama
) -> AsyncIterator[LivingHob]:
    """Today's, on that database and before that GitHub."""
    url = ""
    if getattr(request, "param", "sqlite") == "sqlite":
        (tmp_path / "hob").mkdir(mode=0o700)
        sqlite_store(tmp_path / "hob" / "hob.db")
    else:
        url = request.getfixturevalue("cluster").new_database()
        postgresql_store(url, tmp_path)
    async with living_hob(tmp_path, github, ollama, url) as living:
        show_on(github, github_state())
        yield living


@asynccontextmanager
async def working(hob: LivingHob, queues: Queues) -> AsyncIterator[None]:
    """Today's worker is at it."""
    worker = AsyncWorker(queues, partial(perform_in, hob.services), poll_seconds=0.05)
    task = asyncio.create_task(worker.work())
    try:
        yield
    finally:
        await worker.stop()
        await task


def quiet(hob: LivingHob, queues: Queues) -> bool:
    """Receives, routes and sweeps as a worker's loops do; whether nothing is left to do now."""
    hob._take()
    store = hob.services.store
    dispatch_once(store, queues, lambda one: route_delivery(one, hob.services.router, SLUG, 0.0))
    sweep_once(store, queues)
    live = sum(store.runs.counts().get(state, 0) for state in ("running", "planned"))
    return not live and not store.runs.due(time.time())


async def works(hob: LivingHob, queues: Queues) -> None:
    async with working(hob, queues):
        await until(lambda: quiet(hob, queues), 60)


def restore(queues: Queues, job: dict[str, Any]) -> None:
    """The job that 0.1.0 put into Redis."""
    fields = {name: bytes.fromhex(value) for name, value in job["fields"].items()}
    queues.connection.hset(f"rq:job:{job['id']}", mapping=fields)
    queues.connection.sadd("rq:queues", job["queue"])
    queues.connection.rpush(job["queue"], job["id"])


def states(hob: LivingHob) -> dict[int, str]:
    return {run.id: run.state for run in hob.services.store.runs.latest(500)}


def said(pull: PullRequest) -> tuple[int, int, int]:
    """Reviews, lines and check runs."""
    return len(pull.reviews), len(pull.review_comments), len(pull.check_runs)


def pulls(repo: Repository) -> dict[int, PullRequest]:
    return {one.number: one for one in repo.pulls}


@pytest.mark.timeout(240)
@pytest.mark.parametrize("hob", ["sqlite", "postgresql"], indirect=True)
async def test_R1_R10_what_an_older_version_was_at_is_finished_once(hob: LivingHob, queues: Queues) -> None:
    (repo,) = hob.github.repositories.values()
    told, store, pull = github_state(), hob.services.store, pulls(repo)
    before = {number: said(one) for number, one in pull.items()}
    assert before == {1: (1, 1, 1), 3: (1, 1, 0), 4: (0, 0, 0), 5: (0, 0, 0), 6: (1, 1, 0)} | dict.fromkeys(
        (7, 8), (0, 0, 0)
    )

    # A job that waits in Redis under the function's name of that time.
    restore(queues, told["job"])
    async with working(hob, queues):
        await until(lambda: states(hob)[QUEUED] == "done")
    assert said(pull[8]) == (1, 1, 1)

    # What was lost with its worker, what was half sent, and the delivery that nobody had routed.
    await works(hob, queues)
    assert {number: said(one) for number, one in pull.items()} == before | dict.fromkeys((3, 4, 8), (1, 1, 1))
    (review, check) = store.outbox.rows(HALF_SENT)
    assert (review.state, review.github_id, check.state) == ("done", pull[3].reviews[0].id, "done")
    assert repo.issues[9].label_names == ["bug"]
    assert states(hob)[DEAD] == "dead"

    # What waited for GitHub's limit.
    with store.database.write() as connection:
        connection.exec_driver_sql("UPDATE runs SET not_before = 0 WHERE state = 'queued'")
    await works(hob, queues)
    assert said(pull[5]) == said(pull[6]) == (1, 1, 1)

    # The dead, when somebody asks.
    assert said(pull[7]) == (0, 0, 0)
    assert store.runs.revive(DEAD)
    await works(hob, queues)
    assert said(pull[7]) == (1, 1, 1)
    assert set(states(hob).values()) == {"done", "superseded"}


@pytest.mark.timeout(240)
async def test_W5_what_an_older_version_answered_is_not_answered_again(
    hob: LivingHob, queues: Queues
) -> None:
    (repo,) = hob.github.repositories.values()
    pull = pulls(repo)[1]
    await works(hob, queues)
    before, runs = (said(pull), len(pull.comments), repo.issues[2].label_names), len(states(hob))
    for guid, event, body in github_state()["deliveries"]:
        assert not hob.receive(event, body.encode(), guid)
    await works(hob, queues)
    assert len(states(hob)) == runs
    for run in (hob.services.store.runs.get(number) for number in (ASKED, TRIAGED)):
        assert run
        first = hob.services.store.inbox.get(run.delivery)
        assert hob.receive(first.event, first.body, f"not-{first.guid}")  # known by what it means alone
    pull.close("ann")
    pull.reopen("ann")  # a delivery of its own about the same head
    await works(hob, queues)
    assert len(states(hob)) > runs
    assert (said(pull), len(pull.comments), repo.issues[2].label_names) == before


@pytest.mark.timeout(240)
async def test_what_people_asked_and_taught_an_older_version_counts(hob: LivingHob, queues: Queues) -> None:
    (repo,) = hob.github.repositories.values()
    pull, store = pulls(repo)[1], hob.services.store
    assert store.settings.get("repo", "octo/tea") == {"language": "en"}
    assert store.ledger.total(time.time() - 3600).tokens_in > 0
    await works(hob, queues)
    pull.comment("mona", "@my-hob memory")
    await works(hob, queues)
    assert "Cups are never empty" in pull.comments[-1].body
    for _ in range(17):
        pull.comment("mona", "@my-hob memory")
    await works(hob, queues)
    assert all("more than 20 times" not in one.body for one in pull.comments)
    pull.comment("mona", "@my-hob memory")  # the 21st within the hour, with two of that version
    await works(hob, queues)
    assert "more than 20 times" in pull.comments[-1].body


def test_every_route_of_an_older_version_is_known_by_the_name_in_its_rows() -> None:
    router = load_router(Config())
    assert [name for name in github_state()["routes"] if router.stored(name) is None] == []


@pytest.mark.parametrize(("kind", "payload"), EFFECTS.items())
def test_every_effect_of_an_older_version_is_read(kind: str, payload: str) -> None:
    assert holds(json.loads(msgspec.json.encode(load(kind, payload))), json.loads(payload))


def holds(found: Any, told: Any) -> bool:
    """Whether all that was told is in what was found; fields may have been added since."""
    if isinstance(told, dict):
        return all(name in found and holds(found[name], told[name]) for name in told)
    if isinstance(told, list):
        return len(found) == len(told) and all(map(holds, found, told))
    return bool(found == told)


def test_Q1_a_job_of_an_older_version_is_one_that_stock_workers_may_run(queues: Queues) -> None:
    job = github_state()["job"]
    restore(queues, job)
    found = HobJob.fetch(job["id"], queues.connection, JSONSerializer)
    assert (found.func, found.run_id) == (perform, QUEUED)
