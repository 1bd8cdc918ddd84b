"""Merges two commits in the clone: nothing is checked out, what is made lies in a folder of its own and goes
with it, and while git merges it can reach no network. No driver, filter or hook is run, whatever
`.gitattributes` says: nothing configures this repository.

https://git-scm.com/docs/git-merge-tree https://git-scm.com/docs/git-merge-file
"""

import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bot.core.edit_paths import is_lock_file
from bot.core.errors import Gone
from bot.core.merging import Conflict, MergedTree, MergeTried
from bot.core.refs import Sha
from bot.git import DEAF, Ran, run
from bot.knowledge.clone import Clone, Remote
from bot.knowledge.merge_texts import NO_TEXT, TOO_LARGE, Sides, longest_mark, sides, taken_apart
from bot.knowledge.merged_tree import Change, committed, read_changes

SECONDS = 120.0
MOST_CONFLICTS = 40
"""Files that are taken apart."""
MOST_BASES = 4
"""Common ancestors: histories that cross have several."""
MOST_TEXTS = 20_000
"""Names of texts that may have to be fetched."""
MOST_OUTPUT = 64 << 20
LARGEST = 256 << 10
"""Bytes of a file that is taken apart."""
_KINDS = {
    "CONFLICT (modify/delete)": "one side changes it, the other deletes it",
    "CONFLICT (rename/delete)": "one side renames it, the other deletes it",
    "CONFLICT (rename/rename)": "both sides rename it, or both rename something to it",
    "CONFLICT (rename involved in collision)": "two files would get this name",
    "CONFLICT (file/directory)": "it is a file on one side and a folder on the other",
    "CONFLICT (distinct modes)": "it is another sort of file on each side",
    "CONFLICT (distinct types)": "it is another sort of file on each side",
    "CONFLICT (binary)": "it is no text",
}
_OTHER = "git cannot tell where it belongs: one side moved a folder or a submodule"
_OLD = "This needs git 2.38 or newer where I run; whoever operates me can install it."
_LOCK = "a tool writes it: take either side, then let that tool write it anew"
_REGULAR = ("100644", "100755")


@dataclass(slots=True)
class _Merging:
    """`objects`: the environment in which git finds what it made here, and the clone."""

    clone: Clone
    head: Sha
    base: Sha
    scratch: Path
    objects: Mapping[str, str]

    async def git(self, *arguments: str, stdin: bytes = b"", **environ: str) -> Ran:
        return await run(
            self.clone.folder,
            *arguments,
            stdin=stdin,
            seconds=SECONDS,
            most=MOST_OUTPUT,
            environ={**DEAF, **self.objects, **environ},
        )

    async def said(self, *arguments: str, stdin: bytes = b"", **environ: str) -> bytes:
        """Standard output; `_Failed`."""
        ran = await self.git(*arguments, stdin=stdin, **environ)
        if ran.why:
            raise _Failed(f"git could not merge: {ran.why[:300]}.")
        return ran.out

    async def bases(self, one: str, other: str) -> list[str]:
        ran = await self.git("merge-base", "--all", one, other)
        return ran.out.decode().split() if ran.code == 0 else []

    async def changes(self, old: str, new: str) -> list[Change]:
        raw = ("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", "--no-commit-id", old, new)
        return read_changes(await self.said(*raw))

    async def blobs(self, names: Sequence[str]) -> dict[str, bytes]:
        """Those that are here."""
        asked = "".join(f"{one}\n" for one in dict.fromkeys(names)).encode()
        raw, found, at = await self.said("cat-file", "--batch", stdin=asked) if asked else b"", {}, 0
        while at < len(raw):
            end = raw.index(b"\n", at)
            about = raw[at:end].split(b" ")
            at = end + 1
            if len(about) == 3:
                size = int(about[2])
                found[about[0].decode()] = raw[at : at + size]
                at += size + 1
        return found


class _Failed(Exception):
    """In a sentence for people."""


@dataclass(slots=True)
class _Found:
    """What `git merge-tree` told. `stages`: path -> stage -> (mode, name of the text)."""

    tree: str
    stages: dict[str, dict[int, tuple[str, str]]] = field(default_factory=dict)
    kinds: dict[str, set[str]] = field(default_factory=dict)
    clean: bool = True


