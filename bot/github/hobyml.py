"""`.github/hob.yml`: a closed schema, read key by key. What is wrong is reported with its line and ignored.

Nothing in it can name a host, a URL, a key or a command: there are no such keys, and asking for one is said.
"""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from bot import yamlnodes
from bot.core.effort import RULE_WORDS, effort_rule
from bot.core.settings import Complaint, PathInstruction, RepoSettings
from bot.core.settings_merge import FILE, Layer, merge, settings_of
from bot.core.settings_schema import KEYS, LANGUAGE, MOST_ITEMS, MOST_NAME, MOST_TEXT, SettingKey, ValueKind
from bot.github.payloads import clean
from bot.yamlnodes import Scalar, Sequence, UnreadableError, YamlNode

MOST_COMPLAINTS = 20

_FORBIDDEN = re.compile(
    r"url|host|endpoint|proxy|server|provider|api|ollama|model|temperature|prompt|system"
    r"|key|token|secret|password|credential|auth|header"
    r"|command|cmd|exec|run|script|shell|hook|plugin|extends|include|import|env"
)
_OPERATORS = frozenset({"budget", "privacy", "database", "redis", "queue", "sandbox", "app_id"}) | {
    key.name for key in KEYS if not key.in_file
}


class WrongError(Exception):
    """A value that its key cannot have; says what it can."""


KeyReader = Callable[["SettingsFile", YamlNode], Any]
Section = Mapping[str, KeyReader]


class SettingsFile:
    """Collects complaints while the tree is read. `path`: the file, which is `.github/hob.yml`; `before`: its
    lines above what is read; `instead`: what becomes of a value that cannot be."""

    def __init__(self, path: str = "", before: int = 0, instead: str = "the default is used") -> None:
        self.complaints: list[Complaint] = []
        self.path, self.before, self.instead = path, before, instead

    def complain(self, line: int, message: str) -> None:
        line += self.before
        said = f"line {line}: {message}"
        self.complaints.append(Complaint(line, said, self.path) if self.path else Complaint(line, said))

    def section(self, node: YamlNode, known: Section, where: str = "") -> dict[str, Any]:
        """The values of `node` that can be used, by key; the first of two equal keys counts."""
        if not isinstance(node, yamlnodes.Mapping):
            raise WrongError("a mapping of keys to values is expected")
        values: dict[str, Any] = {}
        seen: set[str] = set()
        for key, value in node.items:
            name = self._key(key, known, seen, where)
            if name is None:
                continue
            try:
                values[name] = known[name](self, value)
            except WrongError as wrong:
                self.complain(value.line, f"`{where}{name}`: {wrong}; {self.instead}")
        return values

    def _key(self, key: YamlNode, known: Section, seen: set[str], where: str) -> str | None:
        """A key that may be read, or None after a complaint."""
        name = short(key.text) if isinstance(key, Scalar) else ""
        if isinstance(key, Scalar) and name in known and name not in seen:
            seen.add(name)
            return name
        if name in seen:
            self.complain(key.line, f"`{where}{name}` stands here twice; the first counts")
        elif name == "<<":
            self.complain(key.line, "merge keys (<<) are not taken")
        elif _forbidden(name, known):
            self.complain(key.line, f"`{where}{name}` cannot be set by a repository, only by who runs Hob")
        else:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean `{near[0]}`?" if near else ""
            self.complain(key.line, f"`{where}{name}` is no key that Hob knows{hint}")
        return None


def _forbidden(name: str, known: Section) -> bool:
    """Whether a key asks for what is not a repository's to say, and is no mere slip of the pen."""
    slip = difflib.get_close_matches(name, known, n=1, cutoff=0.85)
    return not slip and (_FORBIDDEN.search(name.lower()) is not None or name.lower() in _OPERATORS)


def read(text: str | None) -> tuple[RepoSettings, tuple[Complaint, ...]]:
    """The settings of a repository with nothing but this file, and what was ignored."""
    values, complaints = said(text)
    return settings_of(merge((), Layer(FILE, values))), complaints


def said(text: str | None) -> tuple[dict[str, Any], tuple[Complaint, ...]]:
    """The values by dotted key, and what was ignored. A file that cannot be read at all says nothing and gets
    one complaint."""
    file = SettingsFile()
    try:
        tree = yamlnodes.read(text or "")
        found = file.section(tree, _TOP) if tree is not None else {}
    except UnreadableError as error:
        file.complain(error.line, f"{error.message}; the whole file is ignored")
        found = {}
    except WrongError as wrong:
        file.complain(1, f"{wrong}; the whole file is ignored")
        found = {}
    return _flat(found), capped(file.complaints)


