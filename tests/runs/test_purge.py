"""`hob purge`: afterwards nothing in the database or on the machine holds the repository, but what keeps an
effect from happening twice, and that for a week."""

import asyncio
import json
import os
import pty
import subprocess
import time
import zlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from bot.core.effects import Usage
from bot.core.memory import Memory
from bot.core.refs import RepoRef
from bot.core.scan import ScannedFile
from bot.runs.tuning_folder import tuning_folder
from bot.store import OlderThan, Store
from bot.store.retention import KEY_SECONDS
from bot.store.tables import metadata
from bot.testing.github import GitHubStandIn
from bot.testing.github.repository import Repository
from tests import commands
from tests.fakes.models import FakeOllama
from tests.living import LivingHob, by_schema, living_hob
from tests.runs.test_access import LESSON
from tests.runs.test_knowledge import FILES, installation
from tests.tea import BROKEN, finding


@pytest.fixture
async def hob(tmp_path: Path, github: GitHubStandIn, ollama: FakeOllama) -> AsyncIterator[LivingHob]:
    async with living_hob(tmp_path, github, ollama, HOB_KNOWLEDGE__ENABLED="true") as living:
        ollama.answer = by_schema(review={"findings": [finding()], "summary": "One."})
        yield living


async def purge(hob: LivingHob, *arguments: str) -> CompletedProcess[str]:
    environ = {**{key: value for key, value in os.environ.items() if key[:4] != "HOB_"}, **hob.environment}
    folder = hob.services.config.hob.data_dir.parent
    return await asyncio.to_thread(commands.run, "purge", *arguments, folder=folder, environ=environ)


async def worked_in(hob: LivingHob, name: str) -> Repository:
    """A repository in which Hob did and kept something of everything."""
    repo = hob.github.repository(
        f"octo/{name}", private=True, files={**FILES, ".github/hob.yml": "language: en\n"}
    )
    store, where = hob.services.store, installation(hob)
    repo.push({"steep.py": "def steep_slowly():\n    pass\n"})
    repo.open_pull_request("Brew", {"tea.py": BROKEN}, author="ann")
    repo.open_issue("Kettle", author="ann")
    await hob.works()
    store.settings.change("repo", repo.full_name, lambda _: {"language": "de"})
    store.memory.add(repo.id, repo.full_name, [Memory(0, LESSON, 1.0, None)])
    with store.database.write() as connection:
        store.drafts.keep(connection, RepoRef("octo", name, repo.id, where.id), 2, "Which?", "question")
        store.pulls.put(connection, repo.id, 1, "paused")
    store.scans.keep(repo.id, ScannedFile("tea.py", "0" * 40, "2026-03-04", 2))
    store.ledger.add(None, repo.full_name, Usage("review", "mini", "m", 1, 2, 0.1), 0.5)
    report = hob.services.config.hob.data_dir / "shadow" / "2026-W40" / f"octo--{name}.md"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(f"# octo/{name}\n")
    example = tuning_folder(hob.services.config.hob.data_dir, repo.id) / "data" / "train.jsonl"
    example.parent.mkdir(parents=True)
    example.write_text(f"octo/{name}\n")
    return repo


def where_it_stands(hob: LivingHob, repo: Repository, name: str) -> list[str]:
    """Tables and files that hold a repository's number or name."""
    marks = [str(repo.id).encode(), name.lower().encode()]
    found = []
    with hob.services.store.database.read() as connection:
        for table in metadata.tables.values():
            for row in connection.execute(table.select()):
                held = b"\n".join(_bytes(value) for value in row).lower()
                if any(mark in held for mark in marks):
                    found.append(f"{table.name}: {held[:80]!r}")
    data = hob.services.config.hob.data_dir
    for file in (one for one in data.rglob("*") if one.is_file() and not one.name.startswith("hob.db")):
        told = str(file.relative_to(data)).encode() + b"\n" + file.read_bytes()
        if any(mark in told.lower() for mark in (*marks, name.replace("/", "--").encode())):
            found.append(str(file.relative_to(data)).removesuffix("-wal"))
    return found


def _bytes(value: object) -> bytes:
    if isinstance(value, bytes):
        try:
            return zlib.decompress(value)
        except zlib.error:
            return value
    return str(value).encode()


async def test_K2_nothing_holds_a_purged_repository_but_the_note_that_it_was_purged(hob: LivingHob) -> None:
    tea, pot = await worked_in(hob, "tea"), await worked_in(hob, "potty")
    added = [{"id": tea.id, "full_name": "octo/tea", "private": True}]
    about = {"id": installation(hob).id, "account": {"login": "octo", "id": 1, "type": "Organization"}}
    told = {"action": "added", "installation": about, "repositories_added": added, "sender": about["account"]}
    hob.github.deliver("installation_repositories", told)
    await hob.works_at(datetime.now(UTC))
    assert len(where_it_stands(hob, tea, "octo/tea")) > 15
    theirs = where_it_stands(hob, pot, "octo/potty")
    looked = await purge(hob, "octo/tea", "--dry-run", "--json")
    assert looked.returncode == 0, looked.stderr
    assert where_it_stands(hob, pot, "octo/potty") == theirs
    kinds = json.loads(looked.stdout)["kinds"]
    assert all(one["count"] for one in kinds.values()), kinds
    done = await purge(hob, "Octo/Tea", "--yes", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["repository"], told["deleted"]) == (tea.id, True)
    assert {kind: one["count"] for kind, one in told["kinds"].items()} == {
        kind: one["count"] for kind, one in kinds.items()
    }
    assert [one.partition(":")[0] for one in where_it_stands(hob, tea, "octo/tea")] == ["meta"]
    assert where_it_stands(hob, pot, "octo/potty") == theirs, "nothing of another repository went"
    again = await purge(hob, str(tea.id), "--yes")
    assert "nothing is kept" in again.stdout


