"""Deliveries into runs, runs into effects. `perform(run_id)` is the one function that RQ may call."""

from bot.runs.dry_run import dry_run
from bot.runs.execute import perform

__all__ = ["dry_run", "perform"]
