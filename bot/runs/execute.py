"""One run, from its row to its effects: claim, read, think, store the plan, apply it.

Whatever ends a run early is an exception of `bot.core.errors`; `_settle` says what each means for the run.
"""

import asyncio
import logging
import random
import time
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from bot import log as logs
from bot.context import answer
from bot.core.effects import Plan, PushCommit, React, SetCheck, SetPull, TakenBack
from bot.core.errors import (
    BadPayload,
    Gone,
    LeaseLost,
    OthersWait,
    OtherVersion,
    RateLimited,
    Superseded,
    TemporaryError,
)
from bot.core.events import (
    PACE,
    AccessEvent,
    CommandRequested,
    CommentEvent,
    Event,
    HobDue,
    IssueEvent,
    PullRequestEvent,
    RepositoryEvent,
    ReviewCommentEvent,
    ReviewEvent,
)
from bot.core.inference import Usage
from bot.effects import of, on_github
from bot.effects.base import Refused
from bot.github.client import Job
from bot.github.reader import JobReader, permissions_to_read
from bot.queue.worker import step_aside
from bot.router import Route
from bot.runs.call_recorder import CallRecorder
from bot.runs.dispatch import indexing, resumed
from bot.runs.effect_policy import keyed, load
from bot.runs.effect_sender import SETTLED, EffectSender
from bot.runs.offboarding import offboarding
from bot.runs.pending_check import Waiting
from bot.runs.planning import PlannedRun, deeds_of, make_plan, number_of, settings_at
from bot.runs.refused_effects import standing_check, ways
from bot.runs.requests import event_of
from bot.runs.scheduled import due_event, hob_context, is_scheduled
from bot.runs.services import Services, current
from bot.runs.unfinished_checks import pause, rows_of_end
from bot.store import EffectRow, Run, RunSpec, StoreUnavailable, ended_of, held

log = logging.getLogger(__name__)

UPGRADE_SECONDS = 3600.0
"""How long what only another version can do waits for it: machines are upgraded one by one."""


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run ended, in a line, and what it used."""

    state: Literal["done", "ignored", "dead"]
    summary: str
    usage: tuple[Usage, ...] = ()


async def perform(run_id: int) -> None:
    """Does the run if it is due and free; returns quietly otherwise, for RQ may name a run twice."""
    await perform_in(await current(), run_id)


async def perform_in(services: Services, run_id: int) -> None:
    """`perform` with everything that a run needs."""
    seconds = services.config.queue.lease_seconds
    run = await asyncio.to_thread(services.store.runs.claim, run_id, services.owner, seconds)
    if run is None:
        return
    with logs.bind(delivery=run.delivery, run=str(run.id), handler=run.handler), logs.collecting() as lines:
        try:
            async with held(services.store.runs, run, seconds):
                outcome = await _work(services, run)
        except Exception as error:
            ending = partial(_settle, services, run, error)
        else:
            ending = partial(_finish, services, run, outcome)
        try:
            await asyncio.to_thread(ending)
            await asyncio.to_thread(services.store.run_logs.add, run.id, lines)
            told_by = await asyncio.to_thread(_told_by, services, run)
        except (Superseded, StoreUnavailable) as error:
            log.warning("the run's end was not written, its lease will tell: %s", error)
            return
    if told_by:
        await perform_in(services, told_by)


def _told_by(services: Services, run: Run) -> int:
    """The run that tells of this one's end, if there is one; 0 otherwise."""
    if run.handler not in services.store.database.told_ends:
        return 0
    every = services.store.runs.of_delivery(run.delivery)
    return next((one.id for one in every if ended_of(one) == run.handler and one.state == "queued"), 0)


def _finish(services: Services, run: Run, outcome: RunOutcome) -> None:
    last = outcome.usage[-1] if outcome.usage else None
    services.store.runs.finish(
        run,
        outcome.state,
        outcome.summary,
        host=last.host if last else "",
        model=last.model if last else "",
        tokens_in=sum(used.tokens_in for used in outcome.usage),
        tokens_out=sum(used.tokens_out for used in outcome.usage),
        tokens_cached=sum(used.tokens_cached for used in outcome.usage),
    )
    log.info("run %s: %s", outcome.state, outcome.summary)


