"""Runs: a list with filters, one run with all that is known of it, and its two buttons."""

import re
from dataclasses import asdict
from typing import Any, get_args

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bot.log import redact
from bot.store import Run, RunState, Store, batches
from bot.store.findings import FindingQuery, FoundRow
from bot.store.known_issues import IssueRow
from bot.store.overview import RunQuery, issue_of, run_page
from bot.web.pages import schemas
from bot.web.pages.html import wants_html
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
    path_id,
    shape,
    text,
    whole,
    words,
)
from bot.web.runs import as_json, call_as_json, effect_as_json, tool_as_json, when

STATES: tuple[str, ...] = get_args(RunState)
CANCELLED = "a person cancelled it on the dashboard"
_NUMBERED = re.compile(r"[0-9]{1,18}#[0-9]{1,18}")


async def list_runs(request: Request) -> Answer:
    """The newest first. What is about no issue or pull request a browser sees only when it asks for it."""
    store: Store = request.app.state.store
    limit, before = limit_of(request), whole(request, "before")
    query = RunQuery(
        repo=words(request, "repo"),
        state=choice(request, "state", STATES),
        handler=words(request, "handler"),
        words=words(request),
        internal=choice(request, "internal", ("true", "false")) == "true" or not wants_html(request),
    )
    found = await run_in_threadpool(run_page, store.database, query, before, limit)
    return {"runs": await run_in_threadpool(titled, store, found), "next": next_of(found, limit, _id)}


def _id(run: Run) -> int:
    return run.id


def titled(store: Store, found: list[Run]) -> list[dict[str, Any]]:
    """Runs as the API shows them, with what their issue or pull request is called."""
    places = {run.id: _place(run) for run in found}
    names = store.issues.titles({place for place in places.values() if place})
    return [{**as_json(run), **_issue(places[run.id], names)} for run in found]


def _place(run: Run) -> tuple[int, int] | None:
    issue = issue_of(run.target)
    if not _NUMBERED.fullmatch(issue):
        return None
    repo, _, number = issue.partition("#")
    return int(repo), int(number)


def _issue(place: tuple[int, int] | None, names: dict[tuple[int, int], IssueRow]) -> dict[str, Any]:
    known = names.get(place) if place else None
    number = place[1] if place else None
    return {"number": number, "title": known.title if known else "", "is_pull": bool(known and known.is_pull)}


async def show_run(request: Request) -> Answer:
    """One run with its findings, effects, log, and what models were asked; 404."""
    store: Store = request.app.state.store
    run = await _named(request)
    return await run_in_threadpool(_whole, store, run, request.app.state.online)


def _whole(store: Store, run: Run, online: frozenset[str]) -> Answer:
    (shown,) = titled(store, [run])
    many = _batch(store, run) if run.handler == batches.HANDLER else {}
    calls = store.calls.of_run(run.id)
    asked = [{**call_as_json(call), "n": n, "online": call.host in online} for n, call in enumerate(calls)]
    found = store.findings.page(FindingQuery(run_id=run.id), None, 200)[::-1]
    return {
        **shown,
        **many,
        "effects": [effect_as_json(row) for row in store.outbox.rows(run.id)],
        "calls": asked,
        "tools": [tool_as_json(use) for use in store.calls.tools_of_run(run.id)],
        "findings": [found_as_json(one) for one in found],
        "log": [
            {"at": when(line.at), "level": line.level, "message": redact(line.message)}
            for line in store.run_logs.of(run.id)
        ],
    }


def found_as_json(one: FoundRow) -> dict[str, Any]:
    """A finding as the API shows it."""
    return {**asdict(one), "at": when(one.at), "title": redact(one.title)}


def _batch(store: Store, run: Run) -> dict[str, Any]:
    """How far a batch is."""
    now = batches.progress(store.runs, store.outbox, run)
    issues = [
        {"number": one.number, "run": one.run, "state": one.state, "summary": redact(one.summary)}
        for one in now.issues
    ]
    return {"batch": {"issues": now.total, "over": now.over, "counts": now.counts, "listed": issues}}


async def show_call(request: Request) -> Answer:
    """What a model was asked, and what it answered; 404 where it was not kept."""
    store: Store = request.app.state.store
    run = await _named(request)
    n = path_id(request, "n", "call")
    said = await run_in_threadpool(store.calls.said, run.id, n) if n < 1000 else ()
    if not said:
        raise HTTPException(404, "the words of this call are not kept (any more): [retention] traces_days")
    return {"run": run.id, "n": n, "said": [{"who": who, "text": redact(words)} for who, words in said]}


async def retry(request: Request) -> Response:
    """Queues a dead run again; 409."""
    store: Store = request.app.state.store
    run = await _named(request)
    if not await run_in_threadpool(store.runs.revive, run.id):
        raise HTTPException(409, f"run {run.id} is {run.state}: only a dead one is tried again")
    request.app.state.wake()
    return await done(request, f"/runs/{run.id}", {"run": run.id})


async def cancel(request: Request) -> Response:
    """Ends a run that waits or is at work; 409."""
    store: Store = request.app.state.store
    run = await _named(request)
    if not await run_in_threadpool(store.runs.cancel, run.id, CANCELLED):
        raise HTTPException(409, f"run {run.id} has ended: it is {run.state}")
    return await done(request, f"/runs/{run.id}", {"run": run.id})


async def _named(request: Request) -> Run:
    """The run that the path names; 404."""
    store: Store = request.app.state.store
    run = await run_in_threadpool(store.runs.get, path_id(request, "id", "run"))
    if run is None:
        raise HTTPException(404, "there is no such run")
    return run


VIEWS = (
    View(
        "/runs", "list_runs", "The newest runs", list_runs, listed("runs", schemas.RUN),
        (LIMIT, BEFORE, REPO, WORDS, ("state", text(enum=["", *STATES])), ("handler", text(maxLength=200)),
         ("internal", FLAG)),
    ),
    View("/runs/{id}", "show_run", "One run with all that is known of it", show_run, schemas.WHOLE_RUN),
    View("/runs/{id}/calls/{n}", "show_call", "What a model was asked and said", show_call, schemas.SAID),
)  # fmt: skip
BUTTONS = (
    Button("/runs/{id}/retry", "retry_run", "Tries a dead run again", retry, shape(run=COUNT)),
    Button(
        "/runs/{id}/cancel", "cancel_run", "Ends a run that waits or is at work", cancel, shape(run=COUNT)
    ),
)
ROUTES = tuple(one.route for one in (*VIEWS, *BUTTONS))
