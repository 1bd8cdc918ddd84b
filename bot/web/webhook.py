"""`POST /webhook`: raw bytes verified, then made durable, then acknowledged. In that order and nothing else.

This is the hot path, so it is plain ASGI. Signatures:
https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
"""

import asyncio
import hmac
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field

from msgspec.json import encode
from starlette.types import Receive, Scope, Send

from bot.core.errors import BadPayload, TemporaryError
from bot.github.routing import RoutingFields, routing
from bot.intake import new_delivery
from bot.store.inbox import NewDelivery
from bot.web.body import BodyReader, BodyTooLarge, BodyTooSlow, ClientGone, drain
from bot.web.counters import Counter
from bot.web.responses import PROBLEM, Headers, answer, finish, problem

CLOSE: Headers = ((b"connection", b"close"),)
RETRY: Headers = ((b"retry-after", b"10"),)
STORE_SECONDS = 9.0
"""GitHub gives up after 10 s; a delivery that takes longer to store is answered 503 and may still arrive."""
BIG = 1 << 20
"""Bytes from which hashing would hold up the event loop for a millisecond."""

log = logging.getLogger(__name__)


class DeliveryRefused(Exception):
    """An answer that is not 202. `close`: part of the body was not read."""

    def __init__(self, status: int, detail: str, *, close: bool = False, headers: Headers = ()) -> None:
        super().__init__(detail)
        self.status, self.detail, self.close, self.headers = status, detail, close, headers


@dataclass(frozen=True, slots=True)
class Sent:
    """The headers that matter; an absent one is empty."""

    signature: bytes = b""
    event: bytes = b""
    guid: bytes = b""


@dataclass(slots=True)
class Receiver:
    """The ASGI application of `/webhook`.

    `put` makes a delivery durable and tells whether it is new (`Inbox.put`); `wake` tells the workers and
    must not wait.
    """

    secrets: Sequence[bytes]
    put: Callable[[NewDelivery], Future[bool]]
    wake: Callable[[], None]
    read: BodyReader
    renewed: Callable[[], Sequence[bytes]] | None = None
    """Gives the secrets as they are now, where they may change."""
    route: Callable[[bytes], RoutingFields] = routing
    deliveries: Counter = field(
        default_factory=lambda: Counter(
            "hob_deliveries_total", "Deliveries by event and by what was answered.", ("event", "result")
        )
    )
    by_repository: Counter = field(
        default_factory=lambda: Counter(
            "hob_repository_deliveries_total", "Deliveries taken, by repository.", ("repository",)
        )
    )

    def __post_init__(self) -> None:
        if not self.secrets or not all(self.secrets):
            raise ValueError("a receiver needs a webhook secret, and an empty one is none")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await self._take(scope, receive)
        except DeliveryRefused as no:
            self.deliveries.add("", str(no.status))
            await _refuse(no, receive, send)
        except ClientGone:
            self.deliveries.add("", "gone")
        else:
            await answer(send, 202, body)

    async def _take(self, scope: Scope, receive: Receive) -> bytes:
        """The whole of it; the body of the 202."""
        sent = _headers(scope)
        try:
            async with self.read(receive, scope["headers"]) as body:
                return await self._keep(body, sent)
        except BodyTooLarge:
            raise DeliveryRefused(413, f"over {self.read.cap} bytes", close=True) from None
        except BodyTooSlow:
            raise DeliveryRefused(408, "the body did not arrive in time", close=True) from None

    async def _keep(self, body: bytes, sent: Sent) -> bytes:
        if not await self._signed(body, sent.signature):
            raise DeliveryRefused(401, "the signature does not fit the body and any webhook secret")
        event, guid = _name(sent.event, "X-GitHub-Event"), _name(sent.guid, "X-GitHub-Delivery")
        if event.startswith("hob-") or ":" in guid:
            raise DeliveryRefused(400, "the delivery bears a name that only Hob itself gives")
        new = self._delivery(event, guid, body)
        is_new = await self._store(new)
        self.deliveries.add(event, "taken" if is_new else "duplicate")
        self.by_repository.add(new.repo)
        if log.isEnabledFor(logging.DEBUG):
            told = {"delivery": guid, "event": event, "repo": new.repo, "new": is_new}
            log.debug("delivery taken", extra=told)
        try:
            self.wake()
        except Exception:  # the workers find it in the inbox by themselves
            log.warning("workers could not be woken", exc_info=True)
        return encode({"delivery": guid, "duplicate": not is_new})

    async def _signed(self, body: bytes, signature: bytes) -> bool:
        if len(body) > BIG:
            return await asyncio.to_thread(self._fits, body, signature)
        return self._fits(body, signature)

    def _fits(self, body: bytes, signature: bytes) -> bool:
        """Each secret is tried. Bytes, since `compare_digest` refuses text that is not ASCII."""
        fits = False
        for secret in self.renewed() if self.renewed else self.secrets:
            expected = b"sha256=" + hmac.digest(secret, body, "sha256").hex().encode()
            fits |= hmac.compare_digest(expected, signature)
        return fits

    def _delivery(self, event: str, guid: str, body: bytes) -> NewDelivery:
        try:
            found = self.route(body)
        except BadPayload as wrong:
            raise DeliveryRefused(400, str(wrong)) from None
        return new_delivery(event, guid, body, found)

    async def _store(self, new: NewDelivery) -> bool:
        """True when it is new. Waiting in vain cancels nothing: it may still become durable."""
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[bool] = loop.create_future()
        clock = loop.call_later(STORE_SECONDS, _too_slow, outcome)

        def settle(stored: Future[bool]) -> None:  # in the writer's thread
            with suppress(RuntimeError):  # the loop is closed: there is nobody left to tell
                loop.call_soon_threadsafe(_settle, outcome, stored)

        self.put(new).add_done_callback(settle)
        try:
            return await outcome
        except TimeoutError:
            raise DeliveryRefused(
                503, "the store does not answer in time; the delivery may have been kept"
            ) from None
        except Exception as wrong:
            expected = isinstance(wrong, TemporaryError)
            names = {"delivery": new.guid, "event": new.event}
            log.warning("delivery not stored: %s", wrong, exc_info=not expected, extra=names)
            raise DeliveryRefused(503, "the delivery could not be stored", headers=RETRY) from None
        finally:
            clock.cancel()