def _settle(services: Services, run: Run, error: Exception) -> None:
    """Another attempt, later, for what passes; an end for what does not; a dead letter for what nobody
    foresaw."""
    runs = services.store.runs
    match error:
        case LeaseLost():  # where nobody else has it, somebody shall
            runs.release(run)
        case Superseded():
            runs.finish(run, "superseded", str(error))
        case OtherVersion() if time.time() < run.created_at + UPGRADE_SECONDS:
            runs.retry(run, error.retry_after, str(error), count_attempt=False)
        case OtherVersion():
            runs.finish(run, "dead", str(error))
        case RateLimited() | OthersWait():
            runs.retry(run, error.retry_after, str(error), count_attempt=False)
        case TemporaryError() if ended_of(run) and (after := pause(run)):
            runs.retry(run, error.retry_after or after, str(error), count_attempt=False)
        case TemporaryError():
            runs.retry(run, error.retry_after, str(error))
        case Gone():
            runs.finish(run, "ignored", f"no longer there: {error}")
            runs.tell_end(run)
        case BadPayload():
            runs.finish(run, "dead", f"not what its event promises: {error}")
        case _:
            log.error("run failed", exc_info=error)
            runs.retry(run, None, f"{type(error).__name__}: {error}")
            return
    log.info("run ended early: %s", error)


def _route(services: Services, run: Run) -> Route:
    if route := services.router.stored(ended_of(run) or run.handler):
        return route
    raise OtherVersion(f"this version has no handler named {run.handler}", 5.0)


async def _work(services: Services, run: Run) -> RunOutcome:
    """The plan comes from the handler, or from the outbox where an earlier attempt stored it."""
    route = _route(services, run)
    event = await (due_event(services, run) if is_scheduled(run) else _delivered(services, run))
    if isinstance(event, AccessEvent):
        return RunOutcome("done", (await route.handler(event, offboarding(services, event))).reason)
    if isinstance(event, HobDue):
        return RunOutcome("done", (await route.handler(event, hob_context(services))).reason)
    if not isinstance(event, RepositoryEvent):
        return RunOutcome("ignored", f"nothing is done for a {type(event).__name__}")
    if route.whole_repository:
        step_aside()
    if isinstance(event, CommandRequested) and event.channel == "batch":
        await _take_turn(services, run, event)
    leased = partial(services.store.runs.heartbeat_thread.require, run)
    async with services.github.job(event.repo, before_write=leased) as job:
        reader = JobReader(event.repo, job, permissions_to_read(event))
        await _sender(services, run, event, job).settle_left()
        if ended_of(run):
            rows = await rows_of_end(services, run, event, job, reader)
            return await _applied(
                services, run, event, job, rows, PlannedRun(reason="told why there is no review")
            )
        planned = PlannedRun(reason="resumed")
        rows = await asyncio.to_thread(services.store.outbox.rows, run.id)
        waiting = Waiting(services, route, run, event, job, reader, _waited(rows))
        try:
            if not rows:
                planned = await waiting.completed_by(await _plan(waiting))
                rows = await asyncio.to_thread(_store, services, run, event, planned)
                await asyncio.to_thread(_note_file, services, reader)
            await asyncio.to_thread(_still_due, services, run)
            try:
                await _still_wanted(rows, event, reader, _sender(services, run, event, job))
            except Superseded as why:
                await _tell_stop(services, run, event, job, rows, why)
                raise
            outcome = await _applied(services, run, event, job, rows, planned)
        except Superseded as why:
            if not isinstance(why, LeaseLost) and not await waiting.over(str(why)):
                await asyncio.to_thread(services.store.runs.tell_end, run)
            raise
    if isinstance(event, IssueEvent):
        await asyncio.to_thread(_follow, services, run, event, rows)
    return outcome


def _note_file(services: Services, reader: JobReader) -> None:
    """What the settings file said, for the dashboard: that of the default branch, or the only one that was
    read."""
    read, branch = reader.configs, reader.repo.default_branch
    texts = [read[branch]] if branch in read else [*read.values()]
    if len(texts) == 1:
        services.store.known.keep_file(reader.repo.id, texts[0])


