"""Cases from the histories of git repositories: a bug's words, and the code that was changed for them.

The query is the message of a commit that fixed something, without file names, trailers, shas and addresses.
The snapshot is the commit's parent: nothing newer may be known. Gold are the source files that the commit
modified (no tests, documents or data; they exist in the parent), and the lines that it touched there, from
which the gold functions follow. What fixes wording, style or the commit before is left out: it names no bug.
The same repositories always give the same cases.

`python -m tests.bench.knowledge.cut FOLDER OUT.jsonl` writes them one a line; FOLDER holds clones or bare
repositories with their whole history, say from `git clone --bare https://github.com/psf/requests`. Texts and
code of others stay outside of this repository.
"""

import hashlib
import json
import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath

from bot.core.file_kinds import is_test

SOURCE = frozenset(
    """
    py pyx js jsx mjs cjs ts tsx mts vue svelte go rs java kt kts scala c h cc cpp cxx hh hpp hxx rb php cs
    swift sh bash m mm
    """.split()  # noqa: SIM905  a list of these takes 40 lines
)
MOST_GOLD, MOST_CHANGED = 5, 20
FEWEST_WORDS = 4
"""Of what is left of the message."""

_FIX = re.compile(
    r"\b(fix(es|ed|ing)?|bug|crash(es|ed)?|regression|incorrect(ly)?|wrong(ly)?|broken|leak(s|ed)?|fails?|"
    r"race|avoid|prevent|correctly|properly|don'?t|no longer|panic|deadlock|overflow|missing)\b",
    re.IGNORECASE,
)
_NO_FIX = re.compile(
    r"^(revert|merge|release|bump|backport|changelog|docs?\b|tests?\b|ci\b|build\b|chore\b|style\b|refactor)"
    r"|typo|lint|spelling|wording|version|docs?\b|docstring|documentation|styl(e|ing)\b|whitespace|indent|newline"
    r"|comments?\b|warnings?\b|pep.?8|flake8|pre-commit|changeset|(last|previous) (commit|change)",
    re.IGNORECASE,
)
_BESIDE = re.compile(
    r"(^|/)(testdata|__mocks__|fixtures?|benchmarks?|benches|examples?|docs?|vendor|third_party|node_modules|dist|website)(/|$)"
)
_TRAILER = re.compile(
    r"^\s*(signed-off-by|co-authored-by|reviewed-by|acked-by|tested-by|change-id|cc|fixes:?\s*#|closes:?\s*#|"
    r"resolves:?\s*#|refs?:|see:|git-svn-id|pr-url|backport|cherry[- ]picked|\(cherry picked).*$",
    re.IGNORECASE | re.MULTILINE,
)
_ADDRESS = re.compile(r"\b\w+://\S+|\S+@\S+\.\w+")
_SHA = re.compile(r"\b[0-9a-f]{7,40}\b")
_NUMBER = re.compile(r"\(?(\b(gh|pr|issue|ticket|bug|closes|fixes|refs)\s*)?#\d+\)?", re.IGNORECASE)
_ENDINGS = "|".join(sorted(SOURCE, key=len, reverse=True)) + "|md|rst|txt|json|ya?ml|toml|html|css"
_NAME = re.compile(rf"[\w.@-]*(?:/[\w.@-]+)+|\b[\w-]+\.(?:{_ENDINGS})\b")
_HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Case:
    """`lines` are, for each gold file, the first and last lines that the change touched in the snapshot; what
    is inserted behind line n is the empty range (n + 1, n)."""

    repository: str
    commit: str
    snapshot: str
    title: str
    body: str
    lines: dict[str, list[tuple[int, int]]] = field(hash=False)

    @property
    def files(self) -> list[str]:
        return list(self.lines)


def is_source(path: str) -> bool:
    """Of a language that is programmed in, and no test, example or document."""
    return PurePosixPath(path).suffix[1:] in SOURCE and not is_test(path) and not _BESIDE.search(path)


