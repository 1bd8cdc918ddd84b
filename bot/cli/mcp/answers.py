"""What a tool gives, made fit to be sent: bounded, without secrets, without what nobody sees."""

import json
from typing import Any

from pydantic import ValidationError

from bot.core.text import cut, for_terminal
from bot.log import redact

MOST_CHARS = 200_000
"""Of one answer."""
LONGEST_LINE = 2_000


def complaint(wrong: ValidationError) -> str:
    """What is wrong with arguments, without what was given: it may be long."""
    said = [
        f"{'.'.join(map(str, one['loc'])) or 'the arguments'}: {one['msg']}" for one in wrong.errors()[:5]
    ]
    return cut("; ".join(said), LONGEST_LINE, end="…")


def cleaned(value: Any) -> Any:
    """Every text without what nobody sees, and without secrets."""
    if isinstance(value, str):
        return for_terminal(redact(value))
    if isinstance(value, dict):
        return {str(key): cleaned(one) for key, one in value.items()}
    return [cleaned(one) for one in value] if isinstance(value, list | tuple) else value


def bounded(told: dict[str, Any], most: int = MOST_CHARS) -> dict[str, Any]:
    """The same in at most so many characters of JSON: of lists the last go first, of texts the end. That
    something is left out stands in `notes`."""
    if _size(told) <= most:
        return told
    notes = [*told.get("notes", [])[:10], "the answer was too long: some of it is left out"]
    rest = {key: value for key, value in told.items() if key != "notes"}
    while _size(rest) + _size(notes) > most and rest:
        rest = _halved(rest)
    return {**rest, "notes": [cut(str(note), LONGEST_LINE, end="…") for note in notes]}


def _halved(value: Any) -> Any:
    """Half of what is longest in it; None for what has no half."""
    if isinstance(value, dict) and value:
        longest = max(value, key=lambda key: _size(value[key]))
        half = _halved(value[longest])
        return {key: half if key == longest else one for key, one in value.items() if key != longest or half}
    if isinstance(value, list) and len(value) > 1:
        return value[: len(value) // 2]
    if isinstance(value, list) and value:
        half = _halved(value[0])
        return [half] if half else []
    return cut(value, len(value) // 2, end="…") if isinstance(value, str) and len(value) > 1 else None


def _size(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False))