def _follow(services: Services, run: Run, event: IssueEvent, rows: list[EffectRow]) -> None:
    """The runs that this one brings about."""
    now, more = time.time(), list[RunSpec]()
    if _takes_up(rows):
        more += resumed(event, services.router, now)
    if isinstance(event, CommentEvent) and services.unindexed(event.repo.id):
        more += indexing(event, services.router, now)
    if more:
        services.store.routing.follow(services.store.inbox.get(run.delivery), more)


async def _tell_stop(
    services: Services, run: Run, event: RepositoryEvent, job: Job, rows: list[EffectRow], why: Superseded
) -> None:
    """Who asked for a commit hears why there is none: no push brings it by itself."""
    if isinstance(why, LeaseLost):
        return
    asked = isinstance(event, CommentEvent) and any(row.kind == PushCommit.__name__ for row in rows)
    if not asked or not isinstance(event, CommentEvent):
        return
    plan = Plan((answer(event, f"I stopped: {why}. Ask again for the code as it is now."),))
    named = keyed(plan, "stopped", event.repo, event.number, f"stopped {run.id}")
    told = await asyncio.to_thread(services.store.outbox.plan, run, named)
    await _sender(services, run, event, job).apply(told)


def _sender(services: Services, run: Run, event: RepositoryEvent, job: Job) -> EffectSender:
    settle = services.config.github.settle_seconds
    return EffectSender(services.store, run, event.repo, job, services.marker, settle)


async def _take_turn(services: Services, run: Run, event: CommandRequested) -> None:
    """One of a batch after the other, also where many are late because Hob was down: those that are not next
    come again at some moment within the time that all of them take."""
    gap = PACE * services.config.github.write_gap_seconds
    wait = await services.github.until_turn(event.repo.installation, 0.9 * gap) if gap else 0.0
    if wait:
        batch = run.delivery.rpartition(":")[0]
        late = await asyncio.to_thread(services.store.runs.count_late, batch)
        raise RateLimited("not its turn yet", retry_after=wait + random.uniform(0.0, gap * late))  # noqa: S311


async def _delivered(services: Services, run: Run) -> Event | None:
    delivery = await asyncio.to_thread(services.store.inbox.get, run.delivery)
    return event_of(delivery)


def _takes_up(rows: list[EffectRow]) -> bool:
    """Whether a pull request is active again, whose heads nobody has looked at meanwhile."""
    effects = (load(row.kind, row.payload) for row in rows if row.state != "shadow")
    return any(isinstance(one, SetPull) and one.state == "active" for one in effects)


async def _applied(
    services: Services, run: Run, event: RepositoryEvent, job: Job, rows: list[EffectRow], planned: PlannedRun
) -> RunOutcome:
    """How it went. Whoever asked hears of what was refused."""
    sender = _sender(services, run, event, job)
    refused = await sender.apply(rows)
    quiet = isinstance(event, CommandRequested) and event.quiet
    if refused and isinstance(event, CommentEvent) and not quiet and not ended_of(run):
        await _told(services, sender, event, rows, refused)
    if refused:
        return RunOutcome("dead", "; ".join(f"{one.kind}: {one.why}" for one in refused), planned.usage)
    return RunOutcome("done", planned.reason, planned.usage)


async def _told(
    services: Services,
    sender: EffectSender,
    event: CommentEvent,
    rows: list[EffectRow],
    refused: list[Refused],
) -> None:
    """The first way that GitHub takes. Each is a row of this run, so that it is gone once."""
    planned = [load(row.kind, row.payload) for row in rows]
    if TakenBack(0) in planned:
        return  # what was refused only said that this person may not ask
    by_check = any(isinstance(one, SetCheck) and one.bound for one in planned)
    head, gates = None, False
    if event.on_pull_request:
        reader = JobReader(event.repo, sender.job, permissions_to_read(event))
        state = await reader.pull_request(event.number)
        head = state.head_sha
        gates = (await settings_at(services, event, reader, state.base_sha)).review.request_changes
    past_runs = await asyncio.to_thread(deeds_of, services, event)
    standing = standing_check(past_runs, head) if head else None
    for effect in ways(event, refused, standing, head, by_check=by_check, gates=gates):
        named = keyed(Plan((effect,)), "refused", event.repo, event.number, f"refused {sender.run.id}")
        told = await asyncio.to_thread(sender.outbox.plan, sender.run, named)
        if not await sender.apply(told):
            return


