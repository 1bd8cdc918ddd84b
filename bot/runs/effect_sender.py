"""Applies a run's effects, each exactly once, by the protocol of docs/design.md: `sending` is on disk
before the call; whatever may have happened without our knowing is looked for before it is sent again."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import msgspec
from sqlalchemy import Connection

from bot.core.effects import Effect
from bot.core.errors import (
    Ambiguous,
    GitHubError,
    LeaseLost,
    RateLimited,
    Superseded,
    TemporaryError,
    UserError,
)
from bot.core.refs import RepoRef
from bot.effects import of, on_github
from bot.effects.base import Applied, Destination, InMemory, Refused
from bot.github.client import Job
from bot.github.idempotency_marker import IdempotencyMarker
from bot.runs.effect_policy import load, safe
from bot.runs.refused_effects import reason
from bot.store import EffectRow, Run, Store
from bot.store.outbox import Outbox

TRIES = 3
FIRST_PAUSE, MOST_PATIENCE = 60.0, 3600.0
"""Seconds, for a refusal that passes and names no time: the first wait, and after how long it is final."""
SETTLED = ("done", "rejected", "shadow", "purged")
"""States of rows with which nothing is left to do."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EffectSender:
    """One run's way to GitHub, and to memory. `settle` is how many seconds an unclear write is given to show
    itself."""

    store: Store
    run: Run
    repo: RepoRef
    job: Job
    marker: IdempotencyMarker
    settle: float = 3.0

    @property
    def outbox(self) -> Outbox:
        return self.store.outbox

    async def apply(self, rows: list[EffectRow]) -> list[Refused]:
        """Carries the rows out in order; returns what GitHub has refused for good, now or before. What is
        void without that, and does not tell of it, is left out."""
        refused: list[Refused] = []
        last = len(rows)
        for row in rows:
            effect = load(row.kind, row.payload)
            if row.ordinal > last and of(effect).telling(effect, refused) == effect:
                await self._leave_out(row, refused[-1])
                continue
            if row.state == "rejected":
                refused.append(Refused(effect, row.error))
                last = min(last, row.ordinal) if of(effect).carries else last
            if row.state in SETTLED:
                continue
            try:
                effect = await self._telling(row, effect, refused)
                if isinstance(duties := of(effect), InMemory):
                    change = partial(duties.change, effect, self.store, self.repo)
                    await asyncio.to_thread(self._commit, row, change)
                else:
                    await self._one(row, effect)
            except (Ambiguous, TemporaryError, Superseded):
                raise
            except (GitHubError, UserError) as error:
                why = reason(error, effect, self.job.slug)
                await asyncio.to_thread(self.outbox.rejected, row.key, why)
                log.warning("%s was refused: %s", row.kind, error)
                refused.append(Refused(effect, why))
                last = min(last, row.ordinal) if of(effect).carries else last
        return refused

    async def stands(self, row: EffectRow) -> bool:
        """Whether an effect that an earlier attempt began is on GitHub."""
        effect = load(row.kind, row.payload)
        if row.state not in ("sending", "ambiguous") or isinstance(of(effect), InMemory):
            return False
        to = on_github(effect).destination(effect, self.job, self.repo, self.marker, row.key)
        return await self._look(effect, to, tried=row.attempts > 0) is not None

    async def settle_left(self) -> None:
        """Finds out what became of writes that runs before this one left unclear when they ended, superseded
        as a rule: what stands there counts as said, and is not said again."""
        for row in await asyncio.to_thread(self.outbox.left_unclear, self.run):
            effect = load(row.kind, row.payload)
            to = on_github(effect).destination(effect, self.job, self.repo, self.marker, row.key)
            try:
                found = await self._look(effect, to, tried=True)
            except GitHubError as error:
                log.info("no telling what became of the %s: %s", row.kind, error)
                found = None
            if found is None:
                await asyncio.to_thread(self.outbox.unsent, row.key)
            else:
                await asyncio.to_thread(self.outbox.done, row.key, found.url, found.github_id)

    async def _leave_out(self, row: EffectRow, without: Refused) -> None:
        if row.state not in SETTLED:
            await asyncio.to_thread(self.outbox.rejected, row.key, f"{without.kind} was refused")

    async def _telling(self, row: EffectRow, effect: Effect, refused: list[Refused]) -> Effect:
        """The effect as it tells of what was refused before it. It is on disk so before it is sent: what was
        not said must not be taken for said later."""
        told = of(effect).telling(effect, refused)
        if told == effect:
            return effect
        told = safe(told, self.repo)
        payload = msgspec.json.encode(told).decode()
        await asyncio.to_thread(self.outbox.rewrite, row.key, self.run, payload)
        return told

    def _commit(self, row: EffectRow, change: Callable[[Connection], None]) -> None:
        """In one transaction with the row's `done`: there is nothing to look for afterwards."""
        if not self.outbox.commit(row.key, self.run, change):
            raise LeaseLost("another worker has this run")

    async def _one(self, row: EffectRow, effect: Effect) -> None:
        """Sends one effect; looks for it first when an earlier attempt may have succeeded."""
        to = on_github(effect).destination(effect, self.job, self.repo, self.marker, row.key)
        unclear, tried = row.state in ("sending", "ambiguous"), row.attempts > 0
        for _ in range(TRIES):
            applied = await self._look(effect, to, tried=tried) if unclear else None
            if applied is None:
                if not await asyncio.to_thread(self.outbox.start_sending, row.key, self.run):
                    raise LeaseLost("another worker has this run")
                applied = await self._send(row, effect, to)
            if applied is not None:
                await asyncio.to_thread(self.outbox.done, row.key, applied.url, applied.github_id)
                return
            unclear = tried = True
        raise TemporaryError(f"no telling whether the {row.kind} was written; looking again later")

    async def _send(self, row: EffectRow, effect: Effect, to: Destination) -> Applied | None:
        """None when nobody knows. What is refused and can be mended is sent once more."""
        duties = on_github(effect)
        try:
            try:
                return await duties.send(effect, to)
            except GitHubError as refusal:
                mended = await duties.mended(effect, to, refusal)
                if mended is None:
                    raise
                return await duties.send(mended, to)
        except Ambiguous as error:
            log.info("unclear whether the %s was written: %s", row.kind, error)
            await asyncio.to_thread(self.outbox.ambiguous, row.key, str(error))
            return None
        except TemporaryError as error:
            if isinstance(error, RateLimited) and error.retry_after is None:
                error.retry_after = _pause(row, error)
            await asyncio.to_thread(self.outbox.later, row.key, error.retry_after, str(error))
            raise

    async def _look(self, effect: Effect, to: Destination, *, tried: bool) -> Applied | None:
        """Looks twice, some seconds apart, where it was `tried`: GitHub's lists lag behind its writes. What a
        database that was put back does not know of was written long before."""
        duties = on_github(effect)
        found = await duties.find(effect, to)
        if found is None and tried:
            await asyncio.sleep(self.settle)
            found = await duties.find(effect, to)
        return await duties.completed(effect, to, found) if found else None


def _pause(row: EffectRow, error: RateLimited) -> float:
    """Seconds until what holds up this row alone is tried again: 60, doubled each time, at most an hour."""
    if time.time() - row.created_at > MOST_PATIENCE:
        raise GitHubError(422, str(error), "pending")
    doubled: float = FIRST_PAUSE * 2 ** min(row.attempts, 10)
    return min(doubled, MOST_PATIENCE)
