"""The HTTP of the stand-in: uvicorn in a thread of its own, on loopback."""

import asyncio
import contextlib
import logging
import socket
import struct
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

AsgiMessage = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[AsgiMessage]]
Send = Callable[[AsgiMessage], Awaitable[None]]
Asgi = Callable[[AsgiMessage, Receive, Send], Awaitable[None]]


class _Protocol(HttpToolsProtocol):
    """Lets the application reach its connection, to break it."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["github.transport"] = self.transport  # type: ignore[typeddict-unknown-key]


class PromptServer(uvicorn.Server):
    """Runs in a thread and ends when it is told to: uvicorn's own looks for that ten times a second, and
    gives connections a tenth of a second to close."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = threading.Event()
        self._told = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.loop = asyncio.get_running_loop()
        self.up.set()

    async def main_loop(self) -> None:
        await self.on_tick(0)  # the headers of all answers
        await self._told.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for listening in (*self.servers, *(sockets or ())):
            listening.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        give_up = self.loop.time() + (self.config.timeout_graceful_shutdown or 0)
        while self.server_state.connections or self.server_state.tasks:
            if self.loop.time() > give_up:
                break
            await asyncio.sleep(0.002)
        for task in self.server_state.tasks:
            task.cancel()

    def wait_until_up(self) -> None:
        """Until requests are answered; TimeoutError."""
        if not self.up.wait(30):
            raise TimeoutError("the stand-in did not start")

    def stop(self) -> None:
        """From another thread: answers what is under way, as long as its configuration grants, and ends.
        It may have ended before."""
        self.wait_until_up()
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self.loop.call_soon_threadsafe(self._told.set)


class ServerThread:
    """`start()` returns when requests are answered; `stop()` when none is any more."""

    def __init__(self, application: Asgi, port: int = 0) -> None:
        self.released = asyncio.Event()
        """Set at the end, for requests that hang on purpose."""
        # IPPROTO_TCP: else asyncio leaves out TCP_NODELAY, and an answer in two writes waits 40 ms
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", port))
        config = uvicorn.Config(
            application,
            http=_Protocol,
            loop="asyncio",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=60,
            timeout_graceful_shutdown=10,
        )
        self._server = PromptServer(config)
        self._thread = threading.Thread(target=self._run, name="github-stand-in", daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def start(self) -> None:
        logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
        self._thread.start()
        self._server.wait_until_up()

    def stop(self) -> None:
        self.release()
        self._server.stop()
        self._thread.join(30)
        self._socket.close()

    def release(self) -> None:
        """Ends what hangs on purpose, now and from now on."""
        self._server.loop.call_soon_threadsafe(self.released.set)

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))


async def break_off(scope: AsgiMessage, receive: Receive) -> None:
    """Closes the connection with a reset and waits until it is gone."""
    transport = scope["github.transport"]
    connection = transport.get_extra_info("socket")
    if connection is not None:
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass
