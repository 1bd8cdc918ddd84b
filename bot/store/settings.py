"""Stored settings of users, organisations and repositories: JSON values by key, one row each."""

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Literal

from sqlalchemy import Connection, delete, select, update

from bot.core.settings_merge import Layer
from bot.core.settings_schema import WrongValue, find, taken
from bot.store.columns import fit
from bot.store.database import Database
from bot.store.tables import meta, settings

Scope = Literal["user", "org", "repo"]
SettingValues = dict[str, Any]


class Settings:
    """The table `settings`. Raises `StoreUnavailable`. Names are taken in any case."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def get(self, scope: Scope, name: str) -> SettingValues:
        """What is stored there, by key in alphabetical order; empty when nothing is."""
        with self._db.read() as connection:
            return self._read(connection, scope, name)

    def saying(self, key: str) -> list[tuple[str, str, Any]]:
        """(scope, name, value) of all that say something of a key."""
        query = select(settings.c.scope, settings.c.name, settings.c.value).where(settings.c.key == key)
        with self._db.read() as connection:
            rows = connection.execute(query.order_by(settings.c.scope, settings.c.name)).all()
        return [(str(scope), str(name), json.loads(value)) for scope, name, value in rows]

    def layers(self, owner: str, repo: str, user: str = "") -> list[Layer]:
        """What counts for a repository, least telling first: whoever asks (`user`), its owner, itself.
        Where a person owns it, that person's settings stand in the organisation's place. What this version
        cannot use is left out."""
        places: list[tuple[Scope, str, str]] = [
            ("user", user, f"user {user}"),
            ("user", owner, f"user {owner}"),
            ("org", owner, f"organisation {owner}"),
            ("repo", f"{owner}/{repo}", f"repository {owner}/{repo}"),
        ]
        found = [Layer(said, usable(self.get(scope, name))) for scope, name, said in places if name]
        return [layer for layer in found if layer.values]

    def change(
        self, scope: Scope, name: str, changed: Callable[[SettingValues], Mapping[str, Any]]
    ) -> SettingValues:
        """Replaces what is stored by what `changed` makes of it, and gives the new values. Changes come one
        after the other, so what it is given is true; what it raises leaves everything as it was."""
        with self._db.write() as connection:
            self._lock(connection)
            before = self._read(connection, scope, name)
            after = dict(changed(before))
            for key in before.keys() - after.keys():
                connection.execute(delete(settings).where(*self._at(scope, name), settings.c.key == key))
            for key, value in after.items():
                if key not in before or before[key] != value:
                    self._put(connection, scope, name, key, value)
            return after

    def move(self, connection: Connection, old: str, new: str) -> None:
        """In a transaction of the caller's: what is stored for a repository follows it to its new name. What
        was set there meanwhile stays where it is the newer."""
        if _folded(old) == _folded(new):
            return
        self._lock(connection)
        moved = settings.alias()
        newer = select(moved.c.key).where(
            moved.c.scope == "repo",
            moved.c.name == _folded(old),
            moved.c.key == settings.c.key,
            moved.c.changed_at >= settings.c.changed_at,
        )
        connection.execute(delete(settings).where(*self._at("repo", new), newer.exists()))
        kept = select(settings.c.key).where(*self._at("repo", new))
        outdated = settings.c.key.in_(connection.execute(kept).scalars().all())
        connection.execute(delete(settings).where(*self._at("repo", old), outdated))
        connection.execute(update(settings).where(*self._at("repo", old)).values(name=_folded(new)))

    def _put(self, connection: Connection, scope: Scope, name: str, key: str, value: object) -> None:
        row = {"value": json.dumps(value, ensure_ascii=False), "changed_at": time.time()}
        where = {"scope": scope, "name": _folded(name), "key": key}
        insert = self._db.insert(settings).values(**where, **row)
        connection.execute(insert.on_conflict_do_update(index_elements=list(where), set_=row))

    def _read(self, connection: Connection, scope: Scope, name: str) -> SettingValues:
        query = select(settings.c.key, settings.c.value).where(*self._at(scope, name))
        return {key: json.loads(value) for key, value in connection.execute(query.order_by(settings.c.key))}

    def _lock(self, connection: Connection) -> None:
        """One change at a time on any database: SQLite's write lock does it, PostgreSQL needs a row."""
        row = {"key": "settings_lock", "value": b""}
        connection.execute(self._db.insert(meta).values(row).on_conflict_do_nothing())
        connection.execute(select(meta.c.key).where(meta.c.key == row["key"]).with_for_update()).all()

    @staticmethod
    def _at(scope: Scope, name: str) -> tuple[Any, Any]:
        return settings.c.scope == scope, settings.c.name == _folded(name)


def _folded(name: str) -> str:
    return fit(name, 200).lower()


def usable(stored: SettingValues) -> SettingValues:
    """Stored JSON as the values that keys have."""
    found: SettingValues = {}
    for key, value in stored.items():
        with suppress(WrongValue):
            found[key] = taken(find(key), value)
    return found
