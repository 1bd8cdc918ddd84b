"""Code outside of the change that decides whether a claim holds: rules fetch what a claim names, and a model
that calls tools looks up the rest."""

import builtins
import keyword
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from bot.core.code_search import Excerpt
from bot.core.context_packing import written
from bot.core.errors import HobError, Superseded
from bot.core.facts import PullRequestFacts
from bot.core.findings import Finding
from bot.core.inference import Infer, Passage, ToolUse
from bot.core.source import Chunk

MOST_NAMES = 4
"""Of one claim that are fetched,"""
MOST_LOOKED_FOR = 40
"""and of all together."""
MOST_CALLED = 2
"""Names of one claim whose callers are fetched, where it speaks of callers,"""
MOST_CALLERS = 2
"""and so many of them."""
NEAR_CALL = 5
"""Lines before and after a call."""
MOST_LINES = 30
MOST_CHARS = 9_000
"""Of all that is fetched."""
_MARKED = re.compile(r"`(?:(?:self|this|cls)\.)?([^`\n]{1,120})`")
_NAME = re.compile(r"[A-Za-z_]\w{2,59}")
_CALLED = re.compile(r"([A-Za-z_]\w{2,59})\(")
_CODELIKE = re.compile(r"\w_\w|[a-z][A-Z]")
_ELSEWHERE = re.compile(
    r"\b(?:callers?|called|calls|tests?|tested|elsewhere|history|introduced|everywhere|other files?)\b", re.I
)
"""Words of a claim that no single definition can settle."""
_DEFINING = (
    r"\b(?:def|class|func|fn|fun|function|struct|enum|trait|interface|type|module|record|define)[ \t]{{1,8}}"
    r"(?:\([^)\n]{{0,80}}\)[ \t]{{0,8}})?{name}\b"
    r"|^[ \t]{{0,40}}(?:[a-z]{{2,12}}[ \t]{{1,4}}){{0,4}}{name}[ \t]{{0,8}}(?::[^=\n]{{1,80}})?=(?!=)"
    r"|^[ \t]{{0,40}}(?:[\w<>\[\]*&]{{1,40}}[ \t]{{1,4}}){{0,4}}[*&]{{0,3}}{name}"
    r"\([^;\n]{{0,200}}\{{[ \t]{{0,8}}$"
)
"""A definition in most languages: after its word, assigned, or with a body."""
_LONGEST_LINE = 400
_CALLERS = re.compile(r"\b(?:callers?|called|calls|pass(?:es|ed)?)\b", re.I)
_COMMON = frozenset({*dir(builtins), *keyword.kwlist, "self", "this", "null", "None", "undefined"})


LookUps = Callable[[Infer, PullRequestFacts, int, int, list[ToolUse]], Infer]
"""(a port, facts, how many claims are judged, how many questions the review may ask yet, what was looked
up) -> the port by which a model may look things up before it answers."""


