"""Keeps the runs of this process: one thread beats for all of them, in one transaction, whatever the event
loop does."""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from bot.core.errors import Superseded
from bot.store.errors import StoreUnavailable
from bot.store.runs import LEASE_SECONDS, Runs, Verdict
from bot.store.values import Run

log = logging.getLogger(__name__)

BEAT_SECONDS = 3.0


@dataclass(slots=True)
class _Held:
    run: Run
    task: asyncio.Task[object]
    loop: asyncio.AbstractEventLoop
    safe_until: float
    """`time.monotonic()` when the lease ends if no beat succeeds"""
    verdict: Verdict = "ok"

    def stop(self, verdict: Verdict) -> None:
        """Called from the heart's thread: cancels the body."""
        self.verdict = verdict
        with suppress(RuntimeError):  # the loop is closed: there is nobody left to tell
            self.loop.call_soon_threadsafe(self.task.cancel)


class Heart:
    """`async with heart.hold(run): …`. The thread lives while a run is held."""

    def __init__(
        self, runs: Runs, lease_seconds: float = LEASE_SECONDS, beat_seconds: float = BEAT_SECONDS
    ) -> None:
        self._runs = runs
        self._lease = lease_seconds
        self._every = beat_seconds
        self._held: dict[int, _Held] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    @asynccontextmanager
    async def hold(self, run: Run) -> AsyncIterator[None]:
        """Keeps `run` while the body runs, then lets go of the heartbeat (not of the run: finish or retry
        it).

        Lost or no longer wanted: the body is cancelled and `Superseded` is raised. Cancelled from outside
        (the worker goes down): the run goes back into the queue at once.
        """
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("hold() is for tasks")
        held = _Held(run, task, asyncio.get_running_loop(), time.monotonic() + self._lease)
        self._add(held)
        try:
            yield
        except asyncio.CancelledError:
            self._remove(held)
            if held.verdict != "ok" and task.uncancel() == 0:
                raise Superseded(_WHY[held.verdict]) from None
            await self._release(run)
            raise
        finally:
            self._remove(held)

    def beat(self) -> None:
        """One heartbeat of everything held. A database that is away is waited for until the leases end."""
        with self._lock:
            held = [each for each in self._held.values() if each.verdict == "ok"]
        started = time.monotonic()
        try:
            verdicts = self._runs.heartbeats([each.run for each in held], self._lease) if held else {}
        except StoreUnavailable as error:
            log.warning("no heartbeat: %s", error)
            verdicts = {each.run.id: "lost" for each in held if time.monotonic() > each.safe_until}
        for each in held:
            verdict = verdicts.get(each.run.id)
            if verdict == "ok":
                each.safe_until = started + self._lease
            elif verdict is not None:
                each.stop(verdict)

    def _add(self, held: _Held) -> None:
        with self._lock:
            self._held[held.run.id] = held
            if self._thread is None:
                self._thread = threading.Thread(target=self._beat_forever, name="heart", daemon=True)
                self._thread.start()

    def _remove(self, held: _Held) -> None:
        with self._lock:
            if self._held.get(held.run.id) is held:
                del self._held[held.run.id]
            if not self._held:
                self._wake.set()

    def _beat_forever(self) -> None:
        while True:
            self._wake.wait(self._every)
            with self._lock:
                self._wake.clear()
                if not self._held:
                    self._thread = None
                    return
            self._beat_safely()

    def _beat_safely(self) -> None:
        try:
            self.beat()
        except Exception:
            log.exception("the heartbeat failed")

    async def _release(self, run: Run) -> None:
        try:
            await asyncio.shield(asyncio.to_thread(self._runs.release, run))
        except (StoreUnavailable, Superseded) as error:
            log.warning("run %s was not released: %s", run.id, error)


_WHY: dict[Verdict, str] = {
    "ok": "",
    "lost": "another worker took this run over",
    "superseded": "a newer event took its place",
}
