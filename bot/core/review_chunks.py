"""A change taken apart into units: hunks that are read together because they belong together.

Whole files stay whole where they fit. What is larger is cut between symbols. Then a test joins its code,
and what changes a name joins what uses it. Units are read by priority: source before tests before
configuration before prose, and among equals what guards something and what changes most.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from bot.core.code_search import Excerpt
from bot.core.diff import FileDiff, Hunk, HunkLine, added_lines, render
from bot.core.file_kinds import is_test, subject
from bot.core.source import Chunk

Symbols = Callable[[str], Sequence[Chunk]]
"""The symbols of the head's file at a path; empty where they are not known."""

_PROSE = frozenset({".md", ".rst", ".txt", ".adoc", ".svg", ".csv", ".tsv"})
_CONFIG = frozenset(
    {".json", ".yml", ".yaml", ".toml", ".ini", ".cfg", ".xml", ".properties", ".lock", ".tf"}
)
_CONFIG_NAMES = frozenset({"dockerfile", "makefile", "go.mod", "gemfile", ".gitignore", ".dockerignore"})
_GUARDS = re.compile(
    r"auth|login|passw|secret|token|crypt|sign|session|permission|polic|access|admin|sanit|escap|saniti|sandbox"
    r"|payment|billing|security|csrf|cors|sql|migrat|deserial|upload|workflow|webhook",
    re.IGNORECASE,
)
_DEFINES = re.compile(
    r"\b(?:def|class|func|fn|function|interface|struct|enum|trait|type|module|record|object)\s+"
    r"(?:\([^)]*\)\s*)?([A-Za-z_]\w{2,})"
)
_WORD = re.compile(r"[A-Za-z_]\w{2,}")
LONG, NEAR = 80, 8
"""Lines of a symbol beyond which it is not shown whole, and lines before and after a change that are."""
COMMON = 8
"""A name that more pieces than this use links none of them."""


@dataclass(frozen=True, slots=True)
class ReviewChunk:
    """Files, each with those of its hunks that are read here."""

    parts: tuple[FileDiff, ...]

    @property
    def size(self) -> int:
        """Characters, as a reader is shown it."""
        return sum(len(render(part)) for part in self.parts)

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(part.path for part in self.parts))

    def rank(self, changed: Mapping[str, int]) -> tuple[int, bool, int, str, int]:
        """Sorts what is read first to the front. `changed`: how many lines of each file change; the parts
        of one file stay together, for half a file is read in vain."""
        guarded = any(map(guards, self.paths))
        most = max(changed[path] for path in self.paths)
        first = self.parts[0]
        start = min((hunk.new_start for hunk in first.hunks or ()), default=0)
        return min(map(kind, self.paths)), not guarded, -most, first.path, start


def guards(path: str) -> bool:
    """Whether a file of this name may stand before money, secrets or other people's data."""
    return _GUARDS.search(path) is not None


def kind(path: str) -> int:
    """0 source, 1 tests, 2 configuration, 3 prose."""
    name = PurePosixPath(path)
    if name.suffix.lower() in _PROSE:
        return 3
    if name.suffix.lower() in _CONFIG or name.name.lower() in _CONFIG_NAMES:
        return 2
    return int(is_test(path))


def review_chunks(files: Iterable[FileDiff], most: int, symbols: Symbols = lambda _: ()) -> list[ReviewChunk]:
    """Every hunk of `files` in exactly one unit, most urgent first. A unit has at most `most` characters,
    unless a single line has more."""
    pieces = [piece for file in files for piece in _pieces(file, most, symbols(file.path))]
    groups = _Groups([len(render(piece)) for piece in pieces], most)
    for one, other in _links(pieces, symbols):
        groups.join(one, other)
    made = [ReviewChunk(_merged(pieces[index] for index in members)) for members in groups.members()]
    changed: Counter[str] = Counter()
    for piece in pieces:
        changed[piece.path] += sum(line.kind != " " for line in _lines(piece))
    return sorted(made, key=lambda review_chunk: review_chunk.rank(changed))


