"""A review of a pull request that is read from GitHub and posted nowhere."""

from collections.abc import Callable
from urllib.parse import urlsplit

from bot.agents import review
from bot.config import load_config
from bot.context import Context
from bot.core.effort import Effort
from bot.core.errors import Gone, UserError
from bot.core.events import Priority
from bot.core.inference import Infer
from bot.core.knowledge import nothing_beside
from bot.core.refs import RepoRef
from bot.core.review_result import Judgement
from bot.core.settings_merge import merge, settings_of
from bot.github.client import GitHub
from bot.github.reader import PULL_REQUEST, JobReader
from bot.implement_facts import looking
from bot.pull_request_facts import pull_request_facts
from bot.runs.call_recorder import CallRecorder
from bot.runs.egress_policy import guard
from bot.runs.services import Services, build


async def preview(
    full_name: str,
    number: int,
    website: str = "",
    told: Callable[[Infer], Infer] = lambda infer: infer,
    effort: Effort | None = None,
) -> Judgement:
    """Of the pull request's head as it is now. UserError where the App cannot see it, or where `website`, an
    address of GitHub's, is not that of the configured one. `told` may stand before the port to models."""
    config = load_config()
    if website and not is_same_github(website, config.github.api_url):
        raise UserError(
            f"[github] api_url is {config.github.api_url}, and {website} is another GitHub",
            "name a pull request of the GitHub that the App is registered at",
        )
    services = build(config)
    try:
        repo = await find(services.github, full_name)
        async with services.github.job(repo) as job:
            return await judge(services, JobReader(repo, job, PULL_REQUEST), number, "high", told, effort)
    except Gone:
        raise UserError(f"{full_name} has no pull request {number}", "look at its number") from None
    finally:
        await services.aclose()


def is_same_github(website: str, api_url: str) -> bool:
    """Whether a host of pages belongs to an API: `github.com` to `api.github.com`, any other to itself or to
    `api.` before it."""
    api = (urlsplit(api_url).hostname or "").removeprefix("api.")
    return website.casefold().removeprefix("www.").partition(":")[0] == api


async def find(github: GitHub, full_name: str) -> RepoRef:
    """UserError where the App is not installed on it."""
    try:
        return await github.find_repository(full_name)
    except Gone:
        raise UserError(
            f"the App is not installed on {full_name}, or there is no such repository",
            "install it there, from the App's page on GitHub",
        ) from None


async def judge(
    services: Services,
    reader: JobReader,
    number: int,
    priority: Priority,
    told: Callable[[Infer], Infer] = lambda infer: infer,
    effort: Effort | None = None,
) -> Judgement:
    """What the App would say if it had said nothing yet, whatever the settings leave out by themselves."""
    repo = reader.repo
    stored = tuple(services.store.settings.layers(repo.owner, repo.name, ""))
    settings = settings_of(merge(stored))
    gate = guard(services.config, services.store, repo, reader, None, settings)
    knowledge = services.knowledge(repo, reader.job, settings, guard=gate)
    ctx = Context(
        repo=repo,
        slug=services.config.github.app_slug,
        github=reader,
        infer=told(services.infer(priority, gate, CallRecorder(repo, number), settings)),
        stored=stored,
        beside=knowledge.beside if knowledge else nothing_beside,
    )
    state = await reader.pull_request(number)
    context = await ctx.repository(state.base_sha)
    facts = await pull_request_facts(ctx, context, state, effort=effort, by_person=True)
    return await review.judge(facts, ctx.infer, looking(ctx, state.head_sha))
