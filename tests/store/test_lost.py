"""A database that is taken away, damaged, or of another version, says so and takes nothing."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.core.errors import HobError, UserError
from bot.store import StoreUnavailable, migrate, open_store
from tests.store.making import delivery


def emptied(path: Path) -> None:
    os.truncate(path, 0)


def deleted(path: Path) -> None:
    path.unlink()


def moved(path: Path) -> None:
    path.rename(path.with_name("elsewhere.db"))


def folder_moved(path: Path) -> None:
    path.parent.rename(path.parent.with_name("elsewhere"))


def replaced(path: Path) -> None:
    shutil.copy(path, path.with_name("copy.db"))
    path.with_name("copy.db").replace(path)


@pytest.mark.parametrize("lose", [emptied, deleted, moved, folder_moved, replaced])
def test_a_database_that_is_lost_while_it_is_used_takes_nothing(
    lose: Callable[[Path], None], tmp_path: Path
) -> None:
    path = tmp_path / "data" / "hob.db"
    migrate(f"sqlite:///{path}")
    store = open_store(f"sqlite:///{path}")
    assert store.inbox.put(delivery("one")).result(10)
    lose(path)
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match=r"hob\.db .* restart Hob"):
            store.inbox.put(delivery("two")).result(10)
        with pytest.raises(StoreUnavailable):
            store.ping()
    assert not path.exists() or lose in (emptied, replaced)
    store.close()


def test_what_is_put_back_is_used_again(tmp_path: Path) -> None:
    path = tmp_path / "hob.db"
    migrate(f"sqlite:///{path}")
    store = open_store(f"sqlite:///{path}")
    store.ping()
    path.rename(tmp_path / "away.db")
    with pytest.raises(StoreUnavailable):
        store.ping()
    (tmp_path / "away.db").rename(path)
    assert store.inbox.put(delivery("one")).result(10)
    store.close()


def test_a_commit_into_a_file_that_goes_meanwhile_is_no_success(tmp_path: Path) -> None:
    path = tmp_path / "hob.db"
    migrate(f"sqlite:///{path}")
    store = open_store(f"sqlite:///{path}")
    with pytest.raises(StoreUnavailable, match="deleted or moved"), store.database.write():
        path.unlink()
    store.close()


@pytest.mark.parametrize("text", [b"no database, only words" * 200, b"SQLite format 3\0" + b"x" * 9000])
def test_a_damaged_file_is_named_with_what_to_do(text: bytes, tmp_path: Path) -> None:
    path = tmp_path / "hob.db"
    path.write_bytes(text)
    store = open_store(f"sqlite:///{path}")
    with pytest.raises(StoreUnavailable, match=r"hob\.db is damaged, or no database.*restore a backup"):
        store.require_schema()
    store.close()


def test_a_newer_database_is_left_as_it_is(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'hob.db'}"
    migrate(url)
    store = open_store(url)
    with store.database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        connection.exec_driver_sql("UPDATE meta SET value = X'39393939' WHERE key = 'oldest_schema'")
    for act in (store.require_schema, lambda: migrate(url)):
        with pytest.raises(UserError, match=r"made by a newer Hob \(its schema is 9999\)"):
            act()
    store.close()


def test_no_tables_are_said_with_the_command_that_makes_them(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'hob.db'}")
    with pytest.raises(UserError, match="nothing in the database"):
        store.require_schema()
    with pytest.raises(HobError, match=r"no such table: meta .run hob migrate"):
        store.server_key()
    store.close()
