"""Every exchange with the stand-in, held against GitHub's own OpenAPI description and GraphQL schema.

It sees what a stand-in cannot: a misspelt key of a body, a missing field, a wrong type, on either side. It
cannot see that a line lies outside a diff: that is the stand-in's part.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import graphql
from jsonschema_rs import Draft202012Validator, Registry, ValidationError

from bot.testing.github.exchange import Exchange
from bot.testing.github.rest.actions import STORE
from tests.samples.archive import load, load_json

_SAMPLES = Path(__file__).parent.parent / "samples"
_UNCHECKED_QUERY = ("cursor",)
"""Parameters that only links carry."""


@cache
def description() -> dict[str, Any]:
    """The pruned description; tests/samples/make_openapi.py tells its form."""
    loaded: dict[str, Any] = load_json(_SAMPLES / "openapi" / "github.json.gz")
    return loaded


@cache
def graphql_schema() -> graphql.GraphQLSchema:
    return graphql.build_ast_schema(graphql.parse(load(_SAMPLES / "graphql" / "github.graphql.gz").decode()))


@cache
def _registry() -> Registry:
    return Registry([("urn:github", {room: description()[room] for room in ("schemas", "closed")})])


@cache
def _templates() -> list[tuple[re.Pattern[str], str]]:
    """Patterns of paths, those with more fixed text first. Only some parameters may hold slashes."""
    wide = {"path": ".*", "ref": ".+", "basehead": ".+", "name": ".+"}
    made = []
    for template in description()["paths"]:
        pattern = re.sub(r"\{(\w+)\}", lambda name: wide.get(name[1], "[^/]+"), template)
        made.append((re.compile(pattern), template))
    return sorted(made, key=lambda pair: len(re.sub(r"\{\w+\}", "", pair[1])), reverse=True)


@cache
def _validator(template: str, method: str, part: str, name: str) -> Draft202012Validator | None:
    """For the `body`, a `query` parameter or the `responses` of a status; None: nothing is said of it."""
    told = description()["paths"][template][method][part]
    schema = told if part == "body" else told.get(name)
    return _compiled(schema) if schema is not None else None


def _compiled(schema: Any) -> Draft202012Validator:
    return Draft202012Validator(_rebased(schema), registry=_registry(), validate_formats=True)


def _rebased(node: Any) -> Any:
    """References of a part that stands alone, pointed at the whole description."""
    if isinstance(node, dict):
        return {key: f"urn:github{one}" if key == "$ref" else _rebased(one) for key, one in node.items()}
    return [_rebased(one) for one in node] if isinstance(node, list) else node


@cache
def _error() -> Draft202012Validator:
    return _compiled({"anyOf": description()["errors"]})


def problems(exchange: Exchange) -> list[str]:
    """What is wrong with a request, or with the stand-in's answer to it; one sentence each."""
    if exchange.path.startswith(STORE):  # where GitHub's downloads lead is not described
        return []
    if exchange.path == "/graphql":
        return [f"{exchange!r}: {text}" for text in _graphql(exchange)]
    method = exchange.method.lower()
    for pattern, template in _templates():
        if pattern.fullmatch(exchange.path) and method in description()["paths"][template]:
            found = [*_request(exchange, template, method), *_answer(exchange, template, method)]
            return [f"{exchange!r}: {text}" for text in found]
    return [f"{exchange!r}: GitHub has no such operation, or the stand-in does not serve it"]


def _said(where: str, validator: Draft202012Validator | None, value: Any) -> Iterator[str]:
    for error in validator.iter_errors(value) if validator else ():
        yield f"{where}{_explained(error)}"


def _explained(error: ValidationError) -> str:
    """Where and what; of alternatives, what is wrong with the first."""
    branches = getattr(error.kind, "context", None)
    if branches and branches[0]:
        return _explained(branches[0][0])
    path = "".join(f"[{step!r}]" for step in error.instance_path)
    return f"{path}: {error.message[-300:]}"


def _request(exchange: Exchange, template: str, method: str) -> Iterator[str]:
    told = description()["paths"][template][method]
    for name, text in exchange.query.items():
        if name not in told["query"]:
            if name not in _UNCHECKED_QUERY:
                yield f"unknown query parameter {name!r}"
            continue
        value: Any = int(text) if text.isdigit() and told["query"][name].get("type") == "integer" else text
        yield from _said(f"query {name}", _validator(template, method, "query", name), value)
    if not exchange.body:
        if told["body_required"]:
            yield "the body is missing"
    elif told["body"] is None:
        yield "a body, where GitHub takes none"
    elif exchange.json is None:
        yield "the body is no JSON"
    else:
        yield from _said("body", _validator(template, method, "body", ""), exchange.json)


def _answer(exchange: Exchange, template: str, method: str) -> Iterator[str]:
    if exchange.fault or exchange.status == 0:
        return
    status = str(exchange.status)
    told = description()["paths"][template][method]["responses"]
    if status in told:
        if exchange.answer is not None:
            yield from _said(
                f"answer {status}", _validator(template, method, "responses", status), exchange.answer
            )
    elif exchange.status >= 400:
        yield from _said(f"answer {status}", _error(), exchange.answer)
    elif exchange.status not in (301, 304):  # either may answer any read
        yield f"GitHub never answers {status} here"


def _graphql(exchange: Exchange) -> Iterator[str]:
    """The document must be valid for GitHub's schema, and the variables be what it declares."""
    asked = exchange.json if isinstance(exchange.json, dict) else {}
    unknown = set(asked) - {"query", "variables", "operationName"}
    if unknown:
        yield f"unknown keys {sorted(unknown)}"
    wrong, declared = _document(str(asked.get("query", "")))
    yield from wrong
    if declared is not None and set(asked.get("variables") or {}) != declared:
        yield f"variables {sorted(asked.get('variables') or {})}, declared {sorted(declared)}"


@cache
def _document(text: str) -> tuple[tuple[str, ...], frozenset[str] | None]:
    """What is wrong with a document, and its variables: the same few are sent over and over."""
    try:
        document = graphql.parse(text)
    except graphql.GraphQLSyntaxError as error:
        return (error.message,), None
    declared = frozenset(
        variable.variable.name.value
        for definition in document.definitions
        if isinstance(definition, graphql.OperationDefinitionNode)
        for variable in definition.variable_definitions or ()
    )
    return tuple(error.message for error in graphql.validate(graphql_schema(), document)), declared


class Contract:
    """Collects the problems of all exchanges; `check()` fails on any."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def __call__(self, exchange: Exchange) -> None:
        self.problems += problems(exchange)

    def check(self) -> None:
        assert not self.problems, "against GitHub's description:\n" + "\n".join(self.problems)
