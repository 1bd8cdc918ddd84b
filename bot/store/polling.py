"""How the asking for deliveries goes: written by the one process that asks, read by those that show it.

One row, replaced as a whole.
"""

import zlib
from dataclasses import dataclass

from msgspec import DecodeError, Struct, field
from msgspec.json import decode, encode
from sqlalchemy import select

from bot.store.database import Database
from bot.store.tables import meta

KEY = "polling"
BUCKETS = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 3600.0)
"""Seconds from a delivery to the inbox, as Prometheus' histograms have them."""
RECENT = 100
"""Deliveries of which the latency is told."""


class PollingStatus(Struct):
    """Times are epoch seconds by the machine's clock; counts are those of all processes since the first."""

    looked_at: float = 0.0
    """The last look that went well."""
    next_at: float = 0.0
    failing_since: float = 0.0
    """0.0: it does not."""
    error: str = ""
    looks: int = 0
    calls: int = 0
    minutes: list[tuple[int, int]] = field(default_factory=list)
    """(minute since 1970, calls) of the last hour."""
    deliveries: int = 0
    buckets: list[int] = field(default_factory=lambda: [0] * len(BUCKETS))
    """How many deliveries took no longer than each of `BUCKETS`."""
    seconds: float = 0.0
    """What all of them took together."""
    recent: list[float] = field(default_factory=list)
    """Seconds that the last `RECENT` took, the newest last."""
    allowed: float | None = None
    seen_at: float = 0.0
    """With `allowed` the pace (`bot.core.polling_pace`), so that whoever takes over keeps to it."""

    def count(self, now: float, calls: int) -> None:
        """Calls that were made now."""
        minute = int(now // 60)
        self.calls += calls
        counted = {at: made for at, made in self.minutes if at > minute - 61}
        counted[minute] = counted.get(minute, 0) + calls
        self.minutes = sorted(counted.items())

    def took(self, seconds: float) -> None:
        """A delivery is in the inbox, so long after GitHub's time of it."""
        self.deliveries += 1
        self.seconds += seconds
        self.buckets = [many + (seconds <= upto) for many, upto in zip(self.buckets, BUCKETS, strict=True)]
        self.recent = [*self.recent[1 - RECENT :], round(seconds, 1)]

    def calls_since(self, since: float) -> int:
        return sum(made for minute, made in self.minutes if minute >= since // 60)

    @property
    def median(self) -> float | None:
        """Of the seconds that the last deliveries took; None: there were none."""
        return sorted(self.recent)[len(self.recent) // 2] if self.recent else None


@dataclass(frozen=True, slots=True)
class PollingRow:
    """Raises `StoreUnavailable`."""

    database: Database

    def load(self) -> PollingStatus:
        """A new one where there is none, or none that this version can read."""
        with self.database.read() as connection:
            found = connection.execute(select(meta.c.value).where(meta.c.key == KEY)).scalar_one_or_none()
        try:
            return decode(zlib.decompress(found), type=PollingStatus) if found else PollingStatus()
        except (DecodeError, zlib.error):
            return PollingStatus()

    def save(self, status: PollingStatus) -> None:
        value = zlib.compress(encode(status), 1)
        insert = self.database.insert(meta).values(key=KEY, value=value)
        with self.database.write() as connection:
            connection.execute(insert.on_conflict_do_update(index_elements=["key"], set_={"value": value}))
