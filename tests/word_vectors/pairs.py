"""What people said of a change, and the code that it touched: pairs of words from the histories of git
repositories. Texts are read and forgotten; what goes on are counts of single words.
"""

import re
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from bot.knowledge.parsing.tokens import indexed
from bot.knowledge.search.query import query_terms
from tests.bench.knowledge.cases import FEWEST_WORDS, git_says, is_source, stripped

MOST_COMMITS = 4_000
"""Of a repository, evenly over its history: a large one shall not outweigh all others."""
MOST_FILES = 5
"""Source files of a commit that says something of each."""
MOST_LINES = 1_500
"""Of a file's part of a patch."""
MOST_MESSAGE = 2_000
"""Characters."""
AT_ONCE = 50
CONTEXT = 8
_BOT = re.compile(
    r"\[bot\]|\bbot@|dependabot|renovate|greenkeeper|pre-commit-ci|github-actions", re.IGNORECASE
)
_SAYS_NOTHING = re.compile(
    r"^(revert|merge|release|bump|backport|changelog|docs?\b|ci\b|build\b|chore\b|style\b|tests?\b|v?\d+\.\d+)"
    r"|typo|lint|spelling|wording|\bversion|docstring|documentation|whitespace|indent|pre-commit|changeset|licen[sc]e"
    r"|copyright",
    re.IGNORECASE,
)
_FILE = re.compile(r"^--- a/(.+?)\t?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Pair:
    """Words as the index has them, of a message and of one file as it was before: what the patch took out of
    it, and the lines around."""

    path: str
    said: tuple[str, ...]
    code: Counter[str]


def pairs(git: Path, most: int = MOST_COMMITS) -> Iterator[Pair]:
    """In the order of the history; the same repository always gives the same."""
    told = git_says(git, "log", "--no-merges", "--format=%x1e%H%x1f%P%x1f%an %ae%x1f%B", "HEAD")
    messages: dict[str, tuple[str, ...]] = {}
    for record in told.split("\x1e")[1:]:
        sha, parents, author, message = record.split("\x1f")
        if len(parents.split()) == 1 and (said := _said(author, message)):
            messages[sha] = said
    shas = list(messages)
    for sha, patch in _patches(git, shas[:: max(1, -(-len(shas) // most))]):
        parts = re.split(r"^diff --git ", patch, flags=re.MULTILINE)[1:]
        touched = [
            (found[1], part) for part in parts if (found := _FILE.search(part)) and is_source(found[1])
        ]
        if len(touched) <= MOST_FILES:
            for path, part in touched:
                yield Pair(path, messages[sha], Counter(_code(path, part.split("\n"))))


def _said(author: str, message: str) -> tuple[str, ...]:
    if _BOT.search(author) or _SAYS_NOTHING.search(message.partition("\n")[0]):
        return ()
    terms = query_terms(stripped(message)[:MOST_MESSAGE]).terms
    return terms if len(terms) >= FEWEST_WORDS else ()


def _patches(git: Path, shas: Sequence[str]) -> Iterator[tuple[str, str]]:
    """(sha, patch) of each, one after the other as git tells them; not of a commit of which a partial clone
    lacks something."""
    command = ["git", "-C", str(git), "diff-tree", "--stdin", "-r", "-p", "--no-renames", "--no-ext-diff"]
    command += ["--no-textconv", "--diff-filter=M", f"-U{CONTEXT}", "--format=%x1e%H"]
    for start in range(0, len(shas), AT_ONCE):
        some = shas[start : start + AT_ONCE]
        done = subprocess.run(command, input=_lines(some), check=False, capture_output=True)
        if done.returncode and len(some) > 1:
            for sha in some:
                yield from _patches(git, [sha])
        elif not done.returncode:
            for record in done.stdout.decode(errors="replace").split("\x1e")[1:]:
                sha, _, patch = record.partition("\n")
                yield sha.strip(), patch


def _lines(shas: Sequence[str]) -> bytes:
    return "".join(f"{sha}\n" for sha in shas).encode()


def _code(path: str, lines: Sequence[str]) -> Iterable[str]:
    """The words of the path, of the lines that were there, and of what git says each hunk lies in."""
    there = (_old(line) for line in lines[:MOST_LINES])
    return chain(indexed(path).split(), indexed("\n".join(there)).split())


def _old(line: str) -> str:
    if line.startswith("@@"):
        return line.rpartition("@@")[2]
    return "" if line.startswith(("+", "---", "index ", "a/")) else line[1:]
