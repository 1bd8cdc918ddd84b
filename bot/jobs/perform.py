"""One run, from its row to its effects: claim, read, think, store the plan, apply it.

Whatever ends a run early is an exception of `bot.core.errors`; `_settle` says what each means for the run.
"""

import asyncio
import logging
import time

from bot import log as logs
from bot.context import Context
from bot.core.effects import Comment, Effect, Plan, PostReview, React, ReplyInThread, SetCheck
from bot.core.errors import BadPayload, Gone, RateLimited, Superseded, TemporaryError
from bot.core.events import CommentEvent, Event, IssueEvent, ReviewCommentEvent
from bot.core.refs import Sha
from bot.github import apply
from bot.github.client import Job
from bot.github.payloads import parse
from bot.jobs import gate
from bot.jobs.house import House, current
from bot.jobs.outbox import Sender
from bot.jobs.permitted import Keyed, keyed, load
from bot.jobs.reading import JobReader, check, permissions_to_read
from bot.jobs.routing import cause, command_of
from bot.router import Route
from bot.store.outbox import Row
from bot.store.runs import Run, held

SAYS = frozenset({Comment, ReplyInThread})
"""What a refusal may cause, whatever the route may."""
log = logging.getLogger(__name__)


async def perform(run_id: int) -> None:
    """Does the run if it is due and free; returns quietly otherwise, for RQ may name a run twice."""
    house = await current()
    run = await asyncio.to_thread(
        house.store.runs.claim, run_id, house.owner, house.config.queue.lease_seconds
    )
    if run is None:
        return
    with logs.bind(delivery=run.delivery, run=str(run.id), handler=run.handler):
        try:
            async with held(house.store.runs, run, house.config.queue.lease_seconds):
                state, summary = await _work(house, run)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001  the border of a run: what it meant is decided in one place
            await asyncio.to_thread(_settle, house, run, error)
        else:
            await asyncio.to_thread(house.store.runs.finish, run, state, summary)
            log.info("run %s: %s", state, summary)


def _settle(house: House, run: Run, error: Exception) -> None:
    """Another attempt, later, for what passes; an end for what does not; a dead letter for what we did not foresee."""
    runs = house.store.runs
    match error:
        case Superseded():
            runs.finish(run, "superseded", str(error))
        case RateLimited():
            runs.retry(run, error.retry_after, str(error), count_attempt=False)
        case TemporaryError():
            runs.retry(run, error.retry_after, str(error))
        case Gone():
            runs.finish(run, "ignored", f"no longer there: {error}")
        case BadPayload():
            runs.finish(run, "dead", f"not what its event promises: {error}")
        case _:
            log.exception("run failed")
            runs.retry(run, None, f"{type(error).__name__}: {error}")
            return
    log.info("run ended early: %s", error)


async def _work(house: House, run: Run) -> tuple[str, str]:
    """The run's end state and one line about it."""
    delivery = await asyncio.to_thread(house.store.inbox.get, run.delivery)
    event = parse(delivery.event, delivery.guid, delivery.body)
    route = house.router.named(run.handler)
    if route is None or not isinstance(event, IssueEvent):
        return "ignored", f"this version has no handler named {run.handler}"
    async with house.github.job(event.repo) as job:
        reader = JobReader(event.repo, job, permissions_to_read(event))
        rows, summary = await asyncio.to_thread(house.store.outbox.rows, run.id), run.summary or "resumed"
        if not rows:
            plan, effects = await make_plan(house, run, route, event, reader, job)
            summary = plan.reason
            rows = await asyncio.to_thread(_store, house, run, event, plan, effects)
        if not rows:
            return "done", summary
        await _still_wanted(rows, event, reader)
        refused = await Sender(
            house.store.outbox, run, event.repo, job, house.seal, house.config.github.settle_seconds
        ).apply(rows)
    return ("dead", "; ".join(refused)) if refused else ("done", summary)


