"""TOML that strangers wrote, read in time that grows with its length."""

import tomllib
from typing import Any

MOST_DOTS = 50
"""Parts of a name, or of a table's name: Python's reader takes the square of their number."""


def read(text: str) -> dict[str, Any]:
    """The tree; ValueError (tomllib's error is one) for what is no TOML, or has names of very many parts."""
    if any(line.partition("=")[0].count(".") > MOST_DOTS for line in text.splitlines()):
        raise ValueError(f"a name in it has more than {MOST_DOTS} parts")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
