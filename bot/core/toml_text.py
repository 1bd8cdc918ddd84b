"""TOML that strangers wrote, read in time that grows with its length; and one's own, changed in place."""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

MOST_DOTS = 50
"""Parts of a name, or of a table's name: Python's reader takes the square of their number."""


def read(text: str) -> dict[str, Any]:
    """The tree; ValueError (tomllib's error is one) for what is no TOML, or has names of very many parts."""
    if any(line.partition("=")[0].count(".") > MOST_DOTS for line in text.split("\n")):
        raise ValueError(f"a name in it has more than {MOST_DOTS} parts")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


TomlValue = str | int | bool | Sequence[str]
TomlChanges = Mapping[str, Mapping[str, TomlValue]]
"""Table -> key -> value."""
MOST_LINES = 200
"""Of one value that is written anew."""
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
"""Only these end a line of TOML; a text in it may hold others of Unicode's."""
_KEY = r"[ \t]*(?:\"{0}\"|'{0}'|{0})[ \t]*="


def edited(text: str, changes: TomlChanges) -> str:
    """`text` with these keys set; all else stays as it stands, comments and order too. ValueError where it is
    no TOML, or where a key is written in a way that only a person should change."""
    before = read(text)
    end = "\r\n" if "\r\n" in text else "\n"
    lines = _LINE.findall(text)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += end
    for table, keys in changes.items():
        for key, value in keys.items():
            _set(lines, table, key, f"{key} = {toml_value(value)}", end)
    new = "".join(lines)
    try:
        proved = read(new) == _with(before, changes)
    except ValueError:
        proved = False
    if not proved:
        raise ValueError("its keys are written in a way that a program does not change")
    return new


def _with(tree: dict[str, Any], changes: TomlChanges) -> dict[str, Any]:
    merged = dict(tree)
    for table, keys in changes.items():
        below = tree.get(table, {})
        if not isinstance(below, dict):
            raise ValueError(f"{table} is no table in it")  # noqa: TRY004  of the text, not of an argument
        plain = {key: value if isinstance(value, str | int) else list(value) for key, value in keys.items()}
        merged[table] = {**below, **plain}
    return merged


def _set(lines: list[str], table: str, key: str, written: str, end: str) -> None:
    """In the table's own lines: over the value that is there, else at its end, else in a new table."""
    header = re.compile(rf"[ \t]*\[[ \t]*{re.escape(table)}[ \t]*\][ \t]*(?:#.*)?")
    start = next((n for n, line in enumerate(lines) if header.fullmatch(line.rstrip("\r\n"))), None)
    if start is None:
        blank = [end] if lines and lines[-1].strip() else []
        lines += [*blank, f"[{table}]{end}", written + end]
        return
    stop = next((n for n in range(start + 1, len(lines)) if lines[n].lstrip().startswith("[")), len(lines))
    named = re.compile(_KEY.format(re.escape(key)))
    for n in range(start + 1, stop):
        if named.match(lines[n]):
            size = _size(lines[n:stop])
            lines[n : n + size] = [written + _comment(lines[n], size) + end]
            return
    last = max(n for n in range(start, stop) if n == start or not _says_nothing(lines[n]))
    lines.insert(last + 1, written + end)


def _says_nothing(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def _size(lines: Sequence[str]) -> int:
    """How many lines the value that begins in the first of them takes."""
    for size in range(1, min(len(lines), MOST_LINES) + 1):
        try:
            read("".join(lines[:size]))
        except ValueError:
            continue
        return size
    raise ValueError("a value in it has very many lines")


def _comment(line: str, size: int) -> str:
    """What a person wrote behind a value on its line."""
    line = line.rstrip("\r\n")
    ends = [n for n, char in enumerate(line) if char == "#"][:MOST_DOTS] if size == 1 else []
    for at in ends:
        try:
            same = read(line[:at]) == read(line)
        except ValueError:
            continue
        if same:
            return f"  {line[at:]}"
    return ""


def toml_value(value: TomlValue) -> str:
    """As a hob.toml has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return f"[{', '.join(toml_value(each) for each in value)}]"
