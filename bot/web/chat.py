"""`POST /agents/chat`: an answer as server-sent events, word by word.
https://html.spec.whatwg.org/multipage/server-sent-events.html"""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from bot.core.chat import Answered
from bot.core.errors import HobError, UserError
from bot.core.inference import Turn
from bot.core.settings_schema import REPOSITORY
from bot.log import redact
from bot.web.json_body import json_object

MOST_MESSAGE = 8_000
"""Characters of a question."""
MOST_TURNS, MOST_HISTORY = 40, 64_000
"""Earlier turns, and characters of them all: a client sends those of its conversation."""
AT_ONCE = 4
BREATH_SECONDS = 15.0
"""After so long without a word a comment is sent: a proxy closes a connection that is still."""

ChatPiece = str | Answered
ChatPort = Callable[[str, str, bool, tuple[Turn, ...]], Awaitable[AsyncIterator[ChatPiece]]]
"""(owner/name, question, whether what is known of the repository is searched, what was said before) -> the
answer's pieces, then one `Answered`. UserError where there is no such repository."""
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Talks:
    """Those under way."""

    chat: ChatPort
    now: int = 0


async def answer(request: Request) -> Response:
    """Events `token` (many), `citations`, `done`; `error` where no model gave an answer."""
    talks: Talks | None = request.app.state.talks
    repo, message, looks, before = _asked(await json_object(request))
    if talks is None:
        raise HTTPException(503, "this process has no models to ask")
    if talks.now >= AT_ONCE:
        raise HTTPException(429, f"{AT_ONCE} questions are being answered: ask again", {"retry-after": "10"})
    talks.now += 1
    try:
        pieces = await talks.chat(repo, message, looks, before)
    except UserError as wrong:
        talks.now -= 1
        raise HTTPException(404, redact(str(wrong))) from None
    except HobError as wrong:
        talks.now -= 1
        raise HTTPException(503, redact(str(wrong))) from None
    except BaseException:
        talks.now -= 1
        raise
    return _Events(talks, pieces)


class _Events(StreamingResponse):
    """Ends the question with the connection: whoever leaves stops the model."""

    def __init__(self, talks: Talks, pieces: AsyncIterator[ChatPiece]) -> None:
        self.talks, self.pieces = talks, pieces
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        super().__init__(_told(pieces), headers=headers, media_type="text/event-stream")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.talks.now -= 1
            if isinstance(self.body_iterator, AsyncGenerator):
                await self.body_iterator.aclose()
            if isinstance(self.pieces, AsyncGenerator):
                await self.pieces.aclose()


async def _told(pieces: AsyncIterator[ChatPiece]) -> AsyncGenerator[bytes]:
    try:
        async for piece in _breathing(pieces):
            if piece is None:
                yield b": still thinking\n\n"
            elif isinstance(piece, str):
                yield _event("token", {"text": piece})
            else:
                for event in _end(piece):
                    yield event
    except HobError as wrong:
        log.warning("a question over the API was not answered: %s", wrong)
        yield _event("error", {"detail": redact(str(wrong))})
    yield _event("done", {})


async def _breathing(pieces: AsyncIterator[ChatPiece]) -> AsyncGenerator[ChatPiece | None]:
    """The pieces, and None whenever there was none for a while."""
    following: asyncio.Future[ChatPiece] | None = None
    try:
        while True:
            following = following or asyncio.ensure_future(anext(pieces))
            done, _ = await asyncio.wait({following}, timeout=BREATH_SECONDS)
            if not done:
                yield None
                continue
            try:
                piece = following.result()
            except StopAsyncIteration:
                return
            following = None
            yield piece
    finally:
        if following is not None:
            following.cancel()
            with suppress(asyncio.CancelledError, StopAsyncIteration, HobError):
                await following


def _end(answered: Answered) -> list[bytes]:
    if answered.completion.value is None:
        return [_event("error", {"detail": redact(answered.completion.reason)})]
    told: dict[str, Any] = {"citations": [one.told for one in answered.citations]}
    if answered.completion.note:
        told["note"] = redact(answered.completion.note)
    if answered.dropped:
        told["dropped"] = answered.dropped
    if answered.unproved:
        told["unproved"] = answered.unproved
    return [_event("citations", told)]


def _event(name: str, data: dict[str, Any]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=True)}\n\n".encode()


def _asked(given: dict[str, Any]) -> tuple[str, str, bool, tuple[Turn, ...]]:
    """(repo, message, use_knowledge_graph, history); 422."""
    if unknown := given.keys() - {"repo", "message", "use_knowledge_graph", "history"}:
        raise HTTPException(422, f"{sorted(unknown)[0][:100]}: there is no such key")
    repo, message = given.get("repo"), given.get("message")
    looks = given.get("use_knowledge_graph", True)
    if not (isinstance(repo, str) and REPOSITORY.fullmatch(repo)):
        raise HTTPException(422, "repo: owner/name is expected")
    if not (isinstance(message, str) and message.strip()):
        raise HTTPException(422, "message: a question is expected")
    if len(message) > MOST_MESSAGE:
        raise HTTPException(422, f"message: at most {MOST_MESSAGE:,} characters")
    if not isinstance(looks, bool):
        raise HTTPException(422, "use_knowledge_graph: true or false is expected")
    return repo, message, looks, _history(given.get("history", []))


def _history(given: Any) -> tuple[Turn, ...]:
    """What was said before, oldest first; 422."""
    wrong = 'history: a list of {"role": "user" or "assistant", "content": "…"} is expected'
    if not isinstance(given, list):
        raise HTTPException(422, wrong)
    turns: list[Turn] = []
    for one in given:
        match one:
            case {"role": "user" | "assistant" as role, "content": str(content), **rest} if not rest:
                turns.append(Turn(role, content))
            case _:
                raise HTTPException(422, wrong)
    if len(turns) > MOST_TURNS or sum(len(turn.text) for turn in turns) > MOST_HISTORY:
        raise HTTPException(422, f"history: at most {MOST_TURNS} turns of {MOST_HISTORY:,} characters")
    return tuple(turn for turn in turns if turn.text.strip())
