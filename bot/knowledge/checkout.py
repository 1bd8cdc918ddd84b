"""The files of a commit, written into a fresh folder from a clone's objects. No `git checkout`: what the
repository says of filters, hooks, LFS and submodules means nothing here.

Everything is decided on names, before anything is written; symbolic links come last and lead nowhere but into
the tree, so that nothing is ever written through one.
"""

import asyncio
import os
import unicodedata
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from bot.core.errors import HobError
from bot.core.refs import Sha
from bot.core.text import strip_invisible
from bot.knowledge.clone import Clone, Remote
from bot.knowledge.git import Git, TreeEntry

DEEPEST = 100
"""Folders in each other."""
LONGEST_TARGET = 4_000
ChangedTexts = Mapping[str, str | None]
"""path -> the text in place of the commit's; None: no such file."""


class CheckoutRefused(HobError):
    """These files cannot be written; says why, for people."""


@dataclass(frozen=True, slots=True)
class Most:
    """Of a checkout."""

    size: int = 1 << 30
    """Bytes of all files."""
    files: int = 100_000


@dataclass(frozen=True, slots=True)
class Checkout:
    """`left_out`: paths that were not written, submodules too."""

    files: int
    left_out: tuple[str, ...] = ()


@dataclass(slots=True)
class Layout:
    """What is written where."""

    blobs: dict[str, TreeEntry] = field(default_factory=dict)
    links: dict[str, TreeEntry] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)


async def checkout(
    clone: Clone, origin: Remote, sha: Sha, changed: ChangedTexts, folder: Path, most: Most
) -> Checkout:
    """Writes a commit with `changed` on top into an empty folder. `CheckoutRefused`, `Gone`, and what git
    raises."""
    await clone.commit(origin, sha)
    git = Git(clone.folder, own=True)
    laid = await asyncio.to_thread(lambda: layout(git.tree(sha), changed, most))
    wanted = {one.sha for one in (*laid.blobs.values(), *laid.links.values())}
    await clone.complete(origin, wanted, most.size)
    return await asyncio.to_thread(_write, git, laid, folder, most)


def write_out(git: Git, sha: Sha, changed: ChangedTexts, folder: Path, most: Most) -> Checkout:
    """The same from a repository that has all of the commit."""
    return _write(git, layout(git.tree(sha), changed, most), folder, most)


def layout(entries: Iterable[TreeEntry], changed: ChangedTexts, most: Most) -> Layout:
    """Decides by names alone. CheckoutRefused where a text would lie in no folder, or there are too many."""
    laid = Layout()
    for entry in entries:
        if not entry.named or entry.kind == "submodule" or not is_plain(entry.path):
            laid.left_out.append(entry.path)
        else:
            (laid.links if entry.kind == "symbolic link" else laid.blobs)[entry.path] = entry
        if len(laid.blobs) + len(laid.links) > most.files:
            raise CheckoutRefused(f"the commit has more than {most.files:,} files")
    for path, text in changed.items():
        if not is_plain(path):
            raise CheckoutRefused(f"{path[:200]!r} is no path of a work tree")
        laid.blobs.pop(path, None) if text is None else None
        laid.links.pop(path, None)
        if text is not None:
            laid.texts[path] = text
    for path in laid.texts:
        above = path
        while above := above.rpartition("/")[0]:
            if above in laid.links or above in laid.blobs or above in laid.texts:
                raise CheckoutRefused(f"{path[:200]!r} would lie in a file or behind a symbolic link")
    return laid


def is_plain(path: str) -> bool:
    """Whether a path stays in the tree and is nobody's but the repository's, on every file system."""
    parts = path.split("/")
    return (
        "\0" not in path
        and "\\" not in path
        and len(parts) <= DEEPEST
        and all(part not in ("", ".", "..") and len(os.fsencode(part)) < 256 for part in parts)
        and not any(_is_git(part) for part in parts)
    )


def _is_git(part: str) -> bool:
    """`.git`, and what some file systems take for it."""
    name = unicodedata.normalize("NFKC", strip_invisible(part)[0]).casefold().rstrip(" .")
    return name.partition(":")[0].rstrip(" .") in (".git", "git~1")


def leads_inside(path: str, target: str) -> bool:
    """Whether a symbolic link can lead out of the tree, whatever other links lie on its way: where all links
    go up only at their beginning, and not above the top, none does."""
    parts = [part for part in target.split("/") if part not in ("", ".")]
    ups = next((index for index, part in enumerate(parts) if part != ".."), len(parts))
    return (
        0 < len(target) <= LONGEST_TARGET
        and not target.startswith("/")
        and "\0" not in target
        and "\\" not in target
        and ".." not in parts[ups:]
        and ups <= path.count("/")
        and not any(_is_git(part) for part in parts)
    )


def _write(git: Git, laid: Layout, folder: Path, most: Most) -> Checkout:
    folder = folder.resolve()
    blobs = {path: one for path, one in laid.blobs.items() if path not in laid.texts}
    names = sorted({one.sha for one in (*blobs.values(), *laid.links.values())})
    sizes = git.sizes(names)
    if len(sizes) < len(names):
        raise CheckoutRefused("not all of the commit's files could be fetched: they are too large together")
    total = sum(sizes[one.sha] for one in blobs.values())
    total += sum(len(text.encode("utf-8", "replace")) for text in laid.texts.values())
    if total > most.size:
        raise CheckoutRefused(f"the commit's files have more than {most.size >> 20:,} MB")
    places: dict[str, list[TreeEntry]] = {}
    for entry in (*blobs.values(), *laid.links.values()):
        places.setdefault(entry.sha, []).append(entry)
    links: dict[str, str] = {}
    left_out, written = list(laid.left_out), 0
    for sha, data in git.contents(names):
        for entry in places[sha]:
            if entry.kind == "symbolic link":
                links[entry.path] = os.fsdecode(data)
            elif _file(folder, entry.path, data, entry.executable):
                written += 1
            else:
                left_out.append(entry.path)
    for path, text in laid.texts.items():
        was = laid.blobs.get(path)
        if not _file(folder, path, text.encode("utf-8", "replace"), was is not None and was.executable):
            raise CheckoutRefused(f"{path[:200]!r} cannot be written")
        written += 1
    for path, target in links.items():
        if leads_inside(path, target) and _link(folder, path, target):
            written += 1
        else:
            left_out.append(path)
    return Checkout(written, tuple(left_out))


def _file(folder: Path, path: str, data: bytes, executable: bool) -> bool:
    """False where another path is in the way, as on file systems that know no capital letters."""
    place = folder / path
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        opened = os.open(place, flags, 0o755 if executable else 0o644)
    except (FileExistsError, NotADirectoryError):
        return False
    with os.fdopen(opened, "wb") as file:
        file.write(data)
        os.fchmod(file.fileno(), 0o755 if executable else 0o644)
    return True


def _link(folder: Path, path: str, target: str) -> bool:
    """False where something is in the way: another link too, which a tree of git's may name as a folder."""
    place = folder / path
    with suppress(FileExistsError, NotADirectoryError):
        place.parent.mkdir(parents=True, exist_ok=True)
        if os.path.realpath(place.parent) == os.fspath(place.parent):
            place.symlink_to(target)
            return True
    return False
