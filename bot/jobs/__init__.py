"""Floor 5: runs. `perform(run_id)` is the one function that RQ may call."""

from bot.jobs.perform import perform

__all__ = ["perform"]
