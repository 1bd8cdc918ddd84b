"""Dependencies that changed without their lock file, and lock files that changed without their manifest."""

import json
import re
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

from bot.core import toml_text
from bot.core.check_input import MANIFESTS, CheckedChange, locks_beside, new_lines
from bot.core.diff import FileDiff, HunkLine
from bot.core.findings import Finding
from bot.core.sandbox_types import RunProgram

_QUOTED = re.compile(r"""["']([^"']{1,200})["']""")
_KEY = re.compile(r"""\s{0,20}["']?([\w@./-]{1,200})["']?\s{0,5}[=:]""")
_GO = re.compile(r"\s{0,20}(?:require\s{1,5})?[\w.-]{1,100}\.[\w.-]{1,30}/\S{1,200}\s{1,5}v[0-9]")
_GEM = re.compile(r"\s{0,20}gem\s{1,5}['\"]")

NameReader = Callable[[str], frozenset[str]]
"""Of a manifest's text: its dependencies, each as `_named` gives it of the line that names it."""


async def run(change: CheckedChange, _: RunProgram) -> list[Finding] | None:
    """Nothing where no manifest and no lock file changed."""
    changed = {file.path: file for file in (*change.files, *change.others)}
    manifests = [file for file in change.files if PurePosixPath(file.path).name in MANIFESTS]
    locks = [path for path in changed if PurePosixPath(path).name in _MANIFEST_OF]
    if not manifests and not locks:
        return None
    stale = [found for file in manifests if (found := _stale(file, change, changed))]
    return stale + [found for path in locks if (found := _alone(changed[path], changed))]


_MANIFEST_OF = {lock: manifest for manifest, locks in MANIFESTS.items() for lock in locks}


def _stale(file: FileDiff, change: CheckedChange, changed: dict[str, FileDiff]) -> Finding | None:
    """A manifest with new dependency lines beside a lock file that stays as it was."""
    beside = locks_beside(file.path)
    still = [lock for lock in beside if lock in change.sizes]
    if not still or any(lock in changed for lock in beside):
        return None
    line = _dependency_line(file, change.texts.get(file.path, ""))
    if line is None:
        return None
    lock = PurePosixPath(still[0]).name
    return Finding(
        path=file.path,
        severity="major",
        category="lock file",
        title=f"Dependencies change here, {lock} does not",
        body=f"An install that keeps to {lock} fails or brings what was there before. Was it left out?",
        quote=line.text,
        source="locks",
        line=line.new,
    )


def _alone(file: FileDiff, changed: dict[str, FileDiff]) -> Finding | None:
    """A lock file that is new or other while its manifest is not touched: often an update of what lies
    deeper, so it is said softly."""
    manifest = str(PurePosixPath(file.path).with_name(_MANIFEST_OF[PurePosixPath(file.path).name]))
    if file.status not in ("added", "modified") or manifest in changed:
        return None
    name = PurePosixPath(manifest).name
    return Finding(
        path=file.path,
        severity="nit",
        category="lock file",
        title=f"It changes while {name} does not",
        body="That is right for an update of indirect dependencies, and a surprise otherwise.",
        source="locks",
    )


def _dependency_line(file: FileDiff, text: str) -> HunkLine | None:
    """The first new line that names a dependency, as far as the manifest can be understood."""
    name = PurePosixPath(file.path).name
    if name in _PATTERNS:
        return next((line for line in new_lines(file) if _PATTERNS[name].match(line.text)), None)
    try:
        names = _READERS[name](text)
    except (ValueError, RecursionError, AttributeError, TypeError):  # no manifest as its program knows it
        return None
    return next((line for line in new_lines(file) if _named(line.text[:400]) & names), None)


def _named(line: str) -> set[str]:
    """What a line of a manifest could name: a key, a key with its value, and quoted texts."""
    key, quoted = _KEY.match(line), _QUOTED.findall(line)
    names = {key[1], f"{key[1]}={quoted[-1] if quoted else ''}"} if key else set()
    return names | {f'"{one}"' for one in quoted}


def _of_json(*sections: str) -> NameReader:
    def names(text: str) -> frozenset[str]:
        tree = json.loads(text)
        pairs = [pair for section in sections for pair in (tree.get(section) or {}).items()]
        return frozenset(f"{name}={value}" for name, value in pairs)

    return names


def _of_pyproject(text: str) -> frozenset[str]:
    tree = toml_text.read(text)
    project = tree.get("project", {})
    asked = [*project.get("dependencies", ())]
    for group in (
        *project.get("optional-dependencies", {}).values(),
        *tree.get("dependency-groups", {}).values(),
    ):
        asked += [one for one in group if isinstance(one, str)]
    poetry = tree.get("tool", {}).get("poetry", {})
    groups = [poetry, *poetry.get("group", {}).values()]
    return frozenset(f'"{one}"' for one in asked) | {
        name for group in groups for name in group.get("dependencies", {})
    }


def _of_tables(*sections: str) -> NameReader:
    def names(text: str) -> frozenset[str]:
        tree: dict[str, Any] = toml_text.read(text)
        inner = [tree, tree.get("workspace", {}), *tree.get("target", {}).values()]
        return frozenset(name for one in inner for section in sections for name in one.get(section, {}))

    return names


_PATTERNS = {"go.mod": _GO, "Gemfile": _GEM}
_READERS: dict[str, NameReader] = {
    "package.json": _of_json("dependencies", "devDependencies", "optionalDependencies"),
    "composer.json": _of_json("require", "require-dev"),
    "pyproject.toml": _of_pyproject,
    "Cargo.toml": _of_tables("dependencies", "dev-dependencies", "build-dependencies"),
    "Pipfile": _of_tables("packages", "dev-packages"),
}
