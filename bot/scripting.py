"""Hob's models and agents for scripts: what `hob.toml` says, without GitHub, store or queue.

with Workshop(repo=".") as shop:                       # or: async with, in async code
    print(shop.agent("research").run_sync("Where is the webhook verified?"))
"""

import asyncio
import pkgutil
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack, cast

from bot.agents.base import Agent, ChatMessages, Options
from bot.agents.chain import ChainProgress, run_chain
from bot.agents.personas import ChatAgent, Coding, Reasoning
from bot.agents.records import WithRecords
from bot.agents.rerank import Reranking
from bot.agents.research import SCOUT, Research
from bot.config import Config, load_config
from bot.core.chain import Chain, ChainResult
from bot.core.code_search import Library
from bot.core.errors import UserError
from bot.core.events import Priority
from bot.core.hosts import Host
from bot.core.inference import Completion, Embed, Infer, Role, Spoken, T
from bot.inference.egress import EgressGuard
from bot.inference.embed import make_embed
from bot.inference.hosts.pool import Pool
from bot.inference.hosts.slots import SharedHostSlots
from bot.inference.infer import make_infer
from bot.inference.structured_output import understood
from bot.knowledge.local_library import LocalLibrary
from bot.local_egress import Outgoing
from bot.prompting import load_chain, load_persona, names, rendered
from bot.queue.redis_slots import RedisHostSlots
from bot.repository import LocalRepository

KINDS: dict[str, type[Agent]] = {kind.name: kind for kind in (ChatAgent, Coding, Reasoning, Research)}
WORKERS: dict[str, str] = {"review": "reviewer", "code": "coding", "triage": "chat", "chat": "chat"}
"""Role -> the agent that work for a mere role is given to."""

_R = TypeVar("_R")


