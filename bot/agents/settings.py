"""What counts here and where it was said, in words for a comment. Asks no model."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bot.core.labels import Choice
from bot.core.settings import Complaint
from bot.core.settings_merge import DEFAULT, Valued, plain
from bot.core.text import cut, fence_for, in_code

_CELL = 90
_LABELS = 60
_UNTOLD = frozenset({"archives"})
"""Names other repositories, which not everybody here may know of."""


def table(merged: Mapping[str, Valued], complaints: Sequence[Complaint] = (), topic: str = "") -> str:
    """Every key that begins with `topic`, those that somebody set first, with its layer; all where none
    does."""
    chosen = {name: one for name, one in merged.items() if name.startswith(topic)} or dict(merged)
    order = sorted(chosen, key=lambda name: (chosen[name].layer == DEFAULT, name))
    rows = [
        f"| `{name}` | {_value(name, chosen[name].value)} | {_cell(chosen[name].layer)} |" for name in order
    ]
    said = "\n".join(["| key | value | from |", "|---|---|---|", *rows])
    for path in dict.fromkeys(one.path for one in complaints):
        lines = "\n".join(f"- {one.message}" for one in complaints if one.path == path)
        said += f"\n\nNot taken from {in_code(path)}:\n\n{lines}"
    return said


def labels_table(every: Sequence[Choice]) -> str:
    """Which labels a triage may choose, and why, then those that it may not. Empty where none exists."""
    if not every:
        return ""
    order = sorted(every, key=lambda one: (not one.may, one.name))
    rows = [f"| {_cell(one.name)} | {'yes' if one.may else 'no'} | {_cell(one.why)} |" for one in order]
    more = [f"| … | | {len(rows) - _LABELS} more |"] if len(rows) > _LABELS else []
    heading = "Of the labels here a triage of a new issue may choose:"
    return "\n".join([f"\n\n{heading}\n", "| label | may | why |", "|---|---|---|", *rows[:_LABELS], *more])


def _value(name: str, value: Any) -> str:
    if name in _UNTOLD and value:
        return f"{len(value)} repositories"
    text = json.dumps(plain(value), ensure_ascii=False, default=str)
    return _cell(text)


def _cell(text: str) -> str:
    """In code, whatever it says, and no end of a cell."""
    text = cut(" ".join(text.replace("|", "¦").split()), _CELL, end="…")
    mark = fence_for(text, shortest=1)
    return f"{mark} {text} {mark}" if "`" in text else f"`{text}`"