@asynccontextmanager
async def _merging(clone: Clone, origin: Remote, head: Sha, base: Sha) -> AsyncIterator[_Merging]:
    """With all that git needs for it brought here."""
    await clone.commits(origin, (head, base))
    with tempfile.TemporaryDirectory(prefix="hob-merge-") as made:
        objects = {
            "GIT_OBJECT_DIRECTORY": made,
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(clone.folder / "objects"),
        }
        merging = _Merging(clone, head, base, Path(made), objects)
        names = await _texts_needed(merging, head, base)
        if len(names) > MOST_TEXTS:
            raise _Failed("Too many files were moved or changed on both sides since they parted.")
        await clone.complete(origin, names)
        yield merging


async def tried(clone: Clone, origin: Remote, head: Sha, base: Sha) -> MergeTried:
    """The caller holds the clone."""
    try:
        async with _merging(clone, origin, head, base) as merging:
            behind = int(await merging.said("rev-list", "--count", f"{head}..{base}"))
            found = await _merged(merging)
            conflicts = [] if found.clean else await _conflicts(merging, found)
            return MergeTried(behind=behind, conflicts=tuple(conflicts))
    except _Failed as failed:
        return MergeTried(str(failed))
    except Gone:
        return MergeTried(_MOVED)


async def completed(
    clone: Clone, origin: Remote, head: Sha, base: Sha, texts: Mapping[str, str]
) -> MergedTree:
    """The same with these texts where git could not merge."""
    try:
        async with _merging(clone, origin, head, base) as merging:
            found = await _merged(merging)
            if left := found.stages.keys() - texts.keys():
                return MergedTree(why=f"There is no text for {len(left)} of the conflicts.")
            tree = await _with(merging, found.tree, {path: texts[path] for path in found.stages})
            return await committed(merging, tree)
    except _Failed as failed:
        return MergedTree(why=str(failed))
    except Gone:
        return MergedTree(why=_MOVED)


_MOVED = "One of the two commits is no longer there: somebody pushed meanwhile. Ask again."


async def _texts_needed(merging: _Merging, one: str, other: str, depth: int = 0) -> set[str]:
    """What both sides changed since they parted, and what either took away and brought: git looks there for
    what was renamed. Where there are several common ancestors, what merging those needs."""
    bases = await merging.bases(one, other)
    if not bases:
        raise _Failed("The two branches have no common history.")
    if len(bases) > MOST_BASES or depth > MOST_BASES:
        raise _Failed("The two branches were merged into each other too often for me to tell them apart.")
    names: set[str] = set()
    for base in bases:
        mine, theirs = await merging.changes(base, one), await merging.changes(base, other)
        both = {change.path for change in mine} & {change.path for change in theirs}
        for side in (mine, theirs):
            gone = [change.old for change in side if change.old and not change.new]
            new = [change.new for change in side if change.new and not change.old]
            names.update(*((gone, new) if gone and new else ()))
            names.update(name for change in side if change.path in both for name in (change.old, change.new))
    for at, base in enumerate(bases[1:], 1):
        names |= await _texts_needed(merging, bases[at - 1], base, depth + 1)
    return {name for name in names if name}


async def _merged(merging: _Merging) -> _Found:
    asked = ("-c", "merge.conflictStyle=merge", "merge-tree", "--write-tree", "-z", "--messages")
    ran = await merging.git(*asked, merging.head, merging.base)
    if ran.code == 129:
        raise _Failed(_OLD)
    if ran.code not in (0, 1) or ran.late or ran.full:
        raise _Failed(f"git could not merge: {(ran.why or ran.err)[:300]}.")
    tree, _, rest = ran.out.partition(b"\0")
    found = _Found(tree.decode().strip(), clean=ran.code == 0)
    if found.clean:
        return found
    listed, _, told = rest.partition(b"\0\0")
    for one in listed.split(b"\0"):
        about, _, raw = one.partition(b"\t")
        mode, name, stage = about.decode().split(" ")
        found.stages.setdefault(_path(raw), {})[int(stage)] = (mode, name)
    fields = iter(told.split(b"\0"))
    for count in fields:
        if not count.strip().isdigit():
            break
        paths = [_path(next(fields, b"")) for _ in range(int(count))]
        kind = next(fields, b"").decode("utf-8", "replace")
        next(fields, b"")
        for path in paths:
            found.kinds.setdefault(path, set()).add(kind)
    return found


