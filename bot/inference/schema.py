"""An answer's JSON schema as hosts can compile it into a grammar.

Grammars have broken on references, on nested patterns, on long length limits and on empty objects, and a
field that may be left out is left out by small models. So: everything in place, every field required,
only what steers the answer. https://docs.ollama.com/capabilities/structured-outputs
"""

from functools import lru_cache
from typing import Any

from bot.core.inference import Answer

_DROPPED = frozenset({"$defs", "title", "default", "pattern", "discriminator", "examples", "description"})
_LIMITS = {"maxLength": 2000, "maxItems": 200}
"""From this size on, a limit is left to validation."""


@lru_cache(maxsize=64)
def schema_of(answer: type[Answer]) -> dict[str, Any]:
    """The flat schema of an answer's type, which nobody changes: pydantic takes 10 ms to make one."""
    return flat(answer.model_json_schema())


def flat(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without references and without what grammars choke on; ValueError for a schema that
    contains itself."""
    return _flat(schema, schema.get("$defs", {}), ())


def closed(node: Any) -> Any:
    """A schema whose objects take no further fields, as strict answers demand.
    https://platform.openai.com/docs/guides/structured-outputs"""
    if isinstance(node, list):
        return [closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    result = {key: closed(value) for key, value in node.items()}
    if isinstance(result.get("properties"), dict) and result.get("type", "object") == "object":
        result["additionalProperties"] = False
    return result


def _flat(node: dict[str, Any], definitions: dict[str, Any], inside: tuple[str, ...]) -> dict[str, Any]:
    if "$ref" in node:
        name = str(node["$ref"]).rpartition("/")[2]
        if name in inside:
            raise ValueError(f"an answer's schema must not contain itself ({name})")
        return _flat(definitions[name], definitions, (*inside, name))
    if len(node.get("allOf", ())) == 1:
        return _flat(node["allOf"][0], definitions, inside)
    result = {key: value for key, value in node.items() if key not in _DROPPED and not _too_large(key, value)}
    if "const" in result:
        result["enum"] = [result.pop("const")]
    for key in ("items", "additionalProperties"):
        if isinstance(result.get(key), dict):
            result[key] = _flat(result[key], definitions, inside)
    for key in ("anyOf", "oneOf", "prefixItems"):
        if key in result:
            result[key] = [_flat(item, definitions, inside) for item in result[key]]
    if "properties" in result:
        result["properties"] = {
            name: _flat(item, definitions, inside) for name, item in result["properties"].items()
        }
        result["required"] = list(result["properties"])
    return result


def _too_large(key: str, value: Any) -> bool:
    return key in _LIMITS and isinstance(value, int) and value >= _LIMITS[key]
