"""GraphQL, as far as a bot needs it: many files at a commit in one call, threads and whether they are
resolved. https://docs.github.com/en/graphql"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from bot.testing.github.auth import allows, covers
from bot.testing.github.refusals import REFUSALS
from bot.testing.github.repository import Repository
from bot.testing.github.rest import threads
from bot.testing.github.rest.document import ParseError, Selection, Variable, parse
from bot.testing.github.wire import RestCall, RestResponse, route

_LONGEST = 512_000
"""Bytes of text after which GitHub cuts a blob."""


def _error(message: str, **more: Any) -> dict[str, Any]:
    return {**more, "message": message}


@route("POST", "/graphql")
def post_graphql(call: RestCall) -> RestResponse:
    """200 with `errors` for what is wrong in a document, as GitHub does."""
    asked = call.json()
    variables = asked.get("variables") or {}
    try:
        kind, selections = parse(str(asked.get("query") or ""))
    except ParseError as problem:
        return RestResponse(200, {"errors": [_error(str(problem))]})
    if sum(child.name == "object" for one in selections for child in one.children) > call.state.most_objects:
        said = REFUSALS["graphql too large"]
        return RestResponse(said.status, said.answer)
    errors: list[dict[str, Any]] = []
    root = _root if kind == "query" else _mutation
    data = {one.key: root(call, one, variables, errors) for one in selections}
    if any("extensions" in error for error in errors):
        return RestResponse(200, {"errors": errors})
    return RestResponse(200, {"data": data} | ({"errors": errors} if errors else {}))


def _root(call: RestCall, asked: Selection, variables: dict[str, Any], errors: list[dict[str, Any]]) -> Any:
    if asked.name == "__typename":
        return "Query"
    if asked.name == "rateLimit":
        return {
            child.key: {"cost": 1, "remaining": call.state.rate_limit}.get(child.name)
            for child in asked.children
        }
    if asked.name != "repository":
        errors.append(_undefined("Query", asked.name, ["query"]))
        return None
    arguments = {name: _value(value, variables) for name, value in asked.arguments.items()}
    full_name = f"{arguments.get('owner')}/{arguments.get('name')}"
    repo = call.state.repositories.get(full_name.lower())
    if repo is None or call.token is None or not covers(call.state, call.token, repo.id):
        message = f"Could not resolve to a Repository with the name '{full_name}'."
        errors.append(_error(message, type="NOT_FOUND", path=[asked.key]))
        return None
    return _repository(call, repo, asked, variables, errors)


def _mutation(
    call: RestCall, asked: Selection, variables: dict[str, Any], errors: list[dict[str, Any]]
) -> dict[str, Any] | None:
    if asked.name != "resolveReviewThread":
        errors.append(_undefined("Mutation", asked.name, ["mutation"]))
        return None
    answer, wrong = threads.resolve(call, asked, _value(asked.arguments.get("input"), variables))
    if wrong:
        message = "Resource not accessible by integration" if wrong == "FORBIDDEN" else "Could not resolve"
        errors.append(_error(message, type=wrong, path=[asked.key]))
    found: dict[str, Any] | None = answer
    return found


def _value(value: Any, variables: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        return {name: _value(one, variables) for name, one in value.items()}
    return variables.get(value.name) if isinstance(value, Variable) else value


def _given(asked: Selection, variables: dict[str, Any]) -> Selection:
    """The same with the values of variables in their places, all the way down."""
    arguments = {name: _value(value, variables) for name, value in asked.arguments.items()}
    return replace(
        asked, arguments=arguments, children=tuple(_given(one, variables) for one in asked.children)
    )


def _undefined(kind: str, name: str, path: list[str]) -> dict[str, Any]:
    codes = {"code": "undefinedField", "typeName": kind, "fieldName": name}
    return _error(f"Field '{name}' doesn't exist on type '{kind}'", path=[*path, name], extensions=codes)


def _repository(
    call: RestCall,
    repo: Repository,
    asked: Selection,
    variables: dict[str, Any],
    errors: list[dict[str, Any]],
) -> dict[str, Any]:
    plain = {
        "name": repo.name,
        "nameWithOwner": repo.full_name,
        "isPrivate": repo.private,
        "databaseId": repo.id,
    }
    plain["__typename"] = "Repository"
    wanted = {
        one.key: _value(one.arguments.get("expression"), variables)
        for one in asked.children
        if one.name == "object"
    }
    objects = repo.git.objects(str(expression) for expression in wanted.values())
    found: dict[str, Any] = {}
    for one in asked.children:
        if one.name == "object":
            if call.token is None or not allows(call.token, "contents:read"):
                message = "Resource not accessible by integration"
                errors.append(_error(message, type="FORBIDDEN", path=[asked.key, one.key]))
                found[one.key] = None
                continue
            found[one.key] = _object(one, objects.get(str(wanted[one.key])), errors)
        elif one.name == "pullRequest":
            given = _given(one, variables)
            found[one.key] = threads.pull_request(repo, given.arguments.get("number"), given)
        elif one.name in plain:
            found[one.key] = plain[one.name]
        else:
            errors.append(_undefined("Repository", one.name, ["query", asked.key]))
    return found


def _object(asked: Selection, found: tuple[str, str, bytes] | None, errors: list[dict[str, Any]]) -> Any:
    if found is None:
        return None
    kind, sha, data = found
    name = {"blob": "Blob", "tree": "Tree", "commit": "Commit", "tag": "Tag"}[kind]
    common = {"oid": sha, "abbreviatedOid": sha[:7], "__typename": name}
    fields: dict[str, Any] = common | (_blob(data) if kind == "blob" else {})
    answer: dict[str, Any] = {}
    for one in _fields_of(asked, name):
        if one.name == "entries" and kind == "tree":
            wanted = [child for child in one.children if child.name in _ENTRY]
            answer[one.key] = [{child.key: each[child.name] for child in wanted} for each in _entries(data)]
        elif one.name in fields:
            answer[one.key] = fields[one.name]
        else:
            errors.append(_undefined(name, one.name, ["query"]))
    return answer


def _fields_of(asked: Selection, name: str) -> Iterator[Selection]:
    """The fields that hold for an object of that type, fragments opened."""
    for one in asked.children:
        if not one.on:
            yield one
        elif one.on in (name, "GitObject", "Node"):
            yield from _fields_of(one, name)


_ENTRY = ("name", "mode", "type", "oid")


def _entries(data: bytes) -> Iterator[dict[str, Any]]:
    """A tree object of git, as https://docs.github.com/en/graphql/reference/objects#treeentry tells it."""
    at = 0
    while at < len(data):
        blank, end = data.index(b" ", at), data.index(b"\0", at)
        mode = int(data[at:blank], 8)
        at = end + 21
        yield {
            "name": data[blank + 1 : end].decode("utf-8", "replace"),
            "mode": mode,
            "type": {0o040000: "tree", 0o160000: "commit"}.get(mode, "blob"),
            "oid": data[end + 1 : at].hex(),
        }


def _blob(data: bytes) -> dict[str, Any]:
    """https://docs.github.com/en/graphql/reference/objects#blob"""
    binary = b"\0" in data[:8000]
    return {
        "byteSize": len(data),
        "isBinary": binary,
        "isTruncated": not binary and len(data) > _LONGEST,
        "text": None if binary else data[:_LONGEST].decode("utf-8", "replace"),
    }
