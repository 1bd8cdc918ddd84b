"""`GET /metrics`."""

import time
from collections.abc import Awaitable, Callable, Mapping
from importlib.metadata import version

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from bot.core.errors import TemporaryError
from bot.core.host_slots import Traffic
from bot.store import Store, measures
from bot.store.database import Database
from bot.store.stats import effect_counts
from bot.store.tables import SCHEMA
from bot.web import model_stats, polling
from bot.web.counters import Counter, series
from bot.web.webhook import Receiver

CountsByLabel = dict[tuple[str, ...], int]
QueueLengths = Callable[[], Mapping[str, int]]
Places = Callable[[], Awaitable[Mapping[str, Traffic]]]
"""The model hosts' requests over all processes."""


async def show(request: Request) -> PlainTextResponse:
    """Counts of this process, and the states of what all processes share."""
    state = request.app.state
    receiver: Receiver | None = state.receiver
    counters: list[Counter] = [receiver.deliveries, receiver.by_repository] if receiver else []
    lines = [line for counter in counters for line in counter.lines()]
    lines += await run_in_threadpool(_stored, state.store)
    lines += await run_in_threadpool(_queued, state.queue_lengths)
    lines += await _placed(state.places) if state.places else []
    return PlainTextResponse("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4; charset=utf-8")


def _stored(store: Store) -> list[str]:
    inbox: CountsByLabel = {(state,): count for state, count in store.inbox.counts().items()}
    runs: CountsByLabel = {(state,): count for state, count in store.runs.counts().items()}
    effects = effect_counts(store.database)
    return [
        *series("hob_inbox", "Deliveries in the inbox, by state.", ("state",), inbox),
        *series("hob_runs", "Runs, by state.", ("state",), runs),
        *series("hob_effects", "Effects in the outbox, by kind and state.", ("kind", "state"), effects),
        *_measured(store.database, time.time()),
        *model_stats.lines(store.calls.totals()),
        *polling.metric_lines(store.polling.load()),
    ]


def _measured(database: Database, now: float) -> list[str]:
    recent = measures.recent_runs(database, now)
    waits: CountsByLabel = {(): round(measures.oldest_waiting_seconds(database, now))}
    free = measures.free_bytes(database)
    disk: CountsByLabel = {} if free is None else {(): free}
    took: Mapping[tuple[str, ...], float] = {(one.handler,): round(one.seconds, 1) for one in recent}
    ended: CountsByLabel = {(one.handler,): one.runs for one in recent}
    lost: CountsByLabel = {(one.handler,): one.crashes for one in recent}
    this: CountsByLabel = {(version("hobbot"), SCHEMA): 1}
    size: CountsByLabel = {(): measures.database_bytes(database)}
    handler = ("handler",)
    return [
        *series("hob_info", "This version, and the schema that it works with.", ("version", "schema"), this),
        *series("hob_database_bytes", "What the database takes on its disk.", (), size),
        *series("hob_database_disk_free_bytes", "Free on the disk of SQLite's file.", (), disk),
        *series("hob_oldest_waiting_seconds", "How long the oldest run waits.", (), waits),
        *series("hob_recent_runs", "Runs of the last hour that have ended.", handler, ended),
        *series("hob_recent_run_seconds", "Seconds that these took together.", handler, took),
        *series("hob_recent_run_crashes", "How often a worker was lost over these.", handler, lost),
    ]


def _queued(lengths: QueueLengths) -> list[str]:
    """Queue lengths, and whether Redis answered: the page must not fail with it."""
    try:
        found: CountsByLabel = {(name,): count for name, count in lengths().items()}
    except Exception:  # whatever the client raises: Redis is what is being measured
        return series("hob_redis_up", "Whether Redis answers.", (), {(): 0})
    return [
        *series("hob_redis_up", "Whether Redis answers.", (), {(): 1}),
        *series("hob_queue_length", "Runs that wait in a queue.", ("queue",), found),
    ]


async def _placed(places: Places) -> list[str]:
    """Who is at the model hosts, and what came of it; nothing while Redis is away."""
    try:
        found = await places()
    except TemporaryError:
        return []
    busy: CountsByLabel = {(host,): len(traffic.inside) for host, traffic in found.items()}
    wait: CountsByLabel = {(host,): len(traffic.waiting) for host, traffic in found.items()}
    totals = {(host, model): sums for host, each in found.items() for model, sums in each.totals.items()}
    asked: CountsByLabel = {key: sums.requests for key, sums in totals.items()}
    failed: CountsByLabel = {key: sums.failures for key, sums in totals.items()}
    labels = ("host", "model")
    return [
        *series("hob_host_in_flight", "Requests at a model host now.", ("host",), busy),
        *series("hob_host_waiting", "Requests that wait for a slot at a model host.", ("host",), wait),
        *series("hob_host_requests_total", "Requests that a host was sent.", labels, asked, kind="counter"),
        *series("hob_host_failures_total", "Those that it did not answer.", labels, failed, kind="counter"),
    ]
