"""Issues and pull requests by their titles, each with what Hob did there."""

from dataclasses import asdict
from functools import partial
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request

from bot.log import redact
from bot.store import Store
from bot.store.findings import FindingQuery
from bot.store.known_issues import IssueQuery, IssueRow
from bot.store.overview import RunQuery, last_runs, run_page
from bot.web.pages import schemas
from bot.web.pages.runs import found_as_json, titled
from bot.web.pages.view import (
    LIMIT,
    PLACE,
    REPO,
    WORDS,
    Answer,
    View,
    choice,
    limit_of,
    listed,
    next_of,
    path_id,
    place_of,
    text,
    words,
)
from bot.web.runs import when

STATES = ("open", "closed", "merged")


async def _page(request: Request, *, is_pull: bool) -> Answer:
    """The last that changed first."""
    store: Store = request.app.state.store
    limit, before = limit_of(request), place_of(request, (float, int, int))
    query = IssueQuery(is_pull, words(request, "repo"), choice(request, "state", STATES), words(request))
    found = await run_in_threadpool(store.issues.page, query, before, limit)
    name = "pulls" if is_pull else "issues"
    return {
        name: await run_in_threadpool(_shown, request, found),
        "next": next_of(found, limit, lambda one: f"{one.changed_at!r},{one.repo_id},{one.number}"),
    }


def _shown(request: Request, found: list[IssueRow]) -> list[dict[str, Any]]:
    store: Store = request.app.state.store
    last = last_runs(store.database, {f"{one.repo_id}#{one.number}" for one in found})
    shown = dict(zip(last, titled(store, list(last.values())), strict=True))
    return [_as_json(request, one, shown.get(f"{one.repo_id}#{one.number}")) for one in found]


def _as_json(request: Request, one: IssueRow, last_run: dict[str, Any] | None) -> dict[str, Any]:
    site: str = request.app.state.site
    kind = "pull" if one.is_pull else "issues"
    url = f"{site}/{one.repo}/{kind}/{one.number}" if one.repo and not one.repo.startswith("#") else None
    told = {"changed_at": when(one.changed_at), "title": redact(one.title), "url": url, "last_run": last_run}
    return {**asdict(one), **told}


async def show_issue(request: Request) -> Answer:
    """One with the runs about it and what they found; 404."""
    store: Store = request.app.state.store
    repo_id, number = path_id(request, "repo_id", "issue"), path_id(request, "number", "issue")
    one = await run_in_threadpool(store.issues.get, repo_id, number)
    if one is None:
        raise HTTPException(404, "no delivery told of such an issue or pull request")
    return await run_in_threadpool(_whole, request, one)


def _whole(request: Request, one: IssueRow) -> Answer:
    store: Store = request.app.state.store
    runs = titled(store, run_page(store.database, RunQuery(target=f"{one.repo_id}#{one.number}"), None, 100))
    found = store.findings.page(FindingQuery(repo_id=one.repo_id, number=one.number), None, 200)
    shown = [found_as_json(each) for each in found]
    return {**_as_json(request, one, runs[0] if runs else None), "runs": runs, "findings": shown}


_ASKED = (LIMIT, PLACE, REPO, WORDS, ("state", text(enum=["", *STATES])))
VIEWS = (
    View(
        "/pulls", "list_pulls", "Pull requests, the last that changed first", partial(_page, is_pull=True),
        listed("pulls", schemas.ISSUE), _ASKED,
    ),
    View(
        "/issues", "list_issues", "Issues, the last that changed first", partial(_page, is_pull=False),
        listed("issues", schemas.ISSUE), _ASKED,
    ),
    View(
        "/issues/{repo_id}/{number}", "show_issue", "An issue or pull request, and what was done there",
        show_issue, schemas.WHOLE_ISSUE,
    ),
)  # fmt: skip
ROUTES = tuple(view.route for view in VIEWS)
