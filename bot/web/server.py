"""uvicorn in this process: uvloop, httptools, bounded heads, a quiet end.

uvicorn's HTTP protocol with three bounds that it lacks: how large and how slow a request's head may be,
and how many connections stay open that ask for nothing.
"""

import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from bot.core.errors import UserError

HEAD_BYTES = 4 << 20
"""Room enough to answer a megabyte of signature with 401, and an end to what never ends."""
HEAD_SECONDS = 10.0
MOST_OPEN = 800
"""Connections; for one more the one is closed from which nothing has come for the longest time. uvicorn's own
limit, which lies above, refuses the newcomer instead."""
BACKLOG = 2048
"""Connections that wait to be taken."""


class Protocol(HttpToolsProtocol):
    """One connection. Its clock runs from the first byte of a request to the end of its head."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._in_head = True
        self._head_bytes = 0
        self._clock: asyncio.TimerHandle | None = None
        self._heard = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        super().connection_made(transport)
        self.transport = _Joining(transport, self.loop)  # type: ignore[assignment]  # all of it that uvicorn uses
        self._heard = self.loop.time()
        if len(self.connections) > MOST_OPEN:
            self._make_room()
        self._clock = self.loop.call_later(HEAD_SECONDS, self._too_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._heard = self.loop.time()
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self.send_400_response("The head of the request is too large.")
                return
        super().data_received(data)
        if self._in_head and self._head_bytes and self._clock is None:
            self._clock = self.loop.call_later(HEAD_SECONDS, self._too_slow)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._stop()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_head = True
        self._head_bytes = 0
        super().on_message_complete()

    def _make_room(self) -> None:
        others = (one for one in self.connections if isinstance(one, Protocol) and one is not self)
        waiting = [one for one in others if one.asks_for_nothing]
        if waiting:
            min(waiting, key=lambda one: one._heard).transport.abort()  # noqa: SLF001  its own kind

    @property
    def asks_for_nothing(self) -> bool:
        """Between requests, or before the end of one that we are ready to read on: closing it loses no
        answer that is being made."""
        cycle: RequestResponseCycle | None = self.cycle  # none before the first request
        answering = cycle is not None and not (cycle.response_complete or cycle.more_body)
        return not (answering or self.flow.read_paused or self.transport.is_closing())

    def _stop(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _too_slow(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()


class _Joining:
    """A transport that holds a write for what follows in the same turn of the loop: uvicorn writes the head
    of an answer and its body by themselves, and each would be a segment that wakes the other side."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._held = b""
        self.is_closing = transport.is_closing
        self.get_extra_info = transport.get_extra_info
        self.abort = transport.abort

    def write(self, data: bytes) -> None:
        if self._held:
            held, self._held = self._held, b""
            self._transport.write(held + data)
        elif data:
            self._held = data
            self._loop.call_soon(self._flush)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._held:
            held, self._held = self._held, b""
            self._transport.write(held)


CONNECTIONS = 900
"""Under the 1,024 files that a process may usually open."""
GRACE_SECONDS = 10

log = logging.getLogger(__name__)


class QuietServer(uvicorn.Server):
    """Tells when it listens, and leaves signals to the loop (uvicorn would end the process by the signal)."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stop)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    def stop(self) -> None:
        """Takes no more connections and ends when those under way are answered; told twice, at once."""
        self.force_exit = self.should_exit
        self.should_exit = True


def listen(host: str, port: int) -> socket.socket:
    """A listening address; port 0 takes a free one. UserError where it cannot be had. Whoever connects from
    now on waits for an answer: who is told the address may come before there is one to give."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        made = socket.socket(family, kind, protocol)
    except OSError as wrong:
        raise UserError(f"server.host {host}: {wrong.strerror}", "name an address of this machine") from None
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(BACKLOG)
    except OSError as wrong:
        made.close()
        hint = "set server.port to a free one, or stop what listens there"
        raise UserError(f"cannot listen on {host}:{port}: {wrong.strerror}", hint) from None
    return made


def address_of(listening: socket.socket) -> str:
    """`http://host:port` under which this machine reaches it."""
    host, port = listening.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  compared, not bound
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"


async def serve(app: ASGIApp, listening: socket.socket, on_ready: Callable[[], None] = lambda: None) -> None:
    """Answers until SIGINT or SIGTERM."""
    await server(app, listening, on_ready).serve(sockets=[listening])
    listening.close()


def server(
    app: ASGIApp, listening: socket.socket, on_ready: Callable[[], None] = lambda: None
) -> QuietServer:
    """The same, for who stops it: `serve(sockets=[listening])` answers until then, or until such a signal."""
    config = uvicorn.Config(
        app,
        loop="none",
        http=Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=CONNECTIONS,
        backlog=BACKLOG,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )

    def ready() -> None:
        log.info("listening on %s", address_of(listening), extra={"url": address_of(listening)})
        on_ready()

    return QuietServer(config, ready)
