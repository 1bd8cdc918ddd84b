"""Where an agent looks things up, as a port: a local repository now, a knowledge index as well."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

SourceKind = Literal["file", "issue", "commit", "release"]
"""An issue is also a pull request: GitHub numbers both in one row."""
SHORT = 10
"""Digits of a commit's id as people are shown it."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Consecutive lines of one file, issue, commit message or release. `start` counts from 1; `path` is `#12`
    of an issue, the whole id of a commit, the tag of a release."""

    path: str
    start: int
    lines: tuple[str, ...]
    kind: SourceKind = "file"

    @property
    def end(self) -> int:
        return self.start + len(self.lines) - 1

    @property
    def name(self) -> str:
        """As a model is told it."""
        if self.kind in ("file", "issue"):
            return self.path
        return f"{self.kind} {self.path[:SHORT] if self.kind == 'commit' else self.path}"

    @property
    def numbered(self) -> str:
        """As a model is shown it: `12: the line`."""
        return "\n".join(f"{number}: {line}" for number, line in enumerate(self.lines, self.start))


@dataclass(frozen=True, slots=True)
class Citation:
    """Lines that an answer rests on; `quote` is copied from them, where the model gave one."""

    path: str
    start: int
    end: int
    quote: str = ""
    kind: SourceKind = "file"

    def __str__(self) -> str:
        if self.kind != "file":
            return self.path[:SHORT] if self.kind == "commit" else self.path
        return f"{self.path}:{self.start}" + (f"-{self.end}" if self.end > self.start else "")

    @property
    def told(self) -> dict[str, Any]:
        """For programs: `path`, `start` and `end`, and of what is no file `issue`, `commit` or `release`."""
        place: dict[str, Any] = {"path": str(self) if self.kind == "commit" else self.path}
        place |= {"start": self.start, "end": self.end}
        if self.kind == "issue":
            place["issue"] = int(self.path.lstrip("#"))
        elif self.kind != "file":
            place[self.kind] = self.path
        return place


class Library(Protocol):
    """One repository, read only. Neither method raises for what a model asks for: nothing is found."""

    async def search(self, query: str) -> tuple[Excerpt, ...]:
        """What has to do with a few words, best first."""
        ...

    async def read(self, path: str, start: int, end: int) -> Excerpt | None:
        """Those lines of a file, as far as they exist; None where there is no such text."""
        ...


MOST_WHOLE = 5_000
"""Lines of a file that is read whole."""


async def whole(library: Library, path: str, most: int = MOST_WHOLE) -> tuple[str, ...]:
    """So many lines of a file at most, in as many pieces as a library gives it in."""
    lines: list[str] = []
    while len(lines) < most and (more := await library.read(path, len(lines) + 1, most)):
        if not more.lines or more.start != len(lines) + 1:
            break
        lines += more.lines
    return tuple(lines)


MOST_FROM_ARCHIVE = 4
"""Passages of each archive beside those of the repository."""


@dataclass(frozen=True, slots=True)
class Joined:
    """A `Library` of a repository and its archives, by name. Paths of an archive begin with `@name/`."""

    own: Library
    archives: Mapping[str, Library]

    async def search(self, query: str) -> tuple[Excerpt, ...]:
        found = list(await self.own.search(query))
        for name, archive in self.archives.items():
            some = (await archive.search(query))[:MOST_FROM_ARCHIVE]
            found += [Excerpt(f"@{name}/{one.path}", one.start, one.lines) for one in some]
        return tuple(found)

    async def read(self, path: str, start: int, end: int) -> Excerpt | None:
        for name, archive in self.archives.items():
            if path.startswith(f"@{name}/"):
                found = await archive.read(path.removeprefix(f"@{name}/"), start, end)
                return Excerpt(path, found.start, found.lines) if found else None
        return await self.own.read(path, start, end)


MAX_FILE_CHARS = 20_000
"""Of a changed file that is shown whole."""


@dataclass(frozen=True, slots=True)
class AtHead:
    """A `Library` of a change: its files as the head has them, those that are not large first and whole, and
    of all others what `own` has."""

    changed: frozenset[str]
    texts: Mapping[str, str]
    own: Library | None = None

    async def search(self, query: str) -> tuple[Excerpt, ...]:
        whole = [self._lines(path) for path, text in self.texts.items() if len(text) <= MAX_FILE_CHARS]
        found = await self.own.search(query) if self.own else ()
        return (*whole, *(one for one in found if one.path not in self.changed))

    async def read(self, path: str, start: int, end: int) -> Excerpt | None:
        if path in self.changed:
            lines = self._lines(path).lines[max(0, start - 1) : end] if path in self.texts else ()
            return Excerpt(path, max(1, start), lines) if lines else None
        return await self.own.read(path, start, end) if self.own else None

    def _lines(self, path: str) -> Excerpt:
        return Excerpt(path, 1, tuple(self.texts[path].removesuffix("\n").split("\n")))


def merged(excerpts: Iterable[Excerpt]) -> tuple[Excerpt, ...]:
    """The same lines, each once, those that touch as one; files in the order in which they came."""
    files: dict[tuple[SourceKind, str], dict[int, str]] = {}
    for excerpt in excerpts:
        lines = files.setdefault((excerpt.kind, excerpt.path), {})
        lines.update(enumerate(excerpt.lines, excerpt.start))
    return tuple(piece for (kind, path), lines in files.items() for piece in _pieces(kind, path, lines))


def _pieces(kind: SourceKind, path: str, lines: dict[int, str]) -> list[Excerpt]:
    pieces: list[Excerpt] = []
    for number in sorted(lines):
        if pieces and pieces[-1].end + 1 == number:
            last = pieces.pop()
            pieces.append(Excerpt(path, last.start, (*last.lines, lines[number]), kind))
        else:
            pieces.append(Excerpt(path, number, (lines[number],), kind))
    return pieces


def stands(citation: Citation, shown: Iterable[Excerpt]) -> bool:
    """Whether the lines were shown and hold the quoted words; how the white space falls does not count. Of an
    issue, commit or release its words are enough."""
    if citation.kind != "file":
        return found_in(shown, citation.kind, citation.path, citation.quote) is not None
    lines = {
        number: line
        for excerpt in shown
        if (excerpt.kind, excerpt.path) == (citation.kind, citation.path)
        for number, line in enumerate(excerpt.lines, excerpt.start)
    }
    wanted = range(citation.start, citation.end + 1)
    if not 0 < len(wanted) <= len(lines) or any(number not in lines for number in wanted):
        return False
    return _plain(citation.quote) in _plain("\n".join(lines[number] for number in wanted))


def found_in(excerpts: Iterable[Excerpt], kind: SourceKind, path: str, quote: str = "") -> Citation | None:
    """A citation of an issue, commit or release as a whole, or of the lines that hold the quoted words; None
    where it was not shown, or holds no such words."""
    shown = [one for one in excerpts if (one.kind, one.path) == (kind, path)]
    if not quote:
        return Citation(path, shown[0].start, shown[0].end, "", kind) if shown else None
    for one in shown:
        ends = [0]
        for line in one.lines:
            ends.append(ends[-1] + len(_plain(line)) + bool(line.strip()))
        text = " ".join(filter(None, map(_plain, one.lines)))
        if (at := text.find(_plain(quote))) >= 0:
            last = at + len(_plain(quote)) - 1
            first_line = next(n for n, end in enumerate(ends[1:]) if end > at)
            last_line = next((n for n, end in enumerate(ends[1:]) if end > last), len(one.lines) - 1)
            return Citation(path, one.start + first_line, one.start + last_line, quote, kind)
    return None


def unproved(dropped: int, standing: int, strict: bool = False) -> str:
    """What to say of an answer that cites places of which none stands, or cites nothing although it had to
    (`strict`); nothing of any other."""
    if standing:
        return ""
    if not dropped:
        return "Nothing that was read is cited for this: take it as unproved." if strict else ""
    cited = f"None of the {dropped} places cited holds"
    if dropped == 1:
        cited = "The one place cited does not hold"
    return f"{cited}: nothing in this answer is proved."


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
