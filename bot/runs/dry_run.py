"""`hob receive`: one stored payload through the router, what it would cause, and on request the cause
itself."""

import asyncio
import hashlib
import time
from typing import Any

import msgspec

from bot.config import load_config
from bot.core.events import IssueEvent, RepositoryEvent
from bot.github.payloads import parse
from bot.github.reader import JobReader, permissions_to_read
from bot.router import Match
from bot.runs.dispatch import route_delivery
from bot.runs.execute import perform_in
from bot.runs.planning import make_plan
from bot.runs.services import Services, build
from bot.store import Decision, NewDelivery


def dry_run(event_name: str, body: bytes, apply: bool = False) -> dict[str, Any]:
    """`{"event", "effects": [{"handler", "reason", "kind", …}]}`; with `apply` each effect has been written
    and the state of its run is told. Raises what reading GitHub raises."""
    return asyncio.run(_dry_run(event_name, body, apply))


async def _dry_run(event_name: str, body: bytes, apply: bool) -> dict[str, Any]:
    guid = "receive-" + hashlib.sha256(body).hexdigest()[:32]
    event = parse(event_name, guid, body)
    services = build(load_config())
    try:
        ours = isinstance(event, RepositoryEvent)
        matches = services.router.match(event, services.config.github.app_slug) if event and ours else []
        matches = [match for match in matches if match.route.may]  # the others cause nothing on GitHub
        if not isinstance(event, RepositoryEvent) or not matches:
            return {
                "event": type(event).__name__ if event else None,
                "effects": [],
                "reason": "no handler answers it",
            }
        if apply:
            return await _applied(services, event_name, guid, body, event)
        effects = [effect for match in matches for effect in await _planned(services, match, event)]
        return {"event": type(event).__name__, "effects": effects}
    finally:
        await services.aclose()


async def _planned(services: Services, match: Match, event: RepositoryEvent) -> list[dict[str, Any]]:
    """What a handler plans; it reads GitHub and asks a model, and writes nothing."""
    async with services.github.job(event.repo) as job:
        reader = JobReader(event.repo, job, permissions_to_read(event))
        planned = await make_plan(services, match.route, event, reader)
    said = {"handler": match.route.name, "reason": planned.reason}
    said |= {"state": "shadow"} if planned.shadow else {}
    effects = [{**said, "kind": one.kind, **msgspec.json.decode(one.payload)} for one in planned.effects]
    return effects or [{**said, "kind": None}]


async def _applied(
    services: Services, event_name: str, guid: str, body: bytes, event: RepositoryEvent
) -> dict[str, Any]:
    """Through the inbox and the outbox as any delivery, in this process."""
    new = NewDelivery(
        guid=guid,
        event=event_name,
        action="",
        installation_id=event.repo.installation,
        repo_id=event.repo.id,
        repo=event.repo.full_name,
        number=event.number if isinstance(event, IssueEvent) else None,
        sender=event.sender.login,
        body=body,
        received_at=time.time(),
    )
    await asyncio.wrap_future(services.store.inbox.put(new))
    delivery = services.store.inbox.get(guid)
    specs = route_delivery(delivery, services.router, services.config.github.app_slug, 0.0)
    services.store.routing.record([Decision(delivery, "routed", specs)])
    done = []
    for run in services.store.runs.of_delivery(guid):
        route = services.router.stored(run.handler)
        if route is None or not route.may:
            continue  # for a worker
        await perform_in(services, run.id)
        now = services.store.runs.get(run.id)
        rows = services.store.outbox.rows(run.id)
        said = {
            "handler": run.handler,
            "state": now.state if now else "",
            "reason": now.summary or now.error if now else "",
        }
        done += [
            {
                **said,
                "kind": row.kind,
                "effect": row.state,
                "url": row.url,
                **msgspec.json.decode(row.payload),
            }
            for row in rows
        ] or [said]
    return {"event": type(event).__name__, "effects": done}
