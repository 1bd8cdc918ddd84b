"""`hob backup` and `hob restore`: what one database held is in the other, whatever kind each is, and no file
does harm."""

import errno
import gzip
import hashlib
import json
import os
import stat
import subprocess
import time
import tracemalloc
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from bot.store import backup_format, migrate, open_store
from bot.store.backup import tables_of
from bot.store.tables import SCHEMA as SCHEMA_NOW
from tests import commands
from tests.cli.conftest import make_key
from tests.samples.released import SCHEMA, postgresql_store, sqlite_store
from tests.store.making import queued

Edit = Callable[[list[Any]], list[Any]]
"""Of the lines of a backup."""


@dataclass
class Machine:
    """A folder with a configuration, and the database that it names."""

    folder: Path
    url: str

    def hob(self, *arguments: str, **environ: str) -> CompletedProcess[str]:
        told = {
            "HOB_HOB__DATA_DIR": str(self.folder / "data"),
            "HOB_STORE__DATABASE_URL": self.url,
            "HOME": str(self.folder),
            "PATH": os.environ["PATH"],
            **environ,
        }
        return commands.run(*arguments, folder=self.folder, environ=told)

    def rows(self) -> dict[str, list[dict[str, Any]]]:
        """Everything, without what only a restored database has."""
        engine = create_engine(self.url)
        with engine.connect() as connection:
            found = {
                table.name: [dict(row) for row in connection.execute(table.select()).mappings()]
                for table in tables_of(connection)
            }
        engine.dispose()
        found["meta"] = [row for row in found["meta"] if row["key"] != "restored"]
        return {name: in_order(rows) for name, rows in found.items()}


def in_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: tuple(map(str, row.values())))


def sqlite(folder: Path, name: str) -> Machine:
    (folder / name).mkdir()
    return Machine(folder / name, f"sqlite:///{folder / name / 'hob.db'}")


def postgresql(request: pytest.FixtureRequest, folder: Path, name: str) -> Machine:
    (folder / name).mkdir()
    return Machine(folder / name, request.getfixturevalue("cluster").new_database())


MAKERS = {"sqlite": lambda _, folder, name: sqlite(folder, name), "postgresql": postgresql}


def used(machine: Machine) -> None:
    """Fills it with what 0.1.0 left behind."""
    if machine.url.startswith("sqlite"):
        sqlite_store(machine.folder / "hob.db")
    else:
        postgresql_store(machine.url, machine.folder)
    migrate(machine.url)


