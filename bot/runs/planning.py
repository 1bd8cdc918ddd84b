"""What a run means to cause: the handler's plan, if this person may ask for it, as permitted and named
effects."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from functools import partial

from bot.context import Context, answer
from bot.core import effect_history as past
from bot.core.concurrency import through
from bot.core.effect_history import Did, PastRun
from bot.core.effects import Comment, KeepDraft, Plan, PushCommit, SetCheck, TakenBack
from bot.core.errors import Gone
from bot.core.events import CommandRequested, CommentEvent, Event, IssueEvent, RepositoryEvent
from bot.core.findings import JudgedFinding
from bot.core.inference import Completion, Infer, OnText, Prompt, T, Usage
from bot.core.knowledge import nothing_beside
from bot.core.refs import Permission, RepoRef, Sha
from bot.core.settings import RepoSettings
from bot.core.settings_merge import FILE, Layer, merge, settings_of
from bot.github import hobyml
from bot.github.reader import JobReader
from bot.router import Place, Route
from bot.runs import authorize
from bot.runs.call_recorder import CallRecorder
from bot.runs.dashboard_issue import dashboard_issue, edits_of
from bot.runs.dispatch import cause, command_of, priority
from bot.runs.effect_policy import Keyed, keyed, load
from bot.runs.egress_policy import guard
from bot.runs.knowledge_adapter import RepositoryKnowledge
from bot.runs.learning import learn_on
from bot.runs.scans import RepositoryScans
from bot.runs.services import Services
from bot.runs.understanding import Understood, understood
from bot.store.types import EffectState

UNASKED = 10
"""Comments of one person on one pull request within the hour after which Hob answers them only by name."""


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """Ready for the outbox."""

    effects: tuple[Keyed, ...] = ()
    reason: str = ""
    usage: tuple[Usage, ...] = ()
    shadow: bool = False
    """Kept and reported, never applied."""
    head_sha: Sha | None = None
    findings: tuple[JudgedFinding, ...] = ()
    fixed: tuple[str, ...] = ()
    opinions: tuple[tuple[str, int, int], ...] = ()
    """As in `Plan`."""


async def make_plan(
    services: Services,
    route: Route,
    event: RepositoryEvent,
    reader: JobReader,
    acknowledge: Callable[[], Awaitable[None]] | None = None,
    run_id: int | None = None,
    asked: CallRecorder | None = None,
    before_review: Callable[[], Awaitable[None]] | None = None,
) -> PlannedRun:
    """Asks the handler. For a command, first GitHub whether this person may ask, then `acknowledge`. `asked`
    collects what models are asked; `before_review` is awaited before each question of a review."""
    level: Permission = "none"
    if isinstance(event, CommentEvent) and route.command:
        level, refused = await _gate(services, route, event, reader)
        if refused:
            return _refusal(refused, event)
        if acknowledge:
            await acknowledge()
    elif route.hears_people and isinstance(event, CommentEvent) and await _talks_on(services, event):
        return PlannedRun(reason="enough was said here within the hour")
    slug = services.config.github.app_slug
    asked = asked or CallRecorder(event.repo, number_of(event))
    stored = await asyncio.to_thread(
        services.store.settings.layers, event.repo.owner, event.repo.name, asker(event)
    )
    settings = settings_of(merge(stored))
    past_runs = await asyncio.to_thread(deeds_of, services, event)
    standing = past.reviews(past_runs, past.undone(past_runs))
    posted = past.posted(past.reviews(past_runs))
    leaving = guard(services.config, services.store, event.repo, reader, run_id, settings)
    knowledge = services.knowledge(event.repo, reader.job, settings, guard=leaving)
    infer = services.infer(
        priority(route, event),
        guard(services.config, services.store, event.repo, reader, run_id, settings, secretive(knowledge)),
        asked,
        settings,
    )
    still_idle = partial(asyncio.to_thread, services.store.runs.is_idle)
    ctx = Context(
        repo=event.repo,
        slug=slug,
        github=reader,
        infer=_after(before_review, infer) if before_review else infer,
        command=command_of(route, event, services.router, slug),
        level=level,
        offers=authorize.offers(
            services.router.routes,
            level,
            private=event.repo.private,
            author=_is_author(event),
            place=_place(event),
        ),
        stored=tuple(stored),
        posted=posted,
        withdrawn=posted - past.posted(standing),
        reviews=standing,
        past_runs=past_runs,
        shadow=await asyncio.to_thread(deeds_of, services, event, "shadow"),
        dashboard=await dashboard_issue(services.store.outbox, event.repo.id),
        memory=tuple(await asyncio.to_thread(services.store.memory.live, event.repo.id)),
        drafts=tuple(
            await asyncio.to_thread(services.store.drafts.waiting, event.repo.id, number_of(event) or None)
        ),
        earlier=past.earlier(past_runs),
        pull=await asyncio.to_thread(services.store.pulls.state, event.repo.id, number_of(event)),
        idle=await asyncio.to_thread(services.store.runs.is_idle),
        still_idle=still_idle,
        knowledge=knowledge,
        scans=RepositoryScans(services.store, event.repo.id),
        look_back=lambda most, language: learn_on(services, reader, infer, most, language, still_idle),
        judged=partial(judged_at, services, event),
        budget=services.config.code.budget,
        write_gap=services.config.github.write_gap_seconds,
        handled=partial(_handled, services, event.repo.id),
        deeds=partial(deeds_at, services, event.repo),
        beside=knowledge.beside if knowledge else nothing_beside,
        note_tool=asked.tool,
        suite=services.suite(event.repo, reader.job),
    )
    meant = Understood(route, ctx)
    if isinstance(event, CommentEvent):
        meant = await understood(
            route, event, ctx, services.router, lambda other: _refused(services, other, event, reader)
        )
    told = meant.plan or await meant.route.handler(event, meant.ctx)
    plan = _unspoken(told, event, meant.route)
    untold = past.untold(past_runs, plan.head_sha)
    by = f"{cause(event)} again {untold}" if untold else cause(event)
    effects = await asyncio.to_thread(
        keyed, plan, meant.route.stored_as, event.repo, number_of(event), by, meant.route.may
    )
    reason = "; ".join(filter(None, (meant.why, plan.reason)))
    return PlannedRun(
        tuple(effects),
        reason,
        (*meant.usage, *plan.usage),
        plan.shadow,
        plan.head_sha,
        plan.findings,
        plan.fixed,
        plan.opinions,
    )


def _unspoken(plan: Plan, event: RepositoryEvent, route: Route) -> Plan:
    """The plan without words on the issue, where none are wanted: what a person may post is kept for that."""
    if not (isinstance(event, CommandRequested) and event.quiet):
        return plan
    drafts = KeepDraft in route.may
    effects = [
        KeepDraft(one.number, one.body, one.about[:40]) if isinstance(one, Comment) else one
        for one in plan.effects
        if not isinstance(one, Comment) or (drafts and one.about)
    ]
    return replace(plan, effects=tuple(effects))


def _after(before_review: Callable[[], Awaitable[None]], infer: Infer) -> Infer:
    async def asks(prompt: Prompt[T], /, on_text: OnText | None = None) -> Completion[T]:
        if prompt.name in ("review", "security"):
            await before_review()
        return await infer(prompt, on_text)

    return through(infer, asks)


async def _gate(
    services: Services, route: Route, event: CommentEvent, reader: JobReader
) -> tuple[Permission, authorize.CommandRefusal | None]:
    """(the permission of whoever gives the command, why it does not run)"""
    if isinstance(event, CommandRequested) and event.channel != "box":
        return "admin", await _moved(services, route, event, reader)  # the operator
    level = await reader.permission(event.author.login)
    refused = authorize.refusal(
        route,
        level,
        private=event.repo.private,
        recent=await asyncio.to_thread(_recent, services, event),
        code=await _allowed(services, reader, event) if route.who == "code" else "write",
        hour=f"hour {int(time.time() // 3600)} of {event.author.login}",
        author=_is_author(event),
    )
    return level, refused or await _moved(services, route, event, reader)


async def _moved(
    services: Services, route: Route, event: CommentEvent, reader: JobReader
) -> authorize.CommandRefusal | None:
    """Why no code is written for a head that whoever asked has not seen."""
    if not event.on_pull_request or PushCommit not in route.may:
        return None
    head = (await reader.pull_request(event.number)).head_sha
    target = f"{event.repo.id}#{event.number}"
    later = await asyncio.to_thread(services.store.runs.head_came_later, target, head, event.delivery)
    words = "There was a push after you asked for this; look at the code as it is now, and ask again."
    return authorize.CommandRefusal(words) if later else None


async def _refused(
    services: Services, route: Route, event: CommentEvent, reader: JobReader
) -> authorize.CommandRefusal | None:
    return (await _gate(services, route, event, reader))[1]


async def _allowed(services: Services, reader: JobReader, event: CommentEvent) -> str:
    """The least permission of who may ask for code here (`code.allow`)."""
    settings = await settings_at(services, event, reader, event.repo.default_branch, asker(event))
    return settings.code.allow


async def settings_at(
    services: Services, event: RepositoryEvent, reader: JobReader, base: str, person: str = ""
) -> RepoSettings:
    """As they count at a base."""
    stored = await asyncio.to_thread(
        services.store.settings.layers, event.repo.owner, event.repo.name, person
    )
    try:
        text, _ = await reader.config_text(base)
    except Gone:
        text = None
    return settings_of(merge(stored, Layer(FILE, hobyml.said(text)[0])))


def secretive(knowledge: RepositoryKnowledge | None) -> Callable[[], bool]:
    """Whether a private archive has answered by now."""
    return lambda: knowledge is not None and knowledge.confidential


async def _handled(
    services: Services, repo: int, handlers: Collection[str], but: Collection[str]
) -> frozenset[int]:
    return await asyncio.to_thread(services.store.runs.handled, repo, handlers, but)


def _place(event: Event) -> Place:
    if not isinstance(event, CommentEvent):
        return "anywhere"
    return "pull requests" if event.on_pull_request else "issues"


def _is_author(event: RepositoryEvent) -> bool:
    """Whether whoever speaks opened the issue or pull request."""
    return isinstance(event, CommentEvent) and event.author.login == event.issue_author


def number_of(event: RepositoryEvent) -> int:
    """Of the issue or pull request that it is about; 0 where it is about none."""
    return event.number if isinstance(event, IssueEvent) else 0


def asker(event: RepositoryEvent) -> str:
    """Whose settings count: of whoever wrote the comment, opened the issue or pull request, or pushed."""
    author = getattr(event, "author", event.sender)
    return str(author.login)


def _refusal(refused: authorize.CommandRefusal, event: CommentEvent) -> PlannedRun:
    """Said where the person spoke; a notice for a span of time has that span as its cause, and so is said
    once."""
    effect = Comment(event.number, refused.words) if refused.once_per else answer(event, refused.words)
    plan = Plan((effect, TakenBack(0)), reason=f"refused: {refused.words}")
    named = keyed(plan, "refusal", event.repo, event.number, refused.once_per or cause(event))
    return PlannedRun(tuple(named), plan.reason)


async def _talks_on(services: Services, event: CommentEvent) -> bool:
    return await asyncio.to_thread(_recent, services, event) > UNASKED


def _recent(services: Services, event: CommentEvent) -> int:
    """How many times this person spoke to Hob on this issue within the hour, this time included. Others' are
    not counted: whoever is refused, or talks without end, uses up nobody else's."""
    target = f"{event.repo.id}#{event.number}"
    heard = {route.stored_as for route in services.router.routes if route.hears_people}
    recent = services.store.runs.count_recent
    return recent(target, heard, 3600.0, sender=event.sender.login, delivery=event.delivery)