def _flat(tree: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Sections opened: `{"review": _Group({"auto": True})}` -> `{"review.auto": True}`."""
    flat: dict[str, Any] = {}
    for name, value in tree.items():
        flat |= _flat(value, f"{before}{name}.") if isinstance(value, _Group) else {f"{before}{name}": value}
    return flat


def capped(complaints: list[Complaint]) -> tuple[Complaint, ...]:
    if len(complaints) <= MOST_COMPLAINTS:
        return tuple(complaints)
    last = complaints[MOST_COMPLAINTS - 1]
    more = len(complaints) - MOST_COMPLAINTS + 1
    rest = replace(last, message=f"line {last.line}: and {more} more complaints")
    return (*complaints[: MOST_COMPLAINTS - 1], rest)


def short(text: str) -> str:
    """A name as it may be shown: one line, not long, nothing that ends a code span."""
    return re.sub(r"[`\s]+", " ", clean(text))[:60]


def _bool(_: SettingsFile, node: YamlNode) -> bool:
    if isinstance(node, Scalar) and node.kind == "bool":
        return node.text.lower() in ("true", "yes", "on")
    raise WrongError("true or false is expected")


def string(node: YamlNode, most: int, *, cut: bool = False) -> str:
    """Plain words are taken as written: `no` and `1.0` are names here."""
    if not isinstance(node, Scalar) or node.kind in ("null", "other"):
        raise WrongError("a text is expected")
    text = clean(node.text)
    if len(text) > most and not cut:
        raise WrongError(f"a text of at most {most} characters is expected")
    return text[:most]


def _int(low: int, high: int) -> KeyReader:
    def read_int(_: SettingsFile, node: YamlNode) -> int:
        if isinstance(node, Scalar) and node.kind == "int" and re.fullmatch(r"[0-9]{1,6}", node.text):
            number = int(node.text)
            if low <= number <= high:
                return number
        raise WrongError(f"a whole number from {low} to {high} is expected")

    return read_int


def choice(*choices: str) -> KeyReader:
    def read_choice(_: SettingsFile, node: YamlNode) -> str:
        if isinstance(node, Scalar) and node.text in choices:
            return node.text
        raise WrongError(f"one of {', '.join(choices)} is expected")

    return read_choice


T = TypeVar("T")


def _each(file: SettingsFile, node: YamlNode, read_item: Callable[[YamlNode], T]) -> tuple[T, ...]:
    """The items that can be used; a complaint for each other."""
    if not isinstance(node, Sequence):
        raise WrongError("a list is expected")
    items: list[T] = []
    for item in node.items[:MOST_ITEMS]:
        try:
            items.append(read_item(item))
        except WrongError as wrong:
            file.complain(item.line, f"{wrong}; this entry is ignored")
    if len(node.items) > MOST_ITEMS:
        file.complain(node.items[MOST_ITEMS].line, f"entries after the first {MOST_ITEMS} are ignored")
    return tuple(items)


def names(file: SettingsFile, node: YamlNode) -> tuple[str, ...]:
    return _each(file, node, lambda item: string(item, MOST_NAME))


def _efforts(file: SettingsFile, node: YamlNode) -> tuple[str, ...]:
    def one(item: YamlNode) -> str:
        text = string(item, MOST_NAME)
        if effort_rule(text) is None:
            raise WrongError(f"`{short(text)}` is no rule: it is {RULE_WORDS}")
        return text

    return _each(file, node, one)


def _instructions(file: SettingsFile, node: YamlNode) -> tuple[PathInstruction, ...]:
    def one(item: YamlNode) -> PathInstruction:
        found = file.section(item, {"path": _path, "text": _text}, "instructions.")
        if len(found) < 2:
            raise WrongError("an instruction needs a `path` and a `text`")
        return PathInstruction(found["path"], found["text"])

    return _each(file, node, one)


def _path(_: SettingsFile, node: YamlNode) -> str:
    return string(node, MOST_NAME)


def _text(file: SettingsFile, node: YamlNode) -> str:
    if isinstance(node, Scalar) and len(node.text) > MOST_TEXT:
        file.complain(node.line, f"the text is cut after {MOST_TEXT} characters")
    return string(node, MOST_TEXT, cut=True)


def _hints(file: SettingsFile, node: YamlNode) -> dict[str, str]:
    if not isinstance(node, yamlnodes.Mapping):
        raise WrongError("a mapping of labels to hints is expected")

    def one(pair: tuple[YamlNode, YamlNode]) -> tuple[str, str]:
        return string(pair[0], MOST_NAME), string(pair[1], MOST_NAME, cut=True)

    hints: dict[str, str] = {}
    for pair in node.items[:MOST_ITEMS]:
        try:
            label, hint = one(pair)
        except WrongError as wrong:
            file.complain(pair[0].line, f"{wrong}; this entry is ignored")
        else:
            hints.setdefault(label, hint)
    return hints


def _language(_: SettingsFile, node: YamlNode) -> str:
    if isinstance(node, Scalar) and LANGUAGE.fullmatch(node.text):
        return node.text
    raise WrongError("a language tag such as en or pt-BR is expected")


class _Group(dict[str, Any]):
    """A section's values, to be told from a value that is a mapping."""


def _group(known: Section, where: str) -> KeyReader:
    def read_group(file: SettingsFile, node: YamlNode) -> Any:
        return _Group(file.section(node, known, where))

    return read_group


_READERS: dict[ValueKind, Callable[[SettingKey], KeyReader]] = {
    "flag": lambda _: _bool,
    "whole": lambda key: _int(0, key.most),
    "choice": lambda key: choice(*key.choices),
    "names": lambda _: names,
    "instructions": lambda _: _instructions,
    "hints": lambda _: _hints,
    "efforts": lambda _: _efforts,
    "language": lambda _: _language,
}


def _sections(keys: Mapping[str, SettingKey], where: str = "") -> Section:
    """Readers by name, sections within sections as the dots say. `keys`: the rest of each name -> the key."""
    readers: dict[str, KeyReader] = {}
    for rest, key in keys.items():
        name, _, deeper = rest.partition(".")
        if not deeper:
            readers[name] = _READERS[key.kind](key)
        elif name not in readers:
            inside = {one.partition(".")[2]: keys[one] for one in keys if one.startswith(f"{name}.")}
            readers[name] = _group(_sections(inside, f"{where}{name}."), f"{where}{name}.")
    return readers


_TOP = _sections({key.name: key for key in KEYS if key.in_file})
