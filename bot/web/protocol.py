"""uvicorn's HTTP protocol with three bounds that it lacks: how large and how slow a request's head may be,
and how many connections stay open that ask for nothing."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

HEAD_BYTES = 4 << 20
"""Room enough to answer a megabyte of signature with 401, and an end to what never ends."""
HEAD_SECONDS = 10.0
MOST_OPEN = 800
"""Connections; for one more the one is closed from which nothing has come for the longest time. uvicorn's own
limit, which lies above, refuses the newcomer instead."""


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
            if self._clock is None:
                self._clock = self.loop.call_later(HEAD_SECONDS, self._too_slow)
            if self._head_bytes > HEAD_BYTES:
                self.send_400_response("The head of the request is too large.")
                return
        super().data_received(data)

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
