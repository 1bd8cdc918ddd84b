"""How much Hob keeps, how fast that grows, and for how long there is room."""

import asyncio
import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bot.cli.doctor.line import Wrong
from bot.cli.purge.operations import human, size_of
from bot.config import Config
from bot.core.tuning import TUNE
from bot.runs.tuning_folder import not_allowed

if TYPE_CHECKING:
    from bot.store.sizes import KindSize

LEAST_FREE = 1 << 30
"""Bytes under which a clone or a migration may find no room."""
LEAST_DAYS = 14
"""To do something about it in."""


async def kept(config: Config) -> str:
    """By kind: what the database holds, and what lies beside it. Never a failing line."""
    return await asyncio.to_thread(_told, config)


def _told(config: Config) -> str:
    from bot.store import StoreUnavailable
    from bot.store.sizes import DAYS

    try:
        file, found = _stored(config)
    except StoreUnavailable:
        return "not known: the database does not answer"
    if found is None:
        return "nothing yet"
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
        ("training data", sorted((data / TUNE).glob("[0-9]*"))),
        ("database file", [Path(f"{file}{end}") for end in ("", "-wal")] if file else []),
    ):
        if size := size_of(paths):
            said.append(f"{what} {human(size)}")
    if folders := not_allowed(config):
        goes = "as [privacy] tune does not allow that, it is deleted while `hob up` or `hob work` runs"
        said.append(f"{human(size_of(folders))} of the training data are of private repositories: {goes}")
    grows = sum(one.a_day for one in found)
    return f"{'; '.join(said) or 'nothing yet'}; the database grew by {human(grows)} a day in {DAYS} days"


async def disk(config: Config) -> str:
    """How much room there is where Hob writes, and for how long that lasts."""
    return await asyncio.to_thread(_room, config)


def _room(config: Config) -> str:
    data = config.hob.data_dir.absolute()
    folder = next(one for one in (data, *data.parents) if one.exists())
    free, grows = shutil.disk_usage(folder).free, _grows(config)
    said = f"{human(free)} free for {data}"
    if (left := os.statvfs(folder)).f_files and not left.f_favail:
        raise Wrong(f"no file more can be made in {folder}: it has no inode left", "remove files there")
    if grows:
        days = free / grows
        said += f", enough for {_days(days)} at {human(grows)} a day (as much came in)"
    hint = "make room, or keep less ([retention] in hob.toml, hob purge)"
    if free < LEAST_FREE or (grows and days < LEAST_DAYS):
        raise Wrong(said, hint)
    return said


def _days(days: float) -> str:
    return "years" if days > 1000 else f"{days:.0f} days" if days >= 2 else "a day"


def _grows(config: Config) -> float:
    """Bytes a day that a database on this disk grows by, about; 0 where nothing is known."""
    from bot.store import StoreUnavailable

    try:
        file, found = _stored(config)
    except StoreUnavailable:
        return 0.0
    return sum(one.a_day for one in found or ()) if file else 0.0


def _stored(config: Config) -> tuple[str, list["KindSize"] | None]:
    """(SQLite's file, or nothing; what each kind takes, None where there is no database yet). Raises
    `StoreUnavailable`."""
    from bot.store import open_store
    from bot.store.sizes import sizes

    store = open_store(config.store.database_url)
    file = store.database.file
    try:
        if file.is_missing or not store.schema_is_current():
            return file.path, None
        return file.path, sizes(store.database, time.time())
    finally:
        store.close()