def _store(house: House, run: Run, event: IssueEvent, plan: Plan, effects: list[Keyed]) -> list[Row]:
    """The plan becomes durable before anything of it is applied: a resumed run never asks the model again."""
    for used in plan.usage:
        house.store.ledger.add(run.id, event.repo.full_name, used)
    return house.store.outbox.plan(run, effects)


async def make_plan(
    house: House, run: Run, route: Route, event: IssueEvent, reader: JobReader, job: Job
) -> tuple[Plan, list[Keyed]]:
    """Asks the handler; for a command, first whether this person may ask. Returns the plan and its permitted, named effects."""
    level = ""
    if isinstance(event, CommentEvent):
        level = await reader.permission(event.author.login)
        if refused := await _refusal(house, route, event, level):
            return refused
        await _acknowledge(house, event, job)
    ctx = Context(
        repo=event.repo,
        slug=house.config.github.app_slug,
        github=reader,
        infer=house.infer(route.priority),
        check=check,
        command=command_of(route, event, house.router, house.config.github.app_slug),
        offers=gate.offers(house.router.routes, level, private=event.repo.private),
        posted=await asyncio.to_thread(_posted, house, event),
    )
    plan: Plan = await route.handler(event, ctx)
    return plan, keyed(plan, route, event.repo, event.number, cause(event))


async def _refusal(
    house: House, route: Route, event: CommentEvent, level: str
) -> tuple[Plan, list[Keyed]] | None:
    whole = f"{event.repo.id}#{event.number}"
    recent = await asyncio.to_thread(house.store.runs.count_recent, whole, "comments.", 3600)
    hour = int(time.time() // 3600)
    refusal = gate.refusal(route, level, private=event.repo.private, recent=recent, hour=hour)
    if refusal is None:
        return None
    say = ReplyInThread if isinstance(event, ReviewCommentEvent) else Comment
    effect: Effect = (
        ReplyInThread(event.number, event.in_reply_to or event.comment_id, refusal.words)
        if isinstance(event, ReviewCommentEvent)
        else Comment(event.number, refusal.words)
    )
    plan = Plan((effect,), reason=f"refused: {refusal.words}")
    speaker = Route(name="refusal", handler=route.handler, may=frozenset({say}), priority="high")
    return plan, keyed(plan, speaker, event.repo, event.number, refusal.once_per or cause(event))


async def _acknowledge(house: House, event: CommentEvent, job: Job) -> None:
    """Eyes on the comment: GitHub keeps one by each user, so it may be sent again at will and is no row of the outbox."""
    subject = "review_comment" if isinstance(event, ReviewCommentEvent) else "issue_comment"
    seen = React(subject, event.comment_id, "eyes")
    try:
        await apply.send(
            await job.api(apply.needs(seen, on_pull_request=event.on_pull_request)),
            event.repo,
            seen,
            "",
            house.seal,
        )
    except Exception as error:  # noqa: BLE001  a courtesy: its failure must not cost the answer
        log.info("no reaction on comment %s: %s", event.comment_id, error)


def _posted(house: House, event: IssueEvent) -> frozenset[str]:
    """Fingerprints of the findings that stand on this pull request already, told by our own outbox."""
    reviews = [
        load(row.kind, row.payload)
        for row in house.store.outbox.for_target(event.repo.id, event.number, "PostReview")
    ]
    return frozenset(
        comment.fingerprint
        for review in reviews
        if isinstance(review, PostReview)
        for comment in review.comments
    )


async def _still_wanted(rows: list[Row], event: Event, reader: JobReader) -> None:
    """What was judged is still the head of an open pull request; otherwise nothing more is said about it."""
    unsent = [load(row.kind, row.payload) for row in rows if row.state not in ("done", "rejected")]
    judged: set[Sha] = {effect.head_sha for effect in unsent if isinstance(effect, PostReview | SetCheck)}
    if not judged or not isinstance(event, IssueEvent):
        return
    now = await reader.pull_request(event.number)
    if not now.open:
        raise Superseded("the pull request was closed meanwhile")
    if judged != {now.head_sha}:
        raise Superseded(f"the head moved on to {now.head_sha[:12]}")
