"""Keeps the runs of this process: one thread beats for all of them, in one transaction, whatever the event
loop does."""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from bot.core.errors import LeaseLost, Superseded
from bot.store.types import HeartbeatVerdict, Run, StoreUnavailable

log = logging.getLogger(__name__)

BEATS_A_LEASE = 3
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""It goes on while the machine sleeps, and nobody sets it."""


def elapsed() -> float:
    """Seconds since some moment, by a clock that only goes forward."""
    return time.clock_gettime(_CLOCK)


@dataclass(slots=True)
class _Held:
    run: Run
    seconds: float
    task: asyncio.Task[object]
    loop: asyncio.AbstractEventLoop
    safe_until: float
    """`elapsed()` when the lease ends if no beat succeeds."""
    verdict: HeartbeatVerdict = "ok"


class HeartbeatThread:
    """`beat(runs, seconds)` and `release(run)` are those of `Runs`. The thread lives while a run is held."""

    def __init__(
        self,
        beat: Callable[[Sequence[Run], float], dict[int, HeartbeatVerdict]],
        release: Callable[[Run], object],
    ) -> None:
        self._beat = beat
        self._release = release
        self._held: dict[int, _Held] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._last = 0.0

    @asynccontextmanager
    async def hold(self, run: Run, seconds: float) -> AsyncIterator[None]:
        """Keeps `run` by leases of `seconds` while the body runs, then lets go of the heartbeat (not of the
        run: finish or retry it).

        Lost or no longer wanted: the body is cancelled and `LeaseLost` or `Superseded` is raised. Cancelled
        from outside (the worker goes down): the run goes back into the queue at once.
        """
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("hold() is for tasks")
        left = min(seconds, run.lease_until - time.time())  # it was claimed some time ago
        held = _Held(run, seconds, task, asyncio.get_running_loop(), elapsed() + left)
        self._add(held)
        try:
            yield
        except asyncio.CancelledError:
            self._remove(held)
            if held.verdict != "ok" and task.uncancel() == 0:
                raise (LeaseLost if held.verdict == "lost" else Superseded)(_WHY[held.verdict]) from None
            await self._give_back(run)
            raise
        finally:
            self._remove(held)

    def require(self, run: Run) -> None:
        """`LeaseLost` once the lease may have ended. Asked before each write to GitHub: a process that was
        stopped for a while goes on where it was, before any beat tells it that another has its run."""
        with self._lock:
            held = self._held.get(run.id)
        if held is None or held.run.fence != run.fence or elapsed() > held.safe_until:
            raise LeaseLost("its lease may have ended meanwhile")

    def beat(self) -> None:
        """One heartbeat of everything held. A database that is away is waited for until the leases end."""
        with self._lock:
            held = [each for each in self._held.values() if each.verdict == "ok"]
        started = elapsed()
        for each, verdict in self._verdicts(held):
            if verdict == "ok":
                each.safe_until = started + each.seconds
            elif verdict is not None:
                with suppress(RuntimeError):  # the loop is closed: there is nobody left to tell
                    each.loop.call_soon_threadsafe(self._stop, each, verdict)

    def _stop(self, held: _Held, verdict: HeartbeatVerdict) -> None:
        """On the loop's thread, so that a body which has just ended is not cancelled in what it does next."""
        if self._held.get(held.run.id) is held and held.verdict == "ok":
            held.verdict = verdict
            held.task.cancel()

    def _verdicts(self, held: Sequence[_Held]) -> list[tuple[_Held, HeartbeatVerdict | None]]:
        if not held:
            return []
        try:
            told = self._beat([each.run for each in held], max(each.seconds for each in held))
        except StoreUnavailable as error:
            log.warning("no heartbeat: %s", error)
            now = elapsed()
            return [(each, "lost" if now > each.safe_until else None) for each in held]
        return [(each, told[each.run.id]) for each in held]

    def _add(self, held: _Held) -> None:
        with self._lock:
            self._held[held.run.id] = held
            if self._thread is None:
                self._thread = threading.Thread(target=self._beat_forever, name="heartbeat", daemon=True)
                self._thread.start()
            else:
                self._wake.set()  # its lease may be shorter than those the thread knows

    def _remove(self, held: _Held) -> None:
        with self._lock:
            if self._held.get(held.run.id) is held:
                del self._held[held.run.id]
            if not self._held:
                self._wake.set()

    def _due(self) -> float | None:
        """Seconds until the next beat; None when nothing is held and the thread is to end."""
        with self._lock:
            self._wake.clear()
            if not self._held:
                self._thread = None
                return None
            every = min(each.seconds for each in self._held.values()) / BEATS_A_LEASE
            return self._last + every - time.monotonic()

    def _beat_forever(self) -> None:
        self._last = time.monotonic()
        while (pause := self._due()) is not None:
            if pause > 0:
                self._wake.wait(pause)
            else:
                self._last = time.monotonic()
                self._beat_safely()

    def _beat_safely(self) -> None:
        try:
            self.beat()
        except Exception:
            log.exception("the heartbeat failed")

    async def _give_back(self, run: Run) -> None:
        try:
            await asyncio.shield(asyncio.to_thread(self._release, run))
        except (StoreUnavailable, Superseded) as error:
            log.warning("run %s was not released: %s", run.id, error)


_WHY: dict[HeartbeatVerdict, str] = {
    "ok": "",
    "lost": "another worker took this run over",
    "superseded": "a newer event took its place",
}
