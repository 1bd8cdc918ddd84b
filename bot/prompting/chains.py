"""`prompts/chains/NAME.toml` as a `Chain`. Whatever is wrong with a file is said with its place and what was
expected."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, get_args

from bot.core.chain import Chain, ChainStep, Gives, LoopBack, When, faults
from bot.core.errors import UserError
from bot.prompting.finding import find, read, refuse_unknown

TomlTree = Mapping[str, Any]


def load_chain(name: str) -> Chain:
    """By name or by path; UserError."""
    path = find("chains", ".toml", name)
    return parse_chain(path.stem, read(path), str(path))


def parse_chain(name: str, text: str, where: str) -> Chain:
    """One file's text; UserError names the place."""
    try:
        tree = tomllib.loads(text)
    except (ValueError, RecursionError) as wrong:
        raise UserError(f"{where}: not TOML: {wrong}", "correct that line") from None
    refuse_unknown(where, tree, ("description", "answer", "steps"))
    steps = tree.get("steps", [])
    if not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
        raise UserError(f"{where}: steps are no tables", "write each step under [[steps]]")
    chain = Chain(
        name=name,
        steps=tuple(_step(f"{where}: step {number}", step) for number, step in enumerate(steps, 1)),
        description=_value(where, "description", _TEXT, tree.get("description", "")),
        answer=_value(where, "answer", _TEXT, tree.get("answer", "")),
    )
    if found := faults(chain):
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise UserError(f"{where}: {found[0]}{more}", "docs/agents.md says how a chain is written")
    return chain


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a key's value must be."""

    expected: str
    fits: Callable[[Any], bool]


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _whole(low: int, high: int) -> _Kind:
    return _Kind(
        f"a whole number from {low} to {high}",
        lambda value: _is_number(value) and isinstance(value, int) and low <= value <= high,
    )


def _one_of(*words: str) -> _Kind:
    return _Kind(f"one of {', '.join(words)}", lambda value: value in words)


_TEXT = _Kind("a text in quotes", _is_text)
_NAME = _Kind("a name in quotes", lambda value: _is_text(value) and bool(value.strip()))
_NAMES = _Kind("a list of names", lambda value: isinstance(value, list) and all(map(_is_text, value)))
_SECONDS = _Kind("seconds, over 0 and at most a day", lambda value: _is_number(value) and 0 < value <= 86_400)
_TABLE = _Kind('a table like {to = "work", at_most = 2}', lambda value: isinstance(value, dict))

_STEP = {
    "name": _NAME,
    "agent": _NAME,
    "gives": _one_of(*get_args(Gives)),
    "needs": _NAMES,
    "each": _TEXT,
    "agents": _NAMES,
    "model": _TEXT,
    "timeout": _SECONDS,
    "retries": _whole(0, 5),
    "concurrency": _whole(1, 64),
    "loop_back": _TABLE,
}
_LOOP = {"to": _NAME, "when": _one_of(*get_args(When)), "at_most": _whole(1, 10)}


def _step(where: str, tree: TomlTree) -> ChainStep:
    where = f"{where} ({tree['name']})" if isinstance(tree.get("name"), str) else where
    given = _checked(where, tree, ChainStep, _STEP)
    if "loop_back" in given:
        given["loop_back"] = LoopBack(**_checked(f"{where}: loop_back", given["loop_back"], LoopBack, _LOOP))
    return ChainStep(**given)


def _checked(
    where: str, tree: TomlTree, kind: type[ChainStep | LoopBack], keys: Mapping[str, _Kind]
) -> dict[str, Any]:
    """The keys of a table by their kinds, lists as tuples."""
    refuse_unknown(where, tree, keys)
    for field in fields(kind):
        if field.default is MISSING and field.name not in tree:
            raise UserError(f"{where}: {field.name} is missing", f"add it: {keys[field.name].expected}")
    return {key: _value(where, key, keys[key], value) for key, value in tree.items()}


def _value(where: str, key: str, kind: _Kind, value: Any) -> Any:
    if not kind.fits(value):
        raise UserError(f"{where}: {key} is {str(value)[:60]!r}", f"expected: {kind.expected}")
    return tuple(value) if isinstance(value, list) else value
