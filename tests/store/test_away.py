"""A database that is away when a process starts is waited for, unless waiting does not help."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.store import StoreUnavailable, await_schema, migrate
from tests.databases import Cluster


@pytest.mark.parametrize("what", [await_schema, migrate])
def test_it_is_waited_for_and_that_is_said_once(
    what: Callable[[str], None],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url, looks = f"sqlite:///{tmp_path / 'hob.db'}", []
    migrate(url)
    holding = sqlite3.connect(tmp_path / "hob.db", isolation_level=None)
    holding.execute("PRAGMA locking_mode=EXCLUSIVE")
    holding.execute("BEGIN EXCLUSIVE")
    monkeypatch.setattr("bot.store.database._PRAGMAS", ("busy_timeout=10",))

    def wait(_: float) -> None:
        looks.append(1)
        if len(looks) == 3:
            holding.close()

    monkeypatch.setattr("bot.store.schema.time.sleep", wait)
    what(url)
    assert len(looks) == 3
    assert caplog.text.count("waiting up to 60 s: the database cannot be used now: database is locked") == 1


def test_what_stays_away_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="cannot be used now"):
        await_schema(f"postgresql+psycopg://hob@/hob?host={tmp_path}", 0.0)


def test_what_a_person_has_to_mend_is_told_at_once(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.store.schema.time.sleep", lambda _: pytest.fail("it waits"))
    (tmp_path / "hob.db").write_bytes(b"no database, only words" * 200)
    name_another = r"\(create it, or name another in store.database_url\)"
    for url, advice in (
        (f"sqlite:///{tmp_path / 'hob.db'}", r"\(restore a backup"),
        (f"sqlite:///{tmp_path / 'hob.db' / 'hob.db'}", r"\(set hob.data_dir"),
        (cluster.url("none"), name_another),
        (cluster.url("t1").replace("hob@", "nobody@"), name_another),
    ):
        with pytest.raises(StoreUnavailable, match=advice):
            await_schema(url)
