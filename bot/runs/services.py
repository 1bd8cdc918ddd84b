"""The composition root: everything that a run needs, built once for a process and its event loop from the
configuration."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from bot.config import Config, chosen, load_config, load_router, private_key
from bot.config.rotating import Rotating
from bot.core.effects import SetCheck
from bot.core.errors import HobError, UserError
from bot.core.events import Priority
from bot.core.inference import Embed, Infer
from bot.core.network import Network
from bot.core.refs import RepoRef
from bot.core.settings import RepoSettings
from bot.core.suite_runs import RunSuite
from bot.github.client import GitHub, Job
from bot.github.idempotency_marker import IdempotencyMarker
from bot.github.limits import RateLimiter
from bot.http import bundle
from bot.inference.cache import Cache
from bot.inference.egress import LOCAL_ONLY, EgressGuard
from bot.inference.embed import make_embed
from bot.inference.hosts.pool import Pool
from bot.inference.hosts.slots import SharedHostSlots
from bot.inference.request import make_infer
from bot.inference.trace import Trace
from bot.knowledge.clones import Clones
from bot.knowledge.manager import KnowledgeManager
from bot.knowledge.storage.index_stores import IndexStores
from bot.process import this_process
from bot.prompting import rendered
from bot.queue.rate_limiter import RedisRateLimiter as SharedRateLimiter
from bot.queue.redis_slots import RedisHostSlots
from bot.router import Router
from bot.runs.archives import Archives
from bot.runs.call_recorder import CallRecorder
from bot.runs.following import Following
from bot.runs.knowledge_adapter import GitHubOrigin, RepositoryKnowledge
from bot.runs.suites import Suite, SuiteSlots, from_github
from bot.store import Store, open_store


@dataclass(frozen=True, slots=True)
class Services:
    """What the runs of one process share."""

    config: Config
    store: Store
    github: GitHub
    router: Router
    pool: Pool
    marker: IdempotencyMarker
    owner: str
    """Names this process in leases."""
    cache: Cache | None = None
    manager: KnowledgeManager | None = None
    """None where `[knowledge] enabled` is off."""
    following: Following | None = None
    """None where there is no manager."""
    slots: SuiteSlots = field(default_factory=SuiteSlots)

    def infer(
        self, priority: Priority, guard: EgressGuard, asked: CallRecorder, settings: RepoSettings
    ) -> Infer:
        """The port to models for a run of this priority, with the models that the stored settings wish; the
        guard knows its repository (`bot.runs.egress_policy`)."""
        models = chosen(self.config, settings, asked.part, self.pool.adapters(asked.repo.id))
        trace = Trace(asked.repo.id, self.cache, asked.calls.append)
        return make_infer(self.pool, models, rendered, priority=priority, guard=guard, trace=trace)

    def embed(self, priority: Priority, guard: EgressGuard, settings: RepoSettings) -> Embed:
        """The port to vectors for one repository: for its index (low), for a question (high)."""
        return make_embed(self.pool, chosen(self.config, settings), priority=priority, guard=guard)

    def knowledge(
        self,
        repo: RepoRef,
        job: Job,
        settings: RepoSettings,
        *,
        guard: EgressGuard = LOCAL_ONLY,
        operator: bool = False,
    ) -> RepositoryKnowledge | None:
        """What is known of a repository and its archives, for a run; `operator`: the answer goes to nobody
        else."""
        if self.manager is None or self.following is None:
            return None
        table, data_dir = self.config.knowledge, self.config.hob.data_dir
        beside = Archives(
            self.manager,
            self.github,
            repo,
            settings.archives,
            table.archives,
            table.open_archives,
            operator,
            data_dir,
        )
        index, query = (self.embed(priority, guard, settings) for priority in ("low", "high"))
        return RepositoryKnowledge(self.manager, repo, job, beside, index, query, self.following)

    def unindexed(self, repo_id: int) -> bool:
        """Whether an index is wanted of a repository and there is none."""
        return self.manager is not None and not self.manager.index_stores.has(repo_id)

    def suite(self, repo: RepoRef, job: Job) -> RunSuite | None:
        """Runs a repository's own tests; None where the operator did not opt it in."""
        table = self.config.code.suite(repo.full_name)
        if table is None:
            return None
        data_dir, most = self.config.hob.data_dir, self.config.knowledge.max_clone_mb
        clones = self.manager.clones if self.manager else Clones(data_dir / "clones", most)
        write = from_github(repo, job, clones)
        return Suite(table, self.config.code, write, data_dir / "suites", self.slots)

    async def aclose(self) -> None:
        if self.following:
            await self.following.aclose()
        await self.github.aclose()
        await self.pool.aclose()
        self.store.close()
        if self.cache:
            self.cache.close()


