"""`hob triage`: a batch that is asked for and followed, or one that is only planned."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from msgspec.json import decode

from bot.config import load_config
from bot.core.effects import RequestCommand
from bot.core.errors import UserError
from bot.core.events import BatchRequested, CommandRequested
from bot.core.refs import OPERATOR, Login, RepoRef
from bot.github.reader import ISSUE, JobReader
from bot.runs.asking import Wanted, ask_for_batch
from bot.runs.planning import PlannedRun, make_plan
from bot.runs.preview import find
from bot.runs.services import Services, build
from bot.store.batches import HANDLER, BatchIssue, BatchProgress, progress

LOOK_SECONDS = 1.0
OnProgress = Callable[[BatchProgress], None]
OnPlanned = Callable[[int, int, BatchIssue], None]
"""How many are planned, of how many, and the newest."""


@asynccontextmanager
async def _services() -> AsyncIterator[Services]:
    services = build(load_config())
    try:
        yield services
    finally:
        await services.aclose()


async def start(full_name: str, wanted: Wanted) -> int:
    """Asks for a batch; gives the number of its run. Workers do it."""
    async with _services() as services:
        repo = await find(services.github, full_name)
        return (await ask_for_batch(services, repo, wanted, "batch")).id


async def follow(run_id: int, told: OnProgress) -> BatchProgress:
    """Until the batch is over; `told` now and then. UserError where that run is no batch."""
    async with _services() as services:
        runs, outbox = services.store.runs, services.store.outbox
        while True:
            run = await asyncio.to_thread(runs.get, run_id)
            if run is None or run.handler != HANDLER:
                raise UserError(f"run {run_id} is no batch", "look at its number")
            now = await asyncio.to_thread(progress, runs, outbox, run)
            told(now)
            if now.is_over:
                return await asyncio.to_thread(partial(progress, runs, outbox, run, effects=True))
            await asyncio.sleep(LOOK_SECONDS)


async def plan_only(full_name: str, wanted: Wanted, told: OnPlanned) -> list[BatchIssue]:
    """What a batch would do, issue by issue, in this process. It reads GitHub and asks models; nothing is
    written anywhere."""
    async with _services() as services:
        repo = await find(services.github, full_name)
        listing = services.router.stored(HANDLER)
        command = services.router.commands.get("triage")
        if listing is None or command is None:
            raise UserError("no handler here triages issues", "look at HOB_HANDLERS, or ask without it")
        batch = BatchRequested(
            delivery="request:batch:dry-run",
            sender=OPERATOR,
            repo=repo,
            since=wanted.since,
            labels=wanted.labels,
            state=wanted.state,
            again=wanted.again,
            quiet=wanted.quiet,
        )
        async with services.github.job(repo) as job:
            reader = JobReader(repo, job, ISSUE)
            listed = await make_plan(services, listing, batch, reader)
            asked = [one.effect for one in listed.effects if isinstance(one.effect, RequestCommand)]
            done: list[BatchIssue] = []
            for one in asked:
                planned = await make_plan(services, command, _command(repo, one), reader)
                done.append(BatchIssue(one.number, 0, "planned", planned.reason, _effects(planned)))
                told(len(done), len(asked), done[-1])
        return done


def _command(repo: RepoRef, one: RequestCommand) -> CommandRequested:
    return CommandRequested(
        delivery=f"request:{one.name}",
        sender=one.by,
        repo=repo,
        number=one.number,
        comment_id=0,
        body=one.line,
        previous_body=None,
        author=one.by,
        app_id=None,
        on_pull_request=False,
        issue_author=Login(""),
        channel="batch",
        quiet=one.quiet,
    )


def _effects(planned: PlannedRun) -> tuple[dict[str, Any], ...]:
    return tuple({"kind": one.kind, "state": "planned", **decode(one.payload)} for one in planned.effects)
