"""The schema: models, migrations and the name by which a process knows that it is current."""

import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from bot.store import Store, StoreUnavailable, migrate, open_store
from bot.store.migration import config
from bot.store.tables import SCHEMA, metadata
from tests.databases import Cluster


def test_models_and_migrations_agree(store: Store) -> None:
    with store.database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_the_named_schema_is_the_newest() -> None:
    assert ScriptDirectory.from_config(config()).get_current_head() == SCHEMA


def test_down_and_up_again(url: str, store: Store) -> None:
    assert store.schema_is_current()
    migrate(url, "base")
    assert not store.schema_is_current()
    with store.database.read() as connection:
        assert inspect(connection).get_table_names() == ["alembic_version"]
    migrate(url)
    assert store.schema_is_current()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'new' / 'hob.db'}"
    cluster: Cluster = request.getfixturevalue("cluster")
    return cluster.new_database()


def test_four_processes_migrate_an_empty_database_at_once(empty: str) -> None:
    code = "import sys; from bot.store import migrate; migrate(sys.argv[1])"
    with ThreadPoolExecutor(4) as pool:
        done = pool.map(subprocess.run, [[sys.executable, "-c", code, empty]] * 4)
        assert [each.returncode for each in done] == [0, 0, 0, 0]
    store = open_store(empty)
    assert store.schema_is_current()
    store.close()


def test_an_empty_database_is_not_current_and_says_what_is_wrong(empty: str) -> None:
    store = open_store(empty)
    assert not store.schema_is_current()
    store.close()


def test_a_database_out_of_reach_is_unavailable_not_outdated(tmp_path: Path) -> None:
    store = open_store(f"postgresql+psycopg://hob@/none?host={tmp_path}")
    with pytest.raises(StoreUnavailable):
        store.schema_is_current()
    with pytest.raises(StoreUnavailable):
        store.ping()
    store.close()


def test_opening_connects_to_nothing_and_the_file_is_private(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "hob.db"
    store = open_store(f"sqlite:///{path}")
    assert not path.parent.exists()
    migrate(f"sqlite:///{path}")
    store.ping()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "deep" / "hob.db-wal").stat().st_mode) == 0o600
    store.close()


def test_the_store_alone_does_not_load_alembic() -> None:
    code = "import sys, bot.store; sys.exit('alembic' in sys.modules or 'sqlalchemy.orm' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_sqlite_survives_power_cuts_by_its_settings(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'hob.db'}")
    with store.database.read() as connection:
        wanted = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in wanted]
    store.close()
    assert found == ["wal", 2, 1, 5000]


def test_the_server_key_is_made_once_for_all_processes(url: str, store: Store) -> None:
    stores = [open_store(url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        keys = set(pool.map(Store.server_key, stores))
    assert len(keys) == 1
    assert len(keys.pop()) == 32
    assert store.server_key() == stores[0].server_key()
    for each in stores:
        each.close()
