"""A whole Hob in this process, for tests that speak as users: a GitHub that people act on, a model host
over HTTP, the store on disk. `await hob.works()` routes and performs what has come in, until nothing is
left to do."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from bot.config import load_config
from bot.github.limits import LocalRateLimiter
from bot.github.routing import routing
from bot.intake import new_delivery
from bot.runs.dispatch import route_delivery
from bot.runs.execute import perform_in
from bot.runs.schedule import decide
from bot.runs.scheduled import make_due_once
from bot.runs.services import Services, build
from bot.store import Run
from bot.testing.github import GitHubStandIn
from tests.databases import at_newest_schema
from tests.fakes.models import FakeOllama

SLUG = "my-hob"


@dataclass
class LivingHob:
    """Hob, and the world around it."""

    github: GitHubStandIn
    ollama: FakeOllama
    services: Services
    environment: dict[str, str] = field(default_factory=dict)
    """Its configuration, for other processes of it."""
    taken: set[int] = field(default_factory=set)

    async def works(self, *, coalesce: float = 0.0, limit: int = 200, perform: bool = True) -> list[Run]:
        """Takes the deliveries that GitHub made since, performs what is due; gives all runs of this
        database."""
        for _ in range(limit):
            self._take()
            self._route(coalesce)
            due = self.services.store.runs.due(2**40)
            due = [run for run in due if perform and not run.error]
            if not due and not self._news():
                break
            for run in due:
                await perform_in(self.services, run.id)
        return self.services.store.runs.latest(500)[::-1]

    async def works_at(self, when: datetime) -> list[Run]:
        """Lets the clock by which work is scheduled show `when`, and does what is due then. Times to come are
        for work that is not late."""
        parts = self.services.store, self.services.router, self.services.config
        make_due_once(*parts, clock=when.timestamp)
        return await self.works()

    async def retries(self) -> None:
        """Performs what waits for another attempt, as if its time had come."""
        with self.services.store.database.write() as connection:
            connection.exec_driver_sql("UPDATE runs SET not_before = 0 WHERE state = 'queued'")
        for run in self.services.store.runs.due(2**40):
            await perform_in(self.services, run.id)

    def _news(self) -> bool:
        return any(delivery.id not in self.taken for delivery in self.github.deliveries)

    def _take(self) -> None:
        for delivery in list(self.github.deliveries):
            if delivery.id not in self.taken:
                self.taken.add(delivery.id)
                self.receive(delivery.event, delivery.body, delivery.guid)

    def receive(self, event: str, body: bytes, guid: str) -> bool:
        """What the receiver does with a verified delivery."""
        new = new_delivery(event, guid, body, routing(body))
        return self.services.store.inbox.put(new).result(10)

    def _route(self, coalesce: float) -> None:
        route = partial(route_delivery, router=self.services.router, slug=SLUG, coalesce_seconds=coalesce)
        if waiting := self.services.store.inbox.undispatched():
            self.services.store.routing.record([decide(route, each) for each in waiting])


@asynccontextmanager
async def living_hob(
    folder: Path, github: GitHubStandIn, ollama: FakeOllama, database_url: str = "", **environment: str
) -> AsyncIterator[LivingHob]:
    """A Hob whose App is installed on `octo`."""
    github.install_app("octo", slug=SLUG)
    (folder / "hob").mkdir(mode=0o700, exist_ok=True)
    key = folder / "app.pem"
    key.touch(mode=0o600)
    key.write_text(github.private_key)
    (folder / "hob.toml").touch()
    assert github.app is not None
    told = {
        "HOB_HOB__DATA_DIR": str(folder / "hob"),
        "HOB_GITHUB__API_URL": github.api_url,
        "HOB_GITHUB__APP_ID": str(github.app.id),
        "HOB_GITHUB__APP_SLUG": SLUG,
        "HOB_GITHUB__PRIVATE_KEY_FILE": str(key),
        "HOB_GITHUB__WEBHOOK_SECRET": github.post.secret or "It's a Secret to Everybody",
        "HOB_GITHUB__WRITE_GAP_SECONDS": "0",
        "HOB_GITHUB__SETTLE_SECONDS": "0.05",
        "HOB_KNOWLEDGE__ENABLED": "false",
        "HOB_HOSTS": f'[{{"name": "mini", "kind": "ollama", "url": "{ollama.url}"}}]',
        **dict.fromkeys(
            ("HOB_MODELS__REVIEW", "HOB_MODELS__TRIAGE", "HOB_MODELS__CHAT"), next(iter(ollama.models))
        ),
        **({"HOB_STORE__DATABASE_URL": database_url} if database_url else {}),
        **environment,
    }
    config = load_config(folder / "hob.toml", told)
    at_newest_schema(config.store.database_url)
    services = build(config, LocalRateLimiter())
    try:
        yield LivingHob(github, ollama, services, told)
    finally:
        await services.aclose()


def keeping_all(*refuted: int) -> dict[str, Any]:
    """A verifier's answer that refutes these findings and keeps all others."""
    numbers = range(24)
    return {"verdicts": [{"index": n, "keep": n not in refuted, "reason": ""} for n in numbers]}