def stripped(message: str) -> str:
    """The message in its author's words alone."""
    text = _TRAILER.sub("", message)
    for pattern in (_ADDRESS, _NAME, _NUMBER, _SHA):
        text = pattern.sub(" ", text)
    lines = (re.sub(r"[ \t]+", " ", line).rstrip() for line in text.strip().splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip(" \n-:")


def for_tuning(repository: str) -> bool:
    """Half of the repositories tune weights, the other half tells whether that was worth anything."""
    return hashlib.sha256(repository.encode()).digest()[0] % 2 == 0


def repositories(folder: Path) -> dict[str, Path]:
    """Name -> where git finds it, of clones, bare repositories and folders `owner+name/repo`."""
    found = {}
    for place in sorted(folder.iterdir()) if folder.is_dir() else []:
        for git in (place, place / "repo"):
            if (git / "HEAD").is_file() or (git / ".git").exists():
                found[place.name.removesuffix(".git")] = git
                break
    return found


def cut(name: str, git: Path, most: int, fixes_only: bool = True) -> Iterator[Case]:
    """At most so many cases, spread evenly over the newer half of the fixes."""
    fixes = list(_fixes(git, fixes_only))
    fixes = fixes[: max(most, len(fixes) // 2)]
    step = max(1, len(fixes) // (2 * most))
    found = 0
    for sha, parent, message in fixes[::step]:
        if found == most:
            return
        lines = _touched(git, parent, sha)
        if lines:
            title, _, body = stripped(message).partition("\n")
            found += 1
            yield Case(name, sha, parent, title.strip(), body.strip(), lines)


def read(path: Path) -> list[Case]:
    with path.open(encoding="utf-8") as file:
        return [from_json(line) for line in file]


def from_json(line: str) -> Case:
    raw = json.loads(line)
    raw["lines"] = {path: [(a, b) for a, b in ranges] for path, ranges in raw["lines"].items()}
    return Case(**raw)


def to_json(case: Case) -> str:
    return json.dumps(asdict(case), ensure_ascii=False)


def patch_lines(patch: str) -> dict[str, list[tuple[int, int]]]:
    """The lines of the old side that a patch touches, for each source file that it modifies."""
    found = {}
    for part in re.split(r"^diff --git ", patch, flags=re.MULTILINE)[1:]:
        old = re.search(r"^--- a/(.+?)\t?$", part, re.MULTILINE)
        new = re.search(r"^\+\+\+ b/(.+?)\t?$", part, re.MULTILINE)
        if old and new and old[1] == new[1] and is_source(old[1]):
            found[old[1]] = _ranges(_HUNK.findall(part))
    return found


def git_says(git: Path, *words: str) -> str:
    """What git prints; what is no UTF-8 is replaced."""
    command = ["git", "-C", str(git), *words]
    return subprocess.run(command, check=True, capture_output=True).stdout.decode(errors="replace")


def _fixes(git: Path, fixes_only: bool) -> Iterator[tuple[str, str, str]]:
    """(sha, parent, message), newest first."""
    told = git_says(git, "log", "--no-merges", "--format=%x1e%H%x1f%P%x1f%B", "HEAD")
    for record in told.split("\x1e")[1:]:
        sha, parents, message = record.split("\x1f")
        subject = message.partition("\n")[0]
        words = len(re.findall(r"\w+", stripped(message)))
        meant = not _NO_FIX.search(subject) and (_FIX.search(subject) or not fixes_only)
        if parents and meant and words >= FEWEST_WORDS:
            yield sha, parents, message


def _touched(git: Path, parent: str, sha: str) -> dict[str, list[tuple[int, int]]]:
    """Empty where the commit is no small change of source files."""
    told = git_says(git, "diff-tree", "-r", "--no-renames", "--name-status", parent, sha)
    changed = [line.split("\t", 1) for line in told.splitlines()]
    gold = [path for status, path in changed if status == "M" and is_source(path)]
    if not 1 <= len(gold) <= MOST_GOLD or len(changed) > MOST_CHANGED:
        return {}
    if any(status != "M" and is_source(path) for status, path in changed):
        return {}
    return patch_lines(
        git_says(git, "diff", "--no-ext-diff", "--no-renames", "-U0", parent, sha, "--", *gold)
    )


def _ranges(hunks: Iterable[tuple[str, str]]) -> list[tuple[int, int]]:
    """A hunk that only inserts is told as (line before, 0)."""
    found = []
    for start, count in hunks:
        first, many = int(start), int(count or 1)
        found.append((first, first + many - 1) if many else (first + 1, first))
    return found
