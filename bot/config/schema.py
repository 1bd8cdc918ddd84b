"""hob.toml as JSON Schema, for editors: made of the tables that Hob reads it by, with the words of
docs/configuration.md, which `make docs` keeps in meanings.json."""

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bot.config.code import SuiteTable
from bot.config.models import Config, HostModelTable, HostTable
from bot.config.retention import LONGEST, RetentionTable
from bot.core.hobyml_schema import DRAFT, JsonSchema

MEANINGS = Path(__file__).with_name("meanings.json")
"""heading -> key -> what it is for."""
HEADINGS = {
    HostTable.__name__: "[[hosts]]",
    HostModelTable.__name__: "[[hosts]]",
    SuiteTable.__name__: '[code.tests."owner/name"]',
}
"""Those of tables whose name does not say where they stand."""
_LEFT_OUT = ("title", "format", "$defs")
_HTTP = {"pattern": "^([Hh][Tt][Tt][Pp][Ss]?://[^/?#@]+([/?#].*)?)?$"}
_ONE_OR_LIST = {"type": ["string", "array"]}
_MORE: dict[str, JsonSchema] = {
    "GitHubTable.api_url": _HTTP,
    "GitHubTable.webhook_secret": _ONE_OR_LIST,
    "ServerTable.public_url": _HTTP,
    "NetworkTable.proxy": {"pattern": "^([Hh][Tt][Tt][Pp][Ss]?://[^/?#]+/*([?#].*)?)?$"},
    "StoreTable.database_url": {"pattern": r"^(sqlite:///.*[^/].*|postgresql\+psycopg://.+)$"},
    "QueueTable.redis_url": {"pattern": "^(embedded$|rediss?://|unix://)"},
    "SuiteTable.command": {"minItems": 1, "items": {"type": "string", "minLength": 1}},
    "SuiteTable.mount": {"items": {"type": "string", "pattern": "^/[^/]"}},
    "SuiteTable.report": {"pattern": "^([^/].*)?$"},
    "SuiteTable.image": {"pattern": "^([^- ][^ ]*)?$"},
    "HostTable.url": {
        "pattern": r"^\s*([Hh][Tt][Tt][Pp][Ss]?://|(?!\s*[\w+.-]+://))(?!\s*([\w+.-]+://)?[^\s/]*@)[^\s?#\\]*\s*$"
    },
    "HostTable.answers": {
        "additionalProperties": {"type": ["string", "array"], "items": {"type": ["string", "object"]}}
    },
    "ModelsTable": {"propertyNames": {"pattern": "^[a-z][a-z0-9_-]{0,39}$"}},
    "HostTable": {
        "if": {"properties": {"kind": {"enum": ["ollama", "openai"]}}},
        "then": {"required": ["url"], "properties": {"url": {"minLength": 1}}},
    },
}
"""What functions check beyond the types, so far as a schema can say it. `tests/test_schema.py` holds them
together."""


def hobtoml_schema() -> JsonSchema:
    """What `load_config` takes. It refuses some more, which no schema can say: names of time zones that there
    are not, hosts that are named twice, what contradicts itself."""
    told = Config.model_json_schema()
    definitions: dict[str, Any] = told["$defs"]
    words: dict[str, dict[str, str]] = json.loads(MEANINGS.read_text())
    headings = {
        type(getattr(Config(), name)).__name__: f"[{name}]" for name in Config.model_fields
    } | HEADINGS

    def opened(node: Any) -> Any:
        """References in place, so that what stands beside them counts for an editor too."""
        if isinstance(node, list):
            return [opened(one) for one in node]
        if not isinstance(node, dict):
            return node
        if node.get("format") == "path":
            node = {**node, "minLength": 1}
        if (to := node.get("$ref")) is not None:
            name = str(to).rpartition("/")[2]
            return table(name, opened(definitions[name]))
        found = {
            key: {name: opened(one) for name, one in value.items()} if key == "properties" else opened(value)
            for key, value in node.items()
            if key not in _LEFT_OUT
        }
        found = _without_null(found)
        if "patternProperties" in found:  # a key that fits none of them is refused
            found.setdefault("additionalProperties", False)
        return found

    def table(name: str, found: JsonSchema) -> JsonSchema:
        said = words.get(headings.get(name, ""), {})
        for key, value in found["properties"].items():
            value |= _MORE.get(f"{name}.{key}", {})
            if name == RetentionTable.__name__:
                value |= _days(key)
            if key in said:
                value["description"] = said[key]
        return found | _MORE.get(name, {})

    whole = opened(told)
    for value in whole["properties"].values():
        value.pop("default", None)  # the whole table
    return {
        "$schema": DRAFT,
        "title": "hob.toml",
        "description": "The configuration of a Hob.",
        **{key: value for key, value in whole.items() if key != "description"},
    }


def _days(key: str) -> JsonSchema:
    """From how many days on a key of [retention] is taken, and whether 0 is."""

    def taken(days: int) -> bool:
        try:
            RetentionTable.model_validate({key: days})
        except ValidationError:
            return False
        return True

    least = next(days for days in range(1, LONGEST) if taken(days))
    return (
        {"minimum": 0, "not": {"exclusiveMinimum": 0, "exclusiveMaximum": least}}
        if taken(0)
        else {"minimum": least}
    )


def _without_null(node: JsonSchema) -> JsonSchema:
    """TOML has no null: a key that may be absent is left out."""
    some = [one for one in node.get("anyOf", ()) if one != {"type": "null"}]
    if len(some) == 1:
        node = {**{key: value for key, value in node.items() if key != "anyOf"}, **some[0]}
    return {key: value for key, value in node.items() if (key, value) != ("default", None)}
