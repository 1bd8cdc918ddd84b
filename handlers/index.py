"""Keeps what Hob knows of a repository current: the default branch as it is pushed to, issues and pull
requests as they change.

A pull request on a repository of which nothing is known yet starts it too, and so does a question; review and
answer go ahead without. One run that waits does for all that happens meanwhile: it reads how things stand as
it starts.
"""

from bot.context import Context
from bot.core.effects import Plan
from bot.core.events import (
    DefaultBranchPushed,
    IssueClosed,
    IssueEdited,
    IssueOpened,
    IssueRemoved,
    IssueReopened,
    PullRequestClosed,
    PullRequestEdited,
    PullRequestOpened,
    PullRequestReopened,
    RepositoryEvent,
)
from bot.router import Router

router = Router()
OFF = "[knowledge] is off"
KINDS = (
    DefaultBranchPushed,
    IssueOpened,
    IssueEdited,
    IssueClosed,
    IssueReopened,
    PullRequestOpened,
    PullRequestEdited,
    PullRequestReopened,
    PullRequestClosed,
)


@router.on(
    *KINDS,
    may=(),
    priority="low",
    coalesce=KINDS,
    whole_repository=True,
    name="index",
    stored_as="knowledge.learn",
)
async def learn(event: RepositoryEvent, ctx: Context) -> Plan:
    """Fetches what is new and indexes it."""
    if ctx.knowledge is None:
        return Plan(reason=OFF)
    first = "indexed for the first time: " if await ctx.knowledge.unindexed() else ""
    return Plan(reason=first + await ctx.knowledge.refresh())


@router.on(IssueRemoved, may=(), priority="low", name="index-issue-removed", stored_as="knowledge.drop_issue")
async def drop_issue(event: IssueRemoved, ctx: Context) -> Plan:
    """GitHub lists it no more, so that no refresh would notice."""
    if ctx.knowledge is None:
        return Plan(reason=OFF)
    await ctx.knowledge.drop_issue(event.number)
    return Plan(reason=f"forgot issue {event.number}")
