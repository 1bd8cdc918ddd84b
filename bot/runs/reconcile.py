"""Looks for what Hob missed: deliveries that the inbox lacks, and, past the time for which GitHub keeps them,
work that is there to be found (`bot.runs.back_fill`).

Deliveries are listed from the newest back to a watermark, and those that are lacking fetched, the oldest
first. A round makes a bounded number of calls; the next goes on from where it stopped.
"""

import asyncio
import logging

from bot.config.retention import DAY
from bot.core.errors import BadPayload, GitHubError, RateLimited, TemporaryError
from bot.github.deliveries import WINDOW_SECONDS, DeliveryPage, HookDeliveries
from bot.github.payloads import reads
from bot.github.routing import routing
from bot.intake import new_delivery
from bot.runs.back_fill import back_fill
from bot.runs.rounds import Round, RoundOver, calls_a_round
from bot.runs.services import Services
from bot.store.reconciliation import (
    BackFill,
    ListedDelivery,
    MissedDelivery,
    Progress,
    Reconciliation,
)

OVERLAP_SECONDS = 600.0
"""Looked at once more before the watermark: GitHub's list has no strict order."""
GAP_SECONDS = 86_400.0
"""Time without a look from which on GitHub's list may not reach back far enough; about three days."""
MOST_MISSED = 5000
"""That are known at once; the look goes on when they are fetched."""
ATTEMPTS = 3
"""At a payload, while GitHub answers everything else."""
SAVED_EVERY = 20
"""Deliveries fetched between two notes of how far it got: one that is fetched again costs a call, no more."""

log = logging.getLogger(__name__)


async def reconcile(services: Services) -> str:
    """One round; says in a line what was found. What GitHub or the database refuses for now is raised; what
    was done until then is kept."""
    if services.config.intake.polls:
        return "polling looks for them"
    kept = Reconciliation(services.store.database)
    progress = await asyncio.to_thread(kept.load)
    calls = calls_a_round(services.config.intake.reconcile_minutes)
    this = Round(services, kept, progress, calls)
    try:
        await one_round(this)
    finally:
        said = await _tell(this)
    return said


async def one_round(this: Round) -> None:
    """As far as its calls go."""
    try:
        await _look_and_fetch(this)
        await back_fill(this)
    except RoundOver:
        pass


async def _tell(this: Round) -> str:
    """Writes down what was found, and says so."""
    progress, found = this.progress, this.found
    progress.note(found)
    await this.save()
    said = str(found) or "nothing was missed"
    if progress.waiting:
        said += "; goes on in the next round"
    (log.info if found else log.debug)("%s", said)
    return said


async def _look_and_fetch(this: Round) -> None:
    """What was listed since the watermark and is lacking, into the inbox; raises `RoundOver`."""
    progress, kept_there = this.progress, HookDeliveries(this.services.github.app())
    new = True
    while new or progress.began or progress.missed:
        if (new or progress.began) and len(progress.missed) < MOST_MISSED:
            new = False
            await _look(this, kept_there)
        else:
            await _fetch(this, kept_there)


async def _look(this: Round, kept_there: HookDeliveries) -> None:
    """One page of the list."""
    progress = this.progress
    this.spend()
    page = await _page(progress, kept_there)
    progress.looked_at = page.at
    if progress.watermark > page.at + OVERLAP_SECONDS:  # GitHub's clock was set back
        progress.watermark = page.at - GAP_SECONDS
        progress.started = min(progress.started, progress.watermark)
    progress.started = progress.started or page.at - this.grace
    progress.watermark = progress.watermark or page.at - WINDOW_SECONDS
    progress.began = progress.began or page.at
    kept_since = page.at - this.services.config.retention.payloads_days * DAY
    floor = max(progress.watermark - OVERLAP_SECONDS, kept_since)
    await asyncio.to_thread(_note_missed, this, page, floor)
    times = [one.delivered_at for one in page.deliveries]
    this.listed += sum(at > progress.watermark for at in times)
    progress.oldest = min([*times, progress.oldest or page.at])
    progress.cursor = page.following
    if not page.following or any(at < floor for at in times):
        _end_of_look(progress, kept_since, this.grace)
    await this.save()
    this.spend(0, page.left)


