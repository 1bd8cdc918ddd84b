"""The dashboard's page *Drafts*: comments that Hob keeps, and what a person has become of them. To post or
discard one is a command as in a comment (`bot.store.requests`), so that a run of its own sends and tells
it."""

import re
import uuid
from asyncio import wrap_future
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.core.drafts import Draft
from bot.core.refs import Actor, Login
from bot.store import Store
from bot.store.requests import CommandRequest, delivery_of
from bot.web.pages.html import form_fields, rendered
from bot.web.runs import when

MOST_FORM_BYTES = 256 * 1024
"""Three bytes for each of a comment's 65,536 characters, and some."""
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")
_ORDERS = {"post": "post", "discard": "drop"}


async def show_all(request: Request) -> Response:
    """What waits in all repositories, oldest first. `?asked=` names what was just asked for."""
    store: Store = request.app.state.store
    found = await run_in_threadpool(store.drafts.waiting)
    asked = request.query_params.get("asked", "")
    said = asked if re.fullmatch(r"(post|discard) [1-9][0-9]{0,8}", asked, re.ASCII) else ""
    drafts = [_shown(request, one) for one in found]
    return rendered("drafts.html", request, drafts=drafts, asked=said.split())


async def show(request: Request) -> Response:
    """One draft in a field where it can be changed."""
    saved = "saved" in request.query_params
    return rendered("draft.html", request, draft=_shown(request, await _named(request)), saved=saved)


async def change(request: Request) -> Response:
    """A button was pressed. A changed text is made harmless and kept before it is posted."""
    draft = await _named(request)
    store: Store = request.app.state.store
    given = await form_fields(request, MOST_FORM_BYTES)
    order, body = given.get("do", ""), given.get("body")
    if order not in (*_ORDERS, "save"):
        raise HTTPException(400, "a draft is posted, saved or discarded: do=post, save or discard")
    if body is not None and order != "discard":
        from bot.effects.texts import Texts

        text = Texts(draft.repo).prose(body.replace("\r\n", "\n")).strip()
        if not text:
            raise HTTPException(400, "a comment without a text cannot be posted; discard the draft instead")
        if not await run_in_threadpool(store.drafts.rewrite, draft.repo.id, draft.n, text):
            raise _gone(draft.n)
    if order == "save":
        return RedirectResponse(f"/drafts/{draft.repo.id}/{draft.n}?saved=1", status_code=303)
    await _asks(request, draft, f"/hob draft {_ORDERS[order]} {draft.n}")
    return RedirectResponse(f"/drafts?asked={order}%20{draft.n}", status_code=303)


ROUTES = (
    Route("/drafts", show_all, methods=["GET"]),
    Route("/drafts/{repo_id}/{n}", show, methods=["GET"]),
    Route("/drafts/{repo_id}/{n}", change, methods=["POST"]),
)


async def _asks(request: Request, draft: Draft, line: str) -> None:
    """For the operator, who is whoever has the token."""
    store: Store = request.app.state.store
    nobody = Actor(Login(""), 0)
    asked = CommandRequest(repo=draft.repo, number=draft.number, line=line, by=nobody, channel="dashboard")
    await wrap_future(store.inbox.put(delivery_of(asked, f"draft:{uuid.uuid4()}")))
    request.app.state.wake()


async def _named(request: Request) -> Draft:
    """The draft that the path names; 404."""
    store: Store = request.app.state.store
    repo_id, n = request.path_params["repo_id"], request.path_params["n"]
    named = _NUMBER.fullmatch(repo_id) and _NUMBER.fullmatch(n) and int(n) < 2**31
    found = await run_in_threadpool(store.drafts.get, int(repo_id), int(n)) if named else None
    if found is None:
        raise _gone(n[:20])
    return found


def _gone(n: int | str) -> HTTPException:
    return HTTPException(
        404, f"no draft {n} waits there: it was posted, discarded or replaced by a newer one"
    )


def _shown(request: Request, one: Draft) -> dict[str, Any]:
    where = f"{one.repo.full_name}#{one.number}"
    return {
        "n": one.n,
        "where": where,
        "about": one.about,
        "body": one.body,
        "path": f"/drafts/{one.repo.id}/{one.n}",
        "issue": f"{request.app.state.site}/{one.repo.full_name}/issues/{one.number}",
        "at": when(one.at),
    }
