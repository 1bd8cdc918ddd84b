"""What a merge commit's tree is made of for GitHub, which has both parents already: the few files that differ
from one of them, by the names that it knows, and the texts that are new."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from bot.core.merging import CommittedFile, MergedTree
from bot.core.refs import Sha

MOST_FILES = 20_000
LARGEST = 1 << 20
"""Bytes of a new text."""
MOST_TESTED = 8 << 20
"""Bytes of texts that a run of the tests is given."""
WORKFLOWS = ".github/workflows/"
Mode = Literal["100644", "100755", "120000", "160000"]
_MODES: dict[str, Mode] = {"100755": "100755", "120000": "120000", "160000": "160000"}


@dataclass(frozen=True, slots=True)
class Change:
    """`old`, `new`: names of the text before and after; empty where there is none, or for a submodule's
    commit."""

    path: str
    old: str
    new: str
    mode: str
    """After it; 000000 where it goes."""
    name: str
    """After it, a submodule's commit too."""


class Merging(Protocol):
    @property
    def head(self) -> Sha: ...
    @property
    def base(self) -> Sha: ...
    async def said(self, *arguments: str) -> bytes: ...
    async def changes(self, old: str, new: str) -> list[Change]: ...
    async def blobs(self, names: Sequence[str]) -> dict[str, bytes]: ...


def read_changes(raw: bytes) -> list[Change]:
    """Of `git diff-tree --raw -z`: `:100644 100644 old new M`, path, …"""
    parts, changes = raw.split(b"\0"), []
    for about, path in zip(parts[::2], parts[1::2], strict=False):
        before, after, old, new = about.decode().removeprefix(":").split(" ")[:4]
        text = path.decode("utf-8", "surrogateescape")
        changes.append(Change(text, _text(before, old), _text(after, new), after, new))
    return changes


def _text(mode: str, name: str) -> str:
    return name if mode != "160000" and name.strip("0") else ""


async def committed(merging: Merging, tree: str) -> MergedTree:
    """On the parent from which it differs in fewer files, and first of all in fewer workflows."""
    options = []
    for parent in (merging.head, merging.base):
        changes = await merging.changes(parent, tree)
        workflows = sum(change.path.startswith(WORKFLOWS) for change in changes)
        options.append((not changes, workflows, len(changes), parent, changes))
    *_, parent, changes = min(options, key=lambda one: one[:3])
    brought = tuple(change.path for change in options[0][-1])
    if len(changes) > MOST_FILES:
        return MergedTree(why=f"More than {MOST_FILES} files differ: merge it yourself.")
    if any(not _named(change.path) for change in changes):
        return MergedTree(why="A path is not UTF-8: merge it yourself.")
    between = await merging.changes(merging.base, merging.head)
    known = {name for change in between for name in (change.old, change.new)}
    new = {change.new for change in changes if change.new} - known
    texts = await merging.blobs(sorted(new))
    files = []
    for change in changes:
        if change.new not in new:
            gone = change.mode == "000000"
            files.append(_file(change, None, "" if gone else change.name))
            continue
        text = _read(texts.get(change.new))
        if text is None or change.mode not in ("100644", "100755"):
            said = f"git merges `{change.path[:200]}`, but that is no text of at most {LARGEST >> 20} MB"
            return MergedTree(why=f"{said}, which I could send: merge it yourself.")
        files.append(_file(change, text))
    onto = (await merging.said("rev-parse", "--verify", f"{parent}^{{tree}}")).decode().strip()
    whole = await _whole(merging, changes)
    return MergedTree(tree, onto, parent, tuple(files), whole, brought)


def _file(change: Change, text: str | None, name: str = "") -> CommittedFile:
    return CommittedFile(change.path, text, _MODES.get(change.mode, "100644"), name)


def _named(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _read(raw: bytes | None) -> str | None:
    if raw is None or len(raw) > LARGEST:
        return None
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


async def _whole(merging: Merging, changes: Sequence[Change]) -> dict[str, str | None] | None:
    """path -> text, for a run of the tests; None where some are no text, or not here."""
    if any(change.mode in ("120000", "160000") for change in changes):
        return None
    found = await merging.blobs([change.new for change in changes if change.new])
    if sum(map(len, found.values())) > MOST_TESTED:
        return None
    texts: dict[str, str | None] = {}
    for change in changes:
        text = _read(found.get(change.new)) if change.new else None
        if change.new and text is None:
            return None
        texts[change.path] = text
    return texts
