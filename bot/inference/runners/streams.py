"""Answers that come in pieces: deadlines between words, lines of JSON, server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bot.http import AsyncClient, HTTPError, Response
from bot.inference.runners import Broken, Heard, HostDown, Reply, TooSlow
from bot.inference.runners.wire import Refused, encode, message, why


class Patience:
    """Deadlines for the first token and between two, in seconds; a line without a word, or bytes without
    a line, do not count. Begins at once: some hosts send not even a status before the first token."""

    def __init__(self, first: float, between: float) -> None:
        self._between = between
        self._loop = asyncio.get_running_loop()
        self._begun = self._loop.time()
        self.waiting = asyncio.timeout(first)
        self.waits = first
        self.first_token_seconds = 0.0

    def token(self) -> None:
        """A token has come."""
        now = self._loop.time()
        self.first_token_seconds = self.first_token_seconds or now - self._begun
        self.waits = self._between
        self.waiting.reschedule(now + self._between)


@asynccontextmanager
async def patience(first: float, between: float) -> AsyncIterator[Patience]:
    """A block that ends in `TooSlow` when no token comes in time."""
    waiter = Patience(first, between)
    try:
        async with waiter.waiting:
            yield waiter
    except TimeoutError:
        raise TooSlow(f"no token for {waiter.waits:,.0f} s") from None


class Speech:
    """What a model says, as it comes: resets the deadline, tells the listener, keeps the whole."""

    def __init__(self, waiter: Patience, heard: Heard | None) -> None:
        self.waiter = waiter
        self._heard = heard
        self._words: list[str] = []
        self._thoughts: list[str] = []

    def says(self, word: str, thought: str = "") -> None:
        """A piece of the answer or of what is thought before it; nothing is no piece."""
        if word or thought:
            self.waiter.token()
        self._words.append(word)
        self._thoughts.append(thought)
        if word and self._heard is not None:
            self._heard(word)

    def reply(self, *, tokens_in: int, tokens_out: int, complete: bool, load_seconds: float = 0.0) -> Reply:
        """The whole; a count of nothing is no count."""
        return Reply(
            "".join(self._words),
            tokens_in=tokens_in or None,
            tokens_out=tokens_out,
            first_token_seconds=self.waiter.first_token_seconds,
            complete=complete,
            thinking="".join(self._thoughts),
            load_seconds=load_seconds,
        )


@asynccontextmanager
async def streaming(
    http: AsyncClient, path: str, body: dict[str, Any], idle: tuple[float, float], heard: Heard | None
) -> AsyncIterator[tuple[Response, Speech]]:
    """An answer under way; `Refused` and `HostDown` before it, `TooSlow` and `Broken` within it."""
    try:
        async with (
            patience(*idle) as waiter,
            http.stream("POST", path, content=encode(body)) as response,
        ):
            if response.status_code != 200:
                raise Refused(response.status_code, message(await response.aread()))
            try:
                yield response, Speech(waiter, heard)
            except HTTPError as error:
                raise Broken(f"the answer broke off ({str(error) or type(error).__name__})") from None
    except HTTPError as error:
        raise HostDown(why(error)) from None


async def lines(response: Response) -> AsyncIterator[bytes]:
    """The lines of a body, the empty ones too."""
    rest = b""
    async for part in response.aiter_raw():
        *whole, rest = (rest + part).split(b"\n") if b"\n" in part else (rest + part,)
        for line in whole:
            yield line.removesuffix(b"\r")
    if rest:
        yield rest


async def events(response: Response) -> AsyncIterator[str]:
    """The data of each server-sent event; `Broken` for a line that is none.
    https://html.spec.whatwg.org/multipage/server-sent-events.html"""
    data: list[str] = []
    async for line in lines(response):
        if not line:
            if data:
                yield "\n".join(data)
            data = []
            continue
        name, _, value = line.partition(b":")
        if name == b"data":
            data.append(value.removeprefix(b" ").decode("utf-8", "replace"))
        elif name not in {b"", b"event", b"id", b"retry"}:
            raise Broken("it answered with something that is no stream of events")


def json_object(text: str | bytes, whose: str) -> dict[str, Any]:
    """A JSON object; `Broken` for anything else, which is not `whose` ("Ollama's")."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise Broken(f"it answered with something that is not {whose}")
    return value


def text_of(fields: object, *names: str) -> str:
    """The first of these fields that is text; empty where there is none."""
    if not isinstance(fields, dict):
        return ""
    return next((fields[name] for name in names if isinstance(fields.get(name), str)), "")


def count_of(fields: object, name: str) -> int:
    """A count; 0 where there is none."""
    value = fields.get(name) if isinstance(fields, dict) else None
    return value if isinstance(value, int) and value > 0 else 0


def dict_of(fields: object, name: str) -> dict[str, Any]:
    """A table; empty where there is none."""
    value = fields.get(name) if isinstance(fields, dict) else None
    return value if isinstance(value, dict) else {}


def first_of(fields: object, name: str) -> dict[str, Any]:
    """The first table of a list; empty where there is none."""
    value = fields.get(name) if isinstance(fields, dict) else None
    return value[0] if isinstance(value, list) and value and isinstance(value[0], dict) else {}