def listed_number(request: dict[str, Any], path: str) -> int:
    """By which number a file is listed that a model is to put in order."""
    (found,) = re.findall(rf"^(\d+)\. {re.escape(path)}$", request["messages"][-1]["content"], re.M)
    return int(found)


Says = Callable[[dict[str, Any]], Mapping[str, Any]]


DESCRIBED: Mapping[str, Any] = {
    "summary": "Brews stronger.",
    "files": [{"path": "tea.py", "what": "Divides by zero."}],
    "title": "Brew stronger tea",
    "body": "The pot is **hotter** now.",
    "labels": ["bug", "none-such"],
}


def by_schema(
    *,
    review: Any = None,
    triage: Any = None,
    answer: Any = None,
    verify: Any = None,
    patch: Any = None,
    rerank: Any = None,
    reply: Any = None,
    describe: Any = None,
    intent: Any = None,
    plan: Any = None,
    catch_up: Any = None,
    duplicates: Any = None,
    resolutions: Any = None,
    cause: Any = None,
) -> Says:
    """What the model answers, by what it is asked for. `verify`: by default all findings are kept. `review`,
    `duplicates` and `resolutions` may be functions of the request."""

    by_field: dict[str, Mapping[str, Any] | Says] = {
        "steps": plan or {"steps": [{"title": "Boil water", "detail": "", "role": "code"}]},
        "points": catch_up or {"points": []},
        "command": intent or {"command": "ask", "argument": ""},
        "resolutions": resolutions or {"resolutions": []},
        "quotes": cause or {"kind": "code", "cause": "It is broken.", "quotes": [], "files": []},
    }

    def say(request: dict[str, Any]) -> Mapping[str, Any]:
        fields = request["format"]["properties"]
        if named := next((key for key in by_field if key in fields), ""):
            found = by_field[named]
            return found(request) if callable(found) else found
        if "findings" in fields:
            said = review(request) if callable(review) else review
            return said or {"findings": [], "summary": "fine"}
        if "comparisons" in fields:
            said = duplicates(request) if callable(duplicates) else duplicates
            return said or {"comparisons": []}
        if "title" in fields:
            return describe or DESCRIBED
        if "reads" in fields:
            return {"thought": "It is there.", "searches": [], "reads": [], "enough": True}
        if "stance" in fields:
            return reply or {"stance": "none", "answer": "", "wont_fix": False, "reason": ""}
        if "verdicts" in fields:
            return verify or keeping_all()
        if "files" in fields:
            return rerank or {"thought": "", "files": []}
        if "edits" in fields:
            return patch or {"summary": "", "edits": []}
        if "kind" in fields:
            return triage or {
                "kind": "bug",
                "labels": [],
                "priority": "normal",
                "summary": "",
                "missing": [],
                "reply": "",
            }
        return answer or {"answer": "It is tea.", "citations": []}

    return say


async def until(predicate: Callable[[], object], seconds: float = 20.0) -> None:
    """Waits for something true; TimeoutError."""
    async with asyncio.timeout(seconds):
        while not predicate():
            await asyncio.sleep(0.02)
