"""Says on GitHub that a review waits for a model host, where it will wait for more than some seconds: how
many are before it, and about how long."""

import asyncio
import logging
from dataclasses import dataclass, replace

from bot.config import chosen
from bot.core.check_judgement import alone, newest, unread, worst
from bot.core.effects import BeginCheck, Conclusion, SetCheck
from bot.core.errors import HobError, Superseded
from bot.core.events import IssueEvent, RepositoryEvent
from bot.core.host_slots import Outlook
from bot.core.refs import RepoRef, Sha
from bot.core.settings import RepoSettings
from bot.core.settings_merge import merge, settings_of
from bot.effects import on_github
from bot.github.client import Job
from bot.github.reader import JobReader
from bot.router import Route
from bot.runs.effect_policy import Keyed, safe
from bot.runs.egress_policy import guard
from bot.runs.planning import PlannedRun, judged_at, settings_at
from bot.runs.services import Services
from bot.store import Run

WORTH_SAYING = 20.0
"""Seconds. A review that begins sooner is its own news."""
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Waiting:
    """The check run that says so, of one run; `check` is 0 where there is none."""

    services: Services
    route: Route
    run: Run
    event: RepositoryEvent
    job: Job
    reader: JobReader
    check: int = 0
    head: Sha | None = None
    told: bool = False

    async def tell(self) -> None:
        """At a review's first question, when it is sure that there is to be one and that whoever asked for it
        may; later questions find it told. What goes wrong in telling keeps no review away."""
        if self.told or not isinstance(self.event, IssueEvent):
            return
        self.told = True
        try:
            await self._tell(self.event)
        except Superseded:
            raise
        except HobError as error:
            log.info("that a review waits was not told: %s", error)

    async def _tell(self, event: IssueEvent) -> None:
        """The check run of an attempt that a crash or a restart ended is found again."""
        layers = self.services.store.settings.layers
        stored = await asyncio.to_thread(layers, event.repo.owner, event.repo.name, "")
        outlook = await _outlook(self.services, self.route, event, self.reader, settings_of(merge(stored)))
        if outlook.seconds < WORTH_SAYING and self.run.fence == 1:
            return
        state = await self.reader.pull_request(event.number)
        if (await settings_at(self.services, event, self.reader, state.base_sha)).review.shadow:
            return
        self.head = state.head_sha
        self.check = await begun_check(self.services, event.repo, self.job, state.head_sha)
        if not self.check and outlook.seconds >= WORTH_SAYING:
            self.check = await self._send(BeginCheck(state.head_sha, *_words(outlook)))

    async def completed_by(self, planned: PlannedRun) -> PlannedRun:
        """The same plan, whose check run is this one; it is over where the plan has none for this head."""
        effects = tuple(self._completing(one) for one in planned.effects)
        if effects == planned.effects:
            moved = any(isinstance(one.effect, SetCheck) for one in effects)
            if not await self.over("the head moved on" if moved else planned.reason):
                await asyncio.to_thread(self.services.store.runs.tell_end, self.run)
        return replace(planned, effects=effects)

    def _completing(self, one: Keyed) -> Keyed:
        if not self.check or not isinstance(one.effect, SetCheck) or one.effect.head_sha != self.head:
            return one
        return replace(one, effect=replace(one.effect, waiting=self.check))

    async def over(self, why: str) -> bool:
        """No review comes of it. False where GitHub could not be told."""
        if not self.check or not self.head:
            return True
        try:
            judged = newest(await judged_at(self.services, self.event, self.head))
            title = " ".join(dict.fromkeys(one.title for one in judged)) or f"Not reviewed: {why}"
            stands = worst(map(alone, judged)) if judged else await self._unread()
            summary = f"Not reviewed anew: {why}. What this head came to before stands." if judged else ""
            await self._send(SetCheck(self.head, stands, title, summary or title, waiting=self.check))
        except HobError as error:
            log.info("the waiting check run %s was not completed: %s", self.check, error)
            return False
        return True

    async def _send(self, effect: BeginCheck | SetCheck) -> int:
        """The id of the check run."""
        repo, duties = self.reader.repo, on_github(effect)
        to = duties.destination(effect, self.job, repo, self.services.marker)
        return (await duties.send(safe(effect, repo), to)).github_id

    async def _unread(self) -> Conclusion:
        if not isinstance(self.event, IssueEvent):
            return "neutral"
        base = (await self.reader.pull_request(self.event.number)).base_sha
        settings = await settings_at(self.services, self.event, self.reader, base)
        return unread(gates=settings.review.request_changes)


async def begun_check(services: Services, repo: RepoRef, job: Job, head: Sha) -> int:
    """The id of our check run of this head that is not completed; 0 where there is none."""
    sought = BeginCheck(head, "", "")
    duties = on_github(sought)
    found = await duties.find(sought, duties.destination(sought, job, repo, services.marker))
    return found.github_id if found else 0


async def _outlook(
    services: Services, route: Route, event: RepositoryEvent, reader: JobReader, settings: RepoSettings
) -> Outlook:
    gate = guard(services.config, services.store, event.repo, reader, None, settings)
    urgency = ("high", "default", "low").index(route.priority)
    adapters = services.pool.adapters(event.repo.id)
    models = chosen(services.config, settings, adapters=adapters)["review"]
    return await services.pool.outlook("review", models, urgency, gate)


def _words(outlook: Outlook) -> tuple[str, str]:
    """Title and summary."""
    place = f"{outlook.ahead + 1}. in line" if outlook.ahead else "next in line"
    minutes = max(1, round(outlook.seconds / 60))
    title = f"Waiting for a model: {place}, about {minutes} minute{'s' * (minutes > 1)}"
    return title, "The review begins when a model host is free; this check run becomes its result."
