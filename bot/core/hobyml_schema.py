"""`.github/hob.yml` as JSON Schema, for editors: made of the table that Hob reads the file by."""

from collections.abc import Mapping
from typing import Any

from bot.core.effort import RULE
from bot.core.settings_merge import merge, plain
from bot.core.settings_schema import KEYS, LANGUAGE, MOST_ITEMS, MOST_NAME, MOST_TEXT, SettingKey

DRAFT = "http://json-schema.org/draft-07/schema#"
"""What the YAML language server and taplo both read."""
JsonSchema = dict[str, Any]


def hobyml_schema() -> JsonSchema:
    """What the reader takes without a complaint, as an editor has the file (YAML 1.2: `yes` is a text)."""
    defaults = {name: plain(one.value) for name, one in merge(()).items()}
    keys = {key.name: key for key in KEYS if key.in_file}
    return {
        "$schema": DRAFT,
        "title": ".github/hob.yml",
        "description": "What a repository says to Hob. Every key is optional.",
        **_section(keys, defaults),
    }


def _section(keys: Mapping[str, SettingKey], defaults: Mapping[str, Any]) -> JsonSchema:
    """`keys`: the rest of each name -> the key, as the dots nest them."""
    properties: JsonSchema = {}
    for rest, key in keys.items():
        name, _, deeper = rest.partition(".")
        if not deeper:
            told = {"description": key.about, "default": defaults[key.name]}
            properties[name] = {**told, **_value(key)}
        elif name not in properties:
            inside = {one.partition(".")[2]: keys[one] for one in keys if one.startswith(f"{name}.")}
            properties[name] = _section(inside, defaults)
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _value(key: SettingKey) -> JsonSchema:
    match key.kind:
        case "flag":
            return {"type": "boolean"}
        case "whole":
            return {"type": "integer", "minimum": 0, "maximum": key.most}
        case "choice":
            return {"enum": list(key.choices)}
        case "language":
            return {"type": "string", "pattern": f"^{LANGUAGE.pattern}$"}
        case "hints":
            return {
                "type": "object",
                "propertyNames": {"maxLength": MOST_NAME},
                "additionalProperties": _word(),
            }
        case "instructions":
            words = {"path": _word(MOST_NAME), "text": _word(MOST_TEXT)}
            one = {
                "type": "object",
                "required": ["path", "text"],
                "additionalProperties": False,
                "properties": words,
            }
            return {"type": "array", "maxItems": MOST_ITEMS, "items": one}
        case "efforts":
            rule = {"type": "string", "pattern": f"^ *{RULE.pattern} *$", "maxLength": MOST_NAME}
            return {"type": "array", "maxItems": MOST_ITEMS, "items": rule}
        case "names" | "models" | "repositories":
            return {"type": "array", "maxItems": MOST_ITEMS, "items": _word(MOST_NAME)}


def _word(most: int = 0) -> JsonSchema:
    """Plain words as they are written: `1.0` and `true` are names there."""
    kinds: JsonSchema = {"type": ["string", "number", "boolean"]}
    return {**kinds, "maxLength": most} if most else kinds