async def judged_at(services: Services, event: RepositoryEvent, sha: Sha) -> tuple[SetCheck, ...]:
    """The judgements of a commit, of whatever pull request, oldest first."""
    rows = await asyncio.to_thread(services.store.outbox.checks_of, event.repo.id, sha)
    found = (load(row.kind, row.payload) for row in rows)
    return tuple(one for one in found if isinstance(one, SetCheck) and one.judged and one.head_sha == sha)


def deeds_of(services: Services, event: RepositoryEvent, state: EffectState = "done") -> tuple[PastRun, ...]:
    """What Hob has done here, told by its own outbox, oldest run first."""
    return _deeds(services, event.repo, number_of(event), state)


async def deeds_at(services: Services, repo: RepoRef, number: int) -> tuple[PastRun, ...]:
    """The same of another issue or pull request."""
    return await asyncio.to_thread(_deeds, services, repo, number, "done")


def _deeds(services: Services, repo: RepoRef, number: int, state: EffectState) -> tuple[PastRun, ...]:
    runs: dict[int, list[Did]] = {}
    rows = services.store.outbox.for_target(repo.id, number, state=state)
    if state == "done" and number:
        rows += edits_of(services.store.outbox, repo.id, number)
    for row in sorted(rows, key=lambda one: (one.created_at, one.id)):
        did = Did(load(row.kind, row.payload), row.github_id or 0, row.url)
        runs.setdefault(row.run_id, []).append(did)
    return tuple(PastRun(run, tuple(did)) for run, did in runs.items())
