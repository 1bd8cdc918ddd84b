"""Answers that come in pieces, or should: deadlines between words, JSON in whatever a server wraps it in."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bot.http import AsyncClient, HTTPError, Response
from bot.inference.runners import Broken, Heard, HostDown, HostTooSlow, Reply, Stopped
from bot.inference.runners.wire import HostRefused, encode, message, why

END: dict[str, Any] = {}
"""Stands for `[DONE]`, by identity."""
_BOM = b"\xef\xbb\xbf"
_NEWLINE = re.compile(rb"\r\n|\r|\n")
_FILLED = re.compile(r"\S")
_decoder = json.JSONDecoder()
_CUT: dict[str, Stopped] = {
    **dict.fromkeys(("length", "max_tokens", "model_context_window_exceeded", "max_length"), "length"),
    **dict.fromkeys(
        ("content_filter", "content-filter", "safety", "recitation", "blocked", "blocklist", "refusal"),
        "filter",
    ),
    **dict.fromkeys(("abort", "aborted", "cancelled", "canceled", "error", "timeout"), "abort"),
}


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
    """A block that ends in `HostTooSlow` when no token comes in time."""
    waiter = Patience(first, between)
    try:
        async with waiter.waiting:
            yield waiter
    except TimeoutError:
        raise HostTooSlow(f"no token for {waiter.waits:,.0f} s") from None


class Speech:
    """What a model says, as it comes: resets the deadline, tells the listener, keeps the whole."""

    def __init__(self, waiter: Patience, heard: Heard | None) -> None:
        self.waiter = waiter
        self._heard = heard
        self._words: list[str] = []
        self._thoughts: list[str] = []

    @property
    def begun(self) -> bool:
        """Whether anything has been said."""
        return any(self._words)

    def says(self, word: str, thought: str = "") -> None:
        """A piece of the answer or of what is thought before it; nothing is no piece."""
        self._words.append(word)
        self._thoughts.append(thought)
        if not word and not thought:
            return
        self.waiter.token()
        if self._heard is not None:
            self._heard(word)

    def reply(
        self,
        *,
        tokens_in: int,
        tokens_out: int,
        finish: str,
        load_seconds: float = 0.0,
        tokens_cached: int | None = None,
        reading_seconds: float = 0.0,
    ) -> Reply:
        """The whole; a count of nothing is no count. `finish`: the host's word for why it ended."""
        return Reply(
            "".join(self._words),
            tokens_in=tokens_in or None,
            tokens_out=tokens_out,
            first_token_seconds=self.waiter.first_token_seconds,
            stopped=_CUT.get(finish.casefold(), ""),
            thinking="".join(self._thoughts),
            load_seconds=load_seconds,
            tokens_cached=tokens_cached,
            reading_seconds=reading_seconds,
        )


@asynccontextmanager
async def streaming(
    http: AsyncClient, path: str, body: dict[str, Any], idle: tuple[float, float], heard: Heard | None
) -> AsyncIterator[tuple[Response, Speech]]:
    """An answer under way; `HostRefused` and `HostDown` before it, `HostTooSlow` and `Broken` within it."""
    try:
        async with (
            patience(*idle) as waiter,
            http.stream("POST", path, content=encode(body)) as response,
        ):
            if response.status_code != 200:
                raise HostRefused(response.status_code, message(await response.aread()))
            try:
                yield response, Speech(waiter, heard)
            except HTTPError as error:
                raise Broken(f"the answer broke off ({str(error) or type(error).__name__})") from None
    except HTTPError as error:
        raise HostDown(why(error)) from None


async def lines(response: Response) -> AsyncIterator[bytes]:
    """The lines of a body, the empty ones too, whether they end in CR, LF or both."""
    parts: list[bytes] = []
    after_cr = False
    async for part in response.aiter_raw():
        if not part:
            continue
        text, after_cr = part.removeprefix(b"\n") if after_cr else part, part.endswith(b"\r")
        *whole, rest = _NEWLINE.split(text)
        for line in whole:
            yield b"".join((*parts, line))
            parts.clear()
        if rest:
            parts.append(rest)
    if parts:
        yield b"".join(parts)


