"""How much Hob keeps, and how fast that grows."""

import asyncio
import time
from pathlib import Path

from bot.cli.purge.operations import human, size_of
from bot.config import Config


async def kept(config: Config) -> str:
    """By kind: what the database holds, and what lies beside it. Never a failing line."""
    return await asyncio.to_thread(_told, config)


def _told(config: Config) -> str:
    from bot.store import StoreUnavailable, open_store
    from bot.store.sizes import DAYS, sizes

    store = open_store(config.store.database_url)
    file = Path(store.database.url.database or "") if store.database.is_sqlite else None
    try:
        if (file and not file.exists()) or not store.schema_is_current():
            return "nothing yet"
        found = sizes(store.database, time.time())
    except StoreUnavailable:
        return "not known: the database does not answer"
    finally:
        store.close()
    said = [
        f"{one.count:,} {one.kind} {human(one.size)}" + (f" (+{human(one.a_day)} a day)" if one.a_day else "")
        for one in found
        if one.count
    ]
    data = config.hob.data_dir
    clones, indexes = sorted((data / "clones").glob("*.git")), sorted((data / "knowledge").glob("*.db*"))
    for what, paths in (
        (f"{len(clones)} clones", clones),
        (f"{len([one for one in indexes if one.suffix == '.db'])} indexes", indexes),
        ("cache", sorted(data.glob("cache.db*"))),
        ("database file", [Path(f"{file}{end}") for end in ("", "-wal")] if file else []),
    ):
        if size := size_of(paths):
            said.append(f"{what} {human(size)}")
    grows = sum(one.a_day for one in found)
    return f"{'; '.join(said) or 'nothing yet'}; the database grew by {human(grows)} a day in {DAYS} days"