def batches(ordered: Sequence[ReviewChunk], most: int) -> list[ReviewChunk]:
    """Units put together in their order, as many as one prompt of `most` characters holds."""
    together: list[list[ReviewChunk]] = []
    room = 0
    for review_chunk in ordered:
        size = review_chunk.size
        if not together or size > room:
            together.append([])
            room = most
        together[-1].append(review_chunk)
        room -= size
    return [
        ReviewChunk(_merged(part for review_chunk in some for part in review_chunk.parts))
        for some in together
    ]


def _lines(file: FileDiff) -> Iterator[HunkLine]:
    return (line for hunk in file.hunks or () for line in hunk.lines)


def _merged(parts: Iterable[FileDiff]) -> tuple[FileDiff, ...]:
    """Parts of one file as one, its hunks in order."""
    hunks: dict[str, list[Hunk]] = defaultdict(list)
    files: dict[str, FileDiff] = {}
    for part in parts:
        files.setdefault(part.path, part)
        hunks[part.path] += part.hunks or ()
    return tuple(
        replace(file, hunks=tuple(sorted(hunks[path], key=lambda hunk: (hunk.new_start, hunk.old_start))))
        for path, file in files.items()
    )


# -- cutting what is too large


def _pieces(file: FileDiff, most: int, chunks: Sequence[Chunk]) -> Iterator[FileDiff]:
    """The file whole if it fits; else its hunks, those of one symbol together as far as they fit."""
    if len(render(file)) <= most:
        yield file
        return
    starts = frozenset(chunk.start for chunk in chunks)
    small = [part for hunk in file.hunks or () for part in cut(hunk, most, starts)]
    room, held, symbol = most, list[Hunk](), ""
    for hunk in small:
        size, inside = len(render(replace(file, hunks=(hunk,)))) + 1, enclosing(hunk, chunks)
        new_symbol = bool(held) and inside != symbol and room < most // 2
        if held and (size > room or new_symbol):
            yield replace(file, hunks=tuple(held))
            room, held = most, []
        held.append(hunk)
        room, symbol = room - size, inside
    if held:
        yield replace(file, hunks=tuple(held))


def cut(hunk: Hunk, most: int, starts: frozenset[int] = frozenset()) -> Iterator[Hunk]:
    """The hunk in parts of at most `most` characters, cut where a symbol starts (`starts`: new lines), else
    at a blank line, else where it must be."""
    lines = hunk.lines
    while lines:
        end = _cut_at(lines, most - len(hunk.heading) - 3, starts)
        yield _part(hunk, lines[:end])
        lines = lines[end:]


