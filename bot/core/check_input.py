"""What the deterministic checks are given and what they say; and which files go together."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath

from bot.core.diff import FileDiff, HunkLine, added_lines
from bot.core.findings import Finding
from bot.core.sandbox_types import SandboxUnusable


@dataclass(frozen=True)
class CheckedChange:
    """A change as the checks see it. Everything in it is a stranger's."""

    files: tuple[FileDiff, ...]
    """Those that a reader is shown."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """path -> whole text at the head, where it could be had"""
    others: tuple[FileDiff, ...] = ()
    """Changed too, and shown to no reader: lock files, binary ones."""
    sizes: Mapping[str, int] = field(default_factory=dict)
    """path -> bytes at the head, of those of `sizes_wanted` that exist there"""
    reports: Mapping[str, str] = field(default_factory=dict)
    """name -> text of the coverage reports that CI published for this head"""
    told: Mapping[str, frozenset[int]] = field(default_factory=dict)
    """path -> numbers of the lines that a check run of CI has named as not covered already"""

    @cached_property
    def added(self) -> dict[str, set[int]]:
        """path -> numbers of the lines that the change brings"""
        return {file.path: added_lines(file) for file in self.files}

    def texts_of(self, *endings: str) -> dict[str, str]:
        """The texts of files with one of these endings."""
        return {path: text for path, text in self.texts.items() if path.endswith(endings)}


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What the deterministic checks found; which of them ran, and which could not and why."""

    findings: tuple[Finding, ...] = ()
    ran: tuple[str, ...] = ()
    not_run: tuple[tuple[str, str], ...] = ()
    """(name, reason)"""
    unjudged: tuple[str, ...] = ()
    """Those that began and did not come to an end, or not of all: what was read may have brought it about."""


class NotJudged(SandboxUnusable):
    """The program ran, and gave no answer that can be believed."""


class PartlyRun(NotJudged):
    """A check's program failed, or not all of its answer could be read: what was found all the same."""

    def __init__(self, why: str, findings: tuple[Finding, ...]) -> None:
        super().__init__(why)
        self.findings = findings


def new_lines(file: FileDiff) -> Iterable[HunkLine]:
    """The lines that the change brings to a file; each has a number of the new side."""
    return (line for hunk in file.hunks or () for line in hunk.lines if line.kind == "+")


MANIFESTS: dict[str, tuple[str, ...]] = {
    "package.json": ("package-lock.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "npm-shrinkwrap.json"),
    "pyproject.toml": ("uv.lock", "poetry.lock", "pdm.lock"),
    "Pipfile": ("Pipfile.lock",),
    "Cargo.toml": ("Cargo.lock",),
    "go.mod": ("go.sum",),
    "Gemfile": ("Gemfile.lock",),
    "composer.json": ("composer.lock",),
}
"""Which lock files a manifest of dependencies may have beside it."""


def locks_beside(path: str) -> tuple[str, ...]:
    """The paths at which a manifest's lock file may lie; none for what is no manifest."""
    manifest = PurePosixPath(path)
    return tuple(str(manifest.with_name(lock)) for lock in MANIFESTS.get(manifest.name, ()))


def sizes_wanted(files: Sequence[FileDiff]) -> list[str]:
    """Paths whose size at the head the checks want to know: files whose lines GitHub does not show, and the
    lock files of changed manifests that did not change with them."""
    changed = {file.path for file in files}
    unseen = [
        file.path
        for file in files
        if file.hunks is None and file.status in ("added", "modified") and not file.old_path
    ]
    locks = [lock for file in files if file.status == "modified" for lock in locks_beside(file.path)]
    return unseen + [lock for lock in dict.fromkeys(locks) if lock not in changed]


_SHEBANG = re.compile(r"#!\s*\S*/(?:env\s+(?:-S\s+)?)?(?:ba|da|k)?sh\b")


def is_shell(path: str, text: str) -> bool:
    """Whether a file is a script for a Bourne-like shell, by its ending or its first line."""
    return path.endswith((".sh", ".bash", ".ksh", ".dash")) or _SHEBANG.match(text[:200]) is not None
