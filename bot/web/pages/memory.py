"""What people taught Hob, of all repositories, and a button that forgets."""

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bot.log import redact
from bot.store import Store
from bot.store.overview import MemoryRow, memory_page
from bot.web.pages import schemas
from bot.web.pages.view import (
    COUNT,
    LIMIT,
    PLACE,
    REPO,
    WORDS,
    Answer,
    Button,
    View,
    done,
    limit_of,
    listed,
    next_of,
    path_id,
    place_of,
    shape,
    words,
)
from bot.web.runs import when


async def list_memory(request: Request) -> Answer:
    """The newest first."""
    store: Store = request.app.state.store
    limit, before = limit_of(request), place_of(request, (float, int, int))
    asked = (store.database, words(request, "repo"), words(request), before, limit)
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
    }


async def forget(request: Request) -> Response:
    """Deletes one; 404."""
    store: Store = request.app.state.store
    repo_id, n = path_id(request, "repo_id", "repository"), path_id(request, "n", "thing to forget")
    if n >= 2**31 or not await run_in_threadpool(store.memory.forget, repo_id, n):
        raise HTTPException(404, f"nothing numbered {n} is remembered of that repository")
    return await done(request, "/memory", {"forgotten": n})


VIEWS = (
    View(
        "/memory", "list_memory", "What is remembered, the newest first", list_memory,
        listed("memory", schemas.LESSON), (LIMIT, PLACE, REPO, WORDS),
    ),
)  # fmt: skip
BUTTONS = (
    Button("/memory/{repo_id}/{n}/forget", "forget", "Forgets something", forget, shape(forgotten=COUNT)),
)
ROUTES = tuple(one.route for one in (*VIEWS, *BUTTONS))
