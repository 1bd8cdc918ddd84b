"""What the operator asks for over the API or on the command line: requests as deliveries of Hob's own, whose
runs workers do."""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.config import Config
from bot.core.errors import Gone, UserError
from bot.core.github_reader import IssueStates
from bot.core.refs import OPERATOR, RepoRef
from bot.github.reader import ISSUE, JobReader
from bot.runs.dispatch import route_delivery
from bot.runs.preview import find
from bot.runs.services import LazyServices, Services, build
from bot.store import Decision, Run
from bot.store.requests import BatchRequest, Channel, CommandRequest, delivery_of


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which issues a batch is about."""

    since: float = 0
    """Opened at or after; seconds since 1970."""
    labels: tuple[str, ...] = ()
    state: IssueStates = "open"
    again: bool = False
    """Also those that were triaged before."""
    quiet: bool = True
    """Nothing is said on an issue."""


async def ask(services: Services, asked: CommandRequest | BatchRequest, name: str) -> Run:
    """The run that a request asks for; the same name is one request. UserError where no handler answers."""
    return await asyncio.to_thread(_ask, services, asked, name)


def _ask(services: Services, asked: CommandRequest | BatchRequest, name: str) -> Run:
    store, new = services.store, delivery_of(asked, name)
    store.inbox.put(new).result(30)
    stored = store.inbox.get(new.guid)
    specs = route_delivery(stored, services.router, services.config.github.app_slug, 0.0)
    store.routing.record([Decision(stored, "routed" if specs else "ignored", specs)])
    runs = store.runs.of_delivery(new.guid)
    if not runs:
        raise UserError("no handler here answers this", "look at HOB_HANDLERS, or ask without it")
    return runs[0]


async def ask_for_batch(services: Services, repo: RepoRef, wanted: Wanted, channel: Channel) -> Run:
    request = BatchRequest(
        repo=repo,
        by=OPERATOR,
        channel=channel,
        since=wanted.since,
        labels=wanted.labels,
        state=wanted.state,
        again=wanted.again,
        quiet=wanted.quiet,
    )
    return await ask(services, request, f"batch:{secrets.token_hex(8)}")


class Agents:
    """`POST /agents/…` of one process. Each gives the number of a run. Raises UserError where the App is not
    installed or there is no such issue or pull request. Nothing is opened before the first request."""

    def __init__(self, make: Callable[[], Services]) -> None:
        self._services = LazyServices(make, "nothing can be asked for")

    async def triage_new(self, full_name: str, auto_comment: bool) -> int:
        services = await self._services.get()
        repo = await find(services.github, full_name)
        return (await ask_for_batch(services, repo, Wanted(quiet=not auto_comment), "api")).id

    async def triage(self, full_name: str, number: int, auto_comment: bool) -> int:
        return await self._command(full_name, number, "/hob triage", pull=False, quiet=not auto_comment)

    async def review(self, full_name: str, number: int, focus: Sequence[str]) -> int:
        line = f"/hob review focus on {', '.join(focus)}" if focus else "/hob review"
        return await self._command(full_name, number, line, pull=True)

    async def implement(self, full_name: str, number: int, context: str) -> int:
        return await self._command(full_name, number, "/hob implement", pull=False, context=context)

    async def _command(
        self,
        full_name: str,
        number: int,
        line: str,
        *,
        pull: bool,
        quiet: bool = False,
        context: str = "",
    ) -> int:
        services = await self._services.get()
        repo = await find(services.github, full_name)
        kind = "pull request" if pull else "issue"
        try:
            async with services.github.job(repo) as job:
                state = await JobReader(repo, job, ISSUE).issue(number)
        except Gone:
            raise UserError(f"{full_name} has no {kind} {number}", "look at its number") from None
        if state.is_pull_request != pull or state.transferred:
            raise UserError(f"{full_name} has no {kind} {number}", "look at its number")
        asked = CommandRequest(
            repo=repo,
            number=number,
            line=line,
            by=OPERATOR,
            channel="api",
            on_pull_request=pull,
            issue_author=state.author.login,
            quiet=quiet,
            context=context,
        )
        return (await ask(services, asked, f"api:{secrets.token_hex(8)}")).id

    async def aclose(self) -> None:
        await self._services.aclose()


def of(config: Config) -> Agents:
    """By a process's configuration."""
    return Agents(lambda: build(config))
