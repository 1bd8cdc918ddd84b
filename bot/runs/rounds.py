"""How much a look for what was missed may cost at a time."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.runs.services import Services
from bot.store.reconciliation import MissedDelivery, Progress, Reconciliation, Tally

SHARE = 0.5
"""Of the rate limit: a round makes no more calls than this of what is allowed in its time, and none where
less than the rest is left."""
ALLOWED_AN_HOUR = 5000
"""GitHub's least; https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api"""
LEAST_CALLS, MOST_CALLS = 40, 2500
GRACE_SECONDS = 30.0


class RoundOver(Exception):
    """No more calls in this round."""


def calls_a_round(minutes: float) -> int:
    """For rounds that are so many minutes apart."""
    return max(LEAST_CALLS, min(MOST_CALLS, int(SHARE * ALLOWED_AN_HOUR * minutes / 60)))


@dataclass(slots=True)
class Round:
    """One round: what it may still call, how far things are, what was found. Nothing is called where `keeps`
    or less of the rate limit is left; a delivery younger than `grace` seconds may be on its way still."""

    services: Services
    kept: Reconciliation
    progress: Progress
    calls: int
    keeps: float = 1 - SHARE
    grace: float = GRACE_SECONDS
    makes_up: bool = True
    """Whether what is fetched was missed; False where deliveries come in no other way."""
    arrived: Callable[[MissedDelivery], None] = lambda one: None
    """Told of each delivery that is in the inbox now."""
    found: Tally = field(default_factory=Tally)
    listed: int = 0
    """Deliveries that were listed since the last look, read or not."""
    left: float = 1.0
    """The share of the rate limit that the last answer said is left."""

    def spend(self, calls: int = 1, left: float = 1.0) -> None:
        """Before so many calls. `left`: the share of the rate limit that the last answer said is left."""
        self.left = min(self.left, left)
        if self.calls < calls or left < self.keeps:
            raise RoundOver
        self.calls -= calls

    def reserve(self, calls: int) -> None:
        """For what is done as a whole."""
        if self.calls < calls:
            raise RoundOver

    async def save(self) -> None:
        await asyncio.to_thread(self.kept.save, self.progress)
