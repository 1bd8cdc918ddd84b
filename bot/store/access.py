"""How far a look at what the App may read has got, so that any process goes on from there."""

from msgspec import DecodeError, Struct, field
from msgspec.json import decode, encode
from sqlalchemy import select

from bot.store.database import Database
from bot.store.tables import meta

KEY = "access"


class Access(Struct):
    """`waiting`: installations that are left of this look, None before it; of the first of them so many pages
    were read, and these repositories seen. `unindexed`: (pushed to at, epoch seconds; id) of those that want
    their first index, of all installations, the latest first."""

    waiting: list[int] | None = None
    page: int = 0
    seen: list[int] = field(default_factory=list)
    unindexed: list[tuple[float, int]] = field(default_factory=list)


class AccessLook:
    """Raises `StoreUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def load(self) -> Access:
        """A new one where there is none, or none that this version can read."""
        with self._db.read() as connection:
            found = connection.execute(select(meta.c.value).where(meta.c.key == KEY)).scalar_one_or_none()
        try:
            return decode(found, type=Access) if found else Access()
        except DecodeError:
            return Access()

    def save(self, progress: Access) -> None:
        value = encode(progress)
        with self._db.write() as connection:
            row = self._db.insert(meta).values(key=KEY, value=value)
            connection.execute(row.on_conflict_do_update(index_elements=["key"], set_={"value": value}))
