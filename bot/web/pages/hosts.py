"""Model hosts: who is at them, how fast they are, and what they did."""

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from bot.core.errors import TemporaryError
from bot.core.host_slots import Speed, Traffic
from bot.core.hosts import Host
from bot.web.pages import schemas
from bot.web.pages.view import Answer, View, shape
from bot.web.ready import host_answers


async def list_hosts(request: Request) -> Answer:
    """Those of hob.toml."""
    return {"hosts": await hosts_now(request)}


async def hosts_now(request: Request) -> list[dict[str, Any]]:
    """Traffic is of all processes; while Redis is away, nothing is known of it."""
    hosts: tuple[Host, ...] = request.app.state.hosts
    places = request.app.state.places
    try:
        traffic: Mapping[str, Traffic] = await places() if places and hosts else {}
    except TemporaryError:
        traffic = {}
    up = await asyncio.gather(*(host_answers(host) for host in hosts))
    return [_shown(host, answers, traffic.get(host.name)) for host, answers in zip(hosts, up, strict=True)]


def _shown(host: Host, up: bool, traffic: Traffic | None) -> dict[str, Any]:
    traffic = traffic or Traffic()
    sums = traffic.totals.values()
    return {
        "name": host.name,
        "kind": host.kind,
        "url": host.url,
        "online": host.online,
        "parallel": host.parallel,
        "roles": list(host.roles),
        "up": up,
        "inside": len(traffic.inside),
        "waiting": len(traffic.waiting),
        "wait_seconds": round(max((one.seconds for one in traffic.inside), default=0.0), 1),
        "model": traffic.model,
        "answering": [
            {
                "model": one.model,
                "seconds": round(one.passed, 1),
                "seconds_left": round(one.seconds, 1),
                "tokens": one.written.tokens,
                "tokens_per_second": round(one.written.rate, 1),
            }
            for one in traffic.inside
        ],
        "speeds": [
            {
                "model": model,
                "answers": speed.calls,
                "reads": round(speed.prompt, 1),
                "writes": round(speed.answer, 1) if speed.answer != Speed().answer else 0.0,
            }
            for model, speed in sorted(traffic.speeds.items())
            if speed.calls
        ],
        "requests": sum(one.requests for one in sums),
        "failures": sum(one.failures for one in sums),
    }


VIEWS = (View("/hosts", "list_hosts", "Model hosts", list_hosts, shape(hosts=schemas.many(schemas.HOST))),)
ROUTES = tuple(view.route for view in VIEWS)
