"""What online models cost beside what they may, and how models did, one beside the other."""

import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from bot.store import Store
from bot.store.overview import DAY, Spent, spending
from bot.web.model_stats import compare
from bot.web.pages import schemas
from bot.web.pages.view import COUNT, NUMBER, TEXT, Answer, View, shape, whole

DAYS = 30


async def show_budget(request: Request) -> Answer:
    """Of the last days, 30 by default."""
    store: Store = request.app.state.store
    days = min(max(whole(request, "days") or DAYS, 1), 366)
    today = time.time() // DAY * DAY
    online: frozenset[str] = request.app.state.online
    found = [
        one
        for one in await run_in_threadpool(spending, store.database, today - (days - 1) * DAY)
        if one.host in online or one.cost_usd  # the ledger has every answer, of one's own machines too
    ]
    totals = await run_in_threadpool(store.calls.totals)
    spent = [one for one in found if one.day == today and one.host in online]
    allowed_usd, allowed_tokens = request.app.state.budget
    return {
        "days": [_shown(one) for one in found],
        "today_usd": round(sum(one.cost_usd for one in spent), 4),
        "today_tokens": sum(one.tokens_in + one.tokens_out for one in spent),
        "allowed_usd": allowed_usd,
        "allowed_tokens": allowed_tokens,
        "online_hosts": sorted(online),
        "models": [asdict(one) for one in compare(totals)],
    }


def _shown(one: Spent) -> dict[str, Any]:
    return {**asdict(one), "day": datetime.fromtimestamp(one.day, UTC).date().isoformat()}


VIEWS = (
    View(
        "/budget", "show_budget", "What online models cost, and models compared", show_budget,
        shape(
            days=schemas.many(schemas.SPENT), today_usd=NUMBER, today_tokens=COUNT, allowed_usd=NUMBER,
            allowed_tokens=COUNT, online_hosts=schemas.many(TEXT), models=schemas.many(schemas.COMPARED),
        ),
        (("days", COUNT),),
    ),
)  # fmt: skip
ROUTES = tuple(view.route for view in VIEWS)
