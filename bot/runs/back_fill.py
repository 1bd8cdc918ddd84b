"""What happened while Hob was down for longer than GitHub keeps deliveries, found in the repositories: pull
requests whose head nobody judged, issues that nobody sorted, comments that ask for something.

Each becomes a delivery in the inbox, equal to the one that never came, under a name of Hob's own, so that it
is routed, refused and done as any other, once.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from msgspec import ValidationError

from bot.core.errors import BadPayload, GitHubError, RateLimited, TemporaryError
from bot.github import missed_work
from bot.github.api import Api
from bot.github.missed_work import STEPS, ListedWork
from bot.github.routing import routing
from bot.intake import new_delivery
from bot.runs.dispatch import route_delivery
from bot.runs.rounds import Round, RoundOver
from bot.store import Delivery, NewDelivery, RunSpec, StoreUnavailable
from bot.store.reconciliation import FOUND, BackFill, ListedDelivery

OVERLAP_SECONDS = 60.0
"""Something happens some time before the delivery about it. What is found twice is done once: by the head, or
the comment, that its effects are named after."""
OLD_SECONDS = 30 * 86_400.0
"""An issue older than that at the time is nothing new, though somebody wrote there."""
MOST_PAGES = 100
"""Of one list that do not go on in time."""
PATIENCE_SECONDS = 3600.0
"""With one question that GitHub does not answer, while it answers others: then what it would tell is left
out, so that other repositories are not kept waiting for good."""
LEAST_PAUSE = 60.0
PAGE_CALLS = missed_work.PULLS_PER_PAGE + 1
"""The most that a page costs: it is read as a whole."""

log = logging.getLogger(__name__)


async def back_fill(this: Round) -> None:
    """Goes on with what is left of it, once what was recovered has become runs."""
    rest = this.progress.back_fill
    if rest is None or this.progress.looked_at < rest.not_before:
        return
    if this.found.deliveries:
        raise RoundOver
    if rest.installations is None:
        this.spend()
        rest.installations = await missed_work.installations(this.services.github.app())
        await this.save()
    while rest.installations:
        await _list_repositories(this, rest)
        while rest.repositories:
            await _search(this, rest, rest.installations[0])
        if not rest.listed:  # all of its pages were read
            rest.installations.pop(0)
        await this.save()
    this.progress.back_fill = None
    await this.save()


async def _list_repositories(this: Round, rest: BackFill) -> None:
    """The next page of those of the first installation. `listed` is 0 when there is none after it."""
    if rest.repositories or not rest.installations:
        return
    this.spend(3)  # with a token, and giving it back
    try:
        async with this.services.github.installation(rest.installations[0]) as api:
            found, more = await missed_work.repositories(api, rest.listed + 1)
    except GitHubError as error:
        log.info("installation %s is left out: %s", rest.installations[0], error)
        found, more = [], False
    except TemporaryError as error:
        await _wait_or_leave_out(this, rest, f"installation {rest.installations[0]}", error)
        found, more = [], False
    rest.failing_since = 0.0
    rest.repositories, rest.listed = found, rest.listed + 1 if more else 0
    await this.save()


async def _search(this: Round, rest: BackFill, installation: int) -> None:
    """The lists of the first repository, from where it was left."""
    repository = rest.repositories[0]
    try:
        repo = missed_work.ref_of(repository, installation)
    except ValidationError:  # an older version's
        rest.repositories.pop(0)
        return
    forgotten = await asyncio.to_thread(this.services.store.reconciliation.forgotten, repo.id)
    search = _Search(this, rest, repo.installation, repository, max(rest.since, forgotten) - OVERLAP_SECONDS)
    this.spend(2)
    async with this.services.github.repository(repo, missed_work.PERMISSIONS) as api:
        while (step := rest.step or STEPS[0]) in STEPS:
            this.reserve(PAGE_CALLS)
            try:
                over = await search.page(api, step)
            except GitHubError as error:  # of one list: issues may be turned off
                log.info("%s: %s was not looked at: %s", repo.full_name, step, error)
                over = True
            except TemporaryError as error:
                await _wait_or_leave_out(this, rest, f"{repo.full_name}, {step}", error)
                over = True
            rest.failing_since = 0.0
            if over:
                following = STEPS.index(step) + 1
                rest.step = STEPS[following] if following < len(STEPS) else "over"
                rest.position, rest.page = 0.0, 1
            await this.save()
    rest.repositories.pop(0)
    rest.step = ""
    await this.save()


async def _wait_or_leave_out(this: Round, rest: BackFill, what: str, error: TemporaryError) -> None:
    """`RoundOver`, and longer each time until the next; returns once that took too long."""
    if isinstance(error, RateLimited | StoreUnavailable):
        raise error
    now = this.progress.looked_at
    rest.failing_since = rest.failing_since or now
    waited = now - rest.failing_since
    if waited >= PATIENCE_SECONDS:
        log.warning("%s: what was missed there is not found, for GitHub does not answer: %s", what, error)
        return
    rest.not_before = now + max(waited, LEAST_PAUSE)
    log.info("%s is asked for again in %.0f s: %s", what, rest.not_before - now, error)
    await this.save()
    raise RoundOver


class _Search:
    """One repository's."""

    def __init__(
        self, this: Round, rest: BackFill, installation: int, repository: dict[str, object], since: float
    ) -> None:
        self._this, self._rest = this, rest
        self._installation, self._repository = installation, repository
        self._since, self._until = since, rest.until + OVERLAP_SECONDS

    async def page(self, api: Api, step: str) -> bool:
        """The next page of a list; whether it was the last one. Pull requests are paged by number: one that
        changes meanwhile moves to the front, and a delivery tells of it. All else by the time of its last
        change."""
        this, rest = self._this, self._rest
        this.spend()
        since = max(rest.position, self._since)
        found = await missed_work.list_page(api, step, since, rest.page)
        this.spend(0, found.left)
        last = since
        for one in found.items:
            if step == "pull_request" and one.updated < self._since:
                return True
            await self._take(api, step, one)
            if step != "pull_request" and one.updated > last:
                last = rest.position = one.updated
                rest.page = 1
        if last == since:
            rest.page += 1
        return not found.more or rest.page > MOST_PAGES

    async def _take(self, api: Api, step: str, one: ListedWork) -> None:
        match step:
            case "pull_request":
                if one.created > self._until:
                    return
                action = "opened" if one.created >= self._since else "synchronize"
                name = f"{one.number}:{one.head[:40]}"
                if await self._put(step, action, one, name):
                    self._this.found.pull_requests += 1
                await self._reviews(api, one)
            case "issues":
                if one.is_pull_request or not self._since - OLD_SECONDS <= one.created <= self._until:
                    return
                if await self._put(step, "opened", one, f"{one.number}"):
                    self._this.found.issues += 1
            case _:
                await self._comment(api, step, "created", one)

    async def _reviews(self, api: Api, pull: ListedWork) -> None:
        self._this.spend()
        try:
            found = await missed_work.reviews(api, pull.number)
        except GitHubError as error:
            log.info("the reviews of #%s were not looked at: %s", pull.number, error)
            return
        for one in found:
            await self._comment(api, "pull_request_review", "submitted", one)

    async def _comment(self, api: Api, event: str, action: str, one: ListedWork) -> None:
        """What a comment stands under is asked for only where something answers the comment."""
        if not self._since <= one.created <= self._until:
            return
        name = f"{one.id}"
        if not await self._asks(event, action, one, name):
            return
        self._this.spend()
        try:
            about = await missed_work.issue(api, one.number)
        except GitHubError as error:
            log.info("comment %s is left out, #%s cannot be read: %s", one.id, one.number, error)
            return
        if await self._put(event, action, one, name, about):
            self._this.found.comments += 1

    async def _asks(self, event: str, action: str, one: ListedWork, name: str) -> bool:
        """Whether something answers it that was not found before."""
        new = self._delivery(event, action, one, name, {})
        return new is not None and bool(await asyncio.to_thread(self._unknown_specs, new, one))

    async def _put(
        self, event: str, action: str, one: ListedWork, name: str, about: Mapping[str, object] | None = None
    ) -> bool:
        """Into the inbox, where something answers it; whether it was put there."""
        new = self._delivery(event, action, one, name, about or {})
        if new is None or not await asyncio.to_thread(self._unknown_specs, new, one):
            return False
        return await asyncio.wrap_future(self._this.services.store.inbox.put(new))

    def _delivery(
        self, event: str, action: str, one: ListedWork, name: str, about: Mapping[str, object]
    ) -> NewDelivery | None:
        body = missed_work.payload(event, action, one, about, self._repository, self._installation)
        guid = f"{FOUND}{event}:{self._repository['id']}:{name}"
        age = self._this.progress.looked_at - one.created
        try:
            return new_delivery(event, guid, body, routing(body), age)
        except BadPayload:
            return None

    def _unknown_specs(self, new: NewDelivery, one: ListedWork) -> Sequence[RunSpec]:
        """The runs that it asks for; none where it was found before, or cannot be read, or where there was a
        run for this issue, this head or this comment."""
        services = self._this.services
        asked = [ListedDelivery(new.guid, new.received_at, None, None)]  # what was forgotten is out already
        if not services.store.reconciliation.lacking(asked):
            return ()
        delivery = Delivery(**asdict(new), id=0, state="new", note="")
        try:
            specs = route_delivery(delivery, services.router, services.config.github.app_slug, 0.0)
        except BadPayload:
            return ()
        issue = f"{new.repo_id}#{one.number}"
        own = {f"{issue}/{one.id}"} if new.event not in ("pull_request", "issues") else {issue}
        known = services.store.reconciliation.is_known(spec for spec in specs if spec.target in own)
        return () if known else specs
