"""What a linter printed, as remarks: SARIF, JSON by a mapping, or lines. All of it is a stranger's text: it
repeats what the linter read.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import re2

from bot.core import json_text

LONGEST_RULE = 80
_RULE = re.compile(rf"[A-Za-z0-9@][\w@./-]{{0,{LONGEST_RULE - 1}}}", re.ASCII)


class NoLintAnswer(Exception):
    """It is none of the form; the words are for people."""


@dataclass(frozen=True, slots=True)
class LintRemark:
    """`path` is what the linter calls the file; `line` counts from 1, and nothing says yet that the file has
    it; None: the file as a whole."""

    path: str
    line: int | None
    rule: str
    message: str
    level: str = ""


@dataclass(frozen=True, slots=True)
class JsonPlaces:
    """Where a remark and its parts stand: names joined by dots; `*` is each item of a list. A part that a
    remark lacks is looked for in what the remark stands in."""

    remarks: str = ""
    path: str = "path"
    line: str = "line"
    rule: str = "rule"
    message: str = "message"
    level: str = "level"


LintRemarks = Iterator[LintRemark | None]
"""None: a remark of which a part is missing or of a wrong type."""


def sarif(output: bytes) -> LintRemarks:
    """Of all runs; NoLintAnswer also where a run says that it failed."""
    log = _json(output)
    runs = log.get("runs") if isinstance(log, dict) else None
    if not isinstance(runs, list) or not runs:
        raise NoLintAnswer("no SARIF")
    for run in runs:
        results = run.get("results") if isinstance(run, dict) else None
        if not isinstance(results, list):
            raise NoLintAnswer("no SARIF")
        if any(_at([one], "executionSuccessful") is False for one in _list(run.get("invocations"))):
            raise NoLintAnswer("it says itself that it failed")
        rules = _list(_at([run], "tool.driver.rules"))
        for result in results:
            yield _result(result, rules)


def _result(result: Any, rules: list[Any]) -> LintRemark | None:
    rule = _at([result], "ruleId") or _at([result], "rule.id")
    index = _at([result], "ruleIndex")
    if rule is None and type(index) is int and 0 <= index < len(rules):
        rule = _at([rules[index]], "id")
    places = _list(_at([result], "locations"))
    place = _at(places[:1], "physicalLocation")
    uri = _at([place], "artifactLocation.uri")
    line = _at([place], "region.startLine")
    path = unquote(uri.removeprefix("file://")) if isinstance(uri, str) else None
    return _remark(path, line, rule, _at([result], "message.text"), _at([result], "level"))


def by_places(output: bytes, places: JsonPlaces) -> LintRemarks:
    """JSON of which `places` says where everything stands."""
    for chain in _below([_json(output)], places.remarks.split(".") if places.remarks else []):
        parts = (places.path, places.line, places.rule, places.message, places.level)
        path, line, rule, message, level = (_at(chain, part) for part in parts)
        yield _remark(path, line, rule, message, level)


def by_lines(output: bytes, pattern: str) -> LintRemarks:
    """A remark a line, with the groups `path`, `line`, `rule`, `message`, `level`; the rest of a line that
    has no such form is not believed."""
    try:
        text = output.decode()
    except UnicodeDecodeError:
        raise NoLintAnswer("no UTF-8") from None
    form = re2.compile(pattern)  # type: ignore[no-untyped-call]
    for row in filter(None, text.split("\n")):
        found = form.fullmatch(row.removesuffix("\r"))
        parts = found.groupdict() if found else {}
        number = parts.get("line") or ""
        line = int(number) if number.isascii() and number.isdigit() and len(number) < 10 else None
        bad = not found or (line is None and "line" in parts)
        yield (
            None
            if bad
            else _remark(parts.get("path"), line, parts.get("rule"), parts.get("message"), parts.get("level"))
        )


def _remark(path: Any, line: Any, rule: Any, message: Any, level: Any) -> LintRemark | None:
    """Of the right types, or None. A number may be a rule's name; True is no line."""
    name = str(rule) if type(rule) is int and 0 <= rule < 10**9 else rule
    fits = isinstance(path, str) and isinstance(name, str) and isinstance(message, str)
    if not fits or not _RULE.fullmatch(name) or not (line is None or type(line) is int):
        return None
    return LintRemark(path, line, name, message, level if isinstance(level, str) else "")


def _json(output: bytes) -> Any:
    try:
        return json_text.read(output)
    except (ValueError, RecursionError):
        raise NoLintAnswer("no JSON") from None


def _list(found: Any) -> list[Any]:
    return found if isinstance(found, list) else []


def _below(chain: list[Any], names: list[str]) -> Iterator[list[Any]]:
    """What stands at the names' place, each with all that it stands in, itself first."""
    if not names:
        yield chain
        return
    first, *rest = names
    if first == "*":
        if not isinstance(chain[0], list):
            raise NoLintAnswer("no list where its remarks stand")
        for item in chain[0]:
            yield from _below([item, *chain], rest)
    elif isinstance(chain[0], dict) and first in chain[0]:
        yield from _below([chain[0][first], *chain], rest)
    else:
        raise NoLintAnswer(f"no {first!r} where its remarks stand")


def _at(chain: list[Any], place: str) -> Any:
    """The value at a place of the innermost that has it; None where none has."""
    for one in chain:
        for name in place.split("."):
            one = one.get(name) if isinstance(one, dict) else None
        if one is not None:
            return one
    return None
