"""What became of the lines that merged changes brought: which were changed in review, taken back, or mended
soon after. All texts are strangers'."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bot.core.file_kinds import is_prose, kind_of_path
from bot.core.memory import code_words

Objection = Literal["", "remark", "revert", "fix", "dismissed"]
"""Why a line was not right as it came: somebody with write access said so and it was changed before the
merge, its change was taken back, a fix replaced it soon after, or (of what Hob said) a person dismissed
it."""

SOON_SECONDS = 14 * 86_400.0
"""A fix of the same line within it counts."""
MOST_LINES = 1_500
"""Of one change; what is larger moves or imports code."""
MOST_LINE = 300
MOST_REMARK = 500
MOST_REMARKS = 200
"""Of one change."""
LEAST_WORDS = 2
"""Words of a line that tells anything: not `else:`."""
_FIXES = re.compile(
    r"\b(?:(?:hot|bug)?fix(?:e[sd]|ing)?|bugs?|regress(?:ions?|ed)|broken|breakage|correct(?:s|ed)?"
    r"|crash(?:es)?|wrong|mistake)\b",
    re.IGNORECASE,
)
_REVERT = re.compile(r"^\s*revert\b", re.IGNORECASE)
_REVERTED = re.compile(
    r"\bThis reverts commit ([0-9a-f]{7,64})\b|\bReverts (?:[\w.-]{1,100}/[\w.-]{1,100})?#(\d{1,9})\b"
)
_NO_CODE = (".json", ".lock", ".svg", ".csv", ".po", ".pot", ".snap", ".ipynb", ".xml", ".html.snap")
_CHANGELOG = re.compile(
    r"(?:^|/)(?:change(?:s|log)|history|news|release[-_ ]?notes)(?:[./]|$)", re.IGNORECASE
)

CodeLine = tuple[str, str]
"""(path, line without the white space around it)"""


@dataclass(frozen=True, slots=True)
class PastRemark:
    """What somebody with write access said on a line that was not merged as it stood."""

    path: str
    line: str
    words: str
    author: str
    url: str


@dataclass(frozen=True, slots=True)
class PastChange:
    """A merged pull request, or a commit. `at`: when it was merged, epoch seconds; `reverts`: the names of
    what it takes back."""

    name: str
    url: str
    title: str
    at: float
    added: tuple[CodeLine, ...] = ()
    removed: tuple[CodeLine, ...] = ()
    remarks: tuple[PastRemark, ...] = ()
    reverts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JudgedLine:
    """A line that a change brought, its code words, and what became of it; `said` and `url`: in which
    words, and where."""

    path: str
    text: str
    words: frozenset[str]
    objection: Objection = ""
    said: str = ""
    author: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class JudgedChange:
    name: str
    url: str
    at: float
    lines: tuple[JudgedLine, ...]


def is_read(path: str) -> bool:
    """Whether lines of such a file are code that people wrote."""
    named = kind_of_path(path) is not None or path.lower().endswith(_NO_CODE)
    return not (named or is_prose(path) or _CHANGELOG.search(path))


def is_fix(title: str) -> bool:
    return bool(_FIXES.search(title[:MOST_LINE])) and not _REVERT.match(title)


def reverted(title: str, body: str) -> tuple[str, ...]:
    """The commits (as git names them) and pull requests (`#1`) that a change says it takes back."""
    if not _REVERT.match(title):
        return ()
    found = _REVERTED.findall(body[:20_000])
    return tuple(dict.fromkeys(sha or f"#{int(number)}" for sha, number in found))[:20]


def kept_lines(lines: Iterable[CodeLine]) -> tuple[CodeLine, ...]:
    """Those that are code, without white space around them; none where there are too many."""
    found = [(path, text.strip()[:MOST_LINE]) for path, text in lines if text.strip() and is_read(path)]
    return tuple(dict.fromkeys(found)) if len(found) <= MOST_LINES else ()


def judged(changes: Iterable[PastChange]) -> list[JudgedChange]:
    """Oldest first, without those that take another back, each line with what became of it."""
    ordered = sorted(changes, key=lambda one: (one.at, one.name))
    back = _taken_back(ordered)
    mended: dict[int, dict[CodeLine, PastChange]] = {}
    newest: dict[CodeLine, int] = {}
    for place, change in enumerate(ordered):
        if is_fix(change.title):
            kept = set(change.added)
            for line in change.removed:
                origin = newest.get(line)
                if origin is not None and line not in kept and change.at - ordered[origin].at <= SOON_SECONDS:
                    mended.setdefault(origin, {}).setdefault(line, change)
        newest.update(dict.fromkeys(change.added, place))
    return [
        JudgedChange(one.name, one.url, one.at, _lines(one, back.get(place), mended.get(place, {})))
        for place, one in enumerate(ordered)
        if not one.reverts and not _REVERT.match(one.title)
    ]


def _taken_back(ordered: Sequence[PastChange]) -> dict[int, PastChange]:
    """place -> what took it back. A commit may be named by the first seven characters or more."""
    places: dict[str, int] = {}
    for place, one in enumerate(ordered):
        places |= {one.name: place, one.name[:7]: place}
    found: dict[int, PastChange] = {}
    for one in ordered:
        for name in one.reverts:
            short = name if name.startswith("#") else name[:7]
            place = places.get(name, places.get(short, -1))
            if place >= 0 and ordered[place].at <= one.at:
                found[place] = one
    return found


def _lines(
    change: PastChange, back: PastChange | None, mended: dict[CodeLine, PastChange]
) -> tuple[JudgedLine, ...]:
    found: dict[CodeLine, JudgedLine] = {}
    for path, text in change.added:
        line = JudgedLine(path, text, frozenset(code_words(text)))
        if fix := mended.get((path, text)):
            line = replace(line, objection="fix", said=fix.title[:MOST_REMARK], url=fix.url)
        elif back:
            line = replace(line, objection="revert", said=back.title[:MOST_REMARK], url=back.url)
        found[path, text] = line
    for one in change.remarks[:MOST_REMARKS]:
        if not is_read(one.path):
            continue
        words = frozenset(code_words(one.line))
        found[one.path, one.line] = JudgedLine(
            one.path, one.line, words, "remark", one.words[:MOST_REMARK], one.author, one.url
        )
    return tuple(line for line in found.values() if len(line.words) >= LEAST_WORDS)