def _headers(scope: Scope) -> Sent:
    """What can be refused before a byte of the body is read. Of a header that stands twice none is chosen."""
    if scope["method"] != "POST":
        raise DeliveryRefused(405, "deliveries are posted", close=True, headers=((b"allow", b"POST"),))
    found: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if name in _WANTED:
            if name in found:
                raise DeliveryRefused(
                    401 if name == _SIGNATURE else 400, f"{name.decode()} stands twice", close=True
                )
            found[name] = value
    if found.get(b"content-type", b"").split(b";")[0].strip().lower() != b"application/json":
        raise DeliveryRefused(415, "set the webhook's content type to application/json", close=True)
    signature = found.get(_SIGNATURE, b"")
    if len(signature) != 71 or not signature.startswith(b"sha256="):
        raise DeliveryRefused(401, "X-Hub-Signature-256 is missing or malformed", close=True)
    return Sent(signature, found.get(b"x-github-event", b""), found.get(b"x-github-delivery", b""))


_SIGNATURE = b"x-hub-signature-256"
_WANTED = frozenset({_SIGNATURE, b"content-type", b"x-github-event", b"x-github-delivery"})
_PRINTABLE = frozenset(range(0x21, 0x7F))


def _name(value: bytes, header: str) -> str:
    """GitHub sends words and GUIDs; what is longer or odder than that is not from GitHub."""
    if not value or len(value) > 64 or not _PRINTABLE.issuperset(value):
        raise DeliveryRefused(400, f"{header} is missing or malformed")
    return value.decode()


async def _refuse(no: DeliveryRefused, receive: Receive, send: Send) -> None:
    """Says no. Where the body was not read to its end, what is under way is let in and dropped for a moment:
    closing at once would reset the connection, and the answer would be lost with it."""
    headers = no.headers + CLOSE if no.close else no.headers
    await answer(send, no.status, problem(no.status, no.detail), PROBLEM, headers, more=no.close)
    if no.close:
        await drain(receive)
        await finish(send)


def _too_slow(outcome: asyncio.Future[bool]) -> None:
    if not outcome.done():
        outcome.set_exception(TimeoutError())


def _settle(outcome: asyncio.Future[bool], stored: Future[bool]) -> None:
    """Unless it has no reader any more."""
    if outcome.done():
        return
    if wrong := stored.exception():
        outcome.set_exception(wrong)
    else:
        outcome.set_result(stored.result())
