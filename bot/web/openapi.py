"""`GET /openapi.json`: every route that there is, and for what it is asked. https://spec.openapis.org/oas/v3.1.0"""

import re
from functools import lru_cache
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from bot.core.effort import RULE
from bot.core.settings_schema import KEYS, MOST_ITEMS, MOST_NAME, MOST_TEXT, SettingKey
from bot.web import pages
from bot.web.agents import BIGGEST, LONGEST_FOCUS, MOST_CONTEXT, MOST_FOCUS
from bot.web.chat import MOST_HISTORY, MOST_MESSAGE, MOST_TURNS
from bot.web.pages import schemas as shapes
from bot.web.pages.view import COUNT, FLAG, TEXT, Schema, shape
from bot.web.refusals import refusals
from bot.web.session import COOKIE

ResponseDoc = tuple[int, str, Schema]


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def setting(key: SettingKey) -> Schema:
    """What a key's value may be."""
    name: Schema = {"type": "string", "minLength": 1, "maxLength": MOST_NAME}
    names: Schema = {"type": "array", "items": name, "maxItems": MOST_ITEMS}
    text: Schema = {"type": "string", "minLength": 1, "maxLength": MOST_TEXT}
    instruction = {**shape(path=name, text=text), "additionalProperties": False}
    kinds: dict[str, Schema] = {
        "flag": FLAG,
        "whole": {"type": "integer", "minimum": 0, "maximum": key.most},
        "choice": {"type": "string", "enum": list(key.choices)},
        "names": names,
        "instructions": {"type": "array", "items": instruction, "maxItems": MOST_ITEMS},
        "efforts": {**names, "items": {**name, "pattern": f"^{RULE.pattern}$"}},
        "hints": {"type": "object", "additionalProperties": name, "maxProperties": MOST_ITEMS},
        "language": {"type": "string", "pattern": "^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}$"},
        "models": {"anyOf": [{**names, "minItems": 1}, name]},
        "repositories": {**names, "items": {**name, "pattern": "^[^/]+/[^/]+$"}},
    }
    return {**kinds[key.kind], "description": key.about}


NAMED: dict[str, Schema] = {
    "Run": shapes.RUN,
    "WholeRun": shapes.WHOLE_RUN,
    "Effect": shapes.EFFECT,
    "Call": shapes.CALL,
    "ToolCall": shapes.TOOL_CALL,
    "Batch": shapes.BATCH,
    "Finding": shapes.FINDING,
    "Issue": shapes.ISSUE,
    "Lesson": shapes.LESSON,
    "Repository": shapes.REPOSITORY,
    "Host": shapes.HOST,
    "Delivery": shapes.DELIVERY,
}
_NAMES = {id(schema): name for name, schema in NAMED.items()}