def _path(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


async def _conflicts(merging: _Merging, found: _Found) -> list[Conflict]:
    named = {
        path for path, kinds in found.kinds.items() if any(kind.startswith("CONFLICT") for kind in kinds)
    }
    paths = sorted({*found.stages, *named})
    whys = {path: _why(path, found) for path in paths}
    open_ = [path for path in paths if not whys[path]]
    wanted = open_[:MOST_CONFLICTS]
    names = [found.stages[path][stage][1] for path in wanted for stage in (1, 2, 3)]
    texts = await merging.blobs(await _small(merging, names))
    modes = await _modes(merging, found.tree, wanted)
    conflicts = []
    for path in paths:
        if whys[path] or path not in wanted:
            why = whys[path] or f"there are more than {MOST_CONFLICTS} such files"
            shown = path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
            conflicts.append(Conflict(shown, why))
            continue
        three = [texts.get(found.stages[path][stage][1]) for stage in (1, 2, 3)]
        conflicts.append(await _apart(merging, path, three, modes.get(path, "100644")))
    return conflicts


def _why(path: str, found: _Found) -> str:
    """Why it is people's to resolve; empty where both sides changed a plain file's text."""
    kinds = {kind for kind in found.kinds.get(path, ()) if kind.startswith("CONFLICT")}
    stages = found.stages.get(path, {})
    modes = {mode for mode, _ in stages.values()}
    if "160000" in modes or any("submodule" in kind for kind in kinds):
        return "it is a submodule"
    if "120000" in modes:
        return "it is a symbolic link"
    if others := sorted(kinds - {"CONFLICT (contents)", "CONFLICT (add/add)"}):
        return _KINDS.get(others[0], _OTHER)
    if 2 in stages and 3 in stages and 1 not in stages:
        return "both sides add it"
    if not {1, 2, 3} <= stages.keys() or not modes <= {*_REGULAR}:
        return _OTHER
    if is_lock_file(path):
        return _LOCK
    try:
        path.encode()
    except UnicodeEncodeError:
        return "its name is not UTF-8"
    return ""


async def _small(merging: _Merging, names: Sequence[str]) -> list[str]:
    asked = "".join(f"{one}\n" for one in names).encode()
    told = await merging.said("cat-file", "--batch-check", stdin=asked) if asked else b""
    parts = (line.decode().split() for line in told.splitlines())
    return [part[0] for part in parts if len(part) == 3 and int(part[2]) <= LARGEST]


async def _modes(merging: _Merging, tree: str, paths: Sequence[str]) -> dict[str, str]:
    if not paths:
        return {}
    told = await merging.said("--literal-pathspecs", "ls-tree", "-z", "--full-tree", tree, "--", *paths)
    found = (one.partition(b"\t") for one in told.split(b"\0") if one)
    return {_path(path): about.decode().split(" ")[0] for about, _, path in found}


async def _apart(merging: _Merging, path: str, three: Sequence[bytes | None], mode: str) -> Conflict:
    """The file in hunks, as `git merge-file` cuts it: with marks so long that no line of it can be one."""
    given = sides(three)
    if not isinstance(given, Sides):
        return Conflict(path, given)
    size = longest_mark(given) + 7
    if size > 200:
        return Conflict(path, "it has lines like long conflict markers")
    files = [merging.scratch / name for name in ("ours", "base", "theirs")]
    for file, text in zip(files, (given.ours, given.base, given.theirs), strict=True):
        file.write_text(text, encoding="utf-8", newline="")
    labels = [part for name in ("ours", "base", "theirs") for part in ("-L", name)]
    asked = ("merge-file", "-p", "-q", "--diff3", f"--marker-size={size}", *labels, *map(str, files))
    ran = await merging.git(*asked)
    if ran.code > 127 or ran.late or ran.full:
        return Conflict(path, NO_TEXT if ran.code > 127 else TOO_LARGE)
    parts = taken_apart(ran.out.decode(), size)
    return Conflict(
        path,
        parts=tuple(parts),
        base=given.base,
        ours=given.ours,
        theirs=given.theirs,
        eol=given.eol,
        ended=given.ended,
        mode=mode,
    )


async def _with(merging: _Merging, tree: str, texts: Mapping[str, str]) -> str:
    """The tree with these files in place of its own."""
    index = str(merging.scratch / "index")
    await merging.said("read-tree", tree, GIT_INDEX_FILE=index)
    modes = await _modes(merging, tree, list(texts))
    lines = []
    for path, text in texts.items():
        made = await merging.said("hash-object", "-w", "--no-filters", "--stdin", stdin=text.encode() or b"")
        lines.append(f"{modes.get(path, '100644')} {made.decode().strip()} 0\t{path}\0".encode())
    if lines:
        given = b"".join(lines)
        await merging.said("update-index", "-z", "--index-info", stdin=given, GIT_INDEX_FILE=index)
    told = await merging.said("write-tree", "--missing-ok", GIT_INDEX_FILE=index)
    return told.decode().strip()
