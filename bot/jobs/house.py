"""The composition root: everything that a run needs, built once for a process and its event loop from the
configuration."""

import asyncio
from dataclasses import dataclass

from bot.config import Config, chosen, load_config, load_router, private_key
from bot.core.effects import SetCheck
from bot.core.errors import HobError
from bot.core.events import Priority
from bot.core.inference import Embed, Infer
from bot.core.refs import RepoRef
from bot.core.settings import RepoSettings
from bot.github.apply import Seal
from bot.github.client import GitHub, Job
from bot.github.limits import Pacer
from bot.inference.board import SharedBoard
from bot.inference.cache import Cache
from bot.inference.embed import make_embed
from bot.inference.guard import LOCAL_ONLY, Guard
from bot.inference.infer import make_infer
from bot.inference.pool import Pool
from bot.inference.trail import Trail
from bot.jobs.archives import Archives
from bot.jobs.asked import Asked
from bot.jobs.knowing import RepositoryKnowledge
from bot.knowledge.keeper import Keeper
from bot.knowledge.shelves import Shelves
from bot.process import this_process
from bot.prompting import load as load_prompt
from bot.queue.board import RedisBoard
from bot.queue.pacer import Pacer as RedisPacer
from bot.router import Router
from bot.store import Store, open_store


@dataclass(frozen=True, slots=True)
class House:
    """What the runs of one process share."""

    config: Config
    store: Store
    github: GitHub
    router: Router
    pool: Pool
    seal: Seal
    owner: str
    """Names this process in leases."""
    cache: Cache | None = None
    keeper: Keeper | None = None
    """None where `[knowledge] enabled` is off."""

    def infer(self, priority: Priority, guard: Guard, asked: Asked, settings: RepoSettings) -> Infer:
        """The port to models for a run of this priority, with the models that the stored settings wish; the
        guard knows its repository (`bot.jobs.leaving`)."""
        models = chosen(self.config, settings, asked.part)
        trail = Trail(asked.repo.id, self.cache, asked.calls.append)
        return make_infer(self.pool, models, load_prompt, priority=priority, guard=guard, trail=trail)

    def embed(self, priority: Priority, guard: Guard, settings: RepoSettings) -> Embed:
        """The port to vectors for one repository: for its index (low), for a question (high)."""
        return make_embed(self.pool, chosen(self.config, settings), priority=priority, guard=guard)

    def knowledge(
        self,
        repo: RepoRef,
        job: Job,
        settings: RepoSettings,
        *,
        guard: Guard = LOCAL_ONLY,
        operator: bool = False,
    ) -> RepositoryKnowledge | None:
        """What is known of a repository and its archives, for a run; `operator`: the answer goes to nobody
        else."""
        if self.keeper is None:
            return None
        table, data_dir = self.config.knowledge, self.config.hob.data_dir
        beside = Archives(
            self.keeper,
            self.github,
            repo,
            settings.archives,
            table.archives,
            table.open_archives,
            operator,
            data_dir,
        )
        index, query = (self.embed(priority, guard, settings) for priority in ("low", "high"))
        return RepositoryKnowledge(self.keeper, repo, job, beside, index, query)

    async def aclose(self) -> None:
        await self.github.aclose()
        await self.pool.aclose()
        self.store.close()
        if self.cache:
            self.cache.close()


_current: dict[int, House] = {}


async def current() -> House:
    """The house of this event loop. Stock RQ workers make a new loop for each job; ours has one."""
    loop = id(asyncio.get_running_loop())
    if loop not in _current:
        _current.clear()
        _current[loop] = await asyncio.to_thread(build, load_config())
    return _current[loop]


def build(config: Config, pacer: Pacer | None = None) -> House:
    """Opens the store and reads the key; connects to nothing else. UserError where the database is not
    made yet."""
    store = open_store(config.store.database_url)
    try:
        store.require_schema()
    except HobError:
        store.close()
        raise
    router = load_router(config)
    store.database.told_ends = frozenset(route.stored_as for route in router.routes if SetCheck in route.may)
    return House(
        config=config,
        store=store,
        github=GitHub(
            config.github.api_url,
            config.github.app_id,
            private_key(config),
            slug=config.github.app_slug,
            pacer=pacer or RedisPacer(config.redis_url),
            write_gap=config.github.write_gap_seconds,
        ),
        router=router,
        pool=Pool(
            config.pool_hosts(), board=SharedBoard(RedisBoard(config.redis_url)), routing=config.pool.routing
        ),
        seal=Seal(store.server_key(), config.github.app_slug, config.github.app_id),
        owner=this_process(),
        cache=Cache(
            config.hob.data_dir / "cache.db", config.cache.max_mb << 20, config.cache.max_age_days * 86_400
        )
        if config.cache.enabled
        else None,
        keeper=_keeper(config) if config.knowledge.enabled else None,
    )


def _keeper(config: Config) -> Keeper:
    data = config.hob.data_dir
    return Keeper(data / "clones", Shelves(data / "knowledge"), config.knowledge.max_clone_mb)
