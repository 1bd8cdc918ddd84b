"""Answers a merge queue: a check run for each group that it would merge, from what the heads in it came to.

Nothing is read again. Where the check `Hob` is required, a group without one would wait for ever.
"""

from bot.context import Context
from bot.core.check_judgement import Member, of_change, of_group, unread
from bot.core.effects import Plan, SetCheck
from bot.core.errors import Gone
from bot.core.events import MergeGroupChecksRequested, MergeGroupDestroyed, MergeGroupEvent
from bot.core.settings import ReviewSettings
from bot.core.skip_rules import AUTHORS_OWN, why_not_reviewed
from bot.router import Router

router = Router()
MOST = 100
"""Pull requests: the largest group that GitHub makes."""
NOT_YET = "its head has no review yet"


@router.on(
    MergeGroupChecksRequested,
    MergeGroupDestroyed,
    may={SetCheck},
    priority="high",
    newest_only=True,
    name="merge-group",
)
async def judge_group(event: MergeGroupEvent, ctx: Context) -> Plan:
    """Settings are those of the branch that it is merged into."""
    if isinstance(event, MergeGroupDestroyed):
        return Plan(reason="the group is no more")
    settings = (await ctx.repository(event.base_ref)).settings.review
    if settings.shadow:
        return Plan(reason="reviews are only kept (review.shadow)")
    # Not since `base_sha`: that may be a group in front, and a queue may ask for the last one alone.
    named = await ctx.github.merging(event.base_ref, event.head_sha)
    numbers = list(dict.fromkeys((*named, event.number) if event.number else named))[-MOST:]
    found = [await _member(event, number, settings, ctx) for number in numbers]
    members = [one for one in found if one is not None]
    check = of_group(event.head_sha, members, unread(gates=settings.request_changes))
    return Plan((check,), reason=check.title, head_sha=event.head_sha)


async def _member(
    event: MergeGroupEvent, number: int, settings: ReviewSettings, ctx: Context
) -> Member | None:
    """None for a pull request that a commit names and that is not on its way into this branch."""
    try:
        state = await ctx.github.pull_request(number)
    except Gone:
        return None
    if number != event.number and (not state.open or state.base_ref != event.base_ref):
        return None
    judged = of_change(number, event.base_ref, await ctx.judged(state.head_sha))
    if judged:
        return Member(number, judged)
    why = why_not_reviewed(state, settings) if state.open else None
    passes = why is not None and why not in AUTHORS_OWN
    return Member(number, None, why or NOT_YET, unread(gates=settings.request_changes and not passes))
