"""Conflicts that nobody need think about: what to write is plain from the two sides alone."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from bot.core.code_analysis import Tools
from bot.core.file_kinds import is_prose
from bot.core.merging import Conflict, ConflictHunk
from bot.core.source import Chunk

SAME = "both sides change it in the same way"
BLANKS = "on one side only blanks differ"
ONE_SIDE = "only one side changes it"
BOTH = "both sides add to it, and both stay"
_BRACES = frozenset(
    [
        *("js", "mjs", "cjs", "jsx", "ts", "mts", "cts", "tsx", "go", "rs", "java", "kt", "kts"),
        *("c", "h", "cc", "cpp", "hpp", "cs", "swift", "php", "css", "scss"),
    ]
)
"""Endings of languages in which indentation means nothing."""
_QUOTES = re.compile(r"`|\"\"\"|'''|R\"|<<")
"""What may begin a text of several lines, in which blanks mean something."""
_WORD = re.compile(r"\w+")
_IMPORTS: dict[str, tuple[str, re.Pattern[str]]] = {
    "python": ("py pyi", re.compile(r"(?:from +[\w.]+ +import|import) +([\w., ]+(?: as \w+)?)$")),
    "script": (
        "js mjs cjs jsx ts mts cts tsx vue",
        re.compile(r"(?:import|export)\b([^'\"]+)\bfrom *['\"][^'\"]+['\"];?$"),
    ),
    "go": ("go", re.compile(r"(?:import +)?((?:[\w.]+ +)?\"[\w./-]+\")$")),
    "rust": ("rs", re.compile(r"(?:pub(?:\([^)]*\))? +)?use +([\w:{}, *]+);$")),
    "java": ("java kt kts scala", re.compile(r"import +(?:static +)?([\w.*]+(?: as \w+)?);?$")),
    "c_sharp": ("cs", re.compile(r"using +(?:static +)?([\w.]+);$")),
}
_BULLET = re.compile(r"\s*[-*+] +\S")
_ROW = re.compile(r"\s*\|.*\|\s*$")
_RULE = re.compile(r"[\s|:-]+$")
_ENTRY = re.compile(r"\s*(?:\"[^\"\\]*\"|'[^'\\]*'|[A-Za-z_][\w.]*),$")
_PAIR = re.compile(r"\s*(\"[^\"\\]*\"|'[^'\\]*')\s*:\s*[^{}\[\]()]+,$")
LONGEST = 500
"""Characters of a line that is taken for one of these."""


@dataclass(frozen=True, slots=True)
class Proved:
    """What takes the conflict's place, and why."""

    text: str
    why: str


def proved(conflict: Conflict, number: int, tools: Tools) -> Proved | None:
    """Of a conflict's hunk; None where somebody has to think."""
    hunk = conflict.hunks[number]
    if hunk.ours == hunk.theirs:
        return Proved(hunk.ours, SAME)
    if hunk.base == hunk.ours:
        return Proved(hunk.theirs, ONE_SIDE)
    if hunk.base == hunk.theirs:
        return Proved(hunk.ours, ONE_SIDE)
    if chosen := _not_blank(conflict.path, hunk):
        return Proved(chosen, BLANKS)
    if hunk.base.strip():
        return None
    together = _listed(conflict.path, hunk) or _definitions(conflict, number, tools)
    return Proved(together, BOTH) if together else None


def _not_blank(path: str, hunk: ConflictHunk) -> str:
    """The side that changed more than blanks."""
    base, ours, theirs = (_solid(path, one, hunk) for one in (hunk.base, hunk.ours, hunk.theirs))
    if base == ours or ours == theirs:
        return hunk.theirs
    return hunk.ours if base == theirs else ""


def _solid(path: str, text: str, hunk: ConflictHunk) -> list[str]:
    """Its lines without the blanks that mean nothing there."""
    braces = PurePosixPath(path).suffix[1:].lower() in _BRACES
    within = any(_QUOTES.search(one) for one in (hunk.base, hunk.ours, hunk.theirs))
    lines = text.split("\n")
    if is_prose(path) or within:  # two blanks end a line of Markdown; a text's own blanks are its own
        return lines
    return [line.strip() if braces else line.rstrip() for line in lines if line.strip()]


def _listed(path: str, hunk: ConflictHunk) -> str:
    """Imports, entries of lists and items of prose: the order in which they stand means nothing, and what
    both sides add is there once."""
    ours, theirs = (one.split("\n")[:-1] for one in (hunk.ours, hunk.theirs))
    both = [line for line in (*ours, *theirs) if line.strip()]
    if not both or any(len(line) > LONGEST for line in both):
        return ""
    if is_prose(path):
        return _prose(ours, theirs)
    alone = _bound(path, [line for line in ours if line not in theirs])
    other = _bound(path, [line for line in theirs if line not in ours])
    if alone is None or other is None or alone & other:
        return ""
    return _union(ours, theirs)


def _union(ours: Sequence[str], theirs: Sequence[str]) -> str:
    """Ours, then what else theirs have."""
    more = [line for line in theirs if line.strip() and line not in ours]
    end = len(ours)
    while end and not ours[end - 1].strip():
        end -= 1
    return "".join(f"{line}\n" for line in (*ours[:end], *more, *ours[end:]))