def _by_name(schema: Any, *, whole: bool = False) -> Any:
    """The schema with every part that has a name replaced by it; with `whole` not itself."""
    if isinstance(schema, list):
        return [_by_name(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if not whole and id(schema) in _NAMES:
        return _ref(_NAMES[id(schema)])
    return {key: _by_name(one) for key, one in schema.items()}


def schemas() -> dict[str, Schema]:
    """The answers' shapes by name."""
    values = {key.name: setting(key) for key in KEYS}
    nullable = {name: {"anyOf": [one, {"type": "null"}]} for name, one in values.items()}
    return {
        "Problem": shape(type=TEXT, title=TEXT, status=COUNT, detail=TEXT),
        "Accepted": shape(delivery=TEXT, duplicate=FLAG),
        "Ready": shape(
            ready=FLAG,
            components={"type": "object", "additionalProperties": shape(ok=FLAG, detail=TEXT)},
        ),
        **{name: _by_name(one, whole=True) for name, one in NAMED.items()},
        "Settings": {"type": "object", "properties": values, "additionalProperties": False},
        "SettingsPatch": {"type": "object", "properties": nullable, "additionalProperties": False},
        "MergedSettings": {
            "type": "object",
            "properties": {name: shape(value={}, layer=TEXT) for name in values},
            "additionalProperties": False,
        },
    }  # fmt: skip


def _json(schema: Schema, kind: str = "application/json") -> Schema:
    return {"content": {kind: {"schema": schema}}}


def _answers(*said: ResponseDoc) -> Schema:
    """Good answers by status; `bot.web.refusals` adds the others."""
    return {str(status): {"description": about, **more} for status, about, more in said}


def _operation(name: str, about: str, *said: ResponseDoc, **more: Any) -> Schema:
    return {"operationId": name, "summary": about, "responses": _answers(*said), **more}


def _path(*names: str) -> list[Schema]:
    return [{"name": name, "in": "path", "required": True, "schema": TEXT} for name in names]


def _query(name: str, schema: Schema) -> Schema:
    return {"name": name, "in": "query", "schema": schema}


_REPO: Schema = {"type": "string", "pattern": "^[^/]+/[^/]+$"}
_NUMBER: Schema = {"type": "integer", "minimum": 1, "maximum": BIGGEST}
_BEGUN: ResponseDoc = (202, "The run that does it.", _json(shape(run=COUNT)))
PAGE: Schema = {"content": {"text/html": {"schema": TEXT}}}
PLAIN: Schema = {"content": {"text/plain": {"schema": TEXT}}}
OPEN: list[Schema] = []
"""Asks for no token."""


def _settings(whose: str, *names: str) -> Schema:
    given = _json(_ref("Settings"))
    body = {"required": True, **given}
    patch = {"required": True, **_json(_ref("SettingsPatch"))}
    patch["content"]["application/merge-patch+json"] = patch["content"]["application/json"]
    stored, new = (200, "What is stored now.", given), (201, "Nothing was stored before.", given)
    return {
        "parameters": _path(*names),
        "get": _operation(
            f"get_{whose}_settings",
            f"Stored settings of {whose}",
            (200, "What is stored, or merged.", _json({"anyOf": [_ref("Settings"), _ref("MergedSettings")]})),
            **({"parameters": [_query("merged", FLAG)]} if whose == "repository" else {}),
        ),
        "put": _operation(f"put_{whose}_settings", "Replaces them", stored, new, requestBody=body),
        "patch": _operation(f"patch_{whose}_settings", "Changes some", stored, new, requestBody=patch),
        "delete": _operation(f"delete_{whose}_settings", "Removes them", (204, "They are gone.", {})),
    }


def _chat() -> Schema:
    question = {
        "type": "object",
        "properties": {
            "repo": _REPO,
            "message": {"type": "string", "minLength": 1, "maxLength": MOST_MESSAGE},
            "use_knowledge_graph": {**FLAG, "default": True},
            "history": {
                "type": "array",
                "maxItems": MOST_TURNS,
                "description": f"Earlier turns, oldest first, {MOST_HISTORY:,} characters in all.",
                "items": {
                    "type": "object",
                    "properties": {"role": {"enum": ["user", "assistant"]}, "content": TEXT},
                    "required": ["role", "content"],
                    "additionalProperties": False,
                },
            },
        },
        "required": ["repo", "message"],
        "additionalProperties": False,
    }
    events = (
        "Events: token {text}, many; citations {citations: [{path, start, end}]}, of what is no file also "
        "issue, commit or release; done. error {detail}."
    )
    told = {"content": {"text/event-stream": {"schema": TEXT}}}
    return _operation(
        "chat", "Answers a question about a repository", (200, events, told), requestBody=_json(question)
    )


def _triage() -> Schema:
    says = {**FLAG, "default": False, "description": "Whether something may be said on issues."}
    one = {**shape(repo=_REPO, issue=_NUMBER), "additionalProperties": False}
    many = {**shape(repo=_REPO, batch={"const": "new_issues"}), "additionalProperties": False}
    one["properties"] |= {"auto_comment": says}
    many["properties"] |= {"auto_comment": says}
    about = "Triages an issue, or all open ones that were not triaged yet"
    return _operation("triage", about, _BEGUN, requestBody=_json({"oneOf": [one, many]}))


def _analyze() -> Schema:
    word: Schema = {"type": "string", "minLength": 1, "maxLength": LONGEST_FOCUS}
    asked = {**shape(repo=_REPO, pr=_NUMBER), "additionalProperties": False}
    asked["properties"] |= {"focus": {"type": "array", "items": word, "maxItems": MOST_FOCUS}}
    return _operation("analyze", "Reviews a pull request", _BEGUN, requestBody=_json(asked))


def _implement() -> Schema:
    asked = {**shape(repo=_REPO, issue=_NUMBER), "additionalProperties": False}
    about = "What is to be known beside the issue: data for the model."
    asked["properties"] |= {"context": {**TEXT, "maxLength": MOST_CONTEXT, "description": about}}
    return _operation("implement", "Carries an issue out as a draft", _BEGUN, requestBody=_json(asked))


def _views() -> dict[str, Schema]:
    """The pages that are JSON for programs, and the buttons on them."""
    found: dict[str, Schema] = {}
    for view in pages.VIEWS:
        both = {**PAGE["content"], **_json(_by_name(view.schema))["content"]}
        asked = [_query(name, schema) for name, schema in view.parameters]
        shown = _operation(
            view.name, view.about, (200, "JSON, or HTML.", {"content": both}), parameters=asked
        )
        found[view.path] = {"parameters": _path(*re.findall(r"{(\w+)}", view.path)), "get": shown}
    for button in pages.BUTTONS:
        happens: ResponseDoc = (202, "It happens.", _json(button.schema))
        back: ResponseDoc = (303, "Back to the page.", {})
        pressed = _operation(button.name, button.about, happens, back)
        found[button.path] = {"parameters": _path(*re.findall(r"{(\w+)}", button.path)), "post": pressed}
    change = {"type": "object", "properties": {"key": TEXT, "value": TEXT}, "required": ["key"]}
    form = {"content": {"application/x-www-form-urlencoded": {"schema": change}}}
    saved: ResponseDoc = (303, "To the page.", {})
    found["/repositories/{owner}/{name}"]["post"] = _operation(
        "change_setting", "Stores one setting of a repository", saved, requestBody=form
    )
    return found


def paths() -> dict[str, Schema]:
    """Every route."""
    form = {"content": {"application/x-www-form-urlencoded": {"schema": shape(token=TEXT)}}}
    orders: Schema = {"type": "string", "enum": ["post", "save", "discard"]}
    decided = {"type": "object", "properties": {"do": orders, "body": TEXT}, "required": ["do"]}
    draft = {"content": {"application/x-www-form-urlencoded": {"schema": decided}}}
    ready = _json(_ref("Ready"))
    home = (200, "HTML.", PAGE)
    now: ResponseDoc = (
        200,
        "HTML, or JSON.",
        {"content": {**PAGE["content"], **_json(_by_name(shapes.NOW))["content"]}},
    )
    gone: ResponseDoc = (303, "To the dashboard.", {})
    changed: ResponseDoc = (303, "To the draft or the drafts.", {})
    css: ResponseDoc = (200, "CSS.", {"content": {"text/css": {}}})
    js: ResponseDoc = (200, "JavaScript.", {"content": {"text/javascript": {}}})
    return {
        "/webhook": {
            "post": _operation(
                "deliver", "A delivery of GitHub", (202, "It is stored.", _json(_ref("Accepted"))),
                security=OPEN, requestBody={"required": True, **_json({"type": "object"})},
            )
        },
        "/healthz": {"get": _operation("health", "Whether it lives", (200, "Yes.", PLAIN), security=OPEN)},
        "/readyz": {
            "get": _operation("ready", "Components", (200, "Ready.", ready), (503, "Not ready.", ready))
        },
        "/metrics": {"get": _operation("metrics", "Prometheus text", (200, "Metrics.", PLAIN))},
        **_views(),
        "/agents/chat": {"post": _chat()},
        "/agents/code/implement": {"post": _implement()},
        "/agents/issue/triage": {"post": _triage()},
        "/agents/review/analyze": {"post": _analyze()},
        "/settings/users/{login}": _settings("user", "login"),
        "/settings/orgs/{org}": _settings("organisation", "org"),
        "/settings/repos/{owner}/{name}": _settings("repository", "owner", "name"),
        "/openapi.json": {"get": _operation("openapi", "This document", (200, "OpenAPI.", _json({})))},
        "/": {"get": _operation("now", "What Hob does now", now, security=OPEN)},
        "/login": {"post": _operation("login", "Signs a browser in", gone, security=OPEN, requestBody=form)},
        "/login/link": {
            "parameters": [_query("ticket", TEXT)],
            "get": _operation("login_by_link", "Signs a browser in, once", gone, security=OPEN),
        },
        "/logout": {"post": _operation("logout", "Signs it out", gone)},
        "/drafts": {
            "parameters": [_query("asked", TEXT)],
            "get": _operation("drafts", "Comments that wait to be posted", home),
        },
        "/drafts/{repo_id}/{n}": {
            "parameters": [{**one, "schema": COUNT} for one in _path("repo_id", "n")],
            "get": _operation("show_draft", "One of them, to be changed", home),
            "post": _operation("change_draft", "Posts, saves or discards it", changed, requestBody=draft),
        },
        "/static/hob.css": {"get": _operation("style", "The dashboard's style", css, security=OPEN)},
        "/static/hob.js": {"get": _operation("script", "What renews its live parts", js)},
    }  # fmt: skip


def _with_refusals(path: str, item: Schema) -> Schema:
    """The path with what each of its operations may answer."""
    shared = item.get("parameters", [])
    return {
        name: {**one, "responses": {**one["responses"], **refusals(path, name, one, shared)}}
        if name != "parameters"
        else one
        for name, one in item.items()
    }


@lru_cache(maxsize=4)
def document(cookie: str = COOKIE) -> Schema:
    """The whole description. `cookie`: the name of a browser's."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Hob",
            "version": "1",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"token": []}, {"browser": []}],
        "paths": {path: _with_refusals(path, item) for path, item in paths().items()},
        "components": {
            "schemas": schemas(),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "browser": {"type": "apiKey", "in": "cookie", "name": cookie},
            },
        },
    }


async def show(request: Request) -> JSONResponse:
    """The description, for whoever is signed in."""
    return JSONResponse(document(request.app.state.sessions.cookie))
