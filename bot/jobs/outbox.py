"""Applies a run's effects, each exactly once, by the protocol of docs/design.md: `sending` is on disk
before the call; whatever may have happened without our knowing is looked for before it is sent again."""

import asyncio
import logging
from dataclasses import dataclass

from bot.core.effects import InMemory, OnGitHub, PostReview, SetCheck
from bot.core.errors import Ambiguous, GitHubError, Superseded, TemporaryError, UserError
from bot.core.refs import RepoRef
from bot.github import apply
from bot.github.api import Api
from bot.github.client import Job
from bot.github.find import Applied
from bot.jobs.permitted import load
from bot.store import Row, Run, Store
from bot.store.outbox import Outbox

TRIES = 3
SETTLED = ("done", "rejected", "shadow")
"""States of rows with which nothing is left to do."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sender:
    """One run's way to GitHub, and to memory. `settle` is how many seconds an unclear write is given to show
    itself."""

    store: Store
    run: Run
    repo: RepoRef
    job: Job
    seal: apply.Seal
    settle: float = 3.0

    @property
    def outbox(self) -> Outbox:
        return self.store.outbox

    async def apply(self, rows: list[Row]) -> list[str]:
        """Carries the rows out in order; returns what GitHub refused for good, a sentence each."""
        refused = []
        for row in rows:
            if row.state in SETTLED:
                continue
            effect = load(row.kind, row.payload)
            try:
                if isinstance(effect, InMemory):
                    await asyncio.to_thread(self._memorise, row, effect)
                else:
                    await self._one(row, effect)
            except (Ambiguous, TemporaryError, Superseded):
                raise
            except (GitHubError, UserError) as error:
                await asyncio.to_thread(self.outbox.rejected, row.key, str(error))
                log.warning("%s was refused: %s", row.kind, error)
                refused.append(f"{row.kind}: {error}")
        return refused

    def _memorise(self, row: Row, effect: InMemory) -> None:
        """In one transaction with the row's `done`: there is nothing to look for afterwards."""
        if not self.outbox.commit(row.key, self.run, self.store.change(self.repo, effect)):
            raise Superseded("another worker has this run")

    async def _one(self, row: Row, effect: OnGitHub) -> None:
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

    async def _send(self, api: Api, row: Row, effect: OnGitHub) -> Applied | None:
        """None when nobody knows. A review that is refused for a line (422 is definite) is mended and sent
        once more."""
        try:
            try:
                return await apply.send(api, self.repo, effect, row.key, self.seal)
            except GitHubError as error:
                if error.status != 422 or not isinstance(effect, PostReview) or not effect.comments:
                    raise
                log.info("GitHub refused a line of the review; its lines are checked again")
                mended = await apply.recheck(api, self.repo, effect)
                return await apply.send(api, self.repo, mended, row.key, self.seal)
        except Ambiguous as error:
            log.info("unclear whether the %s was written: %s", row.kind, error)
            await asyncio.to_thread(self.outbox.ambiguous, row.key, str(error))
            return None
        except TemporaryError as error:
            await asyncio.to_thread(self.outbox.later, row.key, error.retry_after)
            raise

    async def _look(self, api: Api, row: Row, effect: OnGitHub) -> Applied | None:
        """Looks twice, some seconds apart: GitHub's lists lag behind its writes."""
        applied = await apply.find(api, self.repo, effect, row.key, self.seal)
        if applied is None:
            await asyncio.sleep(self.settle)
            applied = await apply.find(api, self.repo, effect, row.key, self.seal)
        if applied is not None and isinstance(effect, SetCheck):
            return await apply.complete(api, self.repo, effect, applied)
        return applied
