"""Questions that come over the API: a repository's knowledge and the models, without a run.

Whoever holds the API's token is the operator. A repository is answered about only where the App is installed;
its texts go only to hosts to which its other prompts may go.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial

from bot.agents.base import question_in
from bot.agents.dependencies import dependency_answer
from bot.agents.records import WithRecords
from bot.agents.research import Research
from bot.config import Config
from bot.context import Context
from bot.core.chat import Answered
from bot.core.dependency_questions import dependency_question
from bot.core.inference import Completion, Spoken, Turn
from bot.core.knowledge import nothing_beside
from bot.core.refs import RepoRef
from bot.core.settings_merge import merge, settings_of
from bot.github.reader import ISSUE, PULL_REQUEST, JobReader
from bot.prompting import load_persona
from bot.runs.authorize import offers
from bot.runs.call_recorder import CallRecorder
from bot.runs.chat_commands import commanded
from bot.runs.egress_policy import guard
from bot.runs.planning import secretive
from bot.runs.preview import find
from bot.runs.services import LazyServices, Services, build


class Chatting:
    """`await chatting(repo, message, looks)` gives the pieces of an answer and then one `Answered`; raises
    UserError where the App is not installed. Nothing is opened before the first question."""

    def __init__(self, make: Callable[[], Services]) -> None:
        self._services = LazyServices(make, "nobody can answer")

    async def __call__(
        self, repo: str, message: str, looks: bool, before: tuple[Turn, ...] = ()
    ) -> AsyncIterator[str | Answered]:
        """`looks`: whether what is known of the repository is searched; `before`: what was said earlier."""
        services = await self._services.get()
        return _answer(services, await find(services.github, repo), message, looks, before)

    async def aclose(self) -> None:
        await self._services.aclose()


def of(config: Config) -> Chatting:
    """By a process's configuration."""
    return Chatting(lambda: build(config))


async def _answer(
    services: Services, repo: RepoRef, message: str, looks: bool, before: tuple[Turn, ...]
) -> AsyncIterator[str | Answered]:
    layers = await asyncio.to_thread(services.store.settings.layers, repo.owner, repo.name, "")
    settings = settings_of(merge(layers))
    async with services.github.job(repo) as job:
        reader = JobReader(repo, job, {**PULL_REQUEST, **ISSUE})
        if (about := dependency_question(message)) and (
            told := await dependency_answer(about, reader, repo.full_name)
        ):
            yield told
            yield Answered(Completion(Spoken(told), text=told))
            return
        leaving = partial(guard, services.config, services.store, repo, reader, None, settings)
        library = services.knowledge(repo, job, settings, guard=leaving(), operator=True) if looks else None
        infer = services.infer("high", leaving(secretive(library)), CallRecorder(repo, 0), settings)
        ctx = Context(
            repo=repo,
            slug=services.config.github.app_slug,
            github=reader,
            infer=infer,
            offers=offers(services.router.routes, "admin", private=repo.private),
            stored=tuple(layers),
            knowledge=library,
            memory=tuple(await asyncio.to_thread(services.store.memory.live, repo.id)),
            beside=library.beside if library else nothing_beside,
        )
        if (told := await commanded(message, ctx, reader, services.router)) is not None:
            yield told
            yield Answered(Completion(Spoken(told), text=told))
            return
        found = WithRecords(ctx.searched(library, []), library, reader) if looks else None
        agent = Research.of(load_persona, infer, found)
        async for piece in agent.stream(question_in(settings.language, message, before)):
            yield piece
