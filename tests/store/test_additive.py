"""Migrations only add, so that versions next to each other work on one database while machines are upgraded
one by one: read from the SQL that each gives either database."""

import re
from collections.abc import Callable, Iterator
from functools import partial
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import op
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from bot.cli.framework import main
from bot.core.errors import UserError
from bot.store import migrate, open_store
from bot.store.migration import config
from bot.store.schema import OLDEST, await_schema, schema_age
from bot.store.tables import SCHEMA, meta
from tests.databases import at_newest_schema

REMADE = {"0007": 'ALTER TABLE (runs|outbox) ALTER COLUMN target TYPE VARCHAR\\(200\\) COLLATE "C"'}
"""By revision: what was changed before this rule, in the 0.x versions that are not upgraded one by one."""
ADDS = (
    r"CREATE TABLE \w+ \(.*\)",
    r"CREATE INDEX \w+ ON \w+ \(.*\)",
    r"ALTER TABLE \w+ ADD COLUMN \w+ (?!.*\b(NOT NULL|UNIQUE|REFERENCES|CHECK|PRIMARY)\b).*",
    r"ALTER TABLE \w+ ADD COLUMN \w+ (?=.*\bDEFAULT\b)(?!.*\b(UNIQUE|REFERENCES|CHECK|PRIMARY)\b).*",
)
"""Statements that a version which knows nothing of them does not notice."""
OF_ITS_OWN = (r"CREATE UNIQUE INDEX \w+ ON (?P<table>\w+) .*", r"INSERT INTO (?P<table>\w+) .*")
"""The same, where the table is the migration's own."""

Step = Callable[[], None]


def statements(upgrade: Step, dialect: str) -> list[str]:
    """The SQL of a migration, a line each."""
    out = StringIO()
    context = MigrationContext.configure(
        dialect_name=dialect, opts={"as_sql": True, "output_buffer": out, "literal_binds": True}
    )
    bind = SimpleNamespace(dialect=SimpleNamespace(name=dialect))
    with Operations.context(context), pytest.MonkeyPatch.context() as patch:
        patch.setattr(op, "get_bind", lambda: bind)
        upgrade()
    return [" ".join(one.split()) for one in out.getvalue().split(";\n") if one.strip()]


def taken_away(found: list[str], remade: str = r"\Z.") -> Iterator[str]:
    """The statements that other versions may notice."""
    own = {said[1] for one in found if (said := re.match(r"CREATE TABLE (\w+)", one))}
    for one in found:
        mine = (re.fullmatch(shape, one) for shape in OF_ITS_OWN)
        if any(said and said["table"] in own for said in mine):
            continue
        if not any(re.fullmatch(shape, one) for shape in (*ADDS, remade)):
            yield one


def revisions() -> list[Any]:
    return [*ScriptDirectory.from_config(config()).walk_revisions()][::-1]


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
@pytest.mark.parametrize("revision", revisions()[1:], ids=lambda one: one.revision)
def test_a_migration_only_adds_or_says_whom_it_leaves_behind(revision: Any, dialect: str) -> None:
    """What takes something away names in `oldest` the schema since which no version uses that; it is one that
    came before, so that there is a version that works on both sides."""
    gone = [*taken_away(statements(revision.module.upgrade, dialect), REMADE.get(revision.revision, r"\Z."))]
    oldest = getattr(revision.module, "oldest", None)
    assert not gone or oldest, gone
    assert oldest is None or "0008" <= oldest < revision.revision


BREAKS: dict[str, Step] = {
    "drops a column": lambda: op.drop_column("runs", "summary"),
    "drops a table": lambda: op.drop_table("drafts"),
    "renames a column": lambda: op.alter_column("runs", "summary", new_column_name="told"),
    "renames a table": lambda: op.rename_table("drafts", "notes"),
    "wants a value": lambda: op.add_column("runs", sa.Column("x", sa.Text(), nullable=False)),
    "wants a reference": lambda: op.add_column("runs", sa.Column("x", sa.Text(), sa.ForeignKey("meta.key"))),
    "forbids a second": lambda: op.create_index("one", "runs", ["repo_id"], unique=True),
    "drops an index": lambda: op.drop_index("ix_runs_created_at", table_name="runs"),
    "changes rows": lambda: op.execute("UPDATE runs SET state = 'finished' WHERE state = 'done'"),
    "deletes rows": lambda: op.execute("DELETE FROM runs"),
    "adds rows": lambda: op.execute("INSERT INTO meta (key) VALUES ('x')"),
    "hides it": lambda: op.execute("CREATE TABLE x (y int); DROP TABLE runs"),
    "hides it behind a comment": lambda: op.execute("/* CREATE TABLE x (y) */ DROP TABLE runs"),
    "a rule of its own": lambda: op.execute("CREATE TRIGGER x BEFORE INSERT ON runs BEGIN SELECT 1; END"),
}


