"""The files that a text names: in stack traces and logs of Python, JavaScript, Java, Go, Rust, C# and Ruby,
in compilers' messages, in links to the repository, in prose. Nothing here says that they exist.

A text is cut into words at blanks, quotes and brackets, and each is looked at once: linear, whatever it says.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from bot.core.text import file_lines

MOST_NAMED = 12
"""Of one text; those with a line first."""
MOST_CANDIDATES = 50
LONGEST_TEXT = 70_000
_SUFFIXES = 6
"""Folders of a path that are tried at most: what stands before them is of another machine."""
_WORD = re.compile(r"""[^\s"'`<>()\[\]{},;|*]{3,400}""")
_PYTHON = re.compile(r'File "([^"\n]{1,400})", line (\d{1,7})')
_JAVA = re.compile(
    r"\bat (?:[\w.@-]{1,80}//?)?([\w.$]{1,300})\(([\w$-]{1,100}\.(?:java|kt|scala|groovy|clj)):(\d{1,7})\)"
)
_SHARP = re.compile(r" in ([^\n]{1,300}?):line (\d{1,7})")
_PLACE = re.compile(
    r"(?P<path>.{1,300}?)(?::(?P<line>\d{1,7})(?:[-:]\d{1,7})?(?::.{0,80})?|#L(?P<mark>\d{1,7})(?:-L?\d{1,7})?)?[.:!?]?"
)
_LINK = re.compile(r"https?://[^/]{1,200}/([^/]{1,100}/[^/]{1,100})/(?:blob|tree|raw)/[^/]{1,200}/(.{1,300})")
_URL = re.compile(
    r"(?:https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0)(?::\d{1,5})?"
    r"|(?:file|webpack(?:-internal)?|app|ng)://[^/]{0,200})/(.{1,300})"
)
_QUERY = re.compile(r"\?[^:#]{0,300}")
"""Which a bundler puts between a path and its line."""
_KINDS = frozenset(
    """
    py pyi pyx js jsx ts tsx mjs cjs mts cts vue svelte java kt kts scala groovy clj go rs cs fs vb rb erb php
    c h cc cpp cxx hpp m mm swift sh bash ps1 sql html css scss less md rst txt toml yml yaml json cfg ini lua
    pl pm ex exs erl hs ml dart r jl proto gradle xml tf mk zig nim graphql
    """.split()  # noqa: SIM905  a list of these takes 60 lines
)
_SEGMENT = re.compile(r"[\w .@+~=-]{1,150}")
_OTHERS = frozenset({"node_modules", "rustlib", ".cargo", "mod", "gems", "vendor", ".m2", "jdk", "java.base"})
"""Folders in which other people's code lies."""
_PACKAGES = frozenset({"site-packages", "dist-packages"})
_ROOTS = (
    "src",
    "lib",
    "src/main/java",
    "src/main/kotlin",
    "src/main/scala",
    "src/test/java",
    "app/src/main/java",
)
"""Under which a package's name is a path."""


@dataclass(frozen=True, slots=True)
class NamedFile:
    """As a text names it. `line` is 0 where it names none."""

    path: str
    line: int = 0
    package: bool = False
    """The path is that of a package, which may lie in any of the usual folders of sources."""


def named_files(text: str, repo: str = "") -> tuple[NamedFile, ...]:
    """In the order of the text, those with a line first; a file once, with the first line that is named.
    `repo` is `owner/name`: links into other repositories are none."""
    text = text[:LONGEST_TEXT]
    found: dict[str, NamedFile] = {}
    traced = tuple(_traced(text))
    ends = {one.path.rpartition("/")[2] for one in traced}
    others = (one for one in _in_words(text, repo.casefold()) if one.path not in ends)
    for one in (*traced, *others):
        known = found.get(one.path)
        if known is None or (one.line and not known.line):
            found[one.path] = one
    ranked = sorted(found.values(), key=lambda one: not one.line)
    return tuple(ranked[:MOST_NAMED])


