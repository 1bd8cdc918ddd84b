"""What lies on this machine for nobody goes: each machine with workers has clones and indexes of its own."""

import asyncio
import logging
import time

from bot.config.retention import DAY
from bot.core.errors import HobError
from bot.runs.schedule import PURGE_SECONDS
from bot.runs.services import Services
from bot.runs.tuning_folder import forget_not_allowed, forget_unknown

log = logging.getLogger(__name__)


async def tidy_forever(services: Services) -> None:
    """Until cancelled. A mistake of ours must not end the worker."""
    while True:
        try:
            if gone := await tidy_once(services):
                log.info("clones or indexes of %d repositories were deleted: nobody used them", gone)
        except HobError as error:
            log.warning("clones and indexes were not looked through: %s", error)
        except Exception:
            log.exception("clones and indexes were not looked through")
        await asyncio.sleep(PURGE_SECONDS)


async def tidy_once(services: Services) -> int:
    """Of how many repositories a clone or an index was deleted. Raises `StoreUnavailable`,
    `TemporaryError`."""
    known = await asyncio.to_thread(services.store.known.ids)
    data_dir = services.config.hob.data_dir
    await asyncio.to_thread(forget_unknown, data_dir, known)
    if not services.config.privacy.tune:
        private = await asyncio.to_thread(services.store.known.private_ids)
        for folder in await asyncio.to_thread(forget_not_allowed, data_dir, private):
            log.warning("%s was deleted: it is of a private repository, and [privacy] tune is off", folder)
    if not services.manager:
        return 0
    kept = services.config.retention
    clones, indexes = (
        time.time() - days * DAY if days else None for days in (kept.clones_days, kept.indexes_days)
    )
    return await services.manager.forget_unused(known, clones, indexes)
