"""When to ask GitHub for deliveries again.

Whoever did something mostly does more soon, so the time to the next look grows with the time since the last
delivery, from seconds to a minute. Looks above one a minute, and reading deliveries, are paid from an
allowance that deliveries themselves fill: an hour in which n are listed costs at most 121 + 1.33 n calls,
also where each is read; one without any, after an hour without any, 61. All times are seconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

REST_SECONDS = 60.0
SOON_SECONDS = 6.0
AGE_FACTOR = 0.3
"""The time to the next look, in times since the last delivery was seen."""
MOST_ALLOWED = 40.0
ALLOWED_AN_HOUR = 20.0
ALLOWED_A_DELIVERY = 1.33
FIRST_FAILURE_SECONDS = 5.0
NEAR_LIMIT = 0.2
"""Where less than this of the rate limit is left, others need it more."""
NEAR_LIMIT_SECONDS = 300.0
CALLS_AN_HOUR = 5000
"""GitHub's least; https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api"""
HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Pace:
    """`allowed`: calls above one look a minute, at the last look; `seen_at`: when something new was seen
    last, by our clock."""

    allowed: float = MOST_ALLOWED
    seen_at: float = 0.0
    looked_at: float = 0.0
    failures: int = 0

    def after_look(self, now: float, calls: int, new: int, left: float = 1.0) -> "tuple[Pace, float]":
        """The next pace, and how long to wait. `calls`: what the look took; `new`: deliveries that were
        listed for the first time; `left`: the share of the rate limit that is left."""
        came = ALLOWED_A_DELIVERY * new + ALLOWED_AN_HOUR * max(now - self.looked_at, 0) / HOUR
        allowed = max(min(self.allowed + came - max(calls - 1, 0), MOST_ALLOWED), -MOST_ALLOWED)
        seen_at = now if new else self.seen_at
        wait = min(max(AGE_FACTOR * (now - seen_at), SOON_SECONDS), REST_SECONDS)
        if allowed < (cost := 1 - wait / REST_SECONDS):
            wait, cost = REST_SECONDS, 0.0
        if left < NEAR_LIMIT:
            wait = NEAR_LIMIT_SECONDS
        return Pace(allowed - cost, seen_at, now), wait

    def after_failure(self, asked_to_wait: float = 0.0) -> "tuple[Pace, float]":
        """Twice as long each time, up to a minute; as long as GitHub asked for, if it did."""
        wait = min(FIRST_FAILURE_SECONDS * 2.0 ** min(self.failures, 10), REST_SECONDS)
        return replace(self, failures=self.failures + 1), max(wait, asked_to_wait)


def calls_left(spent: Sequence[tuple[int, int]], now: float, share: float) -> int:
    """Calls that the share of the limit still has in this hour, which is one at the least; `spent`: (minute
    since 1970, calls)."""
    used = sum(calls for minute, calls in spent if minute > (now - HOUR) // 60)
    return max(int(share * CALLS_AN_HOUR), 1) - used


def until_calls(spent: Sequence[tuple[int, int]], now: float, share: float) -> float:
    """How long until the share has a call again; 0.0: it has one."""
    wait = 0.0
    for minute, _ in sorted(spent):
        if calls_left(spent, now + wait, share) > 0:
            return wait
        wait = max(wait, minute * 60.0 + HOUR + 60.0 - now)
    return wait
