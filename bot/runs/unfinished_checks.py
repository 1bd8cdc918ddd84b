"""The run that tells of another which ended without the check run that it owed
(`bot.store.unfinished_checks`): no check run stays in progress, and nobody waits for a review that is not to
come."""

import asyncio
import time

from bot.core.check_judgement import unread
from bot.core.effects import Comment, Effect, Plan, SetCheck
from bot.core.events import (
    CheckRunRequested,
    CommentEvent,
    IssueEvent,
    MergeGroupEvent,
    PullRequestEvent,
    RepositoryEvent,
)
from bot.core.github_reader import PullRequestState
from bot.core.refs import TRUSTED, Sha
from bot.github.client import Job
from bot.github.reader import JobReader
from bot.runs.effect_policy import keyed, load
from bot.runs.pending_check import begun_check
from bot.runs.planning import deeds_of, number_of, settings_at
from bot.runs.refused_effects import standing_check
from bot.runs.services import Services
from bot.store import EffectRow, Run, ended_of
from bot.store.outbox import OPEN
from bot.store.types import FINAL

_A_REVIEW = ("PostReview", "SetCheck")
PATIENCE = 86_400.0
"""Seconds for which what passes is waited out; then nobody looks at that head any more."""
_LONGEST_PAUSE = 900.0


def pause(run: Run) -> float | None:
    """Seconds until it is tried again, longer as it grows older; None when it is given up."""
    age = time.time() - run.created_at
    return None if age > PATIENCE else min(max(age, 15.0), _LONGEST_PAUSE)


async def rows_of_end(
    services: Services, run: Run, event: RepositoryEvent, job: Job, reader: JobReader
) -> list[EffectRow]:
    """The effects that tell of it, as outbox rows."""
    outbox = services.store.outbox
    unsent = [row for row in await asyncio.to_thread(outbox.rows, run.id) if row.state in OPEN]
    every = await asyncio.to_thread(services.store.runs.of_delivery, run.delivery)
    ended = next((one for one in every if one.handler == ended_of(run)), None)
    if unsent or ended is None or ended.state not in FINAL:
        return unsent
    if isinstance(event, MergeGroupEvent) and ended.state == "dead":
        return await _planned(services, run, ended, event, await _of_group(services, ended, event, reader))
    if not isinstance(event, IssueEvent):
        return []
    state = await reader.pull_request(event.number)
    owed = await asyncio.to_thread(outbox.rows, ended.id)
    if ended.state == "dead" and state.open and _lacks_only_its_check(owed, state.head_sha):
        new = [row for row in owed if row.kind in _A_REVIEW]
        return await asyncio.to_thread(outbox.plan, run, new)
    effects = await _effects(services, ended, event, job, reader, state)
    return await _planned(services, run, ended, event, effects)


async def _planned(
    services: Services, run: Run, ended: Run, event: RepositoryEvent, effects: tuple[Effect, ...]
) -> list[EffectRow]:
    cause = f"run {ended.id} ended {ended.finished_at}"
    named = await asyncio.to_thread(keyed, Plan(effects), run.handler, event.repo, number_of(event), cause)
    return await asyncio.to_thread(services.store.outbox.plan, run, named) if named else []


async def _of_group(
    services: Services, ended: Run, event: MergeGroupEvent, reader: JobReader
) -> tuple[Effect, ...]:
    """A queue waits for its group's check run."""
    settings = (await settings_at(services, event, reader, event.base_ref)).review
    if settings.shadow:
        return ()
    why = ended.error or ended.summary or "it ended early"
    conclusion = unread(gates=settings.request_changes)
    return (SetCheck(event.head_sha, conclusion, f"Not reviewed: {why}", f"{why}.", bound=False),)


def _lacks_only_its_check(rows: list[EffectRow], head: Sha) -> bool:
    """Whether the review was posted, or refused, and what tells of it was not sent."""
    reviews = [row for row in rows if row.kind == "PostReview"]
    checks = [load(row.kind, row.payload) for row in rows if row.kind == "SetCheck" and row.state in OPEN]
    right = any(isinstance(one, SetCheck) and one.head_sha == head for one in checks)
    return right and bool(reviews) and all(row.state in ("done", "rejected") for row in reviews)


async def _effects(
    services: Services, ended: Run, event: IssueEvent, job: Job, reader: JobReader, state: PullRequestState
) -> tuple[Effect, ...]:
    """What a judged head shows stays; whoever asked for more than that is answered in the conversation."""
    why = ended.error or ended.summary or "it ended early"
    head = event.head_sha if isinstance(event, PullRequestEvent | CheckRunRequested) else state.head_sha
    begun = await begun_check(services, event.repo, job, head)
    slug = services.config.github.app_slug
    summary = f"This head could not be reviewed: {why.rstrip('.')}. `@{slug} review` tries again."
    settings = (await settings_at(services, event, reader, state.base_sha)).review
    conclusion = unread(gates=settings.request_changes)
    check = SetCheck(head, conclusion, f"Not reviewed: {why}", summary, number=event.number, waiting=begun)
    if begun:
        return (check,)
    if isinstance(event, CommentEvent) and await reader.permission(event.author.login) not in TRUSTED:
        return ()
    wanted = state.open and state.head_sha == head and ended.state != "superseded"
    if not wanted or settings.shadow:
        return ()
    found = standing_check(await asyncio.to_thread(deeds_of, services, event), head)
    if found is None or not found[0].judged:
        return (check,)
    asked = isinstance(event, CommentEvent) and ended.state == "dead"
    return (Comment(event.number, summary),) if asked else ()
