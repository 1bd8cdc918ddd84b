"""What a run's prompts may use outside the network, and the ledger of what they used."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

from bot.config import Config
from bot.core.errors import HobError
from bot.core.inference import Usage
from bot.core.privacy import ONLINE, Budget, Online
from bot.core.refs import RepoRef
from bot.core.settings import RepoSettings
from bot.github import hobyml
from bot.github.reader import JobReader
from bot.inference.egress import IN_FLIGHT, EgressGuard
from bot.local_egress import cleaned, spent_today
from bot.store import Store, StoreUnavailable

log = logging.getLogger(__name__)


def guard(
    config: Config,
    store: Store,
    repo: RepoRef,
    reader: JobReader | None = None,
    run_id: int | None = None,
    settings: RepoSettings | None = None,
    confidential: Callable[[], bool] = lambda: False,
) -> EgressGuard:
    """For the prompts about one repository. Each use becomes a row of the ledger at once. `settings`: the
    stored ones; the file can only narrow what they allow. `confidential`: whether something from elsewhere
    is in the prompts by now that must not leave."""
    known = settings or RepoSettings()

    async def setting() -> Online:
        if confidential():
            return "never"
        own = await online_setting(repo, reader) if reader else "allowed"
        narrowest = min(own, known.online, key=ONLINE.index)
        hidden = not repo.private and await asyncio.to_thread(_hidden, store, repo, reader)
        return "never" if hidden and "public" in (config.privacy.online, narrowest) else narrowest

    async def spent() -> Budget:
        return await asyncio.to_thread(spent_today, config, store)

    async def record(used: Usage, usd: float) -> None:
        try:
            await asyncio.to_thread(store.ledger.add, run_id, repo.full_name, used, usd)
        except StoreUnavailable as error:
            log.warning("a use of %s is not in the ledger: %s", used.host, error)
            # Spent all the same, as far as this process knows.
            IN_FLIGHT.add(usd, used.tokens_in + used.tokens_out)

    prefers = known.prefer == "online"
    policy = config.privacy.online
    guarded = EgressGuard(policy, repo.private, setting, spent, cleaned, record, prefer_online=prefers)
    return replace(guarded, repo_id=repo.id)


def _hidden(store: Store, repo: RepoRef, reader: JobReader | None) -> bool:
    """Whether it was made private since the event, asked before each prompt. Where nobody can tell: yes."""
    if reader is not None and reader.job.private:
        return True
    try:
        return store.known.is_private(repo.id)
    except StoreUnavailable:
        return True


async def online_setting(repo: RepoRef, reader: JobReader) -> Online:
    """The repository's own `online`: the narrowest of what this run has read, of the default branch where it
    has read nothing; `never` where it cannot be read."""
    try:
        if not reader.configs:
            await reader.config_text(repo.default_branch)
    except HobError as error:
        log.warning("whether %s may go online cannot be read: %s", repo.full_name, error)
        return "never"
    settings = [hobyml.read(text)[0].online for text in reader.configs.values()]
    return min(settings, key=ONLINE.index)
