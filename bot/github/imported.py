"""Another reviewer's configuration as a `.github/hob.yml`: what is carried over, what means something else
here, and what has no counterpart, key by key. `bot.github.import_rules` has the keys."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import yaml

from bot import yamlnodes
from bot.core.errors import HobError
from bot.core.settings_merge import plain
from bot.core.settings_schema import BY_NAME, MOST_ITEMS, MOST_NAME, MOST_TEXT, WrongValue, taken
from bot.core.text import one_line
from bot.github import hobyml
from bot.github.payloads import clean

Fate = Literal["carried", "differs", "dropped"]
Values = dict[str, Any]
"""By Hob's dotted keys, as JSON has them."""
MOST_KEYS = 2_000
"""Of theirs that are told one by one."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


class Unfit(Exception):
    """Why a value has no counterpart."""


@dataclass(frozen=True, slots=True)
class Carried:
    """What one of their values becomes. `note`: how its meaning differs, if it does."""

    values: Values
    note: str = ""


Rule = Callable[[Any], Carried]
"""`Unfit` where a value cannot be carried over."""
Rules = Mapping[str, Rule | str]
"""Their dotted key, in small letters, or the start of some -> what becomes of it, or why nothing does."""
NO_KEY = "Hob has no such key"


@dataclass(frozen=True, slots=True)
class ImportedKey:
    """One key of theirs. `ours`: keys of hob.yml; `why`: how the meaning differs, or why it was left out."""

    path: str
    key: str
    fate: Fate
    ours: tuple[str, ...] = ()
    why: str = ""


@dataclass(slots=True)
class ImportedSettings:
    """Collects what several files say. Lists are put together; of other values the first counts."""

    values: Values = field(default_factory=dict)
    keys: list[ImportedKey] = field(default_factory=list)

    def add(self, path: str, key: str, rule: Rule | str, value: Any) -> None:
        key = one_line(clean(key), 200)
        if isinstance(rule, str):
            self.keys.append(ImportedKey(path, key, "dropped", why=rule))
            return
        try:
            carried = rule(value)
            notes = [carried.note, *(self._put(name, one) for name, one in carried.values.items())]
        except Unfit as why:
            self.keys.append(ImportedKey(path, key, "dropped", why=str(why)))
            return
        said = "; ".join(dict.fromkeys(filter(None, notes)))
        self.keys.append(
            ImportedKey(path, key, "differs" if said else "carried", tuple(carried.values), said)
        )

    def _put(self, name: str, value: Any) -> str:
        """What became of a value otherwise than was said; `Unfit` where another file was there first."""
        try:
            taken(BY_NAME[name], value)
        except WrongValue as wrong:
            raise Unfit(f"{name}: {wrong}") from None
        before = self.values.get(name)
        if isinstance(value, list) and (before is None or isinstance(before, list)):
            whole = [*(before or ()), *(one for one in value if one not in (before or ()))]
            self.values[name] = whole[:MOST_ITEMS]
            left = len(whole) - MOST_ITEMS
            return f"{left} of its entries are left out: {MOST_ITEMS} are the most" if left > 0 else ""
        if isinstance(value, dict):
            whole_of = {**value, **(before or {})}
            self.values[name] = dict(list(whole_of.items())[:MOST_ITEMS])
            return ""
        if before is not None and before != value:
            raise Unfit(f"{name} is {before!r} already, by a key above")
        self.values[name] = value
        return ""

    def fit(self) -> None:
        """Leaves out instructions, the last first, until the file is not too large for Hob's reader."""
        told: list[Any] = self.values.get("review.instructions", [])
        before = len(told)
        while told and len(as_hobyml(self.values).encode()) > yamlnodes.MOST_BYTES - 1_000:
            del told[-max(1, len(told) // 10) :]
        if len(told) < before:
            why = f"{before - len(told)} of the instructions are left out: hob.yml holds 64 KB at most"
            self.keys.append(ImportedKey("", "all files", "dropped", ("review.instructions",), why))


def rule_for(name: str, rules: Rules) -> Rule | str:
    """By the key itself, else by the longest start of it that has a rule; letters in any case."""
    name = name.lower()
    parts = name.split(".")[: yamlnodes.MOST_DEPTH]
    starts = [name, *(".".join(parts[:count]) + ".*" for count in range(len(parts) - 1, 0, -1))]
    return next((rules[one] for one in starts if one in rules), NO_KEY)


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as they are, and no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def as_hobyml(values: Values, comments: Iterable[str] = ()) -> str:
    """The hob.yml that says these values. `HobError` where Hob's own reader would take it otherwise."""
    tree: dict[str, Any] = {}
    for name in (name for name in BY_NAME if name in values):
        *sections, last = name.split(".")
        inner = tree
        for section in sections:
            inner = inner.setdefault(section, {})
        inner[last] = values[name]
    body = yaml.dump(tree, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100) if tree else ""
    return "".join(f"# {one_line(clean(line), 300)}\n" for line in comments) + body


def read_back(text: str, values: Values) -> str:
    """The text, after Hob's own reader has read exactly these values from it."""
    found, complaints = hobyml.said(text)
    if complaints or {name: plain(one) for name, one in found.items()} != values:
        why = complaints[0].message if complaints else "a value is read otherwise than it was written"
        raise HobError(f"the hob.yml that was made is not what Hob reads: {why}")
    return text


def plain_words(value: Any) -> list[str]:
    """A text, or the texts of a list, that a key of Hob's can hold; `Unfit` where there are none."""
    items = value if isinstance(value, list) else [value]
    found = [tidy(one) for one in items if isinstance(one, str)]
    if fit := [one for one in dict.fromkeys(found) if 0 < len(one) <= MOST_NAME and "\n" not in one]:
        return fit[:MOST_ITEMS]
    raise Unfit("there is nothing in it" if value in ("", [], {}, None) else "texts are expected")


def tidy(text: str) -> str:
    """Without what a terminal or a store would trip over."""
    whole = _CONTROL.sub("", clean(text).replace("\r\n", "\n"))
    shown = "".join(one for one in whole if one in "\n\t" or one.isprintable())
    return "\n".join(line.rstrip() for line in shown.split("\n")).strip()


def instructions(patterns: Iterable[str], text: Any) -> list[dict[str, str]]:
    """`review.instructions` that say a text, in parts where it is longer than one may be."""
    if not isinstance(text, str) or not (rest := tidy(text)):
        raise Unfit("there is nothing in it")
    parts: list[str] = []
    while rest and len(parts) <= MOST_ITEMS:
        cut = MOST_TEXT if len(rest) <= MOST_TEXT else rest.rfind("\n", 1, MOST_TEXT) + 1 or MOST_TEXT
        parts.append(rest[:cut].strip())
        rest = rest[cut:].strip()
    return [{"path": path, "text": part} for path in patterns for part in parts if part]
