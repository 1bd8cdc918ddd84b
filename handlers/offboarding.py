"""Forgets what was kept of repositories that Hob may no longer read, or that are not what they were.

Clones and indexes can be made again. Deliveries hold texts of private repositories and go where the access
ended. What is stored for an account goes when the App is uninstalled there, not when it is suspended.
"""

from bot.context import Offboarding
from bot.core.effects import Plan
from bot.core.events import (
    AccessEvent,
    InstallationDeleted,
    InstallationSuspended,
    RepositoriesRemoved,
    RepositoryChanged,
    RepositoryRemoved,
)
from bot.router import Router

router = Router()


@router.on(
    InstallationDeleted,
    may=(),
    priority="high",
    name="forget-account",
    stored_as="installations.forget_account",
)
async def forget_account(event: AccessEvent, offboarding: Offboarding) -> Plan:
    """Nothing of it stays but the names of effects, which keep a replay from causing them again."""
    return Plan(reason=await offboarding.forget_account())


@router.on(
    InstallationSuspended,
    RepositoriesRemoved,
    RepositoryRemoved,
    may=(),
    priority="high",
    name="forget-repositories",
    stored_as="installations.forget_repositories",
)
async def forget_repositories(event: AccessEvent, offboarding: Offboarding) -> Plan:
    """Settings stay: the same people may come back."""
    return Plan(reason=await offboarding.forget_repositories())


@router.on(
    RepositoryChanged,
    may=(),
    priority="high",
    name="forget-knowledge",
    stored_as="installations.forget_knowledge",
)
async def forget_knowledge(event: AccessEvent, offboarding: Offboarding) -> Plan:
    """It is learned again with the next event, under the new name and for those who may read it now."""
    return Plan(reason=await offboarding.forget_knowledge())
