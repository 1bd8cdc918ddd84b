"""A small change with one defect, and what a model says of it."""

from typing import Any

TEA = "def brew(water):\n    return water / 2\n"
BROKEN = "def brew(water):\n    water += 1\n    return water / 0\n"


def finding(**fields: Any) -> dict[str, Any]:
    """One finding of a model about BROKEN in `tea.py`."""
    return {
        "path": "tea.py",
        "quote": "return water / 0",
        "severity": "major",
        "category": "bug",
        "title": "Division by zero",
        "body": "This always fails.",
        "replacement": None,
        "confidence": 0.9,
    } | fields