async def _page(progress: Progress, kept_there: HookDeliveries) -> DeliveryPage:
    """Where a cursor is not taken any more, from the newest on again."""
    try:
        return await kept_there.page(progress.cursor)
    except GitHubError:
        if not progress.cursor:
            raise
    return await kept_there.page()


def _note_missed(this: Round, page: DeliveryPage, floor: float) -> None:
    """Those of a page that the inbox lacks and Hob would read. One of several attempts is enough."""
    progress = this.progress
    known = {one.guid for one in progress.missed} | set(progress.given_up)
    again = {one.guid for one in page.deliveries if one.redelivery}
    wanted = {
        one.guid: one
        for one in page.deliveries
        if one.guid not in known
        and reads(one.event, one.action)
        and floor <= one.delivered_at <= page.at - this.grace
        and (not one.ok or one.delivered_at >= progress.started)
    }
    asked = [
        ListedDelivery(one.guid, one.delivered_at, one.repository_id, one.installation_id)
        for one in wanted.values()
    ]
    lacking = this.services.store.reconciliation.lacking(asked)
    progress.missed += [
        MissedDelivery(one.id, one.guid, one.event, one.delivered_at, again=one.guid in again)
        for one in wanted.values()
        if one.guid in lacking
    ]
    progress.missed.sort(key=lambda one: -one.at)


def _end_of_look(progress: Progress, kept_since: float, grace: float) -> None:
    """Everything since the watermark was listed, or all that GitHub and the inbox keep: then what is older is
    to be found otherwise. Before its first look Hob has missed nothing but deliveries."""
    since, reached = progress.watermark, progress.oldest <= progress.watermark >= kept_since
    if not reached and since >= progress.started and progress.began - since > GAP_SECONDS:
        if progress.back_fill:
            since = min(since, progress.back_fill.since)
        progress.back_fill = BackFill(since, max(progress.oldest, kept_since))
    progress.watermark = max(progress.watermark, progress.began - grace)
    progress.began, progress.cursor, progress.oldest = 0.0, "", 0.0
    old = progress.watermark - 2 * OVERLAP_SECONDS
    progress.given_up = {guid: at for guid, at in progress.given_up.items() if at >= old}


async def _fetch(this: Round, kept_there: HookDeliveries) -> None:
    """The oldest delivery that is lacking: into the inbox as the receiver puts it there."""
    progress, store = this.progress, this.services.store
    one = progress.missed[-1]
    asked = [ListedDelivery(one.guid, one.at, None, None)]
    if await asyncio.to_thread(store.reconciliation.lacking, asked):  # it may have come in meanwhile
        this.spend()
        try:
            body = await kept_there.payload(one.id)
            new = new_delivery(one.event, one.guid, body, routing(body), progress.looked_at - one.at)
        except RateLimited:
            raise
        except TemporaryError as error:
            one.failures += 1
            if one.failures < ATTEMPTS:
                await this.save()
                raise
            await _send_again(this, kept_there, one, error)
        except (GitHubError, BadPayload) as error:
            await _send_again(this, kept_there, one, error)
        else:
            told = [ListedDelivery(one.guid, one.at, new.repo_id, new.installation_id)]
            if not await asyncio.to_thread(store.reconciliation.lacking, told):
                log.info("delivery %s is about what was forgotten since it was listed", one.guid)
            elif await asyncio.wrap_future(store.inbox.put(new)):
                this.found.deliveries += 1
                if this.makes_up:
                    progress.recover(one.guid)
                this.arrived(one)
                log.info(
                    "delivery recovered", extra={"delivery": one.guid, "event": one.event, "repo": new.repo}
                )
    progress.missed.pop()
    if len(progress.missed) % SAVED_EVERY == 0:
        await this.save()


async def _send_again(this: Round, kept_there: HookDeliveries, one: MissedDelivery, why: Exception) -> None:
    """What cannot be read is asked for once, where something could take it."""
    if not one.again and this.services.config.intake.mode != "poll":
        this.spend()
        try:
            await kept_there.redeliver(one.id)
        except GitHubError as error:
            why = error
        else:
            log.warning("delivery %s cannot be read, GitHub sends it again: %s", one.guid, why)
            return
    this.found.lost += 1
    this.progress.given_up[one.guid] = one.at
    log.warning("delivery %s (%s) is lost: %s", one.guid, one.event, why)
