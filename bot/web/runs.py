"""`GET /runs` and `GET /runs/{id}`."""

import re
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, get_args

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from bot.core.inference import ModelCall, ToolUse
from bot.log import redact
from bot.store import EffectRow, Run, RunState, Store, batches

MOST = 200
BIGINT = 2**63
NUMBER = re.compile(r"[0-9]{1,19}")
HIDDEN = ("owner", "lease_until", "fence", "superseded", "supersedes", "revivals")


async def list_runs(request: Request) -> JSONResponse:
    """The newest runs; `?limit=` (1 to 200), `?state=`."""
    store: Store = request.app.state.store
    limit, state = _limit(request), request.query_params.get("state")
    if state is not None and state not in get_args(RunState):
        raise HTTPException(400, f"state is one of {', '.join(get_args(RunState))}")
    found = await run_in_threadpool(store.runs.latest, limit, state)  # type: ignore[arg-type]
    return JSONResponse({"runs": [as_json(run) for run in found]})


async def show_run(request: Request) -> JSONResponse:
    """One run with its effects, the calls of models, and those of tools by them."""
    return JSONResponse(await whole_run(request))


async def whole_run(request: Request) -> dict[str, Any]:
    """The run that the path names; 404."""
    store: Store = request.app.state.store
    given: str = request.path_params["id"]
    number = int(given) if NUMBER.fullmatch(given) else BIGINT
    run = await run_in_threadpool(store.runs.get, number) if number < BIGINT else None
    if run is None:
        raise HTTPException(404, "there is no such run")
    rows = await run_in_threadpool(store.outbox.rows, run.id)
    calls = await run_in_threadpool(store.calls.of_run, run.id)
    tools = await run_in_threadpool(store.calls.tools_of_run, run.id)
    many = await run_in_threadpool(_batch, store, run) if run.handler == batches.HANDLER else {}
    return {
        **as_json(run),
        **many,
        "effects": [effect_as_json(row) for row in rows],
        "calls": [call_as_json(call) for call in calls],
        "tools": [tool_as_json(use) for use in tools],
    }


def _batch(store: Store, run: Run) -> dict[str, Any]:
    """How far a batch is."""
    now = batches.progress(store.runs, store.outbox, run)
    issues = [
        {"number": one.number, "run": one.run, "state": one.state, "summary": redact(one.summary)}
        for one in now.issues
    ]
    return {"batch": {"issues": now.total, "over": now.over, "counts": now.counts, "listed": issues}}


def as_json(run: Run) -> dict[str, Any]:
    """A run as the API shows it: times in ISO 8601, durations in seconds."""
    shown = {key: value for key, value in asdict(run).items() if key not in HIDDEN}
    for key in ("arrived_at", "created_at", "started_at", "finished_at", "not_before"):
        shown[key] = when(shown[key])
    shown["error"], shown["summary"] = redact(run.error), redact(run.summary)
    shown["seconds"] = (
        round(run.finished_at - run.started_at, 3) if run.finished_at and run.started_at else None
    )
    return shown


def effect_as_json(row: EffectRow) -> dict[str, Any]:
    """An effect: what, how far, where on GitHub."""
    return {
        "kind": row.kind,
        "state": row.state,
        "url": row.url or None,
        "attempts": row.attempts,
        "error": redact(row.error),
        "changed_at": when(row.changed_at),
    }


def call_as_json(call: ModelCall) -> dict[str, Any]:
    """A model call: whom, how long, what came of it."""
    shown = {**asdict(call), "at": when(call.at), "failure": redact(call.failure)}
    shown["seconds"] = round(call.seconds, 3)
    shown["first_token_seconds"] = round(call.first_token_seconds, 3)
    del shown["said"]
    return {**shown, "left_out": list(call.left_out)}


def tool_as_json(use: ToolUse) -> dict[str, Any]:
    """A call of a tool: what, with what, how it ended."""
    return {
        "at": when(use.at),
        "name": use.name,
        "arguments": redact(use.arguments),
        "bytes": use.bytes,
        "seconds": round(use.seconds, 3),
        "failure": redact(use.failure),
    }


def when(seconds: float | None) -> str | None:
    """Epoch seconds as ISO 8601; None for none."""
    if not seconds:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _limit(request: Request) -> int:
    given = request.query_params.get("limit", "50")
    if not given.isdecimal() or len(given) > 4 or not 1 <= int(given) <= MOST:
        raise HTTPException(400, f"limit is a number from 1 to {MOST}")
    return int(given)
