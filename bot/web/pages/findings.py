"""What reviews judged: what was said and how it fared, and what was not said and why."""

import time
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any, cast, get_args

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from bot.core.findings import FindingState
from bot.core.settings import SEVERITIES
from bot.store import Store
from bot.store.findings import OUTCOMES, FindingGroup, FindingQuery, Grouping, Outcome
from bot.web.pages import schemas
from bot.web.pages.runs import found_as_json
from bot.web.pages.view import (
    BEFORE,
    COUNT,
    LIMIT,
    REPO,
    WORDS,
    Answer,
    View,
    choice,
    limit_of,
    next_of,
    text,
    whole,
    words,
)

GROUPINGS: tuple[str, ...] = get_args(Grouping)
STATES: tuple[str, ...] = get_args(FindingState)
_OPEN = "open"
"""In the query: neither fixed nor dismissed."""
DAY = 86_400.0
CHARTED_DAYS = 90
"""Unless `days` says more."""


async def list_findings(request: Request) -> Answer:
    """The newest first, and how those that were said fared, by one of their properties."""
    store: Store = request.app.state.store
    limit, before = limit_of(request), whole(request, "before")
    by = choice(request, "by", GROUPINGS) or "source"
    outcome = choice(request, "outcome", (_OPEN, *filter(None, OUTCOMES)))
    days = min(whole(request, "days") or 0, 36_500)
    query = FindingQuery(
        repo=words(request, "repo"),
        number=whole(request, "number") or 0,
        state=choice(request, "state", STATES),
        severity=choice(request, "severity", SEVERITIES),
        source=words(request, "source"),
        outcome=cast("Outcome", outcome.removeprefix(_OPEN)) if outcome else None,
        words=words(request),
        since=time.time() - days * DAY if days else 0.0,
    )
    found = await run_in_threadpool(store.findings.page, query, before, limit)
    lately = replace(query, since=query.since or time.time() - CHARTED_DAYS * DAY)
    groups = await run_in_threadpool(store.findings.groups, cast("Grouping", by), lately)
    return {
        "findings": [found_as_json(one) for one in found],
        "next": next_of(found, limit, lambda one: one.id),
        "groups": [_group(one, by) for one in groups],
        "days": days or CHARTED_DAYS,
    }


def _group(one: FindingGroup, by: str) -> dict[str, Any]:
    if by != "week":
        return asdict(one)
    week = datetime.fromtimestamp(float(one.value), UTC).date().isoformat()
    return {**asdict(one), "value": week}


VIEWS = (
    View(
        "/findings", "list_findings", "What reviews judged, and how it fared", list_findings,
        schemas.FINDINGS,
        (
            LIMIT, BEFORE, REPO, WORDS, ("number", COUNT), ("days", COUNT),
            ("state", text(enum=["", *STATES])), ("severity", text(enum=["", *SEVERITIES])),
            ("source", text(maxLength=200)), ("outcome", text(enum=["", _OPEN, "fixed", "dismissed"])),
            ("by", text(enum=["", *GROUPINGS])),
        ),
    ),
)  # fmt: skip
ROUTES = tuple(view.route for view in VIEWS)
