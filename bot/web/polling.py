"""What the pages say of the asking for deliveries."""

import asyncio
import time

from bot.core.polling_pace import CALLS_AN_HOUR, HOUR
from bot.store.polling import BUCKETS, PollingRow, PollingStatus
from bot.web.counters import series
from bot.web.runs import when

LATE_SECONDS = 420.0
"""After which nobody seems to ask any more: the longest time between two looks is five minutes."""


async def polling_line(row: PollingRow, share: float) -> str:
    """How it goes; raises what is wrong with it, and since when."""
    return told(await asyncio.to_thread(row.load), share, time.time())


def told(status: PollingStatus, share: float, now: float) -> str:
    """ConnectionError where it fails, or nobody does it."""
    if status.failing_since:
        raise ConnectionError(f"polling fails since {when(status.failing_since)}: {status.error}")
    if not status.looked_at:
        raise ConnectionError("GitHub was not asked for deliveries yet: a worker does it (hob work)")
    if now > max(status.next_at, status.looked_at) + LATE_SECONDS:
        raise ConnectionError(f"GitHub was not asked for deliveries since {when(status.looked_at)}")
    calls = status.calls_since(now - HOUR)
    said = f"asked {max(now - status.looked_at, 0):.0f} s ago, again in {max(status.next_at - now, 0):.0f} s"
    said += f"; {calls} calls in the last hour, of {share * CALLS_AN_HOUR:.0f} at most"
    if status.median is not None:
        said += f"; half of the last {len(status.recent)} deliveries were here within {status.median:.0f} s"
    return said


def metric_lines(status: PollingStatus) -> list[str]:
    """For Prometheus; the histogram as its text format has them."""
    about = "Seconds from GitHub's time of a delivery to the inbox."
    head = series("hob_polling_delivery_seconds", about, (), {}, kind="histogram")
    rows = [*zip((f"{upto:g}" for upto in BUCKETS), status.buckets, strict=True), ("+Inf", status.deliveries)]
    return [
        *series("hob_polling_calls_total", "Calls of polling.", (), {(): status.calls}, kind="counter"),
        *series("hob_polling_failing", "Whether it fails.", (), {(): int(bool(status.failing_since))}),
        *series("hob_polling_looks_total", "Looks at the list.", (), {(): status.looks}, kind="counter"),
        *head,
        *(f'hob_polling_delivery_seconds_bucket{{le="{upto}"}} {many}' for upto, many in rows),
        f"hob_polling_delivery_seconds_sum {round(status.seconds, 3)}",
        f"hob_polling_delivery_seconds_count {status.deliveries}",
    ]
