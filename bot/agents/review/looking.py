"""Code outside of the change that decides whether a claim holds: rules fetch what a claim names, and a model
that calls tools looks up the rest."""

import builtins
import keyword
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from bot.core.code_search import Excerpt
from bot.core.edit_paths import is_private
from bot.core.errors import HobError, Superseded
from bot.core.facts import PullRequestFacts
from bot.core.findings import Finding
from bot.core.inference import Infer, Passage, ToolUse
from bot.core.source import Chunk

MOST_NAMES = 4
"""Of one claim that are fetched,"""
MOST_LOOKED_FOR = 30
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
    wanting = False
    if looking is None:
        return LookedUp()
    code = _Code(facts, looking)
    for number, (claim, text) in enumerate(zip(claims, shown, strict=True)):
        told = f"{claim.title}\n{claim.body}"
        said, quoted = _named(told), _CALLED.findall(claim.quote)
        wanting = wanting or bool(_ELSEWHERE.search(told))
        places = []
        for name in _names(said)[:MOST_CALLED] if _CALLERS.search(told) else ():
            places += await code.callers(name)
        for name in _names((*said, *quoted)):
            if _defining_line(text, name) is None:
                wanting = True
                places += await code.definition(name)
        for path, start, lines in places:
            found.setdefault((path, start), ([], lines))[0].append(number)
    passages: list[Passage] = []
    room = MOST_CHARS
    for (path, _), (numbers, lines) in found.items():
        of = ", ".join(str(one) for one in dict.fromkeys(numbers))
        if (room := room - len(lines)) < 0:
            return LookedUp(tuple(passages), wanting=True)
        passages.append(Passage(f"around {path} for finding {of}", lines, 2))
    return LookedUp(tuple(passages), wanting)


def _named(told: str) -> list[str]:
    """The names that a claim is about: what it marks as code or calls, then what looks like code in it."""
    marked = [name for one in _MARKED.findall(told) for name in _NAME.findall(one)]
    alike = (name for name in _NAME.findall(told) if _CODELIKE.search(name))
    return [*marked, *_CALLED.findall(told), *alike]


def _names(every: Iterable[str]) -> list[str]:
    return [name for name in dict.fromkeys(every) if name not in _COMMON][:MOST_NAMES]


_Place = tuple[str, int, str]
"""(path, first line, code)"""


@dataclass(slots=True)
class _Code:
    """The code of the head. Each name is searched and each file taken apart once."""

    facts: PullRequestFacts
    looking: Looking
    searched: dict[str, list[Excerpt]] = field(default_factory=dict)
    symbols: dict[str, Sequence[Chunk]] = field(default_factory=dict)

    async def definition(self, name: str) -> list[_Place]:
        """In a changed file, else elsewhere; none where it is not found."""
        for path, text in self.facts.texts.items():
            for one in self._symbols(path, text) if name in text else ():
                if one.symbol.rpartition(".")[2] == name:
                    lines = text.split("\n")[one.start - 1 : one.start - 1 + MOST_LINES]
                    return [(path, one.start, "\n".join(lines))]
        for found in await self._search(name):
            at = _defining_line("\n".join(found.lines), name)
            if at is not None:
                return [self._place(found, at, at + MOST_LINES)]
        return []

    async def callers(self, name: str) -> list[_Place]:
        """In files that do not change."""
        places: dict[str, _Place] = {}
        for found in await self._search(name):
            calls = (n for n, line in enumerate(found.lines) if f"{name}(" in line[:_LONGEST_LINE])
            at = next((n for n in calls if _defining_line(found.lines[n], name) is None), None)
            if at is not None and found.path not in self.facts.texts:
                place = self._place(found, max(0, at - NEAR_CALL), at + NEAR_CALL + 1)
                places.setdefault(found.path, place)
        return list(places.values())[:MOST_CALLERS]

    def _place(self, found: Excerpt, first: int, end: int) -> _Place:
        lines = "\n".join(found.lines[first:end])
        return found.path, found.start + first, self.looking.redact(lines)

    def _symbols(self, path: str, text: str) -> Sequence[Chunk]:
        if path not in self.symbols:
            self.symbols[path] = self.facts.tools.symbols(path, text)
        return self.symbols[path]

    async def _search(self, name: str) -> list[Excerpt]:
        """Passages of this repository alone, no archive's, that have to do with a name."""
        if name not in self.searched and self.looking.search and len(self.searched) < MOST_LOOKED_FOR:
            try:
                some = await self.looking.search(name)
            except Superseded:
                raise
            except HobError:
                some = ()
            self.searched[name] = list(own_code(some))
        return self.searched.get(name, [])


def own_code(found: Sequence[Excerpt]) -> tuple[Excerpt, ...]:
    """The files of the repository among what was found, but for those in which passwords are kept: who reads
    of this repository may not read of an archive."""
    return tuple(
        one
        for one in found
        if one.kind == "file" and not one.path.startswith("@") and not is_private(one.path)
    )


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
