"""One local git repository, read only: its tracked text files searched with `git grep` and
read, as they are on disk.

What the repository's own configuration could run (a file-system monitor, hooks, a pager) is turned off.
https://git-scm.com/docs/git-grep
"""

import asyncio
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from bot.core.code_search import Excerpt, merged
from bot.core.errors import UserError
from bot.git import git

MOST_WORDS = 12
MOST_FILES = 8
MOST_LINES = 6
"""Of one file."""
AROUND = 8
"""Lines shown before and after a line that was found."""
MOST_READ = 400
MOST_BYTES = 1024 * 1024
LONGEST_LINE = 300

_WORD = re.compile(r"[\w$-][\w$.:/-]{0,200}[\w$]|\w")
_ENDING = re.compile(r"(?<=[a-z]{4})(?:ings?|e?d|e?s|ly)$")
_COMMON = frozenset(
    """
    a about after all an and any are as at be been but by can could did do does done for from get gets had
    has have how i if in into is it its me my no not of on one or our out should so some than that the their
    them then there these they this to use used uses was we were what when where which who whom why will
    with would you your explain show find tell please code file files function repository work works
    """.split()  # noqa: SIM905  a list of these takes 90 lines
)


class LocalRepository:
    """A `Library` (bot.core.code_search) over a working tree."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def at(cls, folder: Path) -> "LocalRepository":
        """The repository that a folder lies in; UserError where it lies in none."""
        here = folder.expanduser().resolve()
        if not here.is_dir():
            raise UserError(f"there is no folder {folder}", "name one with --folder")
        for root in (here, *here.parents):
            if (root / ".git").exists():
                return cls(root)
        raise UserError(f"{folder} is not in a git repository", "name one with --folder")

    async def search(self, query: str) -> tuple[Excerpt, ...]:
        """The lines that hold the query's words with what stands around them, from the files that hold the
        rarest."""
        words = terms(query)
        if not words:
            return ()
        patterns = [part for word in words for part in ("-e", word)]
        code, out = await git(
            self.root,
            "grep",
            "-z",
            "-n",
            "-I",
            "-i",
            "-F",
            "--full-name",
            "--no-color",
            *patterns,
            "--",
            ":/",
        )
        hits = _hits(out.decode("utf-8", "replace")) if code == 0 else {}
        found: list[Excerpt] = []
        for path, numbers in _best(hits, words):
            lines = await asyncio.to_thread(self._lines, path)
            found += [_around(path, lines, number) for number in numbers if number <= len(lines)]
        return merged(found)

    async def read(self, path: str, start: int, end: int) -> Excerpt | None:
        """At most `MOST_READ` lines of a tracked text file."""
        if not await self._tracked(path):
            return None
        lines = await asyncio.to_thread(self._lines, path)
        start = max(1, start)
        part = tuple(lines[start - 1 : min(end, start + MOST_READ - 1)])
        return Excerpt(path, start, part) if part else None

    async def _tracked(self, path: str) -> bool:
        if not path or "\0" in path or path.startswith("/"):
            return False
        code, out = await git(self.root, "ls-files", "-z", "--", f":(top,literal){path}")
        return code == 0 and out == f"{path}\0".encode("utf-8", "surrogateescape")

    def _lines(self, path: str) -> list[str]:
        """Nothing for what is no regular file inside the repository, is large, or is not text."""
        file = self.root / path
        with suppress(OSError, ValueError):
            if file.resolve() == self.root.resolve() / path and file.is_file():
                with file.open("rb") as opened:
                    raw = opened.read(MOST_BYTES + 1)
                if len(raw) <= MOST_BYTES and b"\0" not in raw:
                    text = raw.decode("utf-8", "replace").removesuffix("\n")
                    return [line[:LONGEST_LINE] for line in text.split("\n")]
        return []


def terms(query: str) -> tuple[str, ...]:
    """The words of a query that are worth looking for, without the endings of English; the longest first."""
    words = {word.strip(".:-").casefold() for word in _WORD.findall(query)}
    kept = {_ENDING.sub("", word) for word in words if len(word) > 1 and word not in _COMMON}
    return tuple(sorted(kept, key=lambda word: (-len(word), word))[:MOST_WORDS])


Hits = Mapping[str, Mapping[int, str]]
"""path -> number -> line"""


def _hits(out: str) -> Hits:
    """`path NUL number NUL line`, as `git grep -z -n` writes it."""
    found: dict[str, dict[int, str]] = defaultdict(dict)
    for row in out.split("\n"):
        path, _, rest = row.partition("\0")
        number, mark, line = rest.partition("\0")
        if mark and number.isdecimal():
            found[path][int(number)] = line[:LONGEST_LINE].casefold()
    return found


def _best(hits: Hits, words: Iterable[str]) -> list[tuple[str, list[int]]]:
    """The files worth showing, best first, with their best lines. A word counts by how few files hold it, and
    more where the path holds it or where it is defined."""
    held = {
        path: {word for word in words for line in lines.values() if word in line}
        for path, lines in hits.items()
    }
    common = Counter(word for some in held.values() for word in some)
    weight = {word: math.log(1 + len(hits) / count) for word, count in common.items()}

    def of_line(line: str) -> float:
        value = sum(weight[word] for word in weight if word in line)
        return value * (1.5 if re.match(r"\s*(?:async def|def|class|func|fn|function|#+)\b", line) else 1.0)

    def of_file(path: str) -> float:
        named = sum(weight[word] for word in weight if word in path.casefold())
        best = max(map(of_line, hits[path].values()))
        return sum(weight[word] for word in held[path]) + best + named

    chosen = sorted(hits, key=lambda path: (-of_file(path), path))[:MOST_FILES]
    return [
        (path, sorted(hits[path], key=lambda number: -of_line(hits[path][number]))[:MOST_LINES])
        for path in chosen
    ]


def _around(path: str, lines: list[str], number: int) -> Excerpt:
    start = max(1, number - AROUND)
    return Excerpt(path, start, tuple(lines[start - 1 : number + AROUND]))
