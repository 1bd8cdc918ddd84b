"""What is wrong with a configuration, said so that a person finds the place."""

import difflib
import json
import re
from pathlib import Path
from typing import Any, Never, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot.config.models import Config, HostTable
from bot.core.errors import ConfigError

SECRET_KEYS = frozenset({"webhook_secret", "database_url", "redis_url", "proxy"})
PLAIN = ("HOB_CONFIG", "HOB_HANDLERS", "HOB_HOSTS", "HOB_PROMPTS")
EXPECTED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "a text in quotes",
    "tuple_type": "a list",
    "model_type": "a table",
    "dict_type": "a table",
}

HEADER = re.compile(r"^\s*\[\[?\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
PART = re.compile(r"\"([^\"]*)\"|'([^']*)'|([\w-]+)")
KEY = re.compile(r"^\s*[\"']?([\w-]+)[\"']?\s*[.=]")


def section_keys(section: str) -> tuple[str, ...]:
    """The keys of a table; empty for a table that there is not."""
    if section == "hosts":
        return tuple(HostTable.model_fields)
    table = getattr(Config(), section, None) if section in Config.model_fields else None
    return tuple(type(table).model_fields) if isinstance(table, BaseModel) else ()


def variables() -> tuple[str, ...]:
    """Every variable that is read."""
    tables = [name for name in Config.model_fields if name != "hosts"]
    keys = (f"HOB_{table}__{key}".upper() for table in tables for key in section_keys(table))
    return (*PLAIN, *keys)


def nearest(name: str, known: tuple[str, ...]) -> str:
    """A hint: the nearest known name; where nothing is near, all of them, if they are few."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else f"known are: {', '.join(known)}" if len(known) < 24 else ""


def known_key(variable: str) -> tuple[str, str]:
    """(section, key) of `HOB_<SECTION>__<KEY>`."""
    section, _, key = variable.removeprefix("HOB_").lower().partition("__")
    if section == "hosts" or key not in section_keys(section):
        _refuse(variable)
    return section, key


def refuse_near_miss(variable: str) -> None:
    """HOB_SERVER_PORT for HOB_SERVER__PORT. Other variables that begin with HOB_ may be somebody else's
    (Kubernetes sets HOB_SERVICE_HOST for a service named hob) and are left alone."""
    near_misses = {name.replace("__", "_") for name in variables() if name not in PLAIN}
    if variable in near_misses:
        _refuse(variable)


def _refuse(variable: str) -> Never:
    known = variables()
    near = difflib.get_close_matches(variable, known, n=1, cutoff=0.0)
    raise ConfigError(f"environment: {variable} names no key", f"did you mean {near[0]}?")


def explain(wrong: ValidationError, text: str, source: Path | None, over: dict[str, Any]) -> ConfigError:
    """The first complaint with its place: file and line, or the variable."""
    errors = wrong.errors(include_url=False, include_context=False)
    first = errors[0]
    where = _variable(first, over) or _place(first, text, source)
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    message, hint = _sentence(first)
    return ConfigError(f"{where}: {message}{more}", hint)


def _sentence(error: ErrorDetails) -> tuple[str, str]:
    path = [part for part in error["loc"] if isinstance(part, str)]
    key = ".".join(str(part) for part in error["loc"]) or "hob.toml"
    if error["type"] == "extra_forbidden":
        known = _keys_beside(error["loc"])
        return f"unknown key {key}", nearest(path[-1], known)
    if error["type"] == "missing":
        return f"{key} is missing", "add it"
    told = error["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    expected = EXPECTED.get(error["type"], told)
    return f"{key} is {_shown(path, error['input'])}", f"expected: {expected}"


def _keys_beside(path: tuple[int | str, ...]) -> tuple[str, ...]:
    """The keys of the table in which something stands, however deep it is."""
    kind: Any = Config
    for part in path[:-1]:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            field = kind.model_fields.get(str(part))
            kind = field.annotation if field else None
        elif get_origin(kind) in (dict, tuple):
            kind = get_args(kind)[1 if get_origin(kind) is dict else 0]
    return tuple(kind.model_fields) if isinstance(kind, type) and issubclass(kind, BaseModel) else ()


def _shown(path: list[str], value: object) -> str:
    if SECRET_KEYS & set(path):
        return "not usable (its value is not shown)"
    shown = json.dumps(value, default=str, ensure_ascii=False)
    return shown if len(shown) <= 60 else shown[:57] + "…"


def _variable(error: ErrorDetails, over: dict[str, Any]) -> str:
    path = [str(part) for part in error["loc"]]
    if path[:1] == ["hosts"] and "hosts" in over:
        return "environment: HOB_HOSTS"
    if len(path) > 1 and path[1] in over.get(path[0], {}):
        return f"environment: HOB_{path[0]}__{path[1]}".upper().replace("ENVIRONMENT", "environment")
    return ""


def _place(error: ErrorDetails, text: str, source: Path | None) -> str:
    line = line_of(text, tuple(error["loc"]))
    return f"{source or 'hob.toml'} line {line}" if line else str(source or "hob.toml")


def line_of(text: str, path: tuple[int | str, ...]) -> int:
    """The line (from 1) where a key stands, else its table's header, else 0: tomllib keeps no places. The key
    of a table in a table is looked for below the longest header that leads to it."""
    names = [part for part in path if isinstance(part, str)]
    wanted = next((part + 1 for part in path if isinstance(part, int)), 1)
    current: list[str] = []
    seen, header, longest = 0, 0, 0
    for number, line in enumerate(text.split("\n"), 1):
        if match := HEADER.match(line):
            current = ["".join(part) for part in PART.findall(match[1])]
            if current == names[:1]:
                seen += 1
            if current == names[: len(current)] and len(current) >= longest and seen in (0, wanted):
                header, longest = number, len(current)
        elif match := KEY.match(line):
            rest = names[len(current) :]
            if rest and current == names[: len(current)] and match[1] == rest[0] and seen in (0, wanted):
                return number
    return header
