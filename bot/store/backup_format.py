"""The file of `hob backup`: gzip around lines of JSON, the same whatever database rows come from or go to.

    {"hob_backup": 1, "version": …, "schema": …, "made_at": …, "files": {name: text}, "left_out": [name]}
    {"table": "inbox", "columns": ["id", …]}
    [1, "…", {"b": "base64"}, …]            a row; null, true, numbers and texts as they are
    {"end": {"inbox": 1, …}, "sha256": "of every byte before this line"}

Whoever reads takes nothing on trust: lines and the whole are capped, and what lacks its last line, or does
not sum up, is refused before anything of it is used.
"""

import gzip
import hashlib
import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from bot.core import json_text
from bot.core.errors import UserError

FORMAT = 1
MOST_LINE = 64 << 20
"""Bytes. A delivery of 25 MB (GitHub's most) that does not compress has 34 MB in base64."""
LEAST_CAP, MOST_RATIO = 256 << 20, 100
"""What may come out of a file: so many bytes, or so many times its size where that is more."""
_LEVEL = 3
_LATEST = 253_402_300_800
"""Epoch seconds of the year 10000, which no calendar here reaches."""
_DAMAGED = "take another copy of it, or make a new backup"


@dataclass(frozen=True, slots=True)
class BackupHeader:
    """What a backup says of itself. `schema`: of its rows; `made_at`: epoch seconds; `files`: name -> text;
    `left_out`: secrets that it was made without."""

    version: str
    schema: str
    made_at: float
    files: Mapping[str, str] = field(default_factory=dict, repr=False)
    left_out: Sequence[str] = ()


Row = tuple[str, Sequence[str], list[Any]]
"""Its table, the table's columns, and a value for each."""


class BackupWriter:
    """Writes one to a binary stream. `finish()` makes it whole; without that nobody takes it."""

    def __init__(self, out: BinaryIO, header: BackupHeader) -> None:
        self._packed = gzip.GzipFile(filename="", mode="wb", compresslevel=_LEVEL, fileobj=out, mtime=0)
        self._sum = hashlib.sha256()
        self.counts: dict[str, int] = {}
        self._line(
            {
                "hob_backup": FORMAT,
                "version": header.version,
                "schema": header.schema,
                "made_at": header.made_at,
                "files": dict(header.files),
                "left_out": list(header.left_out),
            }
        )

    def table(self, name: str, columns: Sequence[str]) -> None:
        """The rows that follow are this table's."""
        self.counts[name] = 0
        self._line({"table": name, "columns": list(columns)})

    def row(self, values: Sequence[Any]) -> None:
        self.counts[next(reversed(self.counts))] += 1
        self._line([_plain(value) for value in values])

    def finish(self) -> None:
        self._line({"end": self.counts, "sha256": self._sum.hexdigest()})
        self._packed.close()

    def _line(self, value: object) -> None:
        line = json.dumps(value, separators=(",", ":")).encode() + b"\n"
        self._sum.update(line)
        self._packed.write(line)


def read_header(source: BinaryIO) -> BackupHeader:
    """UserError where it is no backup, or one of a newer Hob."""
    return _header(next(_lines(source, MOST_LINE), b""))


def read_rows(source: BinaryIO, size: int) -> Iterator[Row]:
    """Every row of a backup of `size` bytes. UserError at its end at the latest where it is not whole:
    nothing counts before it has ended."""
    lines = _lines(source, max(LEAST_CAP, MOST_RATIO * size))
    first = next(lines, b"")
    _header(first)
    total = hashlib.sha256(first)
    counts: dict[str, int] = {}
    table: str = ""
    columns: Sequence[str] = ()
    for line in lines:
        match _parsed(line):
            case {"end": dict(told), "sha256": str(digest)}:
                if told != counts or digest != total.hexdigest() or next(lines, None) is not None:
                    raise _damaged("its checksum is another")
                return
            case {"table": str(table), "columns": list(columns)} if table not in counts and _names(columns):
                counts[table] = 0
            case list(values) if table and len(values) == len(columns):
                counts[table] += 1
                yield table, columns, [_value(value) for value in values]
            case _:
                raise _damaged("a line of it is none of a backup")
        total.update(line)
    raise _damaged("its end is missing")


def _header(line: bytes) -> BackupHeader:
    found = _parsed(line, "it is no backup of Hob")
    match found:
        case {
            "hob_backup": 1,
            "version": str(version),
            "schema": str(schema),
            "made_at": int() | float() as made_at,
            "files": dict(files),
            "left_out": list(left_out),
        } if (
            0 <= made_at < _LATEST
            and all(isinstance(text, str) for text in files.values())
            and _names(left_out)
        ):
            return BackupHeader(version[:40], schema[:40], float(made_at), files, left_out)
        case {"hob_backup": int(newer)} if newer > FORMAT:
            said = str(found.get("version", ""))[:40]
            raise UserError(
                f"the backup is of a newer Hob ({said}, format {newer})", "restore it with that version"
            )
    raise _damaged("it is no backup of Hob")


def _lines(source: BinaryIO, most: int) -> Iterator[bytes]:
    """Unpacked as they are asked for, so that a small file that swells is let go of at the cap."""
    try:
        with gzip.GzipFile(fileobj=source, mode="rb") as unpacked:
            while line := unpacked.readline(MOST_LINE + 1):
                most -= len(line)
                if most < 0 or len(line) > MOST_LINE:
                    raise _damaged("it is larger than any backup when unpacked")
                if not line.endswith(b"\n"):
                    raise _damaged("its end is missing")
                yield line
    except EOFError:
        raise _damaged("its end is missing") from None
    except gzip.BadGzipFile as wrong:
        why = "its checksum is another" if "CRC" in str(wrong) or "length" in str(wrong) else "it is not gzip"
        raise _damaged(why) from None
    except zlib.error:
        raise _damaged("it cannot be unpacked") from None


def _parsed(line: bytes, why: str = "a line of it is none of a backup") -> Any:
    try:
        return json_text.read(line)
    except (ValueError, RecursionError):
        raise _damaged(why) from None


def _names(values: Sequence[object]) -> bool:
    return all(isinstance(one, str) for one in values) and len(set(values)) == len(values)


def _plain(value: Any) -> Any:
    return {"b": b64encode(value).decode()} if isinstance(value, bytes | memoryview) else value


def _value(value: Any) -> Any:
    match value:
        case {"b": str(text)} if len(value) == 1:
            try:
                return b64decode(text, validate=True)
            except ValueError:
                pass
        case None | bool() | int() | float() | str():
            return value
    raise _damaged("a value of it is of no kind that a database holds")


def _damaged(why: str) -> UserError:
    return UserError(f"the backup is damaged: {why}", _DAMAGED)
