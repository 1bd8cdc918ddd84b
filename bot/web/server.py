"""uvicorn in this process: uvloop, httptools, bounded heads, a quiet end."""

import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from bot.core.errors import UserError
from bot.web.protocol import Protocol

CONNECTIONS = 900
"""Under the 1,024 files that a process may usually open."""
GRACE_SECONDS = 10

log = logging.getLogger(__name__)


class Server(uvicorn.Server):
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
    """A listening address; port 0 takes a free one. UserError where it cannot be had."""
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
        backlog=2048,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )

    def ready() -> None:
        log.info("listening on %s", address_of(listening), extra={"url": address_of(listening)})
        on_ready()

    await Server(config, ready).serve(sockets=[listening])
    listening.close()
