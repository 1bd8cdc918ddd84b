"""Characters on new lines that no reader sees and a compiler or a model reads: "Trojan Source"
(https://trojansource.codes, CVE-2021-42574) and hidden instructions in Unicode tags."""

import unicodedata
from collections import Counter

from bot.core.check_input import CheckedChange, new_lines
from bot.core.diff import HunkLine
from bot.core.findings import Finding
from bot.core.sandbox_types import RunProgram
from bot.core.text import some_of, strip_invisible

BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
TAGS = range(0xE0000, 0xE1000)
_BOM = "\ufeff"
MOST_NAMED = 4
TRANSLATIONS = (".po", ".pot", ".xlf", ".xliff", ".arb", ".strings")
"""Texts in which soft hyphens, narrow and zero-width spaces are at home."""


async def run(change: CheckedChange, _: RunProgram) -> list[Finding] | None:
    """One finding a line."""
    if not change.files:
        return None
    return [
        _finding(file.path, line, hidden)
        for file in change.files
        for line in new_lines(file)
        if (hidden := _hidden(line.text.removeprefix(_BOM) if line.new == 1 else line.text))
        and (_is_grave(hidden) or not file.path.endswith(TRANSLATIONS))
    ]


def _is_grave(hidden: list[str]) -> bool:
    return any(char in BIDI or ord(char) in TAGS for char in hidden)


def _hidden(text: str) -> list[str]:
    """The invisible characters of a text that are not at home there, in any order."""
    seen, removed = strip_invisible(text)
    return list((Counter(text) - Counter(seen)).elements()) if removed else []


def _finding(path: str, line: HunkLine, hidden: list[str]) -> Finding:
    kinds = sorted(set(hidden))
    grave = _is_grave(kinds)
    what = "1 invisible character" if len(hidden) == 1 else f"{len(hidden)} invisible characters"
    return Finding(
        path=path,
        severity="major" if grave else "minor",
        category="invisible",
        title=f"{what} on this line",
        body=f"{some_of([_name(char) for char in kinds], MOST_NAMED)}. "
        "What people see here is not what a program or a model reads.",
        quote=line.text,
        source="invisible",
        line=line.new,
    )


def _name(char: str) -> str:
    return f"U+{ord(char):04X} {unicodedata.name(char, '')}".rstrip()
