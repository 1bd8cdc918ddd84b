"""Writes into hob.toml and beside it: whole or not at all, and what is secret for its owner only."""

import contextlib
import os
import tempfile
from pathlib import Path

from bot.core.errors import ConfigError
from bot.core.toml_text import TomlChanges, edited, toml_value
from bot.paths import make_private, sync

PRIVATE = 0o600


def write_new(path: Path, text: str) -> None:
    """A file that only its owner can read (0600). One that is there is never written over: ConfigError."""
    fresh = _written(path, text, PRIVATE)
    try:
        path.hardlink_to(fresh)
    except FileExistsError:
        raise ConfigError(f"{path} is there already, and is not written over", "move it away") from None
    except OSError as wrong:
        raise _cannot(path, wrong) from None
    finally:
        fresh.unlink(missing_ok=True)
    _sync(path.parent)


def change(path: Path, changes: TomlChanges, *, end: str = "") -> None:
    """Sets keys of a hob.toml, which is made where it is not there; `end` is put after all of it. ConfigError
    says what to write by hand where a program should not."""
    path = path.resolve()
    try:
        old, mode = (path.read_text(), path.stat().st_mode & 0o777) if path.exists() else ("", PRIVATE)
    except (OSError, UnicodeDecodeError) as wrong:
        raise ConfigError(f"{path} cannot be read: {wrong}", "let this user read it") from None
    try:
        new = edited(old, changes)
        if end:
            new = edited(f"{new}{'' if not new or new.endswith(chr(10)) else chr(10)}{end}", {})
    except ValueError as wrong:
        lines = "; ".join(
            f"[{table}] {', '.join(f'{key} = {toml_value(value)}' for key, value in keys.items())}"
            for table, keys in changes.items()
        )
        raise ConfigError(
            f"{path} was left as it is: {wrong}", f"write there by hand: {lines} {end}"
        ) from None
    if new == old:
        return
    try:
        _written(path, new, mode).replace(path)
    except OSError as wrong:
        raise _cannot(path, wrong) from None
    _sync(path.parent)


def _written(path: Path, text: str, mode: int) -> Path:
    """A new file beside `path`, on disk."""
    try:
        make_private(path.parent)
        number, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # 0600
        try:
            with os.fdopen(number, "w", encoding="utf-8") as file:
                os.fchmod(file.fileno(), mode)
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as wrong:
        raise _cannot(path, wrong) from None
    return Path(name)


def _cannot(path: Path, wrong: OSError) -> ConfigError:
    return ConfigError(
        f"{path} cannot be written: {wrong.strerror}",
        "let this user write there, or name another in HOB_CONFIG",
    )


def _sync(folder: Path) -> None:
    """Where the system can do that."""
    with contextlib.suppress(OSError):
        sync(folder)
