"""What GitHub sent, and a button that has it looked at again."""

from collections.abc import Collection
from dataclasses import asdict
from typing import Any, get_args
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bot.log import redact
from bot.store import Store
from bot.store.columns import fit
from bot.store.inbox import ANSWERED_BY_NOTHING, DeliveryState
from bot.store.overview import Arrival, ArrivalQuery, arrivals, with_dead_runs
from bot.store.reconciliation import FOUND
from bot.web.pages import schemas
from bot.web.pages.view import (
    BEFORE,
    COUNT,
    FLAG,
    LIMIT,
    REPO,
    WORDS,
    Answer,
    Button,
    View,
    choice,
    done,
    limit_of,
    listed,
    next_of,
    shape,
    text,
    whole,
    words,
)
from bot.web.runs import when

STATES: tuple[str, ...] = get_args(DeliveryState)
MOST_GUID = 100


async def list_deliveries(request: Request) -> Answer:
    """The newest first."""
    store: Store = request.app.state.store
    limit, before = limit_of(request), whole(request, "before")
    query = ArrivalQuery(
        words(request, "repo"), choice(request, "state", STATES), words(request, "event"), words(request)
    )
    found = await run_in_threadpool(arrivals, store.database, limit, query, before)
    dead = await run_in_threadpool(with_dead_runs, store.database, [one.guid for one in found])
    recovered = set((await run_in_threadpool(store.reconciliation.load)).recovered)
    return {
        "deliveries": [_shown(one, dead, recovered) for one in found],
        "next": next_of(found, limit, lambda one: one.id),
    }


def _shown(one: Arrival, dead: Collection[str], recovered: Collection[str]) -> dict[str, Any]:
    """`again`: whether there is anything to do again; `recovered`: GitHub did not bring it, Hob fetched it or
    found its work."""
    return {
        **asdict(one),
        "received_at": when(one.received_at),
        "note": redact(one.note),
        "again": one.state in ANSWERED_BY_NOTHING or one.guid in dead,
        "recovered": one.guid in recovered or one.guid.startswith(FOUND),
    }


async def again(request: Request) -> Response:
    """Its dead runs are tried again; one that was kept aside or that nothing answered is routed anew. 409
    where there is nothing to do again."""
    store: Store = request.app.state.store
    guid = fit(str(request.path_params["guid"]), MOST_GUID)
    runs = await run_in_threadpool(store.runs.of_delivery, guid)
    revived = 0
    for run in runs:
        revived += await run_in_threadpool(store.runs.revive, run.id)
    routed = not runs and await run_in_threadpool(store.inbox.again, guid)
    if not revived and not routed:
        raise HTTPException(409, "nothing of this delivery failed, or it is not kept any more")
    request.app.state.wake()
    return await done(request, f"/deliveries?q={quote(guid)}", {"runs": revived, "routed": routed})


VIEWS = (
    View(
        "/deliveries", "list_deliveries", "Deliveries, the newest first", list_deliveries,
        listed("deliveries", schemas.DELIVERY),
        (LIMIT, BEFORE, REPO, WORDS, ("state", text(enum=["", *STATES])), ("event", text(maxLength=200))),
    ),
)  # fmt: skip
BUTTONS = (
    Button(
        "/deliveries/{guid}/again", "deliver_again", "Looks at a delivery again", again,
        shape(runs=COUNT, routed=FLAG),
    ),
)  # fmt: skip
ROUTES = tuple(one.route for one in (*VIEWS, *BUTTONS))
