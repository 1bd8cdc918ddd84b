"""Runs, effects and calls as the API shows them."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from bot.core.inference import ModelCall, ToolUse
from bot.log import redact
from bot.store import EffectRow, Run

HIDDEN = ("owner", "lease_until", "fence", "superseded", "supersedes", "revivals")


def as_json(run: Run) -> dict[str, Any]:
    """A run as the API shows it: times in ISO 8601, durations in seconds."""
    shown = {key: value for key, value in asdict(run).items() if key not in HIDDEN}
    for key in ("arrived_at", "created_at", "started_at", "finished_at", "not_before"):
        shown[key] = when(shown[key])
    shown["error"], shown["summary"] = redact(run.error), redact(run.summary)
    shown["seconds"] = (
        round(run.finished_at - run.started_at, 3) if run.finished_at and run.started_at else None
    )
    return shown


def effect_as_json(row: EffectRow) -> dict[str, Any]:
    """An effect: what, how far, where on GitHub."""
    return {
        "kind": row.kind,
        "state": row.state,
        "url": row.url or None,
        "attempts": row.attempts,
        "error": redact(row.error),
        "changed_at": when(row.changed_at),
    }


def call_as_json(call: ModelCall) -> dict[str, Any]:
    """A model call: whom, how long, what came of it."""
    shown = {**asdict(call), "at": when(call.at), "failure": redact(call.failure)}
    shown["seconds"] = round(call.seconds, 3)
    shown["first_token_seconds"] = round(call.first_token_seconds, 3)
    del shown["said"]
    return {**shown, "left_out": list(call.left_out)}


def tool_as_json(use: ToolUse) -> dict[str, Any]:
    """A call of a tool: what, with what, how it ended."""
    return {
        "at": when(use.at),
        "name": use.name,
        "arguments": redact(use.arguments),
        "bytes": use.bytes,
        "seconds": round(use.seconds, 3),
        "failure": redact(use.failure),
    }


def when(seconds: float | None) -> str | None:
    """Epoch seconds as ISO 8601; None for none."""
    if not seconds:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
