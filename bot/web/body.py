"""Reads a request's body with a cap, a deadline and a bound on what all requests together hold in memory.

uvicorn and Starlette have none of these.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO

from starlette.types import Message, Receive

SMALL = 256 * 1024
"""Bytes that any request may hold; most deliveries are a tenth of it."""
STRIDE = 256 * 1024
STRIDE_SECONDS = 0.5
DRAIN_SECONDS = 1.5
DRAIN_BYTES = 64 << 20


class BodyTooLarge(Exception):
    """Over the cap, declared or streamed."""


class BodyTooSlow(Exception):
    """Not complete within the deadline."""


class ClientGone(Exception):
    """The other side hung up."""


class BodyReader:
    """`async with reader(receive, headers) as body:` reads a whole body of at most `cap` bytes within
    `seconds`; what the block does with it counts as holding it.

    Whoever sends more than `SMALL` waits in line until there is room for the whole of it (for `cap`, where no
    length is declared), and is not read from before: so whoever has begun can end. All of them share `cap`
    and a half. Who holds room while others wait has to keep sending: `STRIDE` bytes in `STRIDE_SECONDS`.
    """

    def __init__(self, cap: int, seconds: float = 8.0) -> None:
        self.cap, self.seconds = cap, seconds
        self._room = cap + cap // 2
        self._freed = asyncio.Event()
        self._line = asyncio.Lock()  # held by the first of those who wait; the rest come in order
        self._sending: set[_Sender] = set()

    def __call__(self, receive: Receive, headers: Sequence[tuple[bytes, bytes]]) -> "_Reading":
        return _Reading(self, receive, headers)

    async def whole(self, receive: Receive, declared: int, reading: "_Reading") -> bytes:
        """The body; what it holds of the room is noted in `reading`."""
        if declared > self.cap:
            raise BodyTooLarge
        whole = declared or self.cap
        async with asyncio.timeout(self.seconds) as clock:
            message = await receive()
            if message["type"] == "http.request" and not message.get("more_body"):
                return self._fitting(message.get("body", b""))
            return await self._parts(receive, message, whole, clock, reading)

    async def _parts(
        self, receive: Receive, message: Message, whole: int, clock: asyncio.Timeout, reading: "_Reading"
    ) -> bytes:
        body, size = BytesIO(), 0  # whose getvalue() gives the buffer away instead of copying 25 MB
        sender: _Sender | None = None
        try:
            while True:
                if message["type"] != "http.request":
                    raise ClientGone
                part: bytes = message.get("body", b"")
                size += len(part)
                if size > self.cap:
                    raise BodyTooLarge
                if sender is None and size > SMALL:
                    await self._reserve(max(whole, size))
                    reading.held = max(whole, size)
                    sender = _Sender(clock, clock.when() or 0.0)
                    self._sending.add(sender)
                if sender:
                    sender.sent(len(part), hurry=self._line.locked())
                body.write(part)
                if not message.get("more_body"):
                    return body.getvalue()
                message = await receive()
        finally:
            if sender:
                self._sending.discard(sender)

    def _fitting(self, body: bytes) -> bytes:
        if len(body) > self.cap:
            raise BodyTooLarge
        return body

    async def _reserve(self, wanted: int) -> None:
        """Waits in line for so much room."""
        async with self._line:
            while self._room < wanted:
                for sender in self._sending:
                    sender.hurry()
                self._freed.clear()
                await self._freed.wait()
            self._room -= wanted

    def release(self, held: int) -> None:
        self._room += held
        self._freed.set()


@dataclass(slots=True, eq=False)
class _Reading:
    """One body, for as long as the block holds it. No generator: this is on the path of every webhook."""

    reader: BodyReader
    receive: Receive
    headers: Sequence[tuple[bytes, bytes]]
    held: int = 0
    """Bytes of the room that are its own."""

    async def __aenter__(self) -> bytes:
        try:
            return await self.reader.whole(self.receive, _declared(self.headers), self)
        except BaseException as wrong:
            self._release()
            if isinstance(wrong, TimeoutError):
                raise BodyTooSlow from None
            raise

    async def __aexit__(self, *_: object) -> None:
        self._release()

    def _release(self) -> None:
        if self.held:
            self.reader.release(self.held)
            self.held = 0


@dataclass(slots=True, eq=False)
class _Sender:
    """One that holds room and is read from. `clock` ends it; `until` is when, where nobody waits."""

    clock: asyncio.Timeout
    until: float
    stride: int = 0
    """Bytes that came since `at`."""
    at: float = field(default_factory=lambda: asyncio.get_running_loop().time())

    def sent(self, count: int, *, hurry: bool) -> None:
        self.stride += count
        if self.stride >= STRIDE:
            self.stride, self.at = 0, asyncio.get_running_loop().time()
        if hurry:
            self.hurry()
        else:
            self.clock.reschedule(self.until)

    def hurry(self) -> None:
        """Somebody waits for the room."""
        if not self.clock.expired():
            self.clock.reschedule(min(self.until, self.at + STRIDE_SECONDS))


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
