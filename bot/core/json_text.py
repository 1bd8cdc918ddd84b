"""JSON that strangers wrote, as files, databases and wires take it."""

import json
import re
from typing import Any

_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
"""How JSON writes a half of a character, mostly one of two."""


def read(data: bytes, **how: Any) -> Any:
    """The value, of UTF-8 alone; ValueError for what is no JSON, or has a text that is not of whole
    characters, RecursionError for what is nested too deeply. `how`: as `json.loads` takes it."""
    found = json.loads(data.decode("utf-8-sig"), **how)  # of bytes it would take halves as they are
    if _HALF.search(data):
        json.dumps(found, ensure_ascii=False).encode()
    return found


def is_json(text: str) -> bool:
    """Whether it is JSON that can be read, whatever it says."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