async def _plan(one: Waiting) -> PlannedRun:
    """The handler's plan; what models were asked is written down even where none comes of it."""
    services, event = one.services, one.event
    asked = CallRecorder(event.repo, number_of(event))
    acknowledge = partial(_acknowledge, services, event, one.job)
    try:
        return await make_plan(
            services, one.route, event, one.reader, acknowledge, one.run.id, asked, before_review=one.tell
        )
    finally:
        await asyncio.to_thread(services.store.calls.add, one.run.id, event.repo.full_name, asked.calls)


def _waited(rows: list[EffectRow]) -> int:
    """The check run that the plan of an earlier attempt is to complete; 0 where it does not."""
    unsent = (load(row.kind, row.payload) for row in rows if row.state not in SETTLED)
    return next((effect.waiting for effect in unsent if isinstance(effect, SetCheck)), 0)


def _store(services: Services, run: Run, event: RepositoryEvent, planned: PlannedRun) -> list[EffectRow]:
    """The plan becomes durable before anything of it is applied: a resumed run never asks the model again."""
    if planned.findings or planned.fixed or planned.opinions:
        _keep_findings(services, run, event, planned)
    if not planned.effects:
        return []
    return services.store.outbox.plan(run, planned.effects, shadow=planned.shadow)


def _keep_findings(services: Services, run: Run, event: RepositoryEvent, planned: PlannedRun) -> None:
    judged = planned.findings
    if planned.shadow:
        judged = tuple(replace(one, state="held back", why="in shadow mode") if one.state == "said" else one
                       for one in judged)  # fmt: skip
    model = planned.usage[-1].model if planned.usage else ""
    head, number = planned.head_sha or "", number_of(event)
    services.store.findings.add(run.id, event.repo.id, number, head, model, judged, planned.fixed)
    services.store.findings.opinions(event.repo.id, number, planned.opinions)


async def _acknowledge(services: Services, event: RepositoryEvent, job: Job) -> None:
    """Eyes on the comment. GitHub keeps one by each user, so it may be sent again at will and is no row of
    the outbox."""
    if not isinstance(event, CommentEvent) or isinstance(event, ReviewEvent | CommandRequested):
        return  # REST knows no reactions to a review, and a request has no comment
    in_thread = isinstance(event, ReviewCommentEvent)
    seen = React("review_comment" if in_thread else "issue_comment", event.comment_id, "eyes")
    try:
        duties = on_github(seen)
        await duties.send(seen, duties.destination(seen, job, event.repo, services.marker))
    except Exception as error:
        log.info("no reaction on comment %s: %s", event.comment_id, error)


def _still_due(services: Services, run: Run) -> None:
    """Asked before the first word: a heartbeat may tell it some seconds later."""
    now = services.store.runs.get(run.id)
    if now is not None and now.superseded:
        raise Superseded("a newer event took its place")


async def _still_wanted(
    rows: list[EffectRow], event: RepositoryEvent, reader: JobReader, sender: EffectSender
) -> None:
    """What was judged is still the head of an open pull request; otherwise nothing more is said about it. A
    push that happened is not unsaid by the head that it made."""
    open_rows = [row for row in rows if row.state not in SETTLED]
    pushed = {row.key for row in open_rows if row.kind == PushCommit.__name__ and await sender.stands(row)}
    unsent = [load(row.kind, row.payload) for row in open_rows if row.key not in pushed]
    judged = [one for effect in unsent if (one := of(effect).judged(effect))]
    if not judged or not isinstance(event, IssueEvent):
        return
    now = await reader.pull_request(event.number)
    if not now.open:
        raise Superseded("the pull request was closed meanwhile")
    if isinstance(event, PullRequestEvent) and now.draft and not event.draft:
        raise Superseded("it was turned into a draft meanwhile")
    if any(one.base not in ("", now.base_ref) for one in judged):
        raise Superseded(f"its base is {now.base_ref} now")
    if {one.head for one in judged} != {now.head_sha}:
        raise Superseded(f"the head moved on to {now.head_sha[:12]}")
