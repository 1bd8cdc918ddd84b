"""Every `git` that Hob starts is started one way, whatever it is for."""

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.cli.doctor import machine
from bot.core.errors import UserError
from bot.core.refs import Sha
from bot.git import DEAF, QUIET, SAFE, run
from bot.knowledge.git import Git
from bot.knowledge.manager import KnowledgeManager
from bot.knowledge.storage.index_stores import IndexStores
from bot.local import find_change, find_root
from bot.local.change import described, no_files
from bot.local.reader import LocalReader
from bot.local.uncommitted import uncommitted
from bot.repository import LocalRepository
from tests.agents.conftest import git, make_repository
from tests.knowledge.clones.conftest import Fetching, fetching

__all__ = ["fetching"]

ROOT = Path(__file__).parents[1]
Started = Callable[[], list[dict[str, Any]]]


def git_says(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Started:
    """What each git was started with from now on: `arguments` and `environ`."""
    log, folder = tmp_path / "started", tmp_path / "first"
    folder.mkdir()
    real = shutil.which("git")
    script = folder / "git"
    script.write_text(
        f"#!{sys.executable} -S\nimport json, os, sys\n"
        f"with open({str(log)!r}, 'a') as file:\n"
        "    file.write(json.dumps({'arguments': sys.argv[1:], 'environ': dict(os.environ)}) + '\\n')\n"
        f"os.execv({real!r}, ['git', *sys.argv[1:]])\n"
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    return lambda: [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def assert_hardened(started: list[dict[str, Any]], *, fetches: bool = False, own: bool = False) -> None:
    assert started
    settings = [part for one in SAFE for part in ("-c", one)]
    for each in started:
        arguments, environ = each["arguments"], each["environ"]
        assert arguments[: len(settings) + 1] == ["--no-pager", *settings]
        expected = QUIET | (DEAF if own else {})
        if fetches and "fetch" in arguments:
            expected = expected | {"GIT_NO_LAZY_FETCH": "0", "GIT_ALLOW_PROTOCOL": "http"}
        assert {name: environ.get(name) for name in expected} == expected
        assert "GIT_TRACE" not in environ


async def test_S1_every_git_for_a_local_repository_carries_the_one_list(
    tmp_path: Path, started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = make_repository(tmp_path / "house")
    git(
        checkout,
        "-c",
        "user.name=Ann",
        "-c",
        "user.email=a@tea.example",
        "commit",
        "-qm",
        "More",
        "--allow-empty",
    )
    (checkout / "new.py").write_text("new = 1\n")
    (tmp_path / "started").unlink()
    monkeypatch.setenv("GIT_TRACE", "1")
    root = await find_root(checkout)
    change = await find_change(root, "HEAD~1..HEAD")
    await LocalReader(root, change).files(0)
    async with uncommitted(root, staged=False) as change:
        await LocalReader(root, change).texts(change.head, ["new.py"])
    await LocalRepository.at(checkout).search("tea")
    read = Git(checkout)
    assert (read.root, next(read.history(read.commit(), most=9)).subject) == (checkout, "More")
    list(read.contents([entry.sha for entry in read.tree(read.commit())]))
    await machine.git()
    assert len(started()) > 12
    assert_hardened(started())


async def test_S8_every_git_for_a_clone_carries_it_and_hears_of_nothing_else(
    fetching: Fetching,
    tmp_path: Path,
    started: Started,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GIT_TRACE", "1")
    tip = (await fetching.clones.update(fetching.repo.id, fetching.origin())).tip
    manager = KnowledgeManager(fetching.clones.folder, IndexStores(tmp_path / "knowledge"))
    assert manager.indexed(fetching.repo.id).git.commit(tip) == tip  # type: ignore[union-attr]
    assert any("fetch" in each["arguments"] for each in started())
    assert_hardened(started(), fetches=True, own=True)


@pytest.mark.parametrize("by", ["the local reader", "the index"])
async def test_S1_a_repository_that_names_a_program_as_its_remote_has_it_not_run(
    tmp_path: Path, by: str
) -> None:
    """A setting for one protocol counts before the one for all; the environment counts before both."""
    checkout, canary = make_repository(tmp_path / "house"), tmp_path / "canary"
    for key, value in (
        ("remote.origin.url", f"ext::sh -c touch% {canary}"),
        ("remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"),
        ("protocol.ext.allow", "always"),
        ("remote.origin.promisor", "true"),
        ("extensions.partialClone", "origin"),
        ("core.repositoryFormatVersion", "1"),
    ):
        git(checkout, "config", key, value)
    for blob in list((checkout / ".git/objects").glob("??/*")):
        if git_says(checkout, "cat-file", "-t", f"{blob.parent.name}{blob.name}") == "blob":
            blob.unlink()
    if by == "the index":
        read = Git(checkout)
        assert list(read.contents([entry.sha for entry in read.tree(read.commit())])) == []
    else:
        empty = await no_files(checkout)
        with pytest.raises(UserError):
            await LocalReader(
                checkout, await described(checkout, empty, Sha(git_says(checkout, "rev-parse", "HEAD")))
            ).files(0)
        assert (await run(checkout, "fetch", "origin")).why
    assert not canary.exists()


async def test_whose_repositories_may_be_read_is_the_machines_to_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """https://git-scm.com/docs/git-config#Documentation/git-config.txt-safedirectory"""
    checkout = make_repository(tmp_path / "house")
    other = tmp_path / "first" / "git"
    other.parent.mkdir()
    real = shutil.which("git")
    other.write_text(f'#!/bin/sh\nGIT_TEST_ASSUME_DIFFERENT_OWNER=1 exec {real} "$@"\n')
    other.chmod(0o755)
    monkeypatch.setenv("PATH", str(other.parent), prepend=os.pathsep)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    with pytest.raises(UserError, match=r"dubious ownership"):
        await find_root(checkout)
    with pytest.raises(UserError):
        _ = Git(checkout).root
    (tmp_path / ".gitconfig").write_text(f"[safe]\n\tdirectory = {checkout}\n")
    assert await find_root(checkout) == Git(checkout).root == checkout


def test_nobody_else_starts_git() -> None:
    """Whoever would names the program in a call, a list or a tuple, by itself or at the end of a path."""
    found = []
    for file in [*ROOT.glob("bot/**/*.py"), *ROOT.glob("handlers/*.py")]:
        for node in ast.walk(ast.parse(file.read_text())):
            parts = node.elts if isinstance(node, ast.List | ast.Tuple) else ()
            if isinstance(node, ast.Call) and "line" not in ast.unparse(node.func):
                parts = (*node.args, *(keyword.value for keyword in node.keywords))
            found += [
                f"{file.relative_to(ROOT)}:{part.lineno}"
                for part in parts
                if isinstance(part, ast.Constant)
                and isinstance(part.value, str)
                and (part.value == "git" or part.value.endswith("/git"))
            ]
    assert [one.partition(":")[0] for one in found] == ["bot/git.py"], found