class Workshop:
    """Agents over the hosts of a configuration. `repo` is a folder of a local git repository that they may
    look into.

    Nothing is connected before the first question; leaving the block closes all connections. Hosts are
    shared with the workers of the same configuration.
    """

    def __init__(
        self,
        config: Config | None = None,
        *,
        repo: Path | str | None = None,
        library: Library | None = None,
        guard: EgressGuard | None = None,
        hosts: Sequence[Host] | None = None,
        base: tuple[Path, str] | None = None,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        """UserError for a configuration that cannot be used, or a folder that lies in no repository. `guard`
        says what may go to online hosts: by default what `[privacy]` and `[budget]` allow, the settings of
        `repo`, and those of `base`, a repository and a commit of it. `hosts` are asked instead of the
        configuration's."""
        self.config = config or load_config()
        self._hosts = hosts
        root = LocalRepository.at(Path(repo)).root if repo is not None else None
        self._outgoing = Outgoing(self.config, root, base)
        self.library = library or (self._local(Path(repo), tell) if repo is not None else None)
        self.pool = self._make_pool()
        self._guard = guard or self._outgoing.guard()
        self._tell = tell
        self._runner: asyncio.Runner | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._outgoing.close()
        await self.pool.aclose()

    def __enter__(self) -> Self:
        self._runner = asyncio.Runner()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        runner, self._runner = self._runner, None
        self._outgoing.close()
        if runner is not None:
            with runner:
                runner.run(self.pool.aclose())

    def infer(self, priority: Priority = "high", models: Sequence[str] = ()) -> Infer:
        """The port to models; `models` are asked instead of those of `[models]`, whatever the role. A person
        waits (high), a review (default), background (low)."""
        by_role = self.config.models.by_role()
        chosen = {role: tuple(models) for role in by_role} if models else by_role
        return make_infer(self.pool, chosen, rendered, priority=priority, guard=self._guard)

    def embed(self, priority: Priority = "high") -> Embed:
        """The port for vectors of texts."""
        return make_embed(self.pool, self.config.models.by_role(), priority=priority, guard=self._guard)

    def agent(self, which: str | type[Agent], priority: Priority = "high") -> Agent:
        """An agent by its name, by the path of a prompt file, by `module:Class`, or of a class; UserError."""
        kind, name = _kind(which)
        infer, library = self.infer(priority), self.library
        more: dict[str, Any] = {"drive": self._drive, "tell": self._tell, "read": _read}
        if issubclass(kind, Research):
            more["scout"] = load_persona(SCOUT)
            if isinstance(library, LocalLibrary):
                library = WithRecords(Reranking(library, infer, tell=self._tell), library)
        return kind(load_persona(name), infer, library, **more)

    async def delegate(
        self, role: str, prompt: ChatMessages, *, priority: Priority = "default", **options: Unpack[Options]
    ) -> Completion[Spoken]:
        """Hands work over: to a role of `[models]`, one's own too, to an agent as `agent` takes it, or to a
        specialty, which is a word that hosts list in `roles`. A failure is a value; UserError for a role
        nobody knows."""
        agent, specialty = self._worker(role, priority)
        if specialty:
            options["specialty"] = specialty
        return (await agent.answer(prompt, **options)).completion

    async def gather(
        self,
        role: str,
        prompts: Sequence[ChatMessages],
        *,
        priority: Priority = "low",
        **options: Unpack[Options],
    ) -> list[Completion[Spoken]]:
        """Many at once, answers in the order of the prompts: each host is given as many as its `parallel`
        allows."""
        work = (self.delegate(role, prompt, priority=priority, **options) for prompt in prompts)
        return await asyncio.gather(*work)

    async def chain(
        self, chain: str | Chain, objective: str, told: ChainProgress = lambda _: None
    ) -> ChainResult:
        """Carries out a chain, by its name, by the path of its file, or as a value; UserError for one that
        is wrong."""
        declared = load_chain(chain) if isinstance(chain, str) else chain
        return await run_chain(declared, objective, lambda name: self.agent(name, "default"), told)

    def _local(self, folder: Path, tell: Callable[[str], None]) -> Library:
        """The repository that a folder lies in, by its index; UserError where it lies in none."""
        tree = LocalRepository.at(folder)
        if not self.config.knowledge.enabled:
            return tree
        known = self.config.knowledge
        return LocalLibrary(tree.root, self.config.hob.data_dir, tree, tell, known.archives)

    def _worker(self, role: str, priority: Priority) -> tuple[Agent, str]:
        """(agent, specialty). An agent's name is that agent, whatever words hosts have in `roles`."""
        own = role in self.config.models.by_role() and role != "embed"
        known = role in WORKERS or role in agent_names() or not role.isidentifier()
        named = any(role in host.roles for host in self.config.hosts)
        if not known and not own and named:
            return self.agent(WORKERS["chat"], priority), role
        agent = self.agent(WORKERS.get(role, role if known or not own else WORKERS["chat"]), priority)
        if own:
            agent.persona = replace(agent.persona, role=cast("Role", role))
        return agent, ""

    def _make_pool(self) -> Pool:
        """As a worker has it: its places are those that a `hob up` or `hob work` gives out too, where their
        Redis answers, and this process's own where not."""
        host_slots = SharedHostSlots(RedisHostSlots(self.config.redis_url), quiet=True)
        hosts = self.config.pool_hosts() if self._hosts is None else self._hosts
        return Pool(hosts, host_slots=host_slots, routing=self.config.pool.routing)

    def _drive(self, work: Coroutine[Any, Any, _R]) -> _R:
        """Runs a coroutine where no loop runs. Outside of `with`, connections are closed behind it: they
        belong to its loop."""
        if self._runner is not None:
            return self._runner.run(work)
        return asyncio.run(self._closing(work))

    async def _closing(self, work: Coroutine[Any, Any, _R]) -> _R:
        pool, self.pool = self.pool, self._make_pool()
        try:
            return await work
        finally:
            self._outgoing.close()
            await pool.aclose()


def _read(kind: type[T], text: str, /) -> T:
    return understood(kind, text)[0]


def agent_names() -> tuple[str, ...]:
    """The agents there are, those of `HOB_PROMPTS` too."""
    return tuple(name for name in names("agents", ".md") if name != SCOUT)


def _kind(which: str | type[Agent]) -> tuple[type[Agent], str]:
    """(class, name or path of its persona)"""
    if isinstance(which, type):
        return which, which.name
    if ":" not in which or "/" in which:
        return KINDS.get(which, Agent), which
    try:
        found = pkgutil.resolve_name(which)
    except (ImportError, AttributeError, ValueError) as wrong:
        raise UserError(f"there is no agent {which}: {wrong}", "write module:Class") from None
    if not (isinstance(found, type) and issubclass(found, Agent) and found.name):
        raise UserError(
            f"{which} is no agent",
            "name a subclass of bot.agents.base.Agent with the name of its prompt file",
        )
    return found, found.name
