"""A folder of documents without git, read as if it were a repository of one commit and no history."""

import hashlib
import os
import re
from collections.abc import Generator, Iterator, Sequence
from html import unescape
from pathlib import Path

from bot.core.errors import UserError
from bot.knowledge.git import Git, TreeEntry
from bot.knowledge.parsing.files import MAX_BYTES, decode
from bot.knowledge.storage.types import IndexedCommit

MOST_FILES = 20_000
_HTML = (".html", ".htm", ".xhtml")


class Folder(Git):
    """Hidden files and folders, links and what is no file are left out. Web pages are read as their text,
    each line where it was."""

    def __init__(self, folder: Path) -> None:
        """UserError where there is no such folder."""
        if not folder.is_dir():
            raise UserError(f"there is no folder {folder}", "correct [knowledge] archives in hob.toml")
        super().__init__(folder)
        self._blobs: dict[str, Path] = {}
        self._sizes: dict[str, int] = {}
        self._entries: tuple[TreeEntry, ...] = ()

    def commit(self, revision: str = "HEAD") -> str:
        """Names what the folder holds now, which is read anew for `HEAD`."""
        if revision != "HEAD":
            return revision if revision == self._name() else ""
        self._entries = tuple(self._read())
        return self._name()

    def is_ancestor(self, old: str, new: str) -> bool:
        return True

    def tree(self, sha: str) -> Iterator[TreeEntry]:
        yield from self._entries

    def sizes(self, blobs: Sequence[str]) -> dict[str, int]:
        return {blob: self._sizes[blob] for blob in blobs if blob in self._sizes}

    def contents(self, blobs: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """A file that went since, or changed, is left out."""
        if not self._entries:
            self.commit()
        for blob in blobs:
            path = self._blobs.get(blob)
            data = _bytes(path) if path else None
            if path and data is not None and _sha(data) == blob:
                yield blob, plain(decode(data)).encode() if path.suffix.lower() in _HTML else data

    def history(
        self, tip: str, *, without: str = "", most: int, oldest_first: bool = False
    ) -> Generator[IndexedCommit]:
        yield from ()

    def reachable(self, tip: str, *, without: str = "", most: int) -> set[str]:
        return set()

    def _name(self) -> str:
        told = "".join(f"{entry.path}\0{entry.sha}\0" for entry in self._entries)
        return hashlib.sha1(told.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()

    def _read(self) -> Iterator[TreeEntry]:
        self._blobs.clear()
        for number, path in enumerate(_files(self.folder)):
            if number >= MOST_FILES:
                return
            name = path.relative_to(self.folder).as_posix()
            named = name.isprintable() and not any(0xD800 <= ord(char) < 0xE000 for char in name)
            size = _size(path)
            data = _bytes(path) if size <= MAX_BYTES else None
            if data is None:
                sha = _sha(f"{name}\0{size}".encode("utf-8", "surrogateescape"))
                self._sizes[sha] = max(size, MAX_BYTES + 1)
            else:
                sha = _sha(data)
                self._sizes[sha] = len(data)
            self._blobs[sha] = path
            yield TreeEntry(name, sha, "file", named)


def _files(folder: Path) -> Iterator[Path]:
    """Regular files, in the order of their names."""
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(root, name)
            if not name.startswith(".") and path.is_file() and not path.is_symlink():
                yield path


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return MAX_BYTES + 1


def _bytes(path: Path) -> bytes | None:
    """None for what cannot be read or is over `MAX_BYTES`."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError:
        return None
    return data if len(data) <= MAX_BYTES else None


def _sha(data: bytes) -> str:
    """As git names a blob."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def plain(html: str) -> str:
    """The text of a web page, without what is never shown; every line stays where it was. What begins and
    does not end (a tag, a comment, a script) hides the rest, as in a browser."""
    text = _Text(html)
    text.read()
    return "".join(text.parts)


_MARK = re.compile(r"<(?:!--|[!?]|(/?)([A-Za-z][A-Za-z0-9]{0,20}))")
_IN_TAG = re.compile(r"=\s*([\"'])|>")
_ENDS = {name: re.compile(rf"</{name}", re.IGNORECASE) for name in ("script", "style")}
_BREAKS = frozenset({"p", "div", "li", "td", "th", "br", "h1", "h2", "h3", "h4", "h5", "h6"})
_NO_CHARACTER = re.compile(r"&#[xX]?[0-9a-fA-F]{9,};?")


class _Text:
    """One pass; `html.parser` goes over what does not end again and again."""

    def __init__(self, page: str) -> None:
        self.parts: list[str] = []
        self._page = page
        self._line = self._lines = 1
        self._counted = 0
        self._hidden = 0

    def read(self) -> None:
        place = start = 0
        while mark := _MARK.search(self._page, place):
            self._keep(self._page[start : mark.start()], start)
            start = place = self._after(mark)
        self._keep(self._page[start:], start)

    def _after(self, mark: re.Match[str]) -> int:
        """Where the text goes on after a tag or a comment."""
        name = (mark[2] or "").lower()
        if not name:
            return self._found("-->" if mark[0] == "<!--" else ">", mark.end())
        end = self._end_of_tag(mark.end())
        if name == "template":
            self._hidden = max(0, self._hidden + (-1 if mark[1] else 1))
        elif name in _BREAKS and not mark[1]:
            self._keep(" ", mark.start())
        elif name in _ENDS and not mark[1]:
            closed = _ENDS[name].search(self._page, end)
            return closed.start() if closed else len(self._page)
        return end

    def _end_of_tag(self, place: int) -> int:
        while found := _IN_TAG.search(self._page, place):
            if not found[1]:
                return found.end()
            place = self._found(found[1], found.end())
        return len(self._page)

    def _found(self, what: str, place: int) -> int:
        """After its next place; the end where there is none."""
        found = self._page.find(what, place)
        return len(self._page) if found < 0 else found + len(what)

    def _keep(self, text: str, start: int) -> None:
        """What is left out before this stands as empty lines."""
        if self._hidden or not text:
            return
        text = unescape(_NO_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", text))
        self._lines += self._page.count("\n", self._counted, start)
        self._counted = start
        self.parts.append("\n" * (self._lines - self._line))
        self.parts.append(text)
        self._line = self._lines + text.count("\n")
