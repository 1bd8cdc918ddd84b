"""Reads a request's body with a cap, a deadline and a bound on what all requests together hold in memory.

uvicorn and Starlette have none of these.
"""

import asyncio
from collections.abc import Sequence
from io import BytesIO

from starlette.types import Message, Receive

SMALL = 256 * 1024
"""Bytes that any request may hold; most deliveries are a tenth of it."""
DRAIN_SECONDS = 1.5
DRAIN_BYTES = 64 << 20


class TooLarge(Exception):
    """Over the cap, declared or streamed."""


class TooSlow(Exception):
    """Not complete within the deadline."""


class Gone(Exception):
    """The other side hung up."""


class BodyReader:
    """`await reader(receive, headers)` gives a whole body of at most `cap` bytes within `seconds`.

    Bodies over `SMALL` share a budget of `cap` and a half: past it their connections are not read from until
    there is room, so that a thousand half-sent ones cannot fill the memory.
    """

    def __init__(self, cap: int, seconds: float = 8.0) -> None:
        self.cap, self.seconds = cap, seconds
        self._room = cap + cap // 2
        self._freed = asyncio.Event()

    async def __call__(self, receive: Receive, headers: Sequence[tuple[bytes, bytes]]) -> bytes:
        if _declared(headers) > self.cap:
            raise TooLarge
        try:
            async with asyncio.timeout(self.seconds):
                message = await receive()
                if message["type"] == "http.request" and not message.get("more_body"):
                    return self._fitting(message.get("body", b""))
                return await self._rest(receive, message)
        except TimeoutError:
            raise TooSlow from None

    def _fitting(self, body: bytes) -> bytes:
        if len(body) > self.cap:
            raise TooLarge
        return body

    async def _rest(self, receive: Receive, message: Message) -> bytes:
        body, size, held = BytesIO(), 0, 0  # whose getvalue() gives the buffer away instead of copying 25 MB
        try:
            while True:
                if message["type"] != "http.request":
                    raise Gone
                part: bytes = message.get("body", b"")
                size += len(part)
                if size > self.cap:
                    raise TooLarge
                held += await self._reserve(size - SMALL - held)
                body.write(part)
                if not message.get("more_body"):
                    return body.getvalue()
                message = await receive()
        finally:
            self._room += held
            self._freed.set()

    async def _reserve(self, wanted: int) -> int:
        """Waits for room for so many bytes; gives back how many were taken."""
        if wanted <= 0:
            return 0
        while self._room < wanted:
            self._freed.clear()
            await self._freed.wait()
        self._room -= wanted
        return wanted


def _declared(headers: Sequence[tuple[bytes, bytes]]) -> int:
    """Content-Length, which the HTTP parser has already checked to be a number; 0 where there is none."""
    for name, value in headers:
        if name == b"content-length":
            return int(value)
    return 0


async def drain(receive: Receive) -> None:
    """Lets in and drops what is still being sent, within bounds, after an answer was given."""
    dropped = 0
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            while dropped < DRAIN_BYTES:
                message = await receive()
                dropped += len(message.get("body", b""))
                if message["type"] != "http.request" or not message.get("more_body"):
                    return
    except TimeoutError:
        return
