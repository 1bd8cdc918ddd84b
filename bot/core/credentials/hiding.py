"""A text without credentials, to be sent where they must not go. What may be one is hidden, samples and tests
included; lines stay lines, so that what is said of the others can be found again."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from bot.core.credentials import issued, words
from bot.core.credentials.found import HARD_CODED, LONGEST, found, may_hold, readable, sure

HIDDEN = "[hidden]"
MOST_KEY_LINES = 200
_OVERLAP = 4_096
"""Characters that two pieces of a very long line share."""

_ASSIGNED = (
    r"(?i)(?:password|passwd|secret|api_?key|access_?key|auth_?token|access_?token|private_?key)[\w-]{0,20}['\"]?"
    r"\s{0,5}[:=]\s{0,5}['\"]([^'\"\s]{12,200})['\"]"
)
_UNQUOTED = (
    r"(?i)^[+\- ]?\s{0,40}(?:[0-9]{1,6}\s)?\s{0,40}(?:export\s{1,5})?[\w.-]{0,60}"
    r"(?:password|passwd|secret|api_?key|access_?key|token|private_?key)"
    r"[\w-]{0,20}\s{0,5}[:=]\s{0,5}([a-z0-9+/=-]{24,200})\s{0,20}(?:#.{0,200})?$"
)
_LOOSE = r"(?:^|[\s/:+-])([A-Za-z_$][\w$.-]{0,99})[\"']?\s{0,3}[:=]\s{0,3}([^\s\"'`#(){}\[\]<>$,;&|\\]{8,})"
_PLACEHOLDER = re.compile(
    r"(?i)example|placeholder|changeme|change-me|your[-_]|dummy|xxxx|\*\*\*|<[^>]*>|\$\{|\{\{|test|fake|sample|redacted"
)
_PADDING = re.compile(r"^[+\- ]?\s*(?:\d{1,6}\s)?[\s\"'`>#*/]*")
_KEY_PART = re.compile(r"[A-Za-z0-9+/=]+")
_KEY_END = re.compile(r"-----END [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----")


@dataclass(frozen=True, slots=True)
class Hidden:
    """`kinds`: what was hidden, each as often as it was."""

    text: str
    kinds: tuple[str, ...] = ()


def without(text: str) -> Hidden:
    """The text with every credential's value replaced; a private key whole."""
    kinds: list[str] = []
    lines = readable(text).split("\n")
    left = 0
    for number, line in enumerate(lines):
        if left:
            lines[number], left = _inside_key(line, left)
            continue
        spans = list(_spans(line))
        lines[number] = _cut(line, spans)
        kinds += [kind for kind, _, _ in spans]
        if any(kind == issued.PRIVATE_KEY for kind, _, _ in spans) and not _KEY_END.search(line):
            left = MOST_KEY_LINES
    return Hidden("\n".join(lines) if kinds else text, tuple(kinds))


def _spans(line: str) -> Iterator[tuple[str, int, int]]:
    """(kind, start, end) of what is hidden of a line, however long it is."""
    for start in range(0, max(1, len(line)), LONGEST - _OVERLAP):
        piece = line[start : start + LONGEST]
        if may_hold(piece):
            for kind, first, last in _in_piece(piece):
                yield kind, start + first, start + last


def _in_piece(line: str) -> Iterator[tuple[str, int, int]]:
    surely = list(_issued(line))
    yield from surely
    ends = {start: end for _, start, end in surely}
    for kind, start, end in issued.widely_shaped(line):
        is_sample = kind == issued.KEY_ID and "EXAMPLE" in line[start:end].upper()
        if not is_sample and end > ends.get(start, -1):
            yield kind, start, end
    yield from _named(line)


def _issued(line: str) -> Iterator[tuple[str, int, int]]:
    for kind, start, end in issued.shaped(line):
        value = line[start:end]
        if kind == issued.PRIVATE_KEY:
            over = _KEY_END.search(line, end)
            yield kind, start, over.end() if over else len(line)
        elif kind == issued.URL:
            login, _, host = value.rpartition("@")
            begins = value.index("://") + 3
            if not login.endswith("://user:password") and not issued.is_address(login[begins:], host):
                yield kind, start + begins, start + len(login)
        elif "EXAMPLE" not in value.upper() and "xxxxxxxx" not in value.lower():
            yield kind, start, end


def _named(line: str) -> Iterator[tuple[str, int, int]]:
    for one in found(line):
        if one.kind == HARD_CODED:
            yield one.kind, one.start, one.end
    for match in _loose().finditer(line):
        if sure(match.group(1), match.group(2), line):
            yield HARD_CODED, *match.span(2)
    for pattern, is_one in _wide():
        for match in pattern.finditer(line):
            if not _PLACEHOLDER.search(match.group(1)) and is_one(match.group(1)):
                yield HARD_CODED, *match.span(1)


@cache
def _loose() -> Any:
    """An assignment without quotes anywhere in a line, behind the marks of a diff or a quotation."""
    return issued.compiled(_LOOSE)


@cache
def _wide() -> tuple[tuple[Any, Any], ...]:
    """Names and values that only may be credentials: too little for a remark, enough to keep them here."""
    return (
        (issued.compiled(_ASSIGNED), lambda value: words.entropy(value) >= 3.5),
        (issued.compiled(_UNQUOTED), _alternates),
    )


def _alternates(value: str) -> bool:
    """Digits among letters throughout."""
    turns = len(re.findall(r"(?<=[A-Za-z])(?=[0-9])|(?<=[0-9])(?=[A-Za-z])", value))
    return turns >= 5 and words.entropy(value) >= 3.0


def _cut(line: str, spans: list[tuple[str, int, int]]) -> str:
    parts: list[str] = []
    done = 0
    for _, start, end in sorted(spans, key=lambda one: (one[1], -one[2])):
        if end > done:
            parts += [line[done:start], HIDDEN] if start >= done else [HIDDEN]
            done = end
    return "".join(parts) + line[done:] if parts else line


def _inside_key(line: str, left: int) -> tuple[str, int]:
    """A line behind the first of a private key, and how many more may belong to it. Two lines that are no
    part of one end it."""
    if over := _KEY_END.search(line):
        return HIDDEN + line[over.end() :], 0
    pad = _PADDING.match(line[:200])
    inside = line[pad.end() if pad else 0 :]
    longest = max(_KEY_PART.findall(inside), key=len, default="")
    if len(longest) >= 40 or (longest and len(longest) >= 0.7 * len(inside.strip())):
        return line[: len(line) - len(inside)] + HIDDEN, min(left, MOST_KEY_LINES) - 1 if left > 2 else left
    if not inside.strip() or ":" in inside[:20] or inside.startswith("@@"):
        return line, left - 1
    return line, 0 if left <= MOST_KEY_LINES - 2 else left - 1
