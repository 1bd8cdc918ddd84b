"""What 0.1.0 left behind (`make_store_0_1_0.py` made it): its database, and what GitHub showed by then."""

import itertools
import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import MetaData, create_engine, text

from bot.store import migration
from bot.testing.github import GitHubStandIn
from bot.testing.github.hunks import find
from bot.testing.github.issues import CheckRun
from bot.testing.github.pulls import PullRequest
from bot.testing.github.repository import Repository

FOLDER = Path(__file__).parent / "upgrade"
SCHEMA = "0004"
TIMES = (
    *("received_at", "arrived_at", "created_at", "started_at", "finished_at", "changed_at"),
    *("not_before", "lease_until", "at", "expires"),
)


def github_state() -> dict[str, Any]:
    """What the other functions take from."""
    told: dict[str, Any] = json.loads((FOLDER / "github_0_1_0.json").read_text())
    return told


def sqlite_store(path: Path) -> None:
    """The database file as that version left it a minute ago."""
    script = (FOLDER / "store_0_1_0.sql").read_text()
    shift = time.time() - float(script.split(maxsplit=4)[3])
    with closing(sqlite3.connect(path)) as database:
        database.executescript(script)
        for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})").fetchall()]
            for column in set(columns) & set(TIMES):
                moved = f"UPDATE {table} SET {column} = {column} + ? WHERE {column} > 0"
                database.execute(moved, (shift,))
        database.commit()


def postgresql_store(url: str, folder: Path) -> None:
    """The same rows in an empty database."""
    sqlite_store(folder / "rows.db")
    migration.run(url, SCHEMA)
    source, target = create_engine(f"sqlite:///{folder / 'rows.db'}"), create_engine(url)
    rows, tables = MetaData(), MetaData()
    rows.reflect(source)
    tables.reflect(target)
    with source.connect() as read, target.begin() as write:
        for table in rows.sorted_tables:
            found = [dict(row) for row in read.execute(table.select()).mappings()]
            if found and table.name != "alembic_version":
                write.execute(tables.tables[table.name].insert(), found)
            if found and "id" in table.columns:
                serial = f"pg_get_serial_sequence('{table.name}', 'id')"
                last = f"(SELECT max(id) FROM {table.name})"
                write.execute(text(f"SELECT setval({serial}, {last})"))
    source.dispose()
    target.dispose()


def show_on(github: GitHubStandIn, told: dict[str, Any]) -> Repository:
    """Sets GitHub, where the App has been installed, to what it showed. No delivery tells of it."""
    assert github.app
    events, github.app.events = github.app.events, []
    (installation,) = github.installations.values()
    installation.id = told["installation"]
    github.installations = {installation.id: installation}
    github._ids = itertools.count(2_000_001)
    repo = github.repository(told["repository"]["name"], private=True)
    repo.id = told["repository"]["id"]
    repo.git.run("fast-import", "--quiet", "--force", data=told["code"].encode())
    for login, role in told["repository"]["roles"].items():
        repo.grant(login, role)
    for one in told["issues"]:
        _issue(repo, one)
    for one in told["check_runs"]:
        title, summary, long = one.pop("output")
        repo.check_runs.append(
            CheckRun(repo=repo, app=github.app, title=title, summary=summary, text=long, **one)
        )
    github.app.events = events
    return repo


def _issue(repo: Repository, told: dict[str, Any]) -> None:
    who = {"body": told["body"], "author": told["author"]}
    if "head_sha" in told:
        place = {"branch": told["branch"], "head_sha": told["head_sha"]}
        issue: Any = repo.open_pull_request(told["title"], {}, **who, **place)
    else:
        issue = repo.open_issue(told["title"], **who)
    assert issue.number == told["number"]
    for name in told["labels"]:
        issue.add_label("mona", name)
    for one in told["comments"]:
        comment = issue.comment(one["author"], one["body"])
        _renumber(repo.comments, comment, one["id"])
    for one in told.get("reviews", ()):
        _review(issue, one)


def _review(pull: PullRequest, told: dict[str, Any]) -> None:
    author = pull.world.user(told["author"])
    review = pull.add_review(author, told["body"], told["state"], told["commit_id"])
    review.id = told["id"]
    for one in told["comments"]:
        spot = find(pull.patch(one["path"]), one["line"], "RIGHT")
        assert spot
        comment = pull.add_line_comment(review, one["body"], one["path"], spot)
        _renumber(pull.code.review_comments, comment, one["id"])


def _renumber(known: dict[int, Any], remark: Any, number: int) -> None:
    del known[remark.id]
    remark.id = number
    known[number] = remark