class LazyServices:
    """The services of a process that may never need them: built at the first use. HobError where they cannot
    be; it begins with `what` cannot be done then, for not whoever asks but the configuration is at fault."""

    def __init__(self, make: Callable[[], Services], what: str) -> None:
        self._make, self._what = make, what
        self._services: Services | None = None
        self._making = asyncio.Lock()

    async def get(self) -> Services:
        async with self._making:
            if self._services is None:
                try:
                    self._services = await asyncio.to_thread(self._make)
                except UserError as wrong:
                    raise HobError(f"{self._what} here: {wrong}") from None
            return self._services

    async def aclose(self) -> None:
        if self._services is not None:
            await self._services.aclose()


_current: dict[int, Services] = {}


async def current() -> Services:
    """The services of this event loop. Stock RQ workers make a new loop for each job; ours has one."""
    loop = id(asyncio.get_running_loop())
    if loop not in _current:
        _current.clear()
        _current[loop] = await asyncio.to_thread(build, load_config())
    return _current[loop]


def build(config: Config, rate_limiter: RateLimiter | None = None) -> Services:
    """Reads the key and opens the store; connects to nothing else. UserError where there is none, or the
    database is not made yet."""
    key = Rotating(partial(private_key, config), config.github.private_key_file)
    store = open_store(config.store.database_url)
    try:
        store.require_schema()
    except HobError:
        store.close()
        raise
    router = load_router(config)
    store.database.told_ends = frozenset(
        route.stored_as for route in router.routes if SetCheck in route.may and route.every is None
    )
    github = GitHub(
        config.github.api_url,
        config.github.app_id,
        key,
        slug=config.github.app_slug,
        rate_limiter=rate_limiter or SharedRateLimiter(config.redis_url),
        write_gap=config.github.write_gap_seconds,
        network=_way(config),
    )
    manager = _manager(config) if config.knowledge.enabled else None
    return Services(
        config=config,
        store=store,
        github=github,
        router=router,
        pool=Pool(
            config.pool_hosts(),
            host_slots=SharedHostSlots(RedisHostSlots(config.redis_url)),
            routing=config.pool.routing,
        ),
        marker=IdempotencyMarker(
            store.server_key(), config.github.app_slug, config.github.app_id, store.mark_keys
        ),
        owner=this_process(),
        cache=Cache(
            config.hob.data_dir / "cache.db", config.cache.max_mb << 20, config.cache.max_age_days * 86_400
        )
        if config.cache.enabled
        else None,
        manager=manager,
        following=Following(store, github, manager, GitHubOrigin) if manager else None,
        slots=SuiteSlots(config.code.tests_at_once),
    )


def _way(config: Config) -> Network:
    """With all authorities in one file, where there are more than usual."""
    way = config.network.way()
    if not way.ca_file:
        return way
    file = config.hob.data_dir / "certificates.pem"
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    fresh.write_text(bundle(way.ca_file), encoding="utf-8")
    fresh.replace(file)
    return replace(way, bundle=str(file))


def _manager(config: Config) -> KnowledgeManager:
    data = config.hob.data_dir
    return KnowledgeManager(data / "clones", IndexStores(data / "knowledge"), config.knowledge.max_clone_mb)
