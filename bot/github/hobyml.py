"""`.github/hob.yml`: a closed schema, read key by key. What is wrong is reported with its line and ignored.

Nothing in it can name a host, a URL, a key or a command: there are no such keys, and asking for one is said.
"""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from bot.core.settings import (
    SEVERITIES,
    CodeSettings,
    Complaint,
    IssueSettings,
    PathInstruction,
    RepoSettings,
    ReviewSettings,
)
from bot.github import yamlnodes
from bot.github.payloads import clean
from bot.github.yamlnodes import Node, Scalar, Sequence, UnreadableError

MOST_TEXT = 2_000
"""Characters of one instruction."""
MOST_NAME = 255
MOST_ITEMS = 100
MOST_COMPLAINTS = 20
CHECKS = ("ruff", "shellcheck", "actionlint", "secrets")

_FORBIDDEN = re.compile(
    r"url|host|endpoint|proxy|server|provider|api|ollama|model|temperature|prompt|system"
    r"|key|token|secret|password|credential|auth|header"
    r"|command|cmd|exec|run|script|shell|hook|plugin|extends|include|import|env"
)
_OPERATORS = frozenset({"budget", "privacy", "database", "redis", "queue", "sandbox", "app_id"})


class _WrongError(Exception):
    """A value that its key cannot have; says what it can."""


Reader = Callable[["_File", Node], Any]
Section = Mapping[str, Reader]


class _File:
    """Collects complaints while the tree is read."""

    def __init__(self) -> None:
        self.complaints: list[Complaint] = []

    def complain(self, line: int, message: str) -> None:
        self.complaints.append(Complaint(line, f"line {line}: {message}"))

    def section(self, node: Node, known: Section, where: str = "") -> dict[str, Any]:
        """The values of `node` that can be used, by key; the first of two equal keys counts."""
        if not isinstance(node, yamlnodes.Mapping):
            raise _WrongError("a mapping of keys to values is expected")
        values: dict[str, Any] = {}
        seen: set[str] = set()
        for key, value in node.items:
            name = self._key(key, known, seen, where)
            if name is None:
                continue
            try:
                values[name] = known[name](self, value)
            except _WrongError as wrong:
                self.complain(value.line, f"`{where}{name}`: {wrong}; the default is used")
        return values

    def _key(self, key: Node, known: Section, seen: set[str], where: str) -> str | None:
        """A key that may be read, or None after a complaint."""
        name = _short(key.text) if isinstance(key, Scalar) else ""
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
    """The settings, and what was ignored. A file that cannot be read at all: defaults and one complaint."""
    file = _File()
    try:
        tree = yamlnodes.read(text or "")
        found = file.section(tree, _TOP) if tree is not None else {}
    except UnreadableError as error:
        file.complain(error.line, f"{error.message}; the whole file is ignored")
        found = {}
    except _WrongError as wrong:
        file.complain(1, f"{wrong}; the whole file is ignored")
        found = {}
    return replace(RepoSettings(), **found), _capped(file.complaints)


def _capped(complaints: list[Complaint]) -> tuple[Complaint, ...]:
    if len(complaints) <= MOST_COMPLAINTS:
        return tuple(complaints)
    last = complaints[MOST_COMPLAINTS - 1].line
    more = len(complaints) - MOST_COMPLAINTS + 1
    return (*complaints[: MOST_COMPLAINTS - 1], Complaint(last, f"line {last}: and {more} more complaints"))


def _short(text: str) -> str:
    """A name as it may be shown: one line, not long, nothing that ends a code span."""
    return re.sub(r"[`\s]+", " ", clean(text))[:60]


def _bool(_: _File, node: Node) -> bool:
    if isinstance(node, Scalar) and node.kind == "bool":
        return node.text.lower() in ("true", "yes", "on")
    raise _WrongError("true or false is expected")


def _string(node: Node, most: int, *, cut: bool = False) -> str:
    """Plain words are taken as written: `no` and `1.0` are names here."""
    if not isinstance(node, Scalar) or node.kind in ("null", "other"):
        raise _WrongError("a text is expected")
    text = clean(node.text)
    if len(text) > most and not cut:
        raise _WrongError(f"a text of at most {most} characters is expected")
    return text[:most]