@dataclass(frozen=True, slots=True)
class Looking:
    """Where the code of the head can be had beside the change. `search`: passages of this repository."""

    search: Callable[[str], Awaitable[Sequence[Excerpt]]] | None = None
    redact: Callable[[str], str] = str
    look_ups: LookUps | None = None


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What rules have fetched for claims, and whether they rest on code beside the lines that are shown with
    them: there may be more of it."""

    passages: tuple[Passage, ...] = ()
    wanting: bool = False


async def fetched(
    claims: Sequence[Finding], shown: Sequence[str], facts: PullRequestFacts, looking: Looking | None
) -> LookedUp:
    """The definitions of what the claims name, and calls of it where they speak of callers. `shown`: what a
    model is shown with each of them."""
    found: dict[tuple[str, int], tuple[list[int], str]] = {}
    known: dict[str, tuple[str, int, str] | None] = {}
    symbols: dict[str, Sequence[Chunk]] = {}
    wanting = False
    if looking is None:
        return LookedUp()
    for number, (claim, text) in enumerate(zip(claims, shown, strict=True)):
        wanting = wanting or bool(_ELSEWHERE.search(f"{claim.title}\n{claim.body}"))
        said, quoted = _named(claim), _CALLED.findall(claim.quote)
        if _CALLERS.search(f"{claim.title}\n{claim.body}"):
            for name in _names(said)[:MOST_CALLED]:
                for call in await _callers(name, facts, looking):
                    found.setdefault(call[:2], ([], call[2]))[0].append(number)
        for name in _names((*said, *quoted)):
            if _defining_line(text, name) is not None:
                continue
            wanting = True
            if name not in known and len(known) < MOST_LOOKED_FOR:
                known[name] = _in_change(name, facts, symbols) or await _outside(name, looking)
            if place := known.get(name):
                found.setdefault(place[:2], ([], place[2]))[0].append(number)
    passages: list[Passage] = []
    room = MOST_CHARS
    for (path, _), (numbers, code) in found.items():
        of = ", ".join(str(one) for one in dict.fromkeys(numbers))
        if (room := room - len(code)) < 0:
            return LookedUp(tuple(passages), wanting=True)
        passages.append(Passage(f"around {path} for finding {of}", code, 2))
    return LookedUp(tuple(passages), wanting)


def _named(claim: Finding) -> list[str]:
    """The names that a claim is about: what it marks as code or calls, then what looks like code in it."""
    said = f"{claim.title}\n{claim.body}"
    marked = [name for one in _MARKED.findall(said) for name in _NAME.findall(one)]
    alike = (name for name in _NAME.findall(said) if _CODELIKE.search(name))
    return [*marked, *_CALLED.findall(said), *alike]


def _names(every: Iterable[str]) -> list[str]:
    return [name for name in dict.fromkeys(every) if name not in _COMMON][:MOST_NAMES]


def _in_change(
    name: str, facts: PullRequestFacts, symbols: dict[str, Sequence[Chunk]]
) -> tuple[str, int, str] | None:
    """(path, first line, code) of a definition in a changed file. `symbols` by path, as far as they were
    asked for."""
    for path, text in facts.texts.items():
        if name not in text:
            continue
        if path not in symbols:
            symbols[path] = facts.tools.symbols(path, text)
        for one in symbols[path]:
            if one.symbol.rpartition(".")[2] == name:
                lines = text.split("\n")[one.start - 1 : one.start - 1 + MOST_LINES]
                return path, one.start, "\n".join(lines)
    return None


async def _found(name: str, looking: Looking) -> list[Excerpt]:
    """Passages of this repository alone, no archive's, that have to do with a name."""
    try:
        excerpts = await looking.search(name) if looking.search else ()
    except Superseded:
        raise
    except HobError:
        return []
    return [one for one in excerpts if one.kind == "file" and not one.path.startswith("@")]


async def _callers(name: str, facts: PullRequestFacts, looking: Looking) -> list[tuple[str, int, str]]:
    """(path, first line, code) around calls in files that do not change."""
    found: dict[str, tuple[str, int, str]] = {}
    for one in await _found(name, looking):
        calls = (n for n, line in enumerate(one.lines) if f"{name}(" in line[:_LONGEST_LINE])
        at = next((n for n in calls if _defining_line(one.lines[n], name) is None), None)
        if at is not None and one.path not in facts.texts:
            first = max(0, at - NEAR_CALL)
            lines = dict(enumerate(one.lines[first : at + NEAR_CALL + 1], one.start + first))
            found.setdefault(one.path, (one.path, one.start + first, looking.redact(written(lines))))
    return list(found.values())[:MOST_CALLERS]


async def _outside(name: str, looking: Looking) -> tuple[str, int, str] | None:
    """(path, first line, code) of a definition in a file that does not change."""
    for one in await _found(name, looking):
        at = _defining_line("\n".join(one.lines), name)
        if at is not None:
            lines = dict(enumerate(one.lines[at : at + MOST_LINES], one.start + at))
            return one.path, one.start + at, looking.redact(written(lines))
    return None


def _defining_line(text: str, name: str) -> int | None:
    """The number of the first line that defines a name, from 0; lines of a diff too."""
    if name not in text:
        return None
    pattern = _pattern(name)
    for number, line in enumerate(text.split("\n")):
        if name in line and len(line) <= _LONGEST_LINE and pattern.search(line.lstrip("+- ")):
            return number
    return None


@lru_cache(maxsize=256)
def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(_DEFINING.format(name=re.escape(name)))
