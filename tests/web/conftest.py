"""A receiver on loopback as GitHub and a person meet it: a real server, a real SQLite database."""

import asyncio
import hashlib
import hmac
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from bot.core.hosts import Host
from bot.store import Store
from bot.web.agents import AgentsPort
from bot.web.app import create_app
from bot.web.body import BodyReader
from bot.web.chat import ChatPort
from bot.web.guard import AccessGuard, allowed_hosts
from bot.web.metrics import Places
from bot.web.ready import Readiness
from bot.web.server import address_of, listen, serve
from bot.web.webhook import Receiver
from tests.databases import at_newest_schema

SECRET = b"a-webhook-secret"
TOKEN = "the-api-token-of-this-test"
BODY = {
    "action": "opened",
    "number": 7,
    "installation": {"id": 3},
    "repository": {"id": 11, "full_name": "octo/hello"},
    "sender": {"login": "mona", "type": "User"},
    "pull_request": {"number": 7, "title": "Say hello"},
}


def sign(body: bytes, secret: bytes = SECRET) -> str:
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()


def headers(body: bytes, secret: bytes = SECRET, **changed: str | None) -> dict[str, str]:
    """The headers with which GitHub sends `body`; `x_github_event=None` leaves one out."""
    sent = {
        "content-type": "application/json",
        "x-github-event": "pull_request",
        "x-github-delivery": str(uuid.uuid4()),
        "x-hub-signature-256": sign(body, secret),
    }
    sent.update({name.replace("_", "-"): value for name, value in changed.items()})  # type: ignore[arg-type]
    return {name: value for name, value in sent.items() if value is not None}


@dataclass
class Front:
    """A running receiver, and what it caused."""

    client: httpx.AsyncClient
    store: Store
    receiver: Receiver
    url: str
    woken: list[None] = field(default_factory=list)
    lengths_fail: list[Exception] = field(default_factory=list)
    components: dict[str, Callable[[], Awaitable[str]]] = field(default_factory=dict)
    routes: list[BaseRoute] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    async def deliver(
        self, body: bytes | dict[str, Any] = b"", secret: bytes = SECRET, **changed: str | None
    ) -> httpx.Response:
        raw = json.dumps(body or BODY).encode() if isinstance(body, dict) or not body else body
        return await self.client.post("/webhook", content=raw, headers=headers(raw, secret, **changed))

    def stored(self) -> int:
        return sum(self.store.inbox.counts().values())


async def _fine() -> str:
    return "fine"


@asynccontextmanager
async def opened(
    store: Store,
    *,
    secrets: tuple[bytes, ...] = (SECRET,),
    receives: bool = True,
    cap: int = 25 << 20,
    seconds: float = 10.0,
    refuse: Callable[[str, Any], str] = lambda _key, _value: "",
    ask: ChatPort | None = None,
    requests: AgentsPort | None = None,
    model_hosts: Sequence[Host] = (),
    places: Places | None = None,
) -> AsyncIterator[Front]:
    """Serves on a free port until the block ends."""
    woken: list[None] = []
    receiver = Receiver(
        secrets=secrets, put=store.inbox.put, wake=lambda: woken.append(None), read=BodyReader(cap, seconds)
    )
    components: dict[str, Callable[[], Awaitable[str]]] = {"store": _fine, "queue": _fine, "github": _fine}
    lengths_fail: list[Exception] = []

    def lengths() -> dict[str, int]:
        if lengths_fail:
            raise lengths_fail[0]
        return {"default": 2}

    app = create_app(
        receiver=receiver if receives else None,
        store=store,
        token=TOKEN,
        hosts=allowed_hosts("127.0.0.1", "https://hob.example"),
        readiness=Readiness(components, {"hosts": _down}),
        queue_lengths=lengths,
        public_url="https://hob.example",
        slug="my-hob",
        refuse_setting=refuse,
        ask=ask,
        requests=requests,
        model_hosts=model_hosts,
        places=places,
    )
    assert isinstance(app.rest, AccessGuard) and isinstance(app.rest.app, Starlette)
    listening = listen("127.0.0.1", 0)
    up = asyncio.Event()
    server = asyncio.create_task(serve(app, listening, up.set))
    await up.wait()
    url = address_of(listening)
    async with httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as client:
        yield Front(client, store, receiver, url, woken, lengths_fail, components, app.rest.app.routes)
    stop(server)
    await server


def stop(server: asyncio.Task[None]) -> None:
    import os
    import signal

    if not server.done():
        os.kill(os.getpid(), signal.SIGTERM)


async def _down() -> str:
    raise ConnectionError("mini: down")


@pytest.fixture
def store(tmp_path: Path) -> Any:
    url = f"sqlite:///{tmp_path}/hob.db"
    at_newest_schema(url)
    made = Store(url)
    yield made
    made.close()


@pytest.fixture
async def front(store: Store) -> AsyncIterator[Front]:
    async with opened(store) as made:
        yield made
