"""A database that was put back knows less than GitHub: what Hob wrote after the copy was made stands there,
and its deliveries come in again. So whatever may have been written is looked for before it is sent.
"""

import struct
import time

from sqlalchemy import Connection, delete, insert, select, update

from bot.store.tables import meta, outbox
from bot.store.types import EffectState

KEY = "restored"
LOOKS_SECONDS = 30 * 86_400.0
"""After the first plan in a restored database. GitHub keeps deliveries for three days; what is older the
reconciler looks for, which may take some days over many repositories, and people reopen what they closed."""


def mark(connection: Connection) -> None:
    """Of a copy that somebody may put in the place of the database; of any schema."""
    unclear = outbox.c.state.in_(("planned", "sending", "waiting"))
    connection.execute(update(outbox).where(unclear).values(state="ambiguous"))
    connection.execute(delete(meta).where(meta.c.key == KEY))
    connection.execute(insert(meta).values(key=KEY, value=b""))


def first_state(connection: Connection) -> EffectState:
    """Of a new effect: `ambiguous` where it may have been sent before the database was put back."""
    found = connection.execute(select(meta.c.value).where(meta.c.key == KEY)).scalar_one_or_none()
    if found is None:
        return "planned"
    now = time.time()
    if not found:
        found = struct.pack(">d", now)
        connection.execute(update(meta).where(meta.c.key == KEY).values(value=found))
    (since,) = struct.unpack(">d", found)
    return "ambiguous" if now < since + LOOKS_SECONDS else "planned"