def candidates(named: Iterable[NamedFile]) -> dict[NamedFile, tuple[str, ...]]:
    """Where in a repository each may lie, the longest path first; at most `MOST_CANDIDATES` in all."""
    room = MOST_CANDIDATES
    found: dict[NamedFile, tuple[str, ...]] = {}
    for one in named:
        paths = tuple(dict.fromkeys(_paths(one)))[:room]
        room -= len(paths)
        if paths:
            found[one] = paths
    return found


def standing(places: Mapping[NamedFile, tuple[str, ...]], texts: Mapping[str, str]) -> tuple[NamedFile, ...]:
    """Those that exist, by the paths that they have in the repository; without a line that the file has not.
    `texts`: of the paths that exist."""
    found: dict[str, NamedFile] = {}
    for one, paths in places.items():
        path = next((path for path in paths if path in texts), None)
        if path is None:
            continue
        line = one.line if one.line <= len(file_lines(texts[path])) else 0
        known = found.get(path)
        if known is None or (line and not known.line):
            found[path] = NamedFile(path, line)
    return tuple(found.values())


def _traced(text: str) -> Iterator[NamedFile]:
    """In the order in which they stand."""
    hits = [
        (hit.start(), hit[1], int(hit[2]), False) for hit in (*_PYTHON.finditer(text), *_SHARP.finditer(text))
    ]
    for hit in _JAVA.finditer(text):
        folder = "/".join(hit[1].split(".")[:-2])
        hits.append((hit.start(), f"{folder}/{hit[2]}".lstrip("/"), int(hit[3]), True))
    for _, path, line, package in sorted(hits):
        if (kept := _path(path)) and not _foreign(kept):
            yield NamedFile(kept, line, package)


def _in_words(text: str, repo: str) -> Iterator[NamedFile]:
    for word in _WORD.finditer(text):
        said = word[0]
        if "." not in said:
            continue
        if link := _LINK.fullmatch(said):
            if link[1].casefold() != repo:
                continue
            said = link[2]
        elif url := _URL.fullmatch(said):
            said = _QUERY.sub("", url[1])
        elif "://" in said:
            continue
        place = _PLACE.fullmatch(said)
        path = _path(place["path"]) if place else ""
        if place and path and not _foreign(path):
            yield NamedFile(path, int(place["line"] or place["mark"] or 0))


def _path(said: str) -> str:
    """A path with `/`, without what leads to it on another machine; empty for what names no file of a known
    kind."""
    said = said.replace("\\", "/").removeprefix("file://")
    if said[1:3] == ":/":
        said = said[2:]
    parts = [part for part in said.split("/") if part not in ("", ".", "..")]
    if not parts or not all(_SEGMENT.fullmatch(part) for part in parts):
        return ""
    stem, _, kind = parts[-1].rpartition(".")
    if kind.casefold() not in _KINDS or not stem or stem.endswith("."):
        return ""
    return ("/" if said.startswith("/") else "") + "/".join(parts)


def _foreign(path: str) -> bool:
    """Whether it is other people's code."""
    parts = path.split("/")[:-1]
    installed = path.startswith(("/usr/", "/rustc/", "/opt/hostedtoolcache/"))
    return bool(_OTHERS.intersection(parts)) or (installed and not _PACKAGES.intersection(parts))


def _paths(one: NamedFile) -> Iterator[str]:
    parts = PurePosixPath(one.path.lstrip("/")).parts
    for place, part in enumerate(parts):
        if part in _PACKAGES:  # of an installed package its own name is needed
            rest = "/".join(parts[place + 1 :])
            if place + 2 < len(parts):
                yield from (rest, f"src/{rest}")
            return
    if not one.path.startswith("/"):
        yield "/".join(parts)
        yield from (f"{root}/{'/'.join(parts)}" for root in (_ROOTS if one.package else _ROOTS[:1]))
    last = len(parts) if one.path.startswith("/") else len(parts) - 1
    for start in range(max(0, len(parts) - _SUFFIXES), last):
        yield "/".join(parts[start:])
