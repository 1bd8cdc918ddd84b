"""What `hob doctor --fix` can do. Each is whole or not done at all, so that breaking off and doing it again
are without harm; what belongs to another user, to GitHub or to hob.toml is never changed."""

import asyncio
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from bot.cli.doctor.line import DoctorFix, DoctorResult, Wrong
from bot.config import Config
from bot.core.errors import ConfigError, HobError, UserError
from bot.core.hosts import Host
from bot.paths import make_private

T = TypeVar("T")


def open_to_others(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & 0o077)
    except OSError:
        return False


def close(path: Path) -> DoctorFix:
    """Takes a file or folder away from everybody but its owner."""
    return DoctorFix(f"chmod {'700' if path.is_dir() else '600'} {path}", lambda: _close(path))


def _close(path: Path) -> None:
    held = os.open(path.resolve(), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        found = os.fstat(held)
        if found.st_uid != os.geteuid() and os.geteuid() != 0:
            raise UserError(f"{path} belongs to another user")
        if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
            raise UserError(f"{path} is no file")
        os.fchmod(held, stat.S_IMODE(found.st_mode) & ~0o077)
    finally:
        os.close(held)


def private(path: Path | None, read: Callable[[], T]) -> T:
    """What `read` gives; where it refuses a file that others can read, `Wrong` with what mends that."""
    try:
        return read()
    except ConfigError as wrong:
        mends = close(path) if path is not None and open_to_others(path) else None
        raise Wrong(str(wrong), wrong.hint, mends) from None


def make_folder(folder: Path) -> DoctorFix:
    return DoctorFix(f"make {folder}", lambda: make_private(folder))


def migrate(config: Config) -> DoctorFix:
    def act() -> None:
        from bot.store.migration import run

        make_private(config.hob.data_dir)
        run(config.store.database_url)

    return DoctorFix("bring the database to the newest schema (hob migrate)", act)


def remove(path: Path, still: Callable[[], bool]) -> DoctorFix:
    """`still`: whether it is left over at that moment too."""

    def act() -> None:
        if still():
            path.unlink(missing_ok=True)

    return DoctorFix(f"remove {path}", act)


def pull(model: str, host: Host) -> DoctorFix:
    """Ollama keeps what it has of a download that was broken off."""

    def act() -> None:
        from bot.cli.hosts import pull_models

        asyncio.run(pull_models.pull(model, host, tries=3))

    return DoctorFix(f"have host {host.name} download {model}", act, asks=True)


def apply(
    lines: list[DoctorResult], done: set[str], agrees: Callable[[str], bool]
) -> Iterator[tuple[str, str, bool]]:
    """(what, how it went, whether it is done) of each that is not among `done`, which it is added to."""
    for line in lines:
        fix = line.fix
        if fix is None or fix.does in done:
            continue
        done.add(fix.does)
        if fix.asks and not agrees(fix.does):
            yield fix.does, "not done: nobody agreed to it (--yes does)", False
            continue
        try:
            fix.act()
        except OSError as wrong:
            yield fix.does, f"not done: {wrong.strerror or wrong}", False
        except HobError as wrong:
            yield fix.does, f"not done: {wrong}", False
        else:
            yield fix.does, "done", True
