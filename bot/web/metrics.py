"""`GET /metrics`."""

from collections.abc import Callable, Mapping

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from bot.store import Store
from bot.store.views import effect_counts
from bot.web import models
from bot.web.counters import Counter, series

Counts = dict[tuple[str, ...], int]
QueueLengths = Callable[[], Mapping[str, int]]


async def show(request: Request) -> PlainTextResponse:
    """Counts of this process, and the states of what all processes share."""
    state = request.app.state
    counters: list[Counter] = [state.receiver.deliveries, state.receiver.by_repository]
    lines = [line for counter in counters for line in counter.lines()]
    lines += await run_in_threadpool(_stored, state.store)
    lines += await run_in_threadpool(_queued, state.queue_lengths)
    return PlainTextResponse("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4; charset=utf-8")


def _stored(store: Store) -> list[str]:
    inbox: Counts = {(state,): count for state, count in store.inbox.counts().items()}
    runs: Counts = {(state,): count for state, count in store.runs.counts().items()}
    effects = effect_counts(store.database)
    return [
        *series("hob_inbox", "Deliveries in the inbox, by state.", ("state",), inbox),
        *series("hob_runs", "Runs, by state.", ("state",), runs),
        *series("hob_effects", "Effects in the outbox, by kind and state.", ("kind", "state"), effects),
        *models.lines(store.calls.totals()),
    ]


def _queued(lengths: QueueLengths) -> list[str]:
    """Queue lengths, and whether Redis answered: the page must not fail with it."""
    try:
        found: Counts = {(name,): count for name, count in lengths().items()}
    except Exception:  # whatever the client raises: Redis is what is being measured
        return series("hob_redis_up", "Whether Redis answers.", (), {(): 0})
    return [
        *series("hob_redis_up", "Whether Redis answers.", (), {(): 1}),
        *series("hob_queue_length", "Runs that wait in a queue.", ("queue",), found),
    ]
