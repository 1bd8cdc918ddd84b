"""The files that people give `hob eval`: read whole, within a bound, and what is wrong in one line."""

import os
from pathlib import Path

from bot.core.errors import UserError

MOST_BYTES = 64 << 20


def read_bytes(file: Path, most: int = MOST_BYTES) -> bytes:
    """UserError for what cannot be read, or is larger than `most` bytes."""
    try:
        with file.open("rb") as opened:
            found = opened.read(most + 1)
    except OSError as wrong:
        raise UserError(f"{file} cannot be read: {wrong.strerror}") from None
    if len(found) > most:
        raise UserError(f"{file} is over {most >> 20} MB", "leave out what is not needed, or cut it in parts")
    return found


def read_text(file: Path) -> str:
    """UserError for what is no UTF-8, too."""
    try:
        return read_bytes(file).decode("utf-8")
    except UnicodeDecodeError as wrong:
        raise UserError(f"{file} is no UTF-8: {wrong.reason} at byte {wrong.start}") from None


def json_files(folder: Path) -> list[Path]:
    """The `*.json` of a folder, by name. A pipe or a device is none: nobody named it, and whoever reads it
    would wait. A link to nothing is one, that cannot be read."""
    return sorted(one for one in folder.glob("*.json") if one.is_file() or not one.exists())


def kept_lines(file: Path | None) -> list[str]:
    """What an earlier run wrote down line by line; none where there is no such file yet. UserError for what
    is no file."""
    if file is None or not file.exists():
        return []
    if not file.is_file():
        raise UserError(f"{file} is no file, so nothing could be read there again", "name a file")
    return read_bytes(file).decode("utf-8", "replace").split("\n")


def keep_line(file: Path, line: str) -> None:
    """Adds a line, one of its own whatever broke off before it; UserError where it cannot be written."""
    try:
        with file.open("ab+") as opened:
            whole = not opened.tell() or (opened.seek(-1, os.SEEK_END), opened.read())[1] == b"\n"
            opened.write(b"" if whole else b"\n")
            opened.write(f"{line}\n".encode())
    except OSError as wrong:
        raise UserError(
            f"{file} cannot be written: {wrong.strerror}", "what stands there is not done again"
        ) from None
