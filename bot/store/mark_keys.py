"""The keys of the marks that Hob leaves on GitHub. A new one is known everywhere before it is used anywhere,
and no old one is forgotten: what bears its mark stands on GitHub for good.
"""

import logging
import secrets
import time

from sqlalchemy import select

from bot.store.database import Database
from bot.store.tables import meta
from bot.store.types import StoreUnavailable

FIRST = "server_key"
LATER = "server_key:"
"""A later key; the epoch seconds follow from which on it is used."""
FROM_SECONDS = 120.0
"""From when it is made; more than `LOOK_SECONDS`, and some seconds by which clocks differ."""
LOOK_SECONDS = 60.0
log = logging.getLogger(__name__)


class MarkKeys:
    """The rows of `meta` that hold them. Called, it gives the one that marks are made with, then others."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._known: list[tuple[float, bytes]] = []
        self._look_at = 0.0

    def first(self) -> bytes:
        """32 random bytes, made once for this database."""
        fresh = {"key": FIRST, "value": secrets.token_bytes(32)}
        with self._db.write() as connection:
            connection.execute(self._db.insert(meta).values(fresh).on_conflict_do_nothing())
            key: bytes = connection.execute(select(meta.c.value).where(meta.c.key == FIRST)).scalar_one()
            return key

    def rotate(self) -> None:
        """One more, used from two minutes later on."""
        self.first()
        row = {"key": f"{LATER}{time.time() + FROM_SECONDS:.3f}", "value": secrets.token_bytes(32)}
        with self._db.write() as connection:
            connection.execute(self._db.insert(meta).values(row))

    def __call__(self) -> tuple[bytes, ...]:
        """Looked at once a minute; `StoreUnavailable` only where they were never read."""
        if time.monotonic() >= self._look_at:
            try:
                self._known = self._read()
                self._look_at = time.monotonic() + LOOK_SECONDS
            except StoreUnavailable as wrong:
                if not self._known:
                    raise
                log.warning("whether there is a new key of marks is not known: %s", wrong)
        now = time.time()
        newest = [key for since, key in self._known if since <= now]
        return (*newest, *(key for since, key in self._known if since > now))

    def _read(self) -> list[tuple[float, bytes]]:
        with self._db.read() as connection:
            which = (meta.c.key == FIRST) | meta.c.key.startswith(LATER)
            rows = connection.execute(select(meta.c.key, meta.c.value).where(which)).all()
        dated = [(float(key.partition(":")[2] or 0), bytes(value)) for key, value in rows]
        return sorted(dated, reverse=True) or [(0.0, self.first())]
