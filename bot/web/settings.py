"""`/settings/users/{login}`, `/settings/orgs/{org}`, `/settings/repos/{owner}/{name}`: flat JSON objects of
keys (docs/configuration.md). PATCH is a merge patch, https://www.rfc-editor.org/rfc/rfc7396"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.core import settings_schema
from bot.core.refs import LOGIN, NAME
from bot.core.settings_merge import merge, plain
from bot.core.settings_schema import WrongValue
from bot.store import Scope, Store
from bot.web.json_body import json_object
from bot.web.responses import problem

TYPES = ("application/json", "application/merge-patch+json")

SettingsJson = dict[str, Any]
Refuse = Callable[[str, Any], str]
"""(key, value) -> why this process does not allow it, or an empty text."""


class UnusableSettings(Exception):
    """Some values cannot be kept. `status`: 422 for what is no key or value, 409 for what is not allowed."""

    def __init__(self, status: int, errors: list[dict[str, str]]) -> None:
        super().__init__("; ".join(f"{one['key']}: {one['message']}" for one in errors))
        self.status, self.errors = status, errors


class Outdated(Exception):
    """`If-Match` names another state."""


@dataclass(frozen=True, slots=True)
class SettingsOwner:
    """Whose settings."""

    scope: Scope
    name: str


def routes() -> list[Route]:
    methods = ["GET", "PUT", "PATCH", "DELETE"]
    paths = ("/settings/users/{login}", "/settings/orgs/{org}", "/settings/repos/{owner}/{name}")
    return [Route(path, answer, methods=methods) for path in paths]


async def answer(request: Request) -> Response:
    """Every method of every place."""
    store: Store = request.app.state.store
    place = _place(request.path_params)
    try:
        match request.method:
            case "PUT" | "PATCH":
                given = await json_object(request, TYPES)
                return await run_in_threadpool(_write, request, store, place, given)
            case "DELETE":
                return await run_in_threadpool(_delete, request, store, place)
            case _:
                return await run_in_threadpool(_read, request, store, place)
    except UnusableSettings as wrong:
        return _problem(wrong.status, str(wrong), errors=wrong.errors)
    except Outdated:
        return _problem(412, "the settings were changed meanwhile: GET them again")


def _read(request: Request, store: Store, place: SettingsOwner) -> Response:
    if request.query_params.get("merged") == "true" and place.scope == "repo":
        return JSONResponse(merged(store, place.name))
    stored = store.settings.get(place.scope, place.name)
    if not stored:
        raise HTTPException(404, f"nothing is stored for {place.scope} {place.name}")
    if etag(stored) in _tags(request, "if-none-match"):
        return Response(status_code=304, headers={"etag": etag(stored)})
    return _shown(stored, 200)


def _write(request: Request, store: Store, place: SettingsOwner, given: SettingsJson) -> Response:
    refuse: Refuse = request.app.state.refuse_setting
    new = checked({key: value for key, value in given.items() if not _removes(request, value)}, refuse)
    for key in given.keys() - new.keys():
        _known(key)
    existed = True

    def changed(before: SettingsJson) -> SettingsJson:
        nonlocal existed
        existed = bool(before)
        _expect(request, before)
        if request.method == "PUT":
            return new
        return {**{key: value for key, value in before.items() if key not in given}, **new}

    after = store.settings.change(place.scope, place.name, changed)
    return _shown(after, 200 if existed else 201)


def _delete(request: Request, store: Store, place: SettingsOwner) -> Response:
    def changed(before: SettingsJson) -> SettingsJson:
        if not before:
            raise HTTPException(404, f"nothing is stored for {place.scope} {place.name}")
        _expect(request, before)
        return {}

    store.settings.change(place.scope, place.name, changed)
    return Response(status_code=204)


def checked(given: Mapping[str, Any], refuse: Refuse) -> SettingsJson:
    """The values as they are stored; `UnusableSettings` names every key that cannot be."""
    taken: SettingsJson = {}
    unusable: list[dict[str, str]] = []
    refused: list[dict[str, str]] = []
    for key, value in given.items():
        try:
            found = settings_schema.taken(settings_schema.find(key), value)
        except WrongValue as wrong:
            unusable.append({"key": key[:100], "message": str(wrong)})
            continue
        taken[key] = plain(found)
        if why := refuse(key, found):
            refused.append({"key": key, "message": why})
    if unusable or refused:
        raise UnusableSettings(422 if unusable else 409, unusable or refused)
    return taken


def merged(store: Store, repository: str) -> dict[str, Any]:
    """Each key's value and the layer it comes from, before `.github/hob.yml`."""
    owner, _, name = repository.partition("/")
    found = merge(store.settings.layers(owner, name))
    return {key: {"value": plain(one.value), "layer": one.layer} for key, one in found.items()}


def etag(values: SettingsJson) -> str:
    """Names a state of settings."""
    text = json.dumps(values, sort_keys=True, ensure_ascii=True)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:20]}"'


def _shown(values: SettingsJson, status: int) -> Response:
    return JSONResponse(dict(sorted(values.items())), status, headers={"etag": etag(values)})


def _removes(request: Request, value: object) -> bool:
    return request.method == "PATCH" and value is None


def _known(key: str) -> None:
    try:
        settings_schema.find(key)
    except WrongValue as wrong:
        raise UnusableSettings(422, [{"key": key[:100], "message": str(wrong)}]) from None


def _expect(request: Request, before: SettingsJson) -> None:
    """Holds If-Match and If-None-Match: * against what is stored."""
    wanted = _tags(request, "if-match")
    if wanted and not (before and ("*" in wanted or etag(before) in wanted)):
        raise Outdated
    if before and "*" in _tags(request, "if-none-match"):
        raise Outdated


def _tags(request: Request, header: str) -> list[str]:
    return [
        tag.strip().removeprefix("W/") for tag in request.headers.get(header, "").split(",") if tag.strip()
    ]


def _place(named: Mapping[str, str]) -> SettingsOwner:
    """Whose settings a path names; 404 for what GitHub could not have named so."""
    if "name" in named:
        owner, name = named["owner"], named["name"]
        if LOGIN.fullmatch(owner) and NAME.fullmatch(name):
            return SettingsOwner("repo", f"{owner}/{name}")
    elif LOGIN.fullmatch(login := named.get("login") or named.get("org", "")):
        return SettingsOwner("user" if "login" in named else "org", login)
    raise HTTPException(404, "no name on GitHub looks like this")


def _problem(status: int, detail: str, **more: Any) -> Response:
    return Response(problem(status, detail, **more), status, media_type="application/problem+json")
