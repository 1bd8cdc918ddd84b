"""Other reviewers' configurations, as far as Hob has equal keys: which files, what to know about them, the
language, and which pull requests are left alone. What would have Hob review more than it does by itself is
not taken from them.

https://docs.coderabbit.ai/reference/configuration  https://docs.qodo.ai/qodo-documentation/qodo-merge
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from bot import yamlnodes
from bot.core import toml_text
from bot.core.settings import PathInstruction
from bot.core.settings_schema import LANGUAGE, MOST_ITEMS, MOST_NAME, MOST_TEXT
from bot.github.payloads import clean
from bot.yamlnodes import Scalar, UnreadableError, YamlNode

MOST_NAMED = 12
MOST_COMMENTS = 50
_LEAVES_ALONE = {
    "ignore_title_keywords": "review.ignore_title_keywords",
    "ignore_usernames": "review.ignore_authors",
    "labels": "review.labels",
}
"""CodeRabbit's `auto_review` keys. A label with "!" leaves pull requests out there; Hob has no such key."""
_LOGIN = re.compile(r"[A-Za-z0-9-]+(?:\[bot\])?")


def read(path: str, text: str) -> tuple[dict[str, Any], str]:
    """(values by Hob's dotted keys, a sentence about what became of the file)."""
    try:
        tree = settings_tree(path, text)
    except UnreadableError as error:
        return {}, f"`{path}` {error.message}; it is ignored."
    values, used = _pr_agent(tree) if path.endswith(".toml") else _coderabbit(tree)
    rest = [
        name for name, _ in leaves(tree) if not any(name == one or name.startswith(f"{one}.") for one in used)
    ]
    return values, _sentence(path, sorted(values), rest)


def settings_tree(path: str, text: str) -> dict[str, Any]:
    """What a file of another reviewer says, by its own keys. In YAML every scalar is a text. It is
    `UnreadableError` for what cannot be read, is over 64 KB or holds no settings."""
    try:
        tree = (
            _read(text, toml_text.read, "TOML")
            if path.endswith(".toml")
            else _read(text, json.loads, "JSON")
            if path.endswith(".json")
            else _plain(yamlnodes.read(text))
        )
    except UnreadableError as error:
        raise UnreadableError(error.line, f"cannot be read ({error.message})") from None
    if not isinstance(tree, dict):
        raise UnreadableError(1, "holds no settings")
    return tree


def _sentence(path: str, honoured: list[str], rest: list[str]) -> str:
    said = (
        f"`{path}` counts for {', '.join(f'`{name}`' for name in honoured)}"
        if honoured
        else f"`{path}` is there"
    )
    if not rest:
        return f"{said}."
    names = ", ".join(f"`{_short(name)}`" for name in rest[:MOST_NAMED])
    more = f" and {len(rest) - MOST_NAMED} more" if len(rest) > MOST_NAMED else ""
    return f"{said}; Hob does not use its {names}{more}."


def _short(name: str) -> str:
    return " ".join(clean(name).replace("`", "").split())[:60]


def _read(text: str, reader: Callable[[str], Any], kind: str) -> Any:
    if len(text) > yamlnodes.MOST_BYTES:
        raise UnreadableError(1, f"over {yamlnodes.MOST_BYTES // 1024} KB")
    try:
        return reader(text)
    except (ValueError, RecursionError):
        raise UnreadableError(1, f"not valid {kind}") from None


def _plain(node: YamlNode | None) -> Any:
    """Texts, lists and mappings; every scalar as it is written."""
    match node:
        case Scalar():
            return clean(node.text)
        case yamlnodes.Sequence():
            return [_plain(item) for item in node.items]
        case yamlnodes.Mapping():
            return {str(_plain(key)): _plain(value) for key, value in node.items}
    return None


def _coderabbit(tree: dict[str, Any]) -> tuple[dict[str, Any], set[str]]:
    reviews = _table(tree, "reviews")
    values: dict[str, Any] = {}
    if paths := _texts(reviews.get("path_filters")):
        values["review.paths"] = paths
    rules = reviews.get("path_instructions")
    found = [_instruction(one.get("path"), one.get("instructions")) for one in _tables(rules)]
    if instructions := tuple(filter(None, found)):
        values["review.instructions"] = instructions
    _language(values, tree.get("language"))
    used = {"reviews.path_filters", "reviews.path_instructions", "language"}
    auto = _table(reviews, "auto_review")
    if auto.get("enabled") == "false":
        values["review.auto"] = False
        used.add("reviews.auto_review.enabled")
    for theirs, ours in _LEAVES_ALONE.items():
        names = _texts(auto.get(theirs))
        if names and not any(name.startswith("!") for name in names):
            values[ours] = names
            used.add(f"reviews.auto_review.{theirs}")
    return values, used


def _pr_agent(tree: dict[str, Any]) -> tuple[dict[str, Any], set[str]]:
    values: dict[str, Any] = {}
    if left_out := _texts(_table(tree, "ignore").get("glob")):
        values["review.paths"] = tuple(f"!{pattern.removeprefix('!')}" for pattern in left_out)
    if rule := _instruction("**", _table(tree, "pr_reviewer").get("extra_instructions")):
        values["review.instructions"] = (rule,)
    config = _table(tree, "config")
    _language(values, config.get("response_language"))
    used = {"ignore.glob", "pr_reviewer.extra_instructions", "config.response_language"}
    authors = _texts(config.get("ignore_pr_authors"))
    if authors and all(map(_LOGIN.fullmatch, authors)):  # there they may be regular expressions
        values["review.ignore_authors"] = authors
        used.add("config.ignore_pr_authors")
    most = _table(tree, "pr_reviewer").get("num_max_findings")
    if type(most) is int and 0 < most <= MOST_COMMENTS:
        values["review.max_comments"] = most
        used.add("pr_reviewer.num_max_findings")
    return values, used


def _language(values: dict[str, Any], said: Any) -> None:
    if isinstance(said, str) and LANGUAGE.fullmatch(said):
        values["language"] = said


def _table(tree: dict[str, Any], name: str) -> dict[str, Any]:
    found = tree.get(name)
    return found if isinstance(found, dict) else {}


def _tables(found: Any) -> Iterator[dict[str, Any]]:
    yield from (
        one for one in (found if isinstance(found, list) else ())[:MOST_ITEMS] if isinstance(one, dict)
    )


def _texts(found: Any) -> tuple[str, ...]:
    items: Iterable[Any] = found[:MOST_ITEMS] if isinstance(found, list) else ()
    return tuple(clean(one) for one in items if isinstance(one, str) and 0 < len(one) <= MOST_NAME)


def _instruction(path: Any, text: Any) -> PathInstruction | None:
    if isinstance(path, str) and isinstance(text, str) and text.strip() and 0 < len(path) <= MOST_NAME:
        return PathInstruction(clean(path), clean(text)[:MOST_TEXT])
    return None


def leaves(tree: dict[str, Any], before: str = "", depth: int = 1) -> Iterator[tuple[str, Any]]:
    """(dotted name, value) of all that is no table; what is nested too deeply is one."""
    for name, value in tree.items():
        if isinstance(value, dict) and value and depth < yamlnodes.MOST_DEPTH:
            yield from leaves(value, f"{before}{name}.", depth + 1)
        else:
            yield f"{before}{name}", value