async def objects(response: Response, whose: str) -> AsyncIterator[dict[str, Any]]:
    """The JSON objects of an answer as soon as each is whole, `END` for `[DONE]`; `Broken`.

    Servers differ in how they wrap them, and some leave `stream` out of account: server-sent events (with a
    blank line between two or without), one object a line, one body, an array, with a byte order mark or
    comments in between. What is said in an event that is an error is its `error`.
    https://html.spec.whatwg.org/multipage/server-sent-events.html"""
    wrapped = _Wrapped(whose)
    async for line in lines(response):
        for value in wrapped.line(line.removeprefix(_BOM)):
            yield value
    for value in wrapped.end():
        yield value


class _Wrapped:
    """What of an answer has come and is not whole yet: lines of one body, or an event's data."""

    def __init__(self, whose: str) -> None:
        self._whose = whose
        self._body: list[bytes] = []
        self._data: list[bytes] = []
        self._event = b""

    def line(self, line: bytes) -> list[dict[str, Any]]:
        """What is whole with this line."""
        if self._body:
            self._body.append(line)
            return []
        if not line.strip():
            return self.end()
        if line.lstrip()[:1] not in {b"{", b"["}:
            return self._field(line)
        if (found := _whole(line)) is None:
            self._body.append(line)
        return found or []

    def end(self) -> list[dict[str, Any]]:
        """What there is when an event is over, or all."""
        text = b"\n".join(self._body or self._data)
        event, self._event, self._body, self._data = self._event, b"", [], []
        return _parsed(text, self._whose, event) if text.strip() else []

    def _field(self, line: bytes) -> list[dict[str, Any]]:
        name, _, text = line.partition(b":")
        text = text.removeprefix(b" ")
        if name == b"error":
            return _parsed(text, self._whose, name)
        if name == b"event":
            self._event = text.strip()
        elif name == b"data":
            found = None if self._data or self._event == b"error" else _whole(text)
            if found is not None:
                return found
            self._data.append(text)
        elif name not in {b"", b"id", b"retry"}:
            raise Broken(
                f"it answered with something that is not {self._whose} (no stream of events, no JSON)"
            )
        return []


def _whole(text: bytes) -> list[dict[str, Any]] | None:
    """The objects of one JSON text; None where it is none, or not all of it."""
    if text.strip() == b"[DONE]":
        return [END]
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    values = value if isinstance(value, list) else [value]
    return values if all(isinstance(each, dict) for each in values) else None


def _parsed(text: bytes, whose: str, event: bytes) -> list[dict[str, Any]]:
    """The objects of what came in several lines, one after another; `Broken` where it is something else."""
    if (found := _whole(text)) is None and event != b"error":
        found = _several(text.decode("utf-8", "replace"))
    if event == b"error":
        told = found[0] if found else {"message": text.decode("utf-8", "replace")}
        return [told if told.get("error") else {"error": told}]
    if found is None:
        raise Broken(f"it answered with something that is not {whose}")
    return found


def _several(text: str) -> list[dict[str, Any]] | None:
    """The objects of several JSON texts."""
    found: list[dict[str, Any]] = []
    at = 0
    while begins := _FILLED.search(text, at):
        try:
            value, at = _decoder.raw_decode(text, begins.start())
        except (ValueError, RecursionError):
            return None
        found += value if isinstance(value, list) else [value]
    return found if all(isinstance(each, dict) for each in found) else None


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


def said_in(value: object, depth: int = 3) -> tuple[str, str]:
    """(text, thought) of a message's content: a text, or a list of parts that have one."""
    if isinstance(value, str):
        return value, ""
    if isinstance(value, dict):
        if value.get("type") == "thinking":
            return "", "".join(said_in(value.get("thinking"), depth - 1)) if depth else ""
        inner = value.get("text", value.get("content", value.get("value")))
        return said_in(inner, depth - 1) if depth else ("", "")
    if not isinstance(value, list) or not depth:
        return "", ""
    pairs = [said_in(each, depth - 1) for each in value]
    return "".join(text for text, _ in pairs), "".join(thought for _, thought in pairs)


def error_in(value: dict[str, Any]) -> str:
    """What a server says went wrong, in an answer whose status is 200; empty where nothing did."""
    if value.get("error") or "error" in (value.get("object"), value.get("type")):
        return message(encode(value))
    told = text_of(value, "detail", "message", "msg")
    return told if told and not {"choices", "type", "usage", "done"} & value.keys() else ""
