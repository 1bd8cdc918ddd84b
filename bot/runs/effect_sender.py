"""Applies a run's effects, each exactly once, by the protocol of docs/design.md: `sending` is on disk
before the call; whatever may have happened without our knowing is looked for before it is sent again."""

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import cast

import msgspec

from bot.core.effects import InMemory, OnGitHub, PostReview, SetCheck
from bot.core.errors import Ambiguous, GitHubError, RateLimited, Superseded, TemporaryError, UserError
from bot.core.refs import RepoRef
from bot.github import apply
from bot.github.api import Api
from bot.github.client import Job
from bot.github.find import Applied
from bot.runs.effect_policy import load, safe
from bot.runs.refused_effects import Refused, reason, telling
from bot.store import EffectRow, Run, Store
from bot.store.outbox import Outbox

TRIES = 3
FIRST_PAUSE, MOST_PATIENCE = 60.0, 3600.0
"""Seconds, for a refusal that passes and names no time: the first wait, and after how long it is final."""
SETTLED = ("done", "rejected", "shadow")
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
    marker: apply.IdempotencyMarker
    settle: float = 3.0

    @property
    def outbox(self) -> Outbox:
        return self.store.outbox

    async def apply(self, rows: list[EffectRow]) -> list[Refused]:
        """Carries the rows out in order; returns what GitHub has refused for good, now or before."""
        refused: list[Refused] = []
        for row in rows:
            effect = load(row.kind, row.payload)
            if row.state == "rejected":
                refused.append(Refused(effect, row.error))
            if row.state in SETTLED:
                continue
            try:
                if isinstance(effect, InMemory):
                    await asyncio.to_thread(self._memorise, row, effect)
                else:
                    await self._one(row, await self._telling(row, effect, refused))
            except (Ambiguous, TemporaryError, Superseded):
                raise
            except (GitHubError, UserError) as error:
                why = reason(error, effect, self.job.slug)
                await asyncio.to_thread(self.outbox.rejected, row.key, why)
                log.warning("%s was refused: %s", row.kind, error)
                refused.append(Refused(effect, why))
        return refused

    async def _telling(self, row: EffectRow, effect: OnGitHub, refused: list[Refused]) -> OnGitHub:
        """A check run tells what was refused before it. It is on disk so before it is sent: what was not said
        must not be taken for said later."""
        if not isinstance(effect, SetCheck):
            return effect
        told = telling(effect, refused)
        if told == effect:
            return effect
        told = cast("SetCheck", safe(told, self.repo))
        payload = msgspec.json.encode(told).decode()
        await asyncio.to_thread(self.outbox.rewrite, row.key, self.run, payload)
        return told

    def _memorise(self, row: EffectRow, effect: InMemory) -> None:
        """In one transaction with the row's `done`: there is nothing to look for afterwards."""
        if not self.outbox.commit(row.key, self.run, self.store.change(self.repo, effect)):
            raise Superseded("another worker has this run")

    async def _one(self, row: EffectRow, effect: OnGitHub) -> None:
        """Sends one effect; looks for it first when an earlier attempt may have succeeded."""
        api = self.job.api(apply.needs(effect))
        unclear = row.state in ("sending", "ambiguous")
        for _ in range(TRIES):
            applied = await self._look(api, row, effect) if unclear else None
            if applied is None:
                if not await asyncio.to_thread(self.outbox.start_sending, row.key, self.run):
                    raise Superseded("another worker has this run")
                applied = await self._send(api, row, effect)
            if applied is not None:
                await asyncio.to_thread(self.outbox.done, row.key, applied.url, applied.github_id)
                return
            unclear = True
        raise TemporaryError(f"no telling whether the {row.kind} was written; looking again later")

    async def _send(self, api: Api, row: EffectRow, effect: OnGitHub) -> Applied | None:
        """None when nobody knows. A review that is refused for a line (422 is definite) is mended and sent
        once more."""
        try:
            try:
                return await apply.send(api, self.repo, effect, row.key, self.marker)
            except GitHubError as error:
                if error.status != 422 or error.kind not in ("line", "validation"):
                    raise
                if not isinstance(effect, PostReview) or not effect.comments:
                    raise
                log.info("GitHub refused a line of the review; its lines are checked again")
                mended = await apply.recheck(api, self.repo, effect)
                return await apply.send(api, self.repo, mended, row.key, self.marker)
        except Ambiguous as error:
            log.info("unclear whether the %s was written: %s", row.kind, error)
            await asyncio.to_thread(self.outbox.ambiguous, row.key, str(error))
            return None
        except TemporaryError as error:
            if isinstance(error, RateLimited) and error.retry_after is None:
                error.retry_after = _pause(row, error)
            await asyncio.to_thread(self.outbox.later, row.key, error.retry_after, str(error))
            raise

    async def _look(self, api: Api, row: EffectRow, effect: OnGitHub) -> Applied | None:
        """Looks twice, some seconds apart: GitHub's lists lag behind its writes."""
        applied = await apply.find(api, self.repo, effect, row.key, self.marker)
        if applied is None:
            await asyncio.sleep(self.settle)
            applied = await apply.find(api, self.repo, effect, row.key, self.marker)
        if applied is not None and isinstance(effect, SetCheck):
            return await apply.complete(api, self.repo, effect, applied)
        return applied


def _pause(row: EffectRow, error: RateLimited) -> float:
    """Seconds until what holds up this row alone is tried again: 60, doubled each time, at most an hour."""
    if time.time() - row.created_at > MOST_PATIENCE:
        raise GitHubError(422, str(error), "pending")
    doubled: float = FIRST_PAUSE * 2 ** min(row.attempts, 10)
    return min(doubled, MOST_PATIENCE)