async def test_W5_after_a_purge_an_old_delivery_causes_nothing_and_the_keys_go_after_a_week(
    hob: LivingHob,
) -> None:
    tea = await worked_in(hob, "tea")
    sent = list(hob.github.deliveries)
    before = len(hob.github.writes())
    assert (await purge(hob, "octo/tea", "--yes")).returncode == 0
    for each in sent:
        hob.receive(each.event, each.body, each.guid)
    await hob.works()
    assert len(hob.github.writes()) == before
    store = hob.services.store
    assert _purged(store)
    with store.database.write() as connection:  # a week and a minute go by
        for column in ("outbox SET changed_at =", "runs SET created_at =", "inbox SET received_at ="):
            past = f"UPDATE {column} {column.split()[-2]} - {KEY_SECONDS + 60}"
            connection.exec_driver_sql(past)
    while store.purge(OlderThan(time.time() - KEY_SECONDS, 0.0, 0.0)):
        pass
    assert _purged(store) == 0
    tea.open_issue("A new one", author="ann")
    await hob.works()
    assert store.known.ids() == {tea.id}


def _purged(store: Store) -> int:
    with store.database.read() as connection:
        return int(
            connection.exec_driver_sql(
                "SELECT (SELECT count(*) FROM outbox WHERE state = 'purged')"
                " + (SELECT count(*) FROM runs WHERE target = 'purged')"
            ).scalar_one()
        )


async def test_it_asks_first_and_says_what_it_is_about(hob: LivingHob) -> None:
    tea = await worked_in(hob, "tea")
    refused = await purge(hob, "octo/tea")
    assert refused.returncode == 1
    assert "nobody is there to ask — say --yes, or --dry-run" in refused.stderr
    assert hob.services.store.memory.all(tea.id)
    unknown = await purge(hob, "octo/none")
    assert (unknown.returncode, unknown.stderr.count("\n")) == (1, 1)
    assert "name it by its number on GitHub" in unknown.stderr
    assert (await purge(hob, "octo")).returncode == 2


async def test_while_a_worker_is_at_it_nothing_is_deleted_and_it_says_so(hob: LivingHob) -> None:
    tea = await worked_in(hob, "tea")
    store = hob.services.store
    tea.open_issue("Another", author="ann")
    await hob.works(limit=1, perform=False)
    waiting = store.runs.due(2**40)[0]
    store.runs.try_claim(waiting.id, "mini:7:1", 600.0)
    before = where_it_stands(hob, tea, "octo/tea")
    refused = await purge(hob, "octo/tea", "--yes")
    assert refused.returncode == 1
    assert f"a worker (mini:7:1) is at run {waiting.id}" in refused.stderr
    assert "nothing was deleted" in refused.stderr
    assert where_it_stands(hob, tea, "octo/tea") == before


async def test_after_a_rename_it_is_purged_by_its_new_name_or_its_number(hob: LivingHob) -> None:
    tea = await worked_in(hob, "tea")
    hob.github.rename(tea, "kettle")
    await hob.works()
    old = await purge(hob, "octo/tea", "--dry-run")
    assert old.returncode == 1
    by_name, by_number = [
        json.loads((await purge(hob, named, "--dry-run", "--json")).stdout)
        for named in ("octo/kettle", str(tea.id))
    ]
    assert by_name == by_number
    assert by_name["kinds"]["memory"]["count"] == 1
    hob.github.delete(tea)
    await hob.works()
    assert (await purge(hob, str(tea.id), "--yes")).returncode == 0
    assert {one.partition(":")[0] for one in where_it_stands(hob, tea, "octo/kettle")} == {"meta"}


@pytest.mark.parametrize("answer", ["n", "y"])
async def test_on_a_terminal_a_person_is_asked(hob: LivingHob, answer: str) -> None:
    tea = await worked_in(hob, "tea")
    environ = {**os.environ, **hob.environment}
    here, there = pty.openpty()
    os.write(here, f"{answer}\n".encode())
    folder = hob.services.config.hob.data_dir.parent
    command = [commands.PROGRAM, "purge", "octo/tea"]
    done = await asyncio.to_thread(
        subprocess.run, command, stdin=there, capture_output=True, text=True, cwd=folder, env=environ
    )
    os.close(here)
    os.close(there)
    assert "Delete all of this of octo/tea" in done.stderr
    assert done.returncode == (0 if answer == "y" else 130)
    assert bool(hob.services.store.memory.all(tea.id)) == (answer == "n")
