"""What `hob import-config` reads and writes. No symbolic link is followed below the folder that was named:
what lies there may be a stranger's."""

import errno
import os
import secrets
import stat
from pathlib import Path

from bot.core.errors import UserError
from bot.github.import_rules import COPILOT, COPILOT_END, COPILOT_FOLDER, FILES
from bot.paths import holding
from bot.yamlnodes import MOST_BYTES

TARGET = ".github/hob.yml"
MOST_INSTRUCTIONS = 50
"""Files of Copilot's that are looked at."""
_LINK = "it is a symbolic link, or lies behind one"
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def root_of(*folders: Path) -> Path:
    """The root of the repository that the first of these folders is in that is in one; else the last."""
    above = (one for folder in folders for one in (folder, *folder.parents))
    return next((one for one in above if os.path.lexists(one / ".git")), folders[-1])


def there(folder: Path) -> list[str]:
    """The other reviewers' files below a repository's root."""
    known = [*FILES, COPILOT]
    inside = folder / COPILOT_FOLDER
    if inside.is_dir() and not inside.is_symlink():
        names = sorted(one.name for one in inside.iterdir() if one.name.endswith(COPILOT_END))
        known += [f"{COPILOT_FOLDER}/{name}" for name in names[:MOST_INSTRUCTIONS]]
    return [path for path in known if os.path.lexists(folder / path)]


def text_of(folder: Path, path: str) -> str:
    """A regular file below `folder`, of at most 64 KB of UTF-8. UserError for anything else."""
    try:
        with holding(folder.resolve(), path) as (above, name):
            file = os.open(name, _FILE, dir_fd=above)
    except OSError as wrong:
        why = _LINK if wrong.errno in (errno.ELOOP, errno.ENOTDIR) else str(wrong.strerror)
        raise UserError(f"{path} is not read: {why}", "name a regular file") from None
    with os.fdopen(file, "rb") as opened:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise UserError(f"{path} is not read: it is no regular file", "name one")
        raw = opened.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        raise UserError(f"{path} is not read: it is over {MOST_BYTES // 1024} KB", "shorten it")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UserError(f"{path} is not read: it is not UTF-8", "save it as UTF-8") from None


def write(folder: Path, text: str, *, force: bool) -> None:
    """`.github/hob.yml` below `folder`, whole or not at all. UserError where one is there and `force` is not
    given, or behind a link."""
    try:
        (folder / TARGET).parent.mkdir(exist_ok=True)
        with holding(folder.resolve(), TARGET) as (above, name):
            _put(above, name, text, force=force)
    except FileExistsError:
        raise UserError(
            f"{folder / TARGET} is there already and stays as it is",
            "compare it with what is printed without --write, or give --force to replace it",
        ) from None
    except OSError as wrong:
        why = _LINK if wrong.errno in (errno.ELOOP, errno.ENOTDIR) else str(wrong.strerror)
        raise UserError(f"{folder / TARGET} is not written: {why}", "name another --folder") from None


def _put(above: int, name: str, text: str, *, force: bool) -> None:
    draft = f".{name}.{secrets.token_hex(4)}" if force else name
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    file = os.open(draft, flags, 0o644, dir_fd=above)
    try:
        with os.fdopen(file, "w", encoding="utf-8") as opened:
            opened.write(text)
        if force:
            os.replace(draft, name, src_dir_fd=above, dst_dir_fd=above)
    except OSError:
        os.unlink(draft, dir_fd=above)
        raise
