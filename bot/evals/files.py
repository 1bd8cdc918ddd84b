"""The files that people give `hob eval`: read whole, within a bound, and what is wrong in one line."""

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
