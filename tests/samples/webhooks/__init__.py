"""GitHub's published example payloads."""

from functools import cache
from pathlib import Path
from typing import Any

from tests.samples.archive import load_json


@cache
def _pairs() -> list[list[Any]]:
    pairs: list[list[Any]] = load_json(Path(__file__).parent / "examples.json.gz")
    return pairs


def example_payloads() -> list[tuple[str, str | None, dict[str, Any]]]:
    """(event, action, payload) of all 329; the action is None where the event has none."""
    return [(event, payload.get("action"), payload) for event, payload in _pairs()]
