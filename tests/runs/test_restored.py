"""The database was lost and an older backup put back: what Hob said since is not said again, and nothing is
lost."""

import os
import struct
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from bot.config import load_config
from bot.github.limits import LocalRateLimiter
from bot.runs.services import build
from bot.store.restored import KEY, LOOKS_SECONDS
from bot.store.tables import meta, outbox
from bot.testing.github.repository import Repository
from tests import commands
from tests.living import LivingHob, by_schema
from tests.runs.test_reconcile import SLUG, looks, only_reconciles
from tests.tea import BROKEN, TEA, finding

BUG = {"kind": "bug", "labels": ["bug"], "priority": "normal", "summary": "", "missing": [], "reply": ""}


def said(repo: Repository) -> Counter[str]:
    """All that Hob has on GitHub: how many of each thing at each place."""
    ours = f"{SLUG}[bot]"
    found: Counter[str] = Counter()
    for number, issue in repo.issues.items():
        found[f"#{number} comments"] += sum(one.author.login == ours for one in issue.comments)
        found.update(f"#{number} label {name}" for name in issue.label_names)
    for pull in repo.pulls:
        found[f"#{pull.number} reviews"] += len(pull.reviews)
        found[f"#{pull.number} lines"] += len(pull.review_comments)
        found[f"#{pull.number} checks"] += len(pull.check_runs)
    return +found


@asynccontextmanager
async def put_back(hob: LivingHob, file: Path) -> AsyncIterator[LivingHob]:
    """The database is destroyed and the backup restored by the command; the same Hob, started anew."""
    config = hob.services.config
    await hob.services.aclose()
    for one in config.hob.data_dir.glob("hob.db*"):
        one.unlink()
    environ = {**hob.environment, "PATH": os.environ["PATH"], "HOME": str(config.hob.data_dir)}
    done = commands.run("restore", str(file), folder=config.hob.data_dir.parent, environ=environ)
    assert done.returncode == 0, done.stderr
    services = build(load_config(config.source, hob.environment), LocalRateLimiter())
    again = replace(hob, services=services)
    only_reconciles(again)
    try:
        yield again
    finally:
        await services.aclose()


def backed_up(hob: LivingHob, file: Path) -> Path:
    folder = hob.services.config.hob.data_dir.parent
    environ = {**hob.environment, "PATH": os.environ["PATH"], "HOME": str(folder)}
    done = commands.run("backup", str(file), folder=folder, environ=environ)
    assert done.returncode == 0, done.stderr
    return file


async def before(hob: LivingHob) -> Repository:
    """A Hob that has looked once; a label, a review and an answer are its work until now."""
    only_reconciles(hob)
    hob.ollama.answer = by_schema(review={"findings": [finding()], "summary": ""}, triage=BUG)
    repo = hob.github.repository("octo/tea", private=True, files={"tea.py": TEA})
    repo.label("bug")
    repo.grant("ann", "write")
    repo.open_issue("Hello", author="ann")
    repo.open_pull_request("Hot", {"tea.py": BROKEN}, author="ann")
    await hob.works()
    await looks(hob)
    return repo


def happens(repo: Repository) -> None:
    """What people do after the backup was made."""
    repo.open_issue("It is cold", author="ann")
    repo.open_pull_request("Hotter", {"tea.py": BROKEN + "\n"}, author="ann")
    repo.issues[1].comment("ann", f"@{SLUG} help")
    repo.pulls[0].comment("ann", f"@{SLUG} remember We never print")


async def settles(hob: LivingHob) -> None:
    for _ in range(3):
        await looks(hob)


@pytest.mark.parametrize("away", [0, 4 * 86_400], ids=["at once", "four days later"])
async def test_R1_R11_what_was_said_after_the_backup_is_found_and_not_said_again(
    hob: LivingHob, tmp_path: Path, away: int
) -> None:
    repo = await before(hob)
    file = backed_up(hob, tmp_path / "hob.gz")
    happens(repo)
    await hob.works()
    then = said(repo)
    assert then["#3 label bug"] and then["#4 reviews"] and then["#1 comments"] and then["#2 comments"]
    async with put_back(hob, file) as again:
        assert not again.services.store.memory.live(repo.id)
        await looks(again, away or 300)
        await settles(again)
        assert said(repo) == then
        lessons = again.services.store.memory.live(repo.id)
        assert [one.lesson.text for one in lessons] == ["We never print"]
        sent = again.services.store.runs.counts()
        assert not sent.get("dead") and not sent.get("queued")


async def test_R1_what_waited_in_the_backup_and_was_sent_since_is_not_sent_again(
    hob: LivingHob, tmp_path: Path
) -> None:
    """In every state in which the backup may have caught an effect."""
    repo = await before(hob)
    happens(repo)
    await hob.works()
    then = said(repo)
    for state in ("planned", "waiting", "sending"):
        with hob.services.store.database.write() as connection:
            connection.execute(update(outbox).values(state=state, github_id=None, url=""))
            connection.exec_driver_sql("UPDATE runs SET state = 'queued', not_before = 0, owner = ''")
            connection.exec_driver_sql("DELETE FROM memory")
        file = backed_up(hob, tmp_path / "hob.gz")
        async with put_back(hob, file) as again:
            await settles(again)
            assert said(repo) == then
            hob = again
            with again.services.store.database.read() as connection:
                states = Counter(connection.execute(select(outbox.c.state)).scalars())
            assert set(states) == {"done"}, (state, states)
    assert said(repo) == then


async def test_R1_what_nobody_had_said_by_then_is_said_once(hob: LivingHob, tmp_path: Path) -> None:
    repo = await before(hob)
    happens(repo)
    file = backed_up(hob, tmp_path / "hob.gz")  # the deliveries came in to nobody
    hob.taken.update(one.id for one in hob.github.deliveries)
    assert not said(repo)["#4 reviews"]
    async with put_back(hob, file) as again:
        await settles(again)
        once = said(repo)
        assert once["#4 reviews"] == once["#4 checks"] == once["#3 label bug"] == once["#1 comments"] == 1
        await settles(again)
        assert said(repo) == once


async def test_people_who_ask_after_the_restore_are_answered_and_looking_ends(
    hob: LivingHob, tmp_path: Path
) -> None:
    repo = await before(hob)
    async with put_back(hob, backed_up(hob, tmp_path / "hob.gz")) as again:
        repo.issues[1].comment("ann", f"@{SLUG} help")
        await again.works()
        assert said(repo)["#1 comments"] == 1
        asked = len(hob.github.requests)
        repo.issues[1].comment("ann", f"@{SLUG} help")
        await again.works()
        looked = [one for one in hob.github.requests[asked:] if one.path.endswith("/issues/1/comments")]
        assert Counter(one.method for one in looked)["GET"] >= 1
        assert said(repo)["#1 comments"] == 2
        with again.services.store.database.write() as connection:
            old = datetime.now(UTC) - timedelta(seconds=LOOKS_SECONDS + 60)
            value = struct.pack(">d", old.timestamp())
            connection.execute(update(meta).where(meta.c.key == KEY).values(value=value))
        asked = len(hob.github.requests)
        repo.issues[1].comment("ann", f"@{SLUG} help")
        await again.works()
        assert said(repo)["#1 comments"] == 3
        sent = [one for one in hob.github.requests[asked:] if one.path.endswith("/issues/1/comments")]
        assert [one.method for one in sent if one.method == "POST"] == ["POST"]
