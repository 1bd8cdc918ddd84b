"""Makes openapi/github.json.gz anew: `python -m tests.samples.make_openapi TARBALL`.

The tarball is what `npm pack @octokit/openapi` gives. Kept are the operations that the stand-in serves,
with all that they refer to, as plain JSON Schema (OpenAPI's `nullable` is turned into types), without prose
and examples. In requests objects are closed: a key that the description does not know is an error there,
though GitHub itself ignores it.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

from bot.testing.github.wire import ROUTES
from tests.samples.archive import member, save_json

TARGET = Path(__file__).parent / "openapi" / "github.json.gz"
_PROSE = ("description", "example", "examples", "title", "externalDocs", "deprecated", "discriminator")


def plain(path: str) -> str:
    """A path template with its parameters' names left out, to compare two by."""
    return re.sub(r"\{\w+\}", "{}", path)


def schema(node: Any, *, closed: bool = False, branch: bool = False) -> Any:
    """An OpenAPI 3.0 schema as JSON Schema 2020-12; `closed` refuses unknown keys of objects.

    `branch`: inside oneOf, anyOf or allOf, where the whole is closed and not its parts.
    """
    if isinstance(node, list):
        return [schema(one, closed=closed, branch=branch) for one in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        name = node["$ref"].rsplit("/", 1)[1]
        return _or_null({"$ref": f"#/{'closed' if closed else 'schemas'}/{name}"}, node)
    made: dict[str, Any] = {}
    for key, value in node.items():
        if key in ("properties", "patternProperties"):
            made[key] = {name: schema(one, closed=closed) for name, one in value.items()}
        elif key in ("oneOf", "anyOf", "allOf"):
            made[key] = schema(value, closed=closed, branch=True)
        elif key in ("items", "additionalProperties", "not"):
            made[key] = schema(value, closed=closed)
        elif key not in _PROSE and key != "nullable" and not key.startswith("x-"):
            made[key] = value
    if closed:
        _close(made, branch=branch)
    return _or_null(made, node)


def _close(made: dict[str, Any], *, branch: bool) -> None:
    if made.get("additionalProperties") is True and "properties" in made:
        del made["additionalProperties"]
    is_object = "properties" in made or any(key in made for key in ("oneOf", "anyOf", "allOf"))
    if is_object and not branch and "additionalProperties" not in made:
        made["unevaluatedProperties"] = False


def _or_null(made: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [made, {"type": "null"}]} if node.get("nullable") else made


def operation(document: dict[str, Any], path: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    """What is checked of one operation: query parameters, the body, the answer of each status."""
    parameters = [
        _resolved(document, one) for one in [*path.get("parameters", []), *told.get("parameters", [])]
    ]
    body = _resolved(document, told.get("requestBody", {}))
    responses = {status: _resolved(document, one) for status, one in told["responses"].items()}
    return {
        "query": {one["name"]: schema(one["schema"]) for one in parameters if one["in"] == "query"},
        "body": _content(body, closed=True),
        "body_required": body.get("required", False),
        "responses": {status: _content(one) for status, one in responses.items()},
    }


def _content(told: dict[str, Any], *, closed: bool = False) -> Any:
    content = told.get("content", {}).get("application/json")
    return schema(content["schema"], closed=closed) if content else None


def _resolved(document: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        target: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def _references(node: Any) -> set[tuple[str, str]]:
    if isinstance(node, dict):
        found = {tuple(node["$ref"].split("/")[1:3])} if isinstance(node.get("$ref"), str) else set()
        return found.union(*map(_references, node.values())) if node else found
    return set().union(*map(_references, node)) if isinstance(node, list) else set()


def mend(document: dict[str, Any]) -> None:
    """Slips of the description. In the list of installations an account is a user *and* an enterprise
    at once, which nothing can be; a single installation's says "or". A head's repository is null once a fork
    was deleted, and so are the place and line of a review comment whose lines have changed."""
    response = document["paths"]["/app/installations"]["get"]["responses"]["200"]["content"][
        "application/json"
    ]
    response["schema"]["items"] = {"$ref": "#/components/schemas/installation"}
    head = document["components"]["schemas"]["pull-request"]["properties"]["head"]["properties"]
    head["repo"] = {"allOf": [head["repo"]], "nullable": True}
    comment = document["components"]["schemas"]["pull-request-review-comment"]["properties"]
    for key in ("line", "position"):
        comment[key]["nullable"] = True


def pruned(document: dict[str, Any]) -> dict[str, Any]:
    """{"paths": {template: {method: operation}}, "schemas": {name: schema}, "closed": those of requests}."""
    served = {(route.method.lower(), plain(route.path)) for route in ROUTES}
    made: dict[str, Any] = {"paths": {}, "schemas": {}, "closed": {}}
    for template, path in document["paths"].items():
        for method, told in path.items():
            if (method, plain(template)) in served:
                made["paths"].setdefault(template, {})[method] = operation(document, path, told)
    made["errors"] = [
        schema({"$ref": f"/{name}"})
        for name in ("basic-error", "validation-error-simple", "validation-error")
    ]
    waiting = _references(made)
    while waiting:
        room, name = waiting.pop()
        made[room][name] = schema(document["components"]["schemas"][name], closed=room == "closed")
        waiting |= {one for one in _references(made[room][name]) if one[1] not in made[one[0]]}
    return made


def main(tarball: str) -> None:
    document = json.loads(member(Path(tarball), "generated/api.github.com.json"))
    mend(document)
    made = pruned(document)
    made["source"] = f"@octokit/openapi {json.loads(member(Path(tarball), 'package.json'))['version']}"
    save_json(TARGET, made)
    operations = sum(map(len, made["paths"].values()))
    print(f"{operations} operations, {len(made['schemas'])} schemas, {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main(sys.argv[1])
