"""The bytes of a file: whether they are worth reading, and as what text."""

import codecs

from bot.core.file_kinds import kind_of_path, says_generated
from bot.knowledge.parsing.languages import DATA, language_of

MAX_BYTES = 1_000_000
MAX_DATA_BYTES = 100_000
"""Of a file in a language of data: JSON, XML, tables."""
LONG_LINE = 10_000
LONG_MEAN = 500
"""Characters of one line, and of lines on average, beyond which nobody wrote them by hand."""
_LFS = b"version https://git-lfs.github.com/spec/"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decode(data: bytes) -> str:
    """The text of `data`: by its byte order mark, else UTF-8, else Latin-1, which takes any byte."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def lines_of(text: str) -> tuple[str, ...]:
    r"""The lines as git and GitHub count them: ended by `\n`, a `\r` before it is part of the end."""
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return tuple(line.removesuffix("\r") for line in lines) if "\r" in text else tuple(lines)


def why_left_out(path: str, data: bytes) -> str | None:
    """The reason for which a file is not indexed, judged by its name and bytes; None: it is."""
    if len(data) > MAX_BYTES:
        return "over 1 MB"
    if why := kind_of_path(path):
        return why
    if data.startswith(_LFS) and len(data) < 1024:
        return "Git LFS pointer"
    if b"\0" in data and not data.startswith(tuple(mark for mark, _ in _MARKS)):
        return "binary"
    if len(data) > MAX_DATA_BYTES and language_of(path) in DATA:
        return "data over 100 KB"
    return None


def why_not_written(lines: tuple[str, ...]) -> str | None:
    """The reason for which lines are no person's work, or None."""
    if says_generated(lines[:5]):
        return "generated"
    longest = max(map(len, lines), default=0)
    if longest > LONG_LINE or sum(map(len, lines)) > LONG_MEAN * max(len(lines), 10):
        return "very long lines"
    return None