@pytest.mark.parametrize("to", MAKERS)
@pytest.mark.parametrize("source", MAKERS)
def test_what_was_in_one_database_is_in_the_other(
    request: pytest.FixtureRequest, tmp_path: Path, source: str, to: str
) -> None:
    first, second = (MAKERS[kind](request, tmp_path, name) for kind, name in ((source, "a"), (to, "b")))
    used(first)
    file = tmp_path / "hob.gz"
    made = first.hob("backup", str(file), "--json")
    assert made.returncode == 0, made.stderr
    told = json.loads(made.stdout)
    assert told["rows"]["inbox"] > 5 and told["rows"]["memory"] > 0 and told["schema"] == SCHEMA_NOW
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    done = second.hob("restore", str(file), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows"] == {name: many for name, many in told["rows"].items() if many}
    before, after = first.rows(), second.rows()
    unclear = [row for row in before["outbox"] if row["state"] in ("planned", "sending", "waiting")]
    assert unclear  # they may have been sent since
    for row in unclear:
        row["state"] = "ambiguous"
    assert {name: in_order(rows) for name, rows in before.items()} == after
    with closing(open_store(second.url)) as store:  # rows are numbered on from there
        assert store.schema_is_current()
        number = max(row["id"] for row in after["runs"])
        assert queued(store)[0].id > number


def test_it_is_one_moment_although_deliveries_come_in(tmp_path: Path, url: str) -> None:
    """A row that is written while the backup is made is not in it, in no table."""
    (tmp_path / "a").mkdir()
    machine = Machine(tmp_path / "a", url)
    with closing(open_store(url)) as store, store.database.snapshot() as connection:
        assert connection.execute(text("SELECT count(*) FROM runs")).scalar() == 0
        queued(store)
        assert connection.execute(text("SELECT count(*) FROM inbox")).scalar() == 0
        assert connection.execute(text("SELECT count(*) FROM runs")).scalar() == 0
    assert machine.rows()["runs"]


def lines_of(file: Path) -> list[Any]:
    return [json.loads(line) for line in gzip.decompress(file.read_bytes()).splitlines()]


def written(file: Path, lines: list[Any]) -> None:
    """With a checksum that is right, as somebody who means harm would make it."""
    raw = [json.dumps(line).encode() + b"\n" for line in lines[:-1]]
    counts: dict[str, int] = {}
    now = ""
    for line in lines[1:-1]:
        if isinstance(line, dict):
            now = line["table"]
            counts[now] = 0
        else:
            counts[now] = counts.get(now, 0) + 1
    end = {"end": counts, "sha256": hashlib.sha256(b"".join(raw)).hexdigest()}
    file.write_bytes(gzip.compress(b"".join(raw) + json.dumps(end).encode() + b"\n"))


def at(lines: list[Any], table: str) -> int:
    return next(n for n, line in enumerate(lines) if isinstance(line, dict) and line.get("table") == table)


def with_table(lines: list[Any], table: str, columns: list[str], *rows: list[Any]) -> list[Any]:
    return [*lines[:-1], {"table": table, "columns": columns}, *rows, lines[-1]]


def with_value(lines: list[Any], table: str, column: str, value: Any) -> list[Any]:
    start = at(lines, table)
    lines[start + 1][lines[start]["columns"].index(column)] = value
    return lines


FOREIGN = "is not of its schema"
HARMFUL: dict[str, tuple[Edit, str]] = {
    "a table of nobody's": (lambda lines: with_table(lines, "../etc", ["x"], ["y"]), FOREIGN),
    "SQLite's own table": (
        lambda lines: with_table(lines, "sqlite_master", ["sql"], ["DROP TABLE inbox"]), FOREIGN,
    ),
    "the schema's own": (
        lambda lines: with_table(lines, "alembic_version", ["version_num"], ["0001"]), FOREIGN,
    ),
    "a column of nobody's": (
        lambda lines: [*lines[: (n := at(lines, "meta"))],
                       {"table": "meta", "columns": ["key", 'value"; DROP TABLE inbox']}, *lines[n + 1 :]],
        FOREIGN,
    ),
    "a table twice": (lambda lines: [*lines[:-1], lines[at(lines, "meta")], lines[-1]], "damaged"),
    "a text for a number": (lambda lines: with_value(lines, "runs", "attempts", "x"), "value in attempts"),
    "a number past all": (lambda lines: with_value(lines, "runs", "fence", 2**80), "wrong value in fence"),
    "nothing where something must be": (
        lambda lines: with_value(lines, "inbox", "body", None), "wrong value in body",
    ),
    "a text for bytes": (lambda lines: with_value(lines, "inbox", "body", "x"), "a wrong value in body"),
    "a list for a text": (lambda lines: with_value(lines, "inbox", "guid", ["x"]), "of no kind that a"),
    "no base64": (lambda lines: with_value(lines, "inbox", "body", {"b": "§"}), "of no kind that a"),
    "a row twice": (
        lambda lines: [*lines[: (n := at(lines, "meta") + 1)], lines[n], *lines[n:]], "does not take",
    ),
    "an effect of no run": (lambda lines: with_value(lines, "outbox", "run_id", 999_999), "does not take"),
    "a newer format": (
        lambda lines: [{**lines[0], "hob_backup": 2, "version": "9.9"}, *lines[1:]],
        "of a newer Hob (9.9, format 2)",
    ),
    "a newer schema": (lambda lines: [{**lines[0], "schema": "9999"}, *lines[1:]], "made by a newer Hob"),
    "a schema that is a path": (
        lambda lines: [{**lines[0], "schema": "../../evil"}, *lines[1:]], "made by a newer Hob",
    ),
    **{
        f"made at {name}": (
            lambda lines, when=when: [{**lines[0], "made_at": when}, *lines[1:]], "it is no backup of Hob",
        )
        for name, when in {
            "no time": float("nan"), "no end": float("inf"), "no beginning": -1e18, "1e300": 1e300,
            "a number of 400 digits": 10**400,
        }.items()
    },
    "half a character in hob.toml": (
        lambda lines: [{**lines[0], "files": {"hob.toml": "# \ud83d"}}, *lines[1:]], "no backup of Hob",
    ),
    "half a character in a row": (
        lambda lines: with_value(lines, "inbox", "note", "\udca9"), "a line of it is none of a backup",
    ),
    "no header": (lambda lines: lines[1:], "it is no backup of Hob"),
    "a row before its table": (lambda lines: [lines[0], [1], *lines[1:]], "a line of it is none of a backup"),
}  # fmt: skip


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """A backup of a used Hob."""
    first = sqlite(tmp_path, "first")
    used(first)
    file = tmp_path / "hob.gz"
    assert first.hob("backup", str(file)).returncode == 0
    return file


def refused(machine: Machine, file: Path, why: str) -> None:
    """In one line, and nothing is left there."""
    done = machine.hob("restore", str(file))
    assert done.returncode == 1 and why in done.stderr, done.stderr
    assert len(done.stderr.splitlines()) == 1 and "unexpected" not in done.stderr
    assert [one.name for one in machine.folder.rglob("*") if one.is_file()] == []


@pytest.mark.parametrize("what", HARMFUL)
def test_S9_a_backup_that_was_changed_does_nothing(tmp_path: Path, whole: Path, what: str) -> None:
    edit, why = HARMFUL[what]
    written(whole, edit(lines_of(whole)))
    refused(sqlite(tmp_path, "new"), whole, why)


def test_S9_a_backup_that_is_damaged_anywhere_does_nothing(tmp_path: Path, whole: Path) -> None:
    """Cut short or one bit turned, at places all over it."""
    raw, new = whole.read_bytes(), sqlite(tmp_path, "new")
    for part in range(1, 12):
        at_byte = len(raw) * part // 12
        whole.write_bytes(raw[:at_byte])
        refused(new, whole, "the backup is damaged")
        turned = bytearray(raw)
        turned[at_byte] ^= 1
        whole.write_bytes(turned)
        refused(new, whole, "the backup")
    for wrong in (b"", b"SQLite format 3\0", raw[:-1], raw + b"x", raw + raw, gzip.compress(b"x")):
        whole.write_bytes(wrong)
        refused(new, whole, "the backup is damaged")


def test_S9_a_small_file_that_swells_is_let_go_of_at_the_cap(
    tmp_path: Path, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup_format, "LEAST_CAP", 1 << 20)
    monkeypatch.setattr(backup_format, "MOST_LINE", 1 << 20)
    head = json.dumps(lines_of(whole)[0]).encode() + b"\n"
    for bomb in (head + b" " * (64 << 20), head + b"[1]\n" * (1 << 22), b'{"a":' * (1 << 17)):
        whole.write_bytes(gzip.compress(bomb))
        refused(sqlite(tmp_path, f"new{len(bomb)}"), whole, "the backup is damaged")


def test_a_dry_run_says_what_is_in_it_and_does_nothing(tmp_path: Path, whole: Path) -> None:
    new = sqlite(tmp_path, "new")
    done = new.hob("restore", str(whole), "--dry-run")
    assert done.returncode == 0 and "rows of" in done.stdout and "nothing was restored" in done.stdout
    assert json.loads(new.hob("restore", str(whole), "--dry-run", "--json").stdout)["restored"] is False
    assert list(new.folder.iterdir()) == []


def test_a_database_that_holds_data_is_replaced_only_when_asked(
    request: pytest.FixtureRequest, tmp_path: Path, whole: Path, url: str
) -> None:
    (tmp_path / "new").mkdir()
    new = Machine(tmp_path / "new", url)
    with closing(open_store(url)) as store:
        store.settings.change("repo", "octo/cups", lambda _: {"language": "de"})
    held = new.hob("restore", str(whole))
    assert held.returncode == 1 and "holds data" in held.stderr and "--force" in held.stderr
    assert new.rows()["settings"][0]["name"] == "octo/cups"
    done = new.hob("restore", str(whole), "--force")
    assert done.returncode == 0, done.stderr
    assert "octo/cups" not in str(new.rows()["settings"])
    if url.startswith("sqlite"):
        assert "is kept in" in done.stdout
        kept = Path(url.removeprefix("sqlite:///") + ".before-restore")
        assert "octo/cups" in str(Machine(tmp_path, f"sqlite:///{kept}").rows()["settings"])


def test_a_restore_that_fails_leaves_the_database_as_it_was(tmp_path: Path, whole: Path, url: str) -> None:
    (tmp_path / "new").mkdir()
    new = Machine(tmp_path / "new", url)
    with closing(open_store(url)) as store:
        store.settings.change("repo", "octo/cups", lambda _: {"language": "de"})
    written(whole, with_value(lines_of(whole), "outbox", "run_id", 999_999))
    assert new.hob("restore", str(whole), "--force").returncode == 1
    assert new.rows()["settings"][0]["name"] == "octo/cups"


def test_a_damaged_database_is_set_aside(tmp_path: Path, whole: Path) -> None:
    new = sqlite(tmp_path, "new")
    (new.folder / "hob.db").write_bytes(b"nonsense " * 1000)
    (new.folder / "hob.db-wal").write_bytes(b"of another file")
    held = new.hob("restore", str(whole))
    assert held.returncode == 1 and "is damaged" in held.stderr
    done = new.hob("restore", str(whole), "--force")
    assert done.returncode == 0, done.stderr
    assert new.rows()["inbox"]
    assert (new.folder / "hob.db.before-restore").read_bytes().startswith(b"nonsense")


def test_nothing_is_restored_while_hob_uses_the_database(tmp_path: Path, whole: Path, url: str) -> None:
    (tmp_path / "new").mkdir()
    new = Machine(tmp_path / "new", url)
    with closing(open_store(url)) as store:
        store.ping()
        held = new.hob("restore", str(whole), "--force")
        assert held.returncode == 1 and "stop Hob first" in held.stderr
        store.ping()
    assert new.hob("restore", str(whole), "--force").returncode == 0


def test_a_backup_of_the_oldest_schema_is_brought_to_the_newest(tmp_path: Path) -> None:
    first, new = sqlite(tmp_path, "first"), sqlite(tmp_path, "new")
    sqlite_store(first.folder / "hob.db")
    made = first.hob("backup", str(tmp_path / "hob.gz"), "--json")
    assert json.loads(made.stdout)["schema"] == SCHEMA, made.stderr
    assert new.hob("restore", str(tmp_path / "hob.gz")).returncode == 0
    with closing(open_store(new.url)) as store:
        assert store.schema_is_current()
        assert store.settings.get("repo", "octo/tea") == {"language": "en"}


def test_going_back_is_the_copy_that_was_made_before_the_upgrade(tmp_path: Path) -> None:
    """It is the older version's own file: its schema, its rows, marked as put back."""
    first = sqlite(tmp_path, "first")
    sqlite_store(first.folder / "hob.db")
    before = first.rows()
    (first.folder / "hob.db.before-0001").touch()
    told = first.hob("migrate")
    copy = first.folder / f"hob.db.before-{SCHEMA_NOW}"
    assert str(copy) in told.stdout
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert [one.name for one in first.folder.glob("hob.db.before-*")] == [copy.name]
    old = Machine(tmp_path, f"sqlite:///{copy}")
    with closing(open_store(old.url)) as store, store.database.read() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all() == [
            SCHEMA
        ]
    for row in before["outbox"]:
        row["state"] = "ambiguous" if row["state"] in ("planned", "sending", "waiting") else row["state"]
    assert old.rows()["outbox"] == in_order(before["outbox"])
    assert old.rows().keys() < first.rows().keys()
    assert "already at" in first.hob("migrate").stdout
    copy.replace(first.folder / "hob.db")
    assert str(first.hob("migrate").stdout).count("before-") == 1  # and forward again


def configured(folder: Path) -> None:
    (folder / "app.pem").write_text(make_key())
    (folder / "token").write_text("a-token-of-this-very-test\n")
    (folder / "hob.toml").write_text(
        f"""
[hob]
data_dir = "data"
[github]
app_id = 1
private_key_file = "app.pem"
webhook_secret = ["first-secret-of-all", "second-secret-of-all"]
[store]
database_url = "sqlite:///{folder / "hob.db"}"
[api]
token_file = "token"
"""
    )
    for one in folder.iterdir():
        one.chmod(0o600)


SECRETS = ("first-secret-of-all", "second-secret-of-all", "a-token-of-this-very-test", "PRIVATE KEY")


def plain(machine: Machine, *arguments: str) -> CompletedProcess[str]:
    """With no configuration but its folder's."""
    told = {"HOME": str(machine.folder), "PATH": os.environ["PATH"]}
    return commands.run(*arguments, folder=machine.folder, environ=told)


def test_X1_without_keys_no_secret_is_in_it_and_the_restore_says_which_are_missing(tmp_path: Path) -> None:
    first, new = sqlite(tmp_path, "first"), sqlite(tmp_path, "new")
    configured(first.folder)
    used(first)
    made = plain(first, "backup", str(tmp_path / "hob.gz"))
    assert "without the secrets in hob.toml, the private key, the API token" in made.stdout, made.stderr
    held = gzip.decompress((tmp_path / "hob.gz").read_bytes()).decode()
    assert [one for one in SECRETS if one in held] == []
    text_ = lines_of(tmp_path / "hob.gz")[0]["files"]["hob.toml"].replace(str(first.folder), str(new.folder))
    assert "app_id = 1" in text_
    lines = lines_of(tmp_path / "hob.gz")
    lines[0]["files"]["hob.toml"] = text_
    written(tmp_path / "hob.gz", lines)
    held_up = plain(new, "restore", str(tmp_path / "hob.gz"))
    assert held_up.returncode == 1 and "lacks the secrets" in held_up.stderr
    assert stat.S_IMODE((new.folder / "hob.toml").stat().st_mode) == 0o600
    done = plain(new, "restore", str(tmp_path / "hob.gz"))
    assert done.returncode == 0, done.stderr
    assert "missing" in done.stdout and "github.private_key_file" in done.stdout
    assert "stays as it is" in done.stdout


def test_with_keys_another_machine_goes_on(tmp_path: Path) -> None:
    first, new = sqlite(tmp_path, "first"), sqlite(tmp_path, "new")
    configured(first.folder)
    used(first)
    assert plain(first, "backup", "--with-keys", str(tmp_path / "hob.gz")).returncode == 0
    lines = lines_of(tmp_path / "hob.gz")
    lines[0]["files"]["hob.toml"] = lines[0]["files"]["hob.toml"].replace(str(first.folder), str(new.folder))
    written(tmp_path / "hob.gz", lines)
    done = plain(new, "restore", str(tmp_path / "hob.gz"))
    assert done.returncode == 0, done.stderr
    for name in ("app.pem", "token"):
        assert (new.folder / name).read_text() == (first.folder / name).read_text()
        assert stat.S_IMODE((new.folder / name).stat().st_mode) == 0o600


def test_S9_a_backup_writes_only_what_is_shaped_as_a_key_and_only_where_hob_lives(
    tmp_path: Path,
) -> None:
    first, new = sqlite(tmp_path, "first"), sqlite(tmp_path, "new")
    configured(first.folder)
    used(first)
    assert plain(first, "backup", "--with-keys", str(tmp_path / "hob.gz")).returncode == 0
    outside = tmp_path / "cron.d"
    for toml, name, value in (
        (f'private_key_file = "{outside}"', "private key", make_key()),
        ('private_key_file = "app.pem"', "private key", "* * * * * root sh -c evil\n"),
        ('private_key_file = "../app.pem"', "private key", make_key()),
        ('webhook_secret_file = "x"', "webhook secrets", "#!/bin/sh\nevil it is\n"),
    ):
        lines = lines_of(tmp_path / "hob.gz")
        where = new.folder / str(hash(toml + value))
        where.mkdir()
        source = f'[hob]\ndata_dir = "data"\n[github]\n{toml}\n[api]\ntoken_file = "token"\n'
        lines[0]["files"] = {"hob.toml": source, name: value, "../evil": "x", "/etc/evil": "x"}
        written(tmp_path / "evil.gz", lines)
        done = plain(Machine(where, ""), "restore", str(tmp_path / "evil.gz"))
        assert done.returncode == 0 and "not written" in done.stdout, done.stdout + done.stderr
        assert sorted(one.name for one in where.rglob("*") if one.is_file()) == ["hob.db", "hob.toml"]
        assert not outside.exists() and not (new.folder / "app.pem").exists()


def test_it_goes_to_standard_output_too(tmp_path: Path) -> None:
    first = sqlite(tmp_path, "first")
    used(first)
    told = {"HOB_STORE__DATABASE_URL": first.url, "HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    command = [commands.PROGRAM, "backup", "-"]
    made = subprocess.run(command, env=told, cwd=tmp_path, capture_output=True, check=True)
    (tmp_path / "hob.gz").write_bytes(made.stdout)
    assert b"rows of" in made.stderr
    assert sqlite(tmp_path, "new").hob("restore", str(tmp_path / "hob.gz")).returncode == 0


def test_a_backup_that_fails_leaves_the_one_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, file = sqlite(tmp_path, "first"), tmp_path / "hob.gz"
    missing = first.hob("backup", str(file))
    assert missing.returncode == 1 and "there is no database" in missing.stderr
    used(first)
    file.write_text("mine")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(backup_format.BackupWriter, "finish", full)
    assert first.hob("backup", str(file)).returncode == 1
    assert file.read_text() == "mine"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["first", "hob.gz"]


def test_links_stay_and_the_data_is_where_they_lead(tmp_path: Path) -> None:
    first, disk = sqlite(tmp_path, "first"), tmp_path / "disk"
    used(first)
    disk.mkdir()
    link, database = tmp_path / "latest.gz", tmp_path / "first" / "hob.db"
    link.symlink_to(disk / "hob.gz")
    for _ in range(2):  # where it leads is there the second time
        assert first.hob("backup", str(link)).returncode == 0
        assert link.is_symlink() and stat.S_IMODE((disk / "hob.gz").stat().st_mode) == 0o600
    database.rename(disk / "hob.db")
    database.symlink_to(disk / "hob.db")
    assert first.hob("restore", str(link), "--force").returncode == 0
    assert database.is_symlink()
    assert sorted(one.name for one in disk.iterdir()) == ["hob.db", "hob.db.before-restore", "hob.gz"]


def test_a_backup_into_a_pipe_leaves_the_pipe(tmp_path: Path) -> None:
    first, pipe = sqlite(tmp_path, "first"), tmp_path / "pipe"
    used(first)
    os.mkfifo(pipe)
    with (tmp_path / "hob.gz").open("wb") as out, subprocess.Popen(["cat", pipe], stdout=out) as cat:
        assert first.hob("backup", str(pipe)).returncode == 0
        assert cat.wait(20) == 0
    assert pipe.is_fifo()
    assert sqlite(tmp_path, "new").hob("restore", str(tmp_path / "hob.gz")).returncode == 0


def test_a_large_backup_takes_little_memory(tmp_path: Path) -> None:
    first, new = sqlite(tmp_path, "first"), sqlite(tmp_path, "new")
    used(first)
    engine = create_engine(first.url)
    with engine.begin() as connection:
        columns = [row[1] for row in connection.execute(text("PRAGMA table_info(inbox)")) if row[1] != "id"]
        copied = ", ".join(
            {"guid": "'g' || n", "body": "randomblob(1000000)"}.get(one, one) for one in columns
        )
        connection.execute(
            text(
                "WITH RECURSIVE many(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < 60) "
                f"INSERT INTO inbox ({', '.join(columns)}) "
                f"SELECT {copied} FROM many, (SELECT * FROM inbox LIMIT 1)"
            )
        )
    engine.dispose()
    tracemalloc.start()
    assert first.hob("backup", str(tmp_path / "hob.gz")).returncode == 0
    assert new.hob("restore", str(tmp_path / "hob.gz")).returncode == 0
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (tmp_path / "hob.gz").stat().st_size > 50 << 20
    assert peak < 48 << 20


def test_it_says_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.cli.backup.operations.EVERY", 0.0)
    first = sqlite(tmp_path, "first")
    used(first)
    made = first.hob("backup", str(tmp_path / "hob.gz"))
    assert "inbox: 1 of" in made.stderr
    assert (
        time.time()
        - json.loads(gzip.decompress((tmp_path / "hob.gz").read_bytes()).splitlines()[0])["made_at"]
        < 60
    )
