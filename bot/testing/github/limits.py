"""GitHub's limits, as it documents them: calls an hour, points a minute, writes a minute and an hour.

https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

import math
import time
from collections import deque
from dataclasses import dataclass, field

POINTS_A_MINUTE = 900
WRITES_A_MINUTE, WRITES_AN_HOUR = 80, 500
SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."


@dataclass
class _Installation:
    hour: int = 0
    used: int = 0
    points: deque[tuple[float, int]] = field(default_factory=deque)
    writes: deque[float] = field(default_factory=deque)


@dataclass
class Limits:
    """What each installation has used. `pace`: how long a second of GitHub's is here; with a hundredth an
    hour is over after 36 seconds. `secondary`: whether those limits hold too."""

    per_hour: int = 5000
    app_per_hour: int = 5000
    """What the App may read as itself; it is installation 0 here."""
    secondary: bool = False
    pace: float = 1.0
    _of: dict[int, _Installation] = field(default_factory=dict)

    def take(self, installation: int, method: str) -> str:
        """Counts a call; why it is refused, or nothing. A write is what makes content."""
        one = self._here(installation)
        if one.used >= self.limit(installation):
            return f"API rate limit exceeded for installation ID {installation}."
        one.used += 1
        return self._too_fast(one, method) if self.secondary else ""

    def limit(self, installation: int) -> int:
        return self.per_hour if installation else self.app_per_hour

    def give_back(self, installation: int) -> None:
        """A call that costs nothing after all."""
        self._here(installation).used -= 1

    def used(self, installation: int) -> int:
        return self._here(installation).used

    def reset_at(self, now: float) -> int:
        """When the hour ends, by a clock that shows `now`."""
        hour = 3600 * self.pace
        return math.ceil((now // hour + 1) * hour)

    def _here(self, installation: int) -> _Installation:
        one = self._of.setdefault(installation, _Installation())
        hour = int(time.time() // (3600 * self.pace))
        if one.hour != hour:
            one.hour, one.used = hour, 0
        return one

    def _too_fast(self, one: _Installation, method: str) -> str:
        now, minute, hour = time.time(), 60 * self.pace, 3600 * self.pace
        write = method not in ("GET", "HEAD", "OPTIONS")
        while one.points and one.points[0][0] < now - minute:
            one.points.popleft()
        while one.writes and one.writes[0] < now - hour:
            one.writes.popleft()
        lately = sum(at >= now - minute for at in one.writes)
        if write and (len(one.writes) >= WRITES_AN_HOUR or lately >= WRITES_A_MINUTE):
            return SECONDARY
        points = 5 if write else 1
        if sum(spent for _, spent in one.points) + points > POINTS_A_MINUTE:
            return SECONDARY
        one.points.append((now, points))
        if write:
            one.writes.append(now)
        return ""
