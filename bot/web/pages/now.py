"""The first page: what Hob reads and writes now, what waits, what was done last, and whether all is well."""

import asyncio
import time
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.store import Run, Store
from bot.store.overview import RunQuery, run_page, usual_seconds
from bot.web.pages.hosts import hosts_now
from bot.web.pages.html import rendered, wants_html
from bot.web.pages.runs import titled
from bot.web.pages.signing_in import login_page
from bot.web.pages.view import Answer

LATEST = 15
WAITING = 10


async def home(request: Request) -> Response:
    """The page, or for a stranger the sign-in form with 401."""
    if not request.state.signed_in:
        return login_page(401)
    found = await now(request)
    if not wants_html(request) and "accept" in request.headers and "json" in request.headers["accept"]:
        return JSONResponse(found)
    return rendered("now.html", request, **found)


async def now(request: Request) -> Answer:
    """Everything of the page."""
    store: Store = request.app.state.store
    readiness = request.app.state.readiness
    lines, hosts, stored = await asyncio.gather(
        readiness.lines(), hosts_now(request), run_in_threadpool(_stored, store)
    )
    return {
        "ready": readiness.ready(lines),
        "components": [{"name": name, "ok": line.ok, "detail": line.detail} for name, line in lines.items()],
        "hosts": hosts,
        **stored,
    }


def _stored(store: Store) -> dict[str, Any]:
    usual = usual_seconds(store.database)
    working = [
        run
        for state in ("planned", "running")
        for run in run_page(store.database, RunQuery(state=state), None, 50)
    ]
    due = store.runs.due(time.time(), WAITING)
    counts = store.runs.counts()
    latest = run_page(store.database, RunQuery(internal=False), None, LATEST * 3)
    ended = [run for run in latest if run.finished_at][:LATEST]
    return {
        "working": [
            {**shown, "elapsed": _elapsed(run), "usual": usual.get(run.handler)}
            for run, shown in zip(working, titled(store, working), strict=True)
        ],
        "waiting": titled(store, due),
        "waits": counts.get("queued", 0),
        "dead": counts.get("dead", 0),
        "drafts": store.drafts.count(),
        "offered": store.memory.offered(),
        "latest": titled(store, ended),
    }


def _elapsed(run: Run) -> float | None:
    return round(max(0.0, time.time() - run.started_at), 1) if run.started_at else None


ROUTES = (Route("/", home, methods=["GET"]),)