def _bound(path: str, lines: Sequence[str]) -> set[str] | None:
    """The names that these imports, entries or pairs bring; None where some line is none of them."""
    ending = PurePosixPath(path).suffix[1:].lower()
    pattern = next((made for ends, made in _IMPORTS.values() if ending in ends.split()), None)
    names: set[str] = set()
    for line in filter(str.strip, lines):
        found = pattern.match(line.strip()) if pattern else None
        if found:
            names |= _imported(ending, found[1])
        elif pair := _PAIR.match(line):
            names.add(pair[1])
        elif _ENTRY.match(line):
            names.add(line.strip())
        else:
            return None
    return names


def _imported(ending: str, told: str) -> set[str]:
    """`a as b` brings `b`, `x.y.Z` and `x::Z` bring `Z`."""
    inner = re.search(r"\{([^{}]*)\}", told)
    parts = (inner[1] if inner else told).split(",")
    names = set()
    for part in parts:
        words = _WORD.findall(part)
        if not words:
            names.add(part.strip())
        elif ending == "go" and not part.strip().startswith('"'):
            names.add(words[0])
        else:
            names.add(words[0] if ending in ("py", "pyi") and " as " not in part else words[-1])
    return names


def _prose(ours: list[str], theirs: list[str]) -> str:
    """Items with the lines that belong to them, and rows of a table."""
    rows = [line for line in (*ours, *theirs) if line.strip()]
    if all(_ROW.match(line) and not _RULE.match(line) for line in rows):
        return _union(ours, theirs)
    if not all(_items(side) for side in (ours, theirs)):
        return ""
    if all(map(_BULLET.match, rows)):
        return _union(ours, theirs)
    return "" if set(filter(_BULLET.match, ours)) & set(theirs) else _after(ours, theirs)


def _items(lines: Sequence[str]) -> bool:
    solid = [line for line in lines if line.strip()]
    if not solid or not _BULLET.match(solid[0]):
        return False
    return all(_BULLET.match(line) or _indent(line) > _indent(solid[0]) for line in solid)


def _after(ours: Sequence[str], theirs: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in (*ours, *theirs))


def _definitions(conflict: Conflict, number: int, tools: Tools) -> str:
    """Whole functions, classes and tests: each side's, of other names than the other's."""
    hunk = conflict.hunks[number]
    named = []
    for side in ("ours", "theirs"):
        text, first = _with(conflict, number, side)
        own: str = getattr(hunk, side)
        last = first + own.count("\n") - 1
        names = _whole(conflict.path, text, first, last, tools) or _tests_called(own)
        if not names:
            return ""
        named.append(names)
    return "" if named[0] & named[1] else f"{hunk.ours}{hunk.theirs}"


def _with(conflict: Conflict, number: int, side: str) -> tuple[str, int]:
    """The file with this side's lines in all conflicts, and in which line, counted from 1, one begins."""
    parts: list[str] = []
    first, seen = 1, 0
    for part in conflict.parts:
        if isinstance(part, ConflictHunk):
            if seen == number:
                first = 1 + sum(one.count("\n") for one in parts)
            seen += 1
        parts.append(getattr(part, side) if isinstance(part, ConflictHunk) else part)
    return "".join(parts), first


def _whole(path: str, text: str, first: int, last: int, tools: Tools) -> set[str]:
    """The names of the definitions that these lines are made of; empty where they are anything else."""
    lines = text.split("\n")
    inside = [one for one in tools.symbols(path, text) if first <= one.start <= last]
    chunks = [one for one in inside if _end(one, lines, last) <= last]
    covered = {line for one in chunks for line in range(one.start, one.end + 1)}
    if any(lines[n - 1].strip() and n not in covered for n in range(first, last + 1)):
        return set()
    return {one.symbol for one in chunks}


def _end(chunk: Chunk, lines: Sequence[str], last: int) -> int:
    """Its last line, without what closes that around it."""
    indent, end = _indent(lines[chunk.start - 1]), chunk.end
    while end > last:
        line = lines[end - 1]
        if line.strip() and (line.strip() not in ("}", "};", "});", "end") or _indent(line) >= indent):
            break
        end -= 1
    return end


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


CALLED = re.compile(
    r"^[ \t]*(?:it|test|describe|context|suite|specify|scenario|Deno\.test|t\.Run|b\.Run)(?:\.\w{1,20}){0,2}"
    r"\(\s*(\"[^\"\n]{1,300}\"|'[^'\n]{1,300}'|`[^`\n]{1,300}`)",
    re.MULTILINE,
)
"""A test that is no function of a name of its own; the group is its title."""


def _tests_called(text: str) -> set[str]:
    """The titles of the calls that these lines are made of: none of the outermost lines is anything else."""
    lines = [line for line in text.split("\n") if line.strip()]
    indent = min(map(_indent, lines), default=0)
    outer = [line for line in lines if _indent(line) == indent]
    opened = [line for line in outer if CALLED.match(line)]
    rest = [line.strip() for line in outer if not CALLED.match(line)]
    if len(opened) != len(rest) or any(one not in ("});", "})") for one in rest):
        return set()
    titles = {found[1] for line in opened if (found := CALLED.match(line))}
    return titles if len(titles) == len(opened) else set()
