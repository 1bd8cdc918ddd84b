"""The folder of one run: the work tree, its /tmp and /dev/shm. Made, counted while strangers write in it, and
removed whatever they left. No symbolic link is ever followed, and no path is longer than one name."""

import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bot.paths import make_private

PREFIX = "suite-"
CONTAINER = "container.json"
"""A file of a box that is run in a container: the words before `run` of the program that can end it."""
DEEPEST = 128
"""Folders in each other."""
LEAST_FREE, LEAST_FREE_FILES = 1 << 30, 0.02
"""Bytes, and the part of all files, that the disk must have left: a run ends before the disk is full."""
_PASSWD = "nobody:x:{uid}:{uid}:nobody:{home}:/bin/sh\n"  # noqa: S105
_KEPT = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | _KEPT


@dataclass(frozen=True, slots=True)
class RunFolder:
    """`uid`: as whom the run writes here, where Hob is root and gives each run a user of its own."""

    folder: Path
    uid: int | None = None

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def written(self) -> Path:
        """What the run may write."""
        return self.folder / "written"

    @property
    def tree(self) -> Path:
        return self.written / "work"

    @property
    def tmp(self) -> Path:
        return self.written / "tmp"

    @property
    def shm(self) -> Path:
        return self.written / "shm"

    @property
    def etc(self) -> Path:
        return self.folder / "etc"


@contextmanager
def box(base: Path) -> Iterator[RunFolder]:
    """A new one in `base`; gone afterwards. What a Hob that was killed has left there goes first."""
    make_private(base)
    _sweep(base)
    folder = base / f"{PREFIX}{secrets.token_hex(8)}"
    folder.mkdir(mode=0o700)
    lock = os.open(folder, _FOLDER)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # far from all users that a system gives out, and another one for each run
        uid = 2_000_000_000 + secrets.randbelow(100_000_000) if os.geteuid() == 0 else None
        made = RunFolder(folder, uid)
        for each in (made.written, made.tree, made.tmp, made.tmp / "home", made.shm, made.etc):
            each.mkdir(mode=0o755)
        inside = 65534 if uid is None else uid
        (made.etc / "passwd").write_text(
            f"root:x:0:0:root:/:/bin/false\n{_PASSWD.format(uid=inside, home='/tmp/home')}"  # noqa: S108
        )
        (made.etc / "group").write_text(f"root:x:0:\nnobody:x:{inside}:\n")
        (made.etc / "hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")
        (made.etc / "nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files\n")
        yield made
    finally:
        try:
            remove(folder)
        finally:
            os.close(lock)


def given(made: RunFolder) -> None:
    """Makes all that lies in the box the run's own."""
    if made.uid is None:
        return
    made.etc.chmod(0o755)
    for each in made.etc.iterdir():
        each.chmod(0o644)
    for _, folders, names, top in os.fwalk(made.written):
        os.chown(top, made.uid, made.uid)
        for name in (*folders, *names):
            os.chown(name, made.uid, made.uid, dir_fd=top, follow_symlinks=False)


def _sweep(base: Path) -> None:
    """Boxes that nobody holds, but for those whose container has to be ended first."""
    with suppress(OSError):
        for left in base.glob(f"{PREFIX}*"):
            with suppress(OSError), unheld(left):
                if not (left / CONTAINER).exists():
                    remove(left)


@contextmanager
def unheld(left: Path) -> Iterator[None]:
    """A box that a Hob that was killed has left; BlockingIOError where a run is in it."""
    held = os.open(left, _FOLDER)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(held)


def remove(folder: Path) -> None:
    """Deletes a folder in which nobody writes any more: closed folders, any depth, names of any bytes. Each
    folder found is moved to the top first, so that no more than two are open at a time."""
    try:
        top = os.open(folder, _FOLDER)
    except FileNotFoundError:
        return
    try:
        os.fchmod(top, 0o700)
        waiting = _emptied(top, top)
        while waiting:
            name = waiting.pop()
            inner = os.open(name, _FOLDER, dir_fd=top)
            try:
                waiting += _emptied(inner, top)
            finally:
                os.close(inner)
            os.rmdir(name, dir_fd=top)
    finally:
        os.close(top)
    folder.rmdir()


def _emptied(folder: int, top: int) -> list[str]:
    """Unlinks the files of a folder and moves its folders to the top, under names that nobody has."""
    moved = []
    with os.scandir(folder) as entries:
        names = [(one.name, one.is_dir(follow_symlinks=False)) for one in entries]
    for name, is_folder in names:
        if not is_folder:
            os.unlink(name, dir_fd=folder)
            continue
        os.chmod(name, 0o700, dir_fd=folder)  # to move a folder is to write in it
        moved.append(secrets.token_hex(12))
        os.rename(name, moved[-1], src_dir_fd=folder, dst_dir_fd=top)
    return moved


class TooMuch(Exception):
    """What was found, for people."""


@dataclass(slots=True)
class _Count:
    most_mb: int
    most_files: int
    files: int = 0
    size: int = 0

    def folder(self, opened: int, depth: int = 0) -> None:
        """Everything below; what vanishes meanwhile is left out."""
        if depth > DEEPEST:
            raise TooMuch(f"it made more than {DEEPEST} folders in each other")
        with os.scandir(opened) as entries:
            for entry in entries:
                with suppress(OSError):
                    self._entry(entry.name, opened, depth)

    def _entry(self, name: str, folder: int, depth: int) -> None:
        about = os.stat(name, dir_fd=folder, follow_symlinks=False)
        self.files += 1
        self.size += about.st_blocks * 512
        if self.files > self.most_files:
            raise TooMuch(f"it made more than {self.most_files:,} files")
        if self.size > self.most_mb << 20:
            raise TooMuch(f"it wrote more than {self.most_mb:,} MB")
        if stat.S_ISDIR(about.st_mode):
            with _opened(name, folder, about.st_mode) as inner:
                if inner is not None:
                    self.folder(inner, depth + 1)


def measure(made: RunFolder, most_mb: int, most_files: int) -> None:
    """Counts what lies there while it is written; TooMuch as soon as it is."""
    room = os.statvfs(made.folder)
    if room.f_bavail * room.f_frsize < LEAST_FREE or room.f_favail < room.f_files * LEAST_FREE_FILES:
        raise TooMuch("the disk is nearly full")
    top = os.open(made.written, _FOLDER)
    try:
        _Count(most_mb, most_files).folder(top)
    finally:
        os.close(top)


@contextmanager
def _opened(name: str, folder: int, mode: int) -> Iterator[int | None]:
    """A folder, opened; one that was closed to its owner is so again afterwards. None for what cannot be."""
    closed = os.geteuid() != 0 and mode & 0o500 != 0o500 and hasattr(os, "O_PATH")
    held = os.open(name, (os.O_PATH if closed else os.O_RDONLY) | _KEPT, dir_fd=folder)
    try:
        if not closed:
            yield held
            return
        by_descriptor = Path(f"/proc/self/fd/{held}")  # no name, which may be another's by now
        by_descriptor.chmod(stat.S_IMODE(mode) | 0o700)
        inner = os.open(by_descriptor, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            yield inner
        finally:
            os.close(inner)
            by_descriptor.chmod(stat.S_IMODE(mode))
    finally:
        os.close(held)
