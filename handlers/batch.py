"""Triage of many issues that the operator asks for at once: a request for each, at a pace that leaves
GitHub's limits to people.

A batch is one run that lists; what it finds is in the outbox before the first request is made, and each
request bears the batch's name and the issue's number. So it may end anywhere and go on, and no issue is
touched twice.
"""

from bot.context import Context
from bot.core.effects import Plan, RequestCommand
from bot.core.events import PACE, BatchRequested
from bot.router import Router

router = Router()
MOST = 5_000
"""Issues of one batch."""
TRIAGE = ("issues.triage", "@triage")
DID_NOTHING = ("not triaged", "triage is off", "refused:")
"""How what is said begins of runs after which an issue is as new as before."""


@router.on(BatchRequested, may={RequestCommand}, priority="low", name="batch", stored_as="issues.batch")
async def batch(event: BatchRequested, ctx: Context) -> Plan:
    """The oldest issues first. What was triaged before is left out, unless all is asked for again."""
    found = await ctx.github.issue_numbers(
        since=event.since, labels=event.labels, state=event.state, most=MOST
    )
    before = frozenset() if event.again else await ctx.handled(TRIAGE, DID_NOTHING)
    chosen = [number for number in found if number not in before]
    name = event.delivery.partition(":")[2]
    requests = [
        RequestCommand(
            number,
            "/hob triage",
            event.sender,
            f"{name}:{number}",
            channel="batch",
            quiet=event.quiet,
            after=turn * PACE * ctx.write_gap,
        )
        for turn, number in enumerate(chosen)
    ]
    known = len(found) - len(chosen)
    more = f" (the first {MOST:,}; ask again for more)" if len(found) >= MOST else ""
    return Plan(tuple(requests), reason=f"{len(chosen)} issues to triage, {known} triaged before{more}")