@pytest.mark.parametrize("step", BREAKS.values(), ids=BREAKS)
def test_what_others_would_notice_is_found(step: Step) -> None:
    assert [*taken_away(statements(step, "postgresql"))] != []


def column_with_a_value() -> sa.Column[str]:
    return sa.Column("x", sa.Text(), nullable=False, server_default="")


ADDED: dict[str, Step] = {
    "a column": lambda: op.add_column("runs", sa.Column("x", sa.Text())),
    "with a value": lambda: op.add_column(
        "runs", sa.Column("x", sa.Text(), nullable=False, server_default="")
    ),
    "a table": lambda: op.create_table("x", sa.Column("y", sa.Text(), nullable=False, unique=True)),
    "an index": lambda: op.create_index("x", "runs", ["repo_id"]),
}


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
@pytest.mark.parametrize("step", ADDED.values(), ids=ADDED)
def test_what_nobody_notices_may_be_added(step: Step, dialect: str) -> None:
    assert [*taken_away(statements(step, dialect))] == []


def newer(url: str, oldest: str | None) -> None:
    """The database as a later version leaves it."""
    store = open_store(url)
    with store.database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        connection.execute(meta.delete().where(meta.c.key == OLDEST))
        if oldest is not None:
            connection.execute(meta.insert().values(key=OLDEST, value=oldest.encode()))
    store.close()


@pytest.mark.parametrize(
    ("oldest", "age"), [(None, "too new"), ("9999", "too new"), (SCHEMA, "newer"), ("0001", "newer")]
)
def test_a_version_works_on_what_a_newer_one_made_unless_that_left_it_behind(
    tmp_path: Path, oldest: str | None, age: str
) -> None:
    url = f"sqlite:///{tmp_path / 'hob.db'}"
    at_newest_schema(url)
    newer(url, oldest)
    store = open_store(url)
    assert schema_age(store.database) == age
    if age == "newer":
        store.require_schema()
        migrate(url)  # as the step before each start of a machine that is not upgraded yet
        assert schema_age(store.database) == age
    else:
        for refused in (store.require_schema, partial(migrate, url), partial(await_schema, url)):
            with pytest.raises(UserError, match="made by a newer Hob"):
                refused()
    store.close()


def test_each_migration_writes_down_who_may_work_there(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'hob.db'}"
    migrate(url)
    store = open_store(url)
    with store.database.read() as connection:
        read = sa.select(meta.c.value).where(meta.c.key == OLDEST)
        assert connection.execute(read).scalar_one() == b"0001"
    store.close()


def test_older_tables_are_waited_for_and_that_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'hob.db'}"
    with pytest.raises(UserError, match="nothing in the database"):
        await_schema(url)  # no tables at all: nobody is about to migrate them
    assert not caplog.records
    migrate(url, "0007")
    monkeypatch.setattr("bot.store.schema.time.sleep", lambda _: migrate(url))
    await_schema(url)
    assert "waiting up to 60 s for the database to be migrated: run hob migrate" in caplog.text
    migrate(url, "-1")
    with pytest.raises(UserError, match="newest schema"):
        await_schema(url, 0.0)


def test_migrate_says_how_things_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'hob.db'}"
    monkeypatch.setenv("HOB_STORE__DATABASE_URL", url)
    monkeypatch.setenv("HOB_HOB__DATA_DIR", str(tmp_path))

    def said() -> str:
        with pytest.raises(SystemExit) as ended:
            main(["migrate"])
        assert not ended.value.code
        return capsys.readouterr().out.strip().removeprefix(f"{url}: ")

    assert said() == "brought to the newest schema"
    assert said() == "already at the newest schema"
    newer(url, "0001")
    assert said() == "at a newer version's schema, with which this version works"