def _int(low: int, high: int) -> Reader:
    def read_int(_: _File, node: Node) -> int:
        if isinstance(node, Scalar) and node.kind == "int" and re.fullmatch(r"[0-9]{1,6}", node.text):
            number = int(node.text)
            if low <= number <= high:
                return number
        raise _WrongError(f"a whole number from {low} to {high} is expected")

    return read_int


def _choice(*choices: str) -> Reader:
    def read_choice(_: _File, node: Node) -> str:
        if isinstance(node, Scalar) and node.text in choices:
            return node.text
        raise _WrongError(f"one of {', '.join(choices)} is expected")

    return read_choice


T = TypeVar("T")


def _each(file: _File, node: Node, read_item: Callable[[Node], T]) -> tuple[T, ...]:
    """The items that can be used; a complaint for each other."""
    if not isinstance(node, Sequence):
        raise _WrongError("a list is expected")
    items: list[T] = []
    for item in node.items[:MOST_ITEMS]:
        try:
            items.append(read_item(item))
        except _WrongError as wrong:
            file.complain(item.line, f"{wrong}; this entry is ignored")
    if len(node.items) > MOST_ITEMS:
        file.complain(node.items[MOST_ITEMS].line, f"entries after the first {MOST_ITEMS} are ignored")
    return tuple(items)


def _names(file: _File, node: Node) -> tuple[str, ...]:
    return _each(file, node, lambda item: _string(item, MOST_NAME))


def _instructions(file: _File, node: Node) -> tuple[PathInstruction, ...]:
    def one(item: Node) -> PathInstruction:
        found = file.section(item, {"path": _path, "text": _text}, "instructions.")
        if len(found) < 2:
            raise _WrongError("an instruction needs a `path` and a `text`")
        return PathInstruction(found["path"], found["text"])

    return _each(file, node, one)


def _path(_: _File, node: Node) -> str:
    return _string(node, MOST_NAME)


def _text(file: _File, node: Node) -> str:
    if isinstance(node, Scalar) and len(node.text) > MOST_TEXT:
        file.complain(node.line, f"the text is cut after {MOST_TEXT} characters")
    return _string(node, MOST_TEXT, cut=True)


def _checks(file: _File, node: Node) -> frozenset[str]:
    said = file.section(node, dict.fromkeys(CHECKS, _bool), "checks.")
    return frozenset(name for name in CHECKS if said.get(name, True))


def _hints(file: _File, node: Node) -> dict[str, str]:
    if not isinstance(node, yamlnodes.Mapping):
        raise _WrongError("a mapping of labels to hints is expected")

    def one(pair: tuple[Node, Node]) -> tuple[str, str]:
        return _string(pair[0], MOST_NAME), _string(pair[1], MOST_NAME, cut=True)

    hints: dict[str, str] = {}
    for pair in node.items[:MOST_ITEMS]:
        try:
            label, hint = one(pair)
        except _WrongError as wrong:
            file.complain(pair[0].line, f"{wrong}; this entry is ignored")
        else:
            hints.setdefault(label, hint)
    return hints


def _language(_: _File, node: Node) -> str:
    if isinstance(node, Scalar) and re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}", node.text):
        return node.text
    raise _WrongError("a language tag such as en or pt-BR is expected")


def _group(kind: type[Any], known: Section, where: str) -> Reader:
    def read_group(file: _File, node: Node) -> Any:
        return kind(**file.section(node, known, where))

    return read_group


_REVIEW: Section = {
    "auto": _bool,
    "drafts": _bool,
    "base_branches": _names,
    "ignore_authors": _names,
    "ignore_title_keywords": _names,
    "labels": _names,
    "paths": _names,
    "instructions": _instructions,
    "min_severity": _choice(*SEVERITIES),
    "max_comments": _int(0, 50),
    "request_changes": _bool,
    "walkthrough": _bool,
    "guidelines": _names,
    "checks": _checks,
}
_ISSUES: Section = {
    "triage": _bool,
    "comment": _choice("mention", "always", "never"),
    "labels": _names,
    "label_hints": _hints,
    "duplicates": _choice("suggest", "off"),
}
_CODE: Section = {"enabled": _bool, "allow": _choice("write", "maintain", "admin")}
_TOP: Section = {
    "review": _group(ReviewSettings, _REVIEW, "review."),
    "issues": _group(IssueSettings, _ISSUES, "issues."),
    "code": _group(CodeSettings, _CODE, "code."),
    "language": _language,
    "online": _choice("never", "public", "allowed"),
}
