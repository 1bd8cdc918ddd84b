"""What people taught Hob, of all repositories, and a button that forgets."""

from typing import Any, get_args
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bot.core.conventions import Example, evidence_of
from bot.core.memory import Lesson, MemoryKind
from bot.core.text import cut
from bot.log import redact
from bot.store import Store
from bot.store.overview import MemoryRow, memory_page
from bot.web.pages import schemas
from bot.web.pages.html import came_from
from bot.web.pages.view import (
    COUNT,
    LIMIT,
    PLACE,
    REPO,
    WORDS,
    Answer,
    Button,
    View,
    choice,
    done,
    limit_of,
    listed,
    next_of,
    path_id,
    place_of,
    shape,
    text,
    words,
)
from bot.web.runs import when

KINDS: tuple[str, ...] = get_args(MemoryKind)
MOST_SHOWN = 160
"""Characters of a line and of a remark that a convention rests on."""


async def list_memory(request: Request) -> Answer:
    """The newest first."""
    store: Store = request.app.state.store
    limit, before = limit_of(request), place_of(request, (float, int, int))
    kind = choice(request, "kind", KINDS)
    asked = (store.database, words(request, "repo"), kind, words(request), before, limit)
    found = await run_in_threadpool(memory_page, *asked)
    return {
        "memory": [_shown(one) for one in found],
        "next": next_of(found, limit, lambda one: f"{one.memory.at!r},{one.repo_id},{one.memory.n}"),
    }


def _shown(one: MemoryRow) -> dict[str, Any]:
    lesson = one.memory.lesson
    return {
        "repo_id": one.repo_id,
        "repo": one.repo,
        "n": one.memory.n,
        "kind": lesson.kind,
        "text": redact(lesson.text),
        "author": lesson.author,
        "number": lesson.number,
        "path": lesson.path,
        "title": redact(lesson.title),
        "source": lesson.source,
        "at": when(one.memory.at),
        "expires": when(one.memory.expires),
        "evidence": _evidence(lesson),
    }


def _evidence(lesson: Lesson) -> dict[str, Any] | None:
    """What a learned convention rests on; None for all else."""
    seen = evidence_of(lesson)
    if seen is None:
        return None
    told = {"right": seen.now.right, "spoken": seen.now.spoken, "against": seen.against}
    examples = {"examples": seen.examples, "counter_examples": seen.counter_examples}
    shown = {name: [_example(one) for one in some] for name, some in examples.items()}
    return {"pattern": seen.pattern, "words": list(seen.trigger), "kind": seen.kind, **told, **shown}


def _example(one: Example) -> dict[str, str]:
    url = one.url if one.url.startswith("https://") else ""
    line, said = (cut(redact(text), MOST_SHOWN, end="…") for text in (one.line, one.said))
    return {"url": url, "path": cut(one.path, MOST_SHOWN, end="…"), "line": line, "said": said}


async def forget(request: Request) -> Response:
    """Deletes one; 404."""
    store: Store = request.app.state.store
    repo_id, n = path_id(request, "repo_id", "repository"), path_id(request, "n", "thing to forget")
    if n >= 2**31 or not await run_in_threadpool(store.memory.forget, repo_id, n):
        raise HTTPException(404, f"nothing numbered {n} is remembered of that repository")
    return await done(request, _list(request, "forgotten", n), {"forgotten": n})


async def accept(request: Request) -> Response:
    """A convention that was learned is told to reviewers from then on; 404."""
    return await _decide(request, "convention", "accepted")


async def decline(request: Request) -> Response:
    """It is not offered again; 404."""
    return await _decide(request, "declined", "declined")


async def _decide(request: Request, kind: MemoryKind, word: str) -> Response:
    store: Store = request.app.state.store
    repo_id, n = path_id(request, "repo_id", "repository"), path_id(request, "n", "convention")
    if n >= 2**31 or not await run_in_threadpool(store.memory.decide, repo_id, n, kind):
        raise HTTPException(404, f"no convention numbered {n} is offered of that repository")
    return await done(request, _list(request, word, n), {word: n})


def _list(request: Request, word: str, n: int) -> str:
    """The list as it was when a button of it was pressed, with what came of that (`told`)."""
    came = urlsplit(came_from(request.headers))
    query = parse_qsl(came.query) if came.path == "/memory" else []
    return "/memory?" + urlencode([*(one for one in query if one[0] != "told"), ("told", f"{word} {n}")])


VIEWS = (
    View(
        "/memory", "list_memory", "What is remembered, the newest first", list_memory,
        listed("memory", schemas.LESSON), (LIMIT, PLACE, REPO, WORDS, ("kind", text(enum=["", *KINDS]))),
    ),
)  # fmt: skip
BUTTONS = (
    Button("/memory/{repo_id}/{n}/forget", "forget", "Forgets something", forget, shape(forgotten=COUNT)),
    Button(
        "/memory/{repo_id}/{n}/accept", "accept", "Accepts a convention that was learned",
        accept, shape(accepted=COUNT),
    ),
    Button(
        "/memory/{repo_id}/{n}/decline", "decline", "Declines a convention that was learned",
        decline, shape(declined=COUNT),
    ),
)  # fmt: skip
ROUTES = tuple(one.route for one in (*VIEWS, *BUTTONS))
