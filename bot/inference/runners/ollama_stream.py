"""Ollama's answer, line by line, within deadlines and a cap. https://docs.ollama.com/api/streaming"""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bot.http import HTTPError, Response
from bot.inference.runners import Broken, Heard, HostDown, ModelMissing, Reply, RunnerError, TooLong, TooSlow

_TOO_LONG = re.compile(
    r"context (?:length|size|window)|exceeds? the (?:available|model)|input length|too long", re.I
)
_NUMBERS = re.compile(r"(\d[\d,]*) ?tokens?\b")
_NANO = 1e-9


def refusal(status: int, body: bytes) -> RunnerError:
    """The error that a status other than 200 stands for."""
    text = _message(body)
    if 300 <= status < 400:
        return HostDown(f"it answered {status} (it sends us elsewhere, which is not followed)")
    if status == 404 and "model" in text:
        return ModelMissing(f"it does not have the model ({text})")
    return error_of(text) if status == 400 else Broken(f"it answered {status}: {text}")


def error_of(text: str) -> RunnerError:
    """The error that Ollama's words stand for, in a refusal or in the middle of a stream."""
    if not _TOO_LONG.search(text):
        return Broken(f"it answered with an error: {text}")
    counts = [int(number.replace(",", "")) for number in _NUMBERS.findall(text)]
    sent, limit = counts[:2] if len(counts) == 2 else (None, None)
    return TooLong("the prompt is longer than it reads", sent, limit)


class Patience:
    """Deadlines for the first token and between two, in seconds; a line without a word, or bytes without
    a line, do not count. Begins at once: Ollama sends not even a status before the first token."""

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


async def listen(response: Response, waiter: Patience, heard: Heard | None) -> Reply:
    """The whole answer; `RunnerError`."""
    words, thoughts = [], []
    try:
        async for line in _lines(response):
            word, thought = _said(line)
            if word or thought:
                waiter.token()
            words.append(word)
            thoughts.append(thought)
            if word and heard is not None:
                heard(word)
            if line.get("done") is True:
                return _reply("".join(words), "".join(thoughts), waiter.first_token_seconds, line)
    except HTTPError as error:
        raise Broken(f"the answer broke off ({str(error) or type(error).__name__})") from None
    raise Broken("the answer ended in the middle")


async def _lines(response: Response) -> AsyncIterator[dict[str, Any]]:
    """The JSON objects of a stream with one on each line; `Broken` for anything else."""
    rest = b""
    async for part in response.aiter_raw():
        *whole, rest = (rest + part).split(b"\n") if b"\n" in part else (rest + part,)
        for line in whole:
            if line.strip():
                yield _object(line)
    if rest.strip():
        yield _object(rest)


def _object(line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise Broken("it answered with something that is not Ollama's")
    if error := value.get("error"):
        raise error_of(str(error)[:300])
    return value


def _said(line: dict[str, Any]) -> tuple[str, str]:
    """(word, thought) of one line."""
    message = line.get("message")
    if not isinstance(message, dict):
        return "", ""
    word, thought = message.get("content"), message.get("thinking")
    return word if isinstance(word, str) else "", thought if isinstance(thought, str) else ""


def _reply(text: str, thinking: str, first: float, last: dict[str, Any]) -> Reply:
    """What the stream's last line counts; a count of nothing is no count."""
    return Reply(
        text,
        tokens_in=_count(last, "prompt_eval_count") or None,
        tokens_out=_count(last, "eval_count"),
        first_token_seconds=first,
        complete=last.get("done_reason") != "length",
        thinking=thinking,
        load_seconds=_count(last, "load_duration") * _NANO,
    )


def _count(line: dict[str, Any], key: str) -> int:
    value = line.get(key)
    return value if isinstance(value, int) and value > 0 else 0


def _message(body: bytes) -> str:
    """The `error` of a refusal, or its first words."""
    try:
        return str(json.loads(body)["error"])[:300]
    except (ValueError, KeyError, TypeError):
        return body.decode("utf-8", "replace")[:100]
