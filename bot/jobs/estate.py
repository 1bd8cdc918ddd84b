"""What becomes of what was kept, when repositories go away: in the knowledge room and in the store."""

import asyncio

from bot.context import Estate
from bot.core.errors import Gone
from bot.core.events import AccessEvent
from bot.jobs.house import House


def estate(house: House, event: AccessEvent) -> Estate:
    """For one event."""

    async def forget_knowledge() -> str:
        return await _unlearn(house, await _affected(house, event))

    async def forget_repositories() -> str:
        return await _forget(house, event, ())

    async def forget_account() -> str:
        names = (event.account, *(repo.full_name for repo in event.repos))
        return await _forget(house, event, names)

    return Estate(forget_knowledge, forget_repositories, forget_account)


async def _affected(house: House, event: AccessEvent) -> set[int]:
    """GitHub lists the repositories of an installation, but not always all."""
    found = {repo.id for repo in event.repos}
    if event.whole:
        found |= await asyncio.to_thread(house.store.repositories, event.installation)
        if house.keeper:
            found |= set(await asyncio.to_thread(house.keeper.of_installation, event.installation))
    return found


async def _forget(house: House, event: AccessEvent, names: tuple[str, ...]) -> str:
    """Runs end first, so that none of them makes anew what is deleted. A delivery may be old: whether the App
    is installed is asked now."""
    if event.whole and await _works(house, event.installation):
        return "the App is installed there; nothing was forgotten"
    affected = await _affected(house, event)
    whole = event.installation if event.whole else 0
    gone = await asyncio.to_thread(house.store.forget, affected, names, whole, event.delivery)
    return f"{await _unlearn(house, affected)}, {gone} deliveries deleted"


async def _works(house: House, installation: int) -> bool:
    """https://docs.github.com/en/rest/apps/apps#get-an-installation-for-the-authenticated-app"""
    path = "/app/installations/{installation}"
    try:
        found = await house.github.app().get(path, {"installation": installation})
    except Gone:
        return False
    return isinstance(found, dict) and not found.get("suspended_at")


async def _unlearn(house: House, repo_ids: set[int]) -> str:
    if house.keeper:
        await house.keeper.forget(*sorted(repo_ids))
    return f"forgot what is known of {len(repo_ids)} repositories"
