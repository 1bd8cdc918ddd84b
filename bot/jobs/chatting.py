"""Questions that come over the API: a repository's knowledge and the models, without a run.

Whoever holds the API's token is the operator. A repository is answered about only where the App is installed;
its texts go only to hosts to which its other prompts may go.
"""

import asyncio
from collections.abc import AsyncIterator, Callable

from bot.agents.base import Agent
from bot.agents.research import Research
from bot.agents.talkers import Chat
from bot.config import Config, chosen
from bot.core.errors import HobError, UserError
from bot.core.layers import merge, settings_of
from bot.core.library import Library
from bot.core.refs import RepoRef
from bot.core.settings import RepoSettings
from bot.core.talk import Answered, Say
from bot.github.client import Job
from bot.inference.say import make_say
from bot.jobs.house import House, build
from bot.jobs.knowing import RepositoryKnowledge
from bot.jobs.leaving import guard
from bot.jobs.planning import secretive
from bot.jobs.preview import find
from bot.jobs.reading import PULL_REQUEST, JobReader
from bot.prompting import TalkFile, load_persona

SCOUT = "scout"


class Chatting:
    """`await chatting(repo, message, looks)` gives the pieces of an answer and then one `Answered`; raises
    UserError where the App is not installed. Nothing is opened before the first question."""

    def __init__(self, make: Callable[[], House]) -> None:
        self._make = make
        self._house: House | None = None
        self._making = asyncio.Lock()

    async def __call__(self, repo: str, message: str, looks: bool) -> AsyncIterator[str | Answered]:
        """`looks`: whether what is known of the repository is searched."""
        async with self._making:
            if self._house is None:
                try:
                    self._house = await asyncio.to_thread(self._make)
                except UserError as wrong:  # this process's configuration, not the question, is at fault
                    raise HobError(f"nobody can answer here: {wrong}") from None
        return _answer(self._house, await find(self._house.github, repo), message, looks)

    async def aclose(self) -> None:
        if self._house is not None:
            await self._house.aclose()


def of(config: Config) -> Chatting:
    """By a process's configuration."""
    return Chatting(lambda: build(config))


async def _answer(house: House, repo: RepoRef, message: str, looks: bool) -> AsyncIterator[str | Answered]:
    layers = await asyncio.to_thread(house.store.settings.layers, repo.owner, repo.name, "")
    settings = settings_of(merge(layers))
    async with house.github.job(repo) as job:
        reader = JobReader(repo, job, PULL_REQUEST)
        gate = guard(house.config, house.store, repo, reader, None, settings)
        library = house.knowledge(repo, job, settings, guard=gate, operator=True) if looks else None
        agent = _agent(_say(house, repo, job, settings, library), library)
        async for piece in agent.stream(message):
            yield piece


def _say(
    house: House, repo: RepoRef, job: Job, settings: RepoSettings, knowledge: RepositoryKnowledge | None
) -> Say:
    reader = JobReader(repo, job, PULL_REQUEST)
    allowed = guard(house.config, house.store, repo, reader, None, settings, secretive(knowledge))
    return make_say(house.pool, chosen(house.config, settings), TalkFile, priority="high", guard=allowed)


def _agent(say: Say, library: Library | None) -> Agent:
    if library is None:
        return Chat(load_persona(Chat.name), say)
    return Research(load_persona(Research.name), say, library, scout=load_persona(SCOUT))
