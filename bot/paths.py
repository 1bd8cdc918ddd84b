"""Where things lie that two packages must find by themselves; folders that are opened through no link, and
names that are on disk."""

import errno
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

SOCKET_PATH_LIMIT = 103
"""Bytes: macOS takes 104 with the closing NUL, Linux 108."""


def socket_path(data_dir: Path) -> Path:
    """In the data directory, or, where that name is too long for a socket, in a private folder of the
    temporary one that every process of the same user finds again."""
    path = data_dir.absolute() / "redis" / "redis.sock"
    if len(os.fsencode(path)) <= SOCKET_PATH_LIMIT:
        return path
    name = hashlib.sha256(os.fsencode(data_dir.absolute())).hexdigest()[:12]
    short = Path(tempfile.gettempdir()) / f"hob-{os.getuid()}-{name}" / "redis.sock"
    if len(os.fsencode(short)) <= SOCKET_PATH_LIMIT:
        return short
    return Path("/tmp") / short.parent.name / short.name  # noqa: S108  made private below


_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


@contextmanager
def holding(folder: Path, path: str) -> Iterator[tuple[int, str]]:
    """(descriptor of the folder that a path below `folder` lies in; the last name). OSError where a symbolic
    link is on the way, be it `folder` itself."""
    *above, name = PurePosixPath(path).parts
    inside = os.open(folder, _FOLDER | os.O_NOFOLLOW)
    try:
        for part in above:
            deeper = os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=inside)
            os.close(inside)
            inside = deeper
        yield inside, name
    finally:
        os.close(inside)


def sync(folder: Path) -> None:
    """Has its new names on disk. OSError where the system cannot do that."""
    opened = os.open(folder, _FOLDER)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def make_private(folder: Path) -> None:
    """A folder that its owner alone opens, with those above it that are not there either: `mkdir` gives its
    mode to the last one only. OSError."""
    if not folder.parent.exists():
        make_private(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)


def put_private(path: Path, text: str) -> None:
    """Writes a file that its owner alone reads, with its folder, in one step: what ends in the middle leaves
    what was there, and of several at once one is there whole."""
    make_private(path.parent)
    opened, made = tempfile.mkstemp(".new", f"{path.stem}.", path.parent)  # 0600
    try:
        with os.fdopen(opened, "w", encoding="utf-8") as file:
            file.write(text)
        Path(made).replace(path)
    except BaseException:
        Path(made).unlink(missing_ok=True)
        raise


def read_file(path: Path, most: int) -> bytes:
    """Of a file of our own, so many bytes at most. OSError also for what is none: a pipe would have us wait,
    and a device has no end."""
    opened = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(opened, "rb") as file:
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            raise OSError(errno.EINVAL, "It is no file", str(path))
        return file.read(most)
