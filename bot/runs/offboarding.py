"""What becomes of what was kept, when repositories go away: in `bot.knowledge` and in the store."""

import asyncio
from typing import Literal

from bot.context import Offboarding
from bot.core.errors import Gone
from bot.core.events import (
    AccessEvent,
    InstallationDeleted,
    InstallationSuspended,
    RepositoriesRemoved,
    RepositoryRemoved,
)
from bot.runs.services import Services
from bot.runs.tuning_folder import forget_tuning

WHY: dict[type[AccessEvent], str] = {
    InstallationDeleted: "the App was uninstalled there",
    InstallationSuspended: "the App was suspended there",
    RepositoriesRemoved: "the App may not read this repository any more",
    RepositoryRemoved: "the repository was deleted or went to another owner",
}


def offboarding(services: Services, event: AccessEvent) -> Offboarding:
    """For one event."""

    async def forget_knowledge() -> str:
        for private in (True, False):
            repos = [repo.id for repo in event.repos if repo.private is private]
            await asyncio.to_thread(services.store.known.hide, repos, private=private)
            if private and not services.config.privacy.tune:
                await asyncio.to_thread(forget_tuning, services.config.hob.data_dir, repos)
        return await _unlearn(services, await _affected(services, event))

    async def forget_repositories() -> str:
        return await _forget(services, event, ())

    async def forget_account() -> str:
        names = (event.account, *(repo.full_name for repo in event.repos))
        return await _forget(services, event, names)

    return Offboarding(forget_knowledge, forget_repositories, forget_account)


async def _affected(services: Services, event: AccessEvent) -> set[int]:
    """GitHub lists the repositories of an installation, but not always all."""
    found = {repo.id for repo in event.repos}
    if event.whole:
        found |= await asyncio.to_thread(services.store.repositories, event.installation)
        if services.manager:
            found |= set(await asyncio.to_thread(services.manager.of_installation, event.installation))
    return found


async def _forget(services: Services, event: AccessEvent, names: tuple[str, ...]) -> str:
    """Runs end first, so that none of them makes anew what is deleted. A delivery may be old: whether the App
    is installed is asked now."""
    if event.whole and await state_of(services, event.installation) == "works":
        return "the App is installed there; nothing was forgotten"
    affected = await _affected(services, event)
    whole = event.installation if event.whole else 0
    why = WHY.get(type(event), "access to it ended")
    gone = await asyncio.to_thread(services.store.forget, affected, names, whole, event.delivery, why)
    await asyncio.to_thread(forget_tuning, services.config.hob.data_dir, affected)
    return f"{await _unlearn(services, affected)}, {gone} deliveries deleted"


async def state_of(services: Services, installation: int) -> Literal["works", "suspended", "deleted"]:
    """https://docs.github.com/en/rest/apps/apps#get-an-installation-for-the-authenticated-app"""
    path = "/app/installations/{installation}"
    try:
        found = await services.github.app().get(path, {"installation": installation})
    except Gone:
        return "deleted"
    return "suspended" if not isinstance(found, dict) or found.get("suspended_at") else "works"


async def _unlearn(services: Services, repo_ids: set[int]) -> str:
    if services.manager:
        await services.manager.forget(*sorted(repo_ids))
    return f"forgot what is known of {len(repo_ids)} repositories"