def _cut_at(lines: Sequence[HunkLine], most: int, starts: frozenset[int]) -> int:
    size, good, blank = 0, 0, 0
    for index, line in enumerate(lines):
        if index and line.new in starts:
            good = index
        elif index and not line.text.strip():
            blank = index
        size += len(line.text) + 2
        if size > most and index:
            return next((place for place in (good, blank) if place > index // 2), index)
    return len(lines)


def _part(hunk: Hunk, lines: tuple[HunkLine, ...]) -> Hunk:
    old = [line.old for line in lines if line.old is not None]
    new = [line.new for line in lines if line.new is not None]
    return Hunk(
        old[0] if old else hunk.old_start,
        len(old),
        new[0] if new else hunk.new_start,
        len(new),
        hunk.heading,
        lines,
    )


def enclosing(hunk: Hunk, chunks: Sequence[Chunk]) -> str:
    """The innermost symbol that the hunk's first added line lies in."""
    first = next((line.new for line in hunk.lines if line.kind == "+" and line.new), hunk.new_start)
    around = [chunk for chunk in chunks if chunk.symbol and chunk.start <= first <= chunk.end]
    return min(around, key=lambda chunk: chunk.end - chunk.start).symbol if around else hunk.heading


# -- joining what belongs together


@dataclass(slots=True)
class _Groups:
    """Pieces joined two by two, as long as a group stays small enough."""

    sizes: list[int]
    most: int
    group: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.group = list(range(len(self.sizes)))

    def _root(self, index: int) -> int:
        while self.group[index] != index:
            index = self.group[index]
        return index

    def join(self, one: int, other: int) -> None:
        first, second = sorted((self._root(one), self._root(other)))
        if first != second and self.sizes[first] + self.sizes[second] <= self.most:
            self.group[second] = first
            self.sizes[first] += self.sizes[second]

    def members(self) -> list[list[int]]:
        found: dict[int, list[int]] = defaultdict(list)
        for index in range(len(self.group)):
            found[self._root(index)].append(index)
        return list(found.values())


def _links(pieces: Sequence[FileDiff], symbols: Symbols) -> Iterator[tuple[int, int]]:
    """Pairs of pieces that belong together, the surest first."""
    yield from _tests_with_code(pieces)
    used: dict[str, list[int]] = defaultdict(list)
    for index, piece in enumerate(pieces):
        words = {word for line in _lines(piece) if line.kind != " " for word in _WORD.findall(line.text)}
        for word in words:
            used[word].append(index)
    for index, piece in enumerate(pieces):
        for name in sorted(changed_names(piece, symbols(piece.path))):
            others = [other for other in used[name] if other != index]
            if len(others) <= COMMON:
                yield from ((index, other) for other in others)


def _tests_with_code(pieces: Sequence[FileDiff]) -> Iterator[tuple[int, int]]:
    by_subject: dict[str, list[int]] = defaultdict(list)
    for index, piece in enumerate(pieces):
        by_subject[subject(piece.path)].append(index)
    for name, some in by_subject.items():
        code = [index for index in some if kind(pieces[index].path) == 0]
        tests = [index for index in some if kind(pieces[index].path) == 1]
        if name not in ("", "__init__", "index", "mod", "main") and len(some) <= COMMON:
            yield from ((one, other) for one in code for other in tests)


def changed_names(piece: FileDiff, chunks: Sequence[Chunk]) -> set[str]:
    """Names whose definitions the piece changes; a renamed file's own names too."""
    added = {line.new for line in _lines(piece) if line.kind == "+"}
    names = {
        chunk.symbol.rpartition(".")[2]
        for chunk in chunks
        if chunk.symbol and any(chunk.start <= line <= chunk.end for line in added if line)
    }
    for line in _lines(piece):
        if line.kind != " ":
            names |= set(_DEFINES.findall(line.text))
    if piece.old_path:
        names |= {PurePosixPath(path).stem for path in (piece.path, piece.old_path)}
    return {name for name in names if len(name) > 2}


def around(part: FileDiff, text: str, chunks: Sequence[Chunk]) -> list[Excerpt]:
    """The symbols that enclose the part's hunks, from the head's text; not those that the hunks show anyway.
    Of a long one its beginning and what is near the hunks."""
    shown = {line.new for line in _lines(part) if line.new}
    added = added_lines(part)
    lines = text.split("\n")
    found: list[Excerpt] = []
    for chunk in sorted(_innermost(chunks, added), key=lambda chunk: chunk.start):
        end = min(chunk.end, len(lines))
        if shown.issuperset(range(chunk.start, end + 1)):
            continue
        near = [line for line in sorted(added) if chunk.start <= line <= end]
        ranges = [(chunk.start, end)]
        if end - chunk.start > LONG:
            ranges = [(chunk.start, chunk.start + NEAR), (near[0] - NEAR, near[-1] + NEAR)]
        for first, last in ranges:
            first, last = max(first, chunk.start), min(last, end)
            found.append(Excerpt(part.path, first, tuple(lines[first - 1 : last])))
    return found


def _innermost(chunks: Sequence[Chunk], added: set[int]) -> list[Chunk]:
    """For each added line the smallest symbol around it, each once."""
    found: dict[tuple[int, int], Chunk] = {}
    for line in added:
        holding = [chunk for chunk in chunks if chunk.symbol and chunk.start <= line <= chunk.end]
        if holding:
            least = min(holding, key=lambda chunk: chunk.end - chunk.start)
            found[least.start, least.end] = least
    return list(found.values())
