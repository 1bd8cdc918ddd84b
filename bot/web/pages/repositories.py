"""The repositories that Hob works for, and the settings of one: each value, the layer that it comes from, and
a field in which to change it."""

import json
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.core.refs import LOGIN, NAME
from bot.core.settings_merge import FILE, Layer, merge, plain
from bot.core.settings_schema import KEYS, LISTS, SettingKey
from bot.store import Store
from bot.store.overview import RepositoryRow, repository_page
from bot.web.pages import schemas
from bot.web.pages.html import form_fields, rendered
from bot.web.pages.view import (
    LIMIT,
    WORDS,
    Answer,
    View,
    limit_of,
    listed,
    next_of,
    text,
    words,
)
from bot.web.runs import when
from bot.web.settings import UnusableSettings, checked

MOST_FORM_BYTES = 64 * 1024


async def list_repositories(request: Request) -> Answer:
    """By name."""
    store: Store = request.app.state.store
    limit, after = limit_of(request), words(request, "before")
    found = await run_in_threadpool(repository_page, store.database, words(request), after, limit)
    return {
        "repositories": [_shown(request, one) for one in found],
        "next": next_of(found, limit, lambda one: one.name),
    }


def _shown(request: Request, one: RepositoryRow) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "installation": one.installation,
        "private": one.private,
        "issues": one.issues,
        "last_at": when(one.last_at),
        "url": f"{request.app.state.site}/{one.name}" if "/" in one.name else None,
    }


async def show_repository(request: Request) -> Answer:
    """Its settings as they count, with `.github/hob.yml` as a run read it last; `before_file` is what counts
    where that says nothing."""
    store: Store = request.app.state.store
    return await run_in_threadpool(_settings, request, store, _named(request))


def _settings(request: Request, store: Store, name: str) -> Answer:
    from bot.github import hobyml  # YAML is read for a person who looks at this page, not to take a delivery

    layers, stored = store.settings.layers(*name.split("/")), store.settings.get("repo", name)
    said, _ = hobyml.said(store.known.file(store.known.id_of(name)))
    before, counts = merge(layers), merge(layers, Layer(FILE, said))
    rows = [
        {
            "name": key.name,
            "part": _part(key.name),
            "about": key.about,
            "choices": list(_choices(key)),
            "value": plain(counts[key.name].value),
            "layer": counts[key.name].layer,
            "before_file": plain(before[key.name].value),
            "stored": key.name in stored,
        }
        for key in KEYS
    ]
    return {"name": name, "url": f"{request.app.state.site}/{name}", "settings": rows}


async def change(request: Request) -> Response:
    """One value is stored, or what is stored of it removed (an empty field). What cannot be is said beside
    its field, with 422."""
    store: Store = request.app.state.store
    name = _named(request)
    given = await form_fields(request, MOST_FORM_BYTES)
    key, value = given.get("key", ""), given.get("value", "").strip()
    try:
        new = checked({key: _read(key, value)}, request.app.state.refuse_setting) if value else {}
    except UnusableSettings as wrong:
        said = "; ".join(one["message"] for one in wrong.errors)
        shown = await run_in_threadpool(_settings, request, store, name)
        told = {"key": key, "value": value, "said": said}
        page = rendered("show_repository.html", request, **shown, wrong=told)
        page.status_code = wrong.status
        return page
    if not any(one.name == key for one in KEYS):
        raise HTTPException(422, "no setting has this name")

    def changed(before: dict[str, Any]) -> dict[str, Any]:
        return {**{one: kept for one, kept in before.items() if one != key}, **new}

    await run_in_threadpool(store.settings.change, "repo", name, changed)
    return RedirectResponse(f"/repositories/{name}?saved={key}#{key}", status_code=303)


def _read(key: str, value: str) -> Any:
    """What a person wrote: JSON, a list with commas, or plain words, as the key takes it."""
    known = next((one for one in KEYS if one.name == key), None)
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return [one.strip() for one in value.split(",")] if _is_list(known) else value


def _part(name: str) -> str:
    """The part of the page that a key is in."""
    return name.rpartition(".")[0].replace(".", ": ").capitalize() or "In general"


def _choices(key: SettingKey) -> tuple[str, ...]:
    """All that its value can be, where that is a few words."""
    return ("true", "false") if key.kind == "flag" else key.choices


def _is_list(key: SettingKey | None) -> bool:
    return key is not None and key.kind in LISTS


def _named(request: Request) -> str:
    owner, name = request.path_params["owner"], request.path_params["name"]
    if not (LOGIN.fullmatch(owner) and NAME.fullmatch(name)):
        raise HTTPException(404, "no repository on GitHub is named so")
    return f"{owner}/{name}"


VIEWS = (
    View(
        "/repositories", "list_repositories", "Repositories by name", list_repositories,
        listed("repositories", schemas.REPOSITORY), (LIMIT, ("before", text(maxLength=200)), WORDS),
    ),
    View(
        "/repositories/{owner}/{name}", "show_repository", "A repository's settings and their layers",
        show_repository, schemas.WHOLE_REPOSITORY,
    ),
)  # fmt: skip
ROUTES = (
    *(view.route for view in VIEWS),
    Route("/repositories/{owner}/{name}", change, methods=["POST"]),
)
