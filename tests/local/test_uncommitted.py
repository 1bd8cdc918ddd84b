"""Staged and uncommitted work, and what a push brings, as changes."""

import os
import subprocess
from pathlib import Path

import pytest

from bot.core.errors import UserError
from bot.local import NothingToReview, find_change, find_root, pushed, pushes, uncommitted
from bot.local.reader import LocalReader
from tests.agents.conftest import git, make_repository
from tests.local.test_reader import commit
from tests.tea import BROKEN, TEA

ZEROS = "0" * 40


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A clone of `far` on a branch `brew`, one commit ahead of main."""
    far, checkout = tmp_path / "far", tmp_path / "house"
    far.mkdir()
    make_repository(far, {"tea.py": TEA, "README.md": "# Tea\n"})
    git(far, "branch", "-M", "main")
    subprocess.run(["git", "clone", "-q", str(far), str(checkout)], check=True)
    git(checkout, "switch", "-qc", "brew")
    commit(checkout, {"tea.py": BROKEN}, "Brew more")
    return checkout


def sha(checkout: Path, name: str) -> str:
    told = subprocess.run(["git", "-C", str(checkout), "rev-parse", name], capture_output=True, check=True)
    return told.stdout.decode().strip()


async def taken(checkout: Path, *, staged: bool) -> dict[str, str]:
    async with uncommitted(checkout, staged=staged) as change:
        reader = LocalReader(checkout, change)
        names = [file.path for file in await reader.files(0) if file.status != "removed"]
        return await reader.texts(change.head, names)


async def test_what_is_staged_and_what_is_not_committed_are_two_changes(checkout: Path) -> None:
    (checkout / "tea.py").write_text("staged = 1\n")
    git(checkout, "add", "tea.py")
    (checkout / "tea.py").write_text("more = 2\n")
    (checkout / "new.py").write_text("new = 3\n")
    (checkout / ".gitignore").write_text("*.log\n")
    (checkout / "x.log").write_text("ignored\n")
    before = {file for file in (checkout / ".git").rglob("*") if file.is_file()}
    assert await taken(checkout, staged=True) == {"tea.py": "staged = 1\n"}
    told = await taken(checkout, staged=False)
    assert told == {"tea.py": "more = 2\n", "new.py": "new = 3\n", ".gitignore": "*.log\n"}
    assert {file for file in (checkout / ".git").rglob("*") if file.is_file()} == before, "nothing is written"


async def test_S1_no_filter_that_the_repository_names_is_run(checkout: Path, tmp_path: Path) -> None:
    canary, script = tmp_path / "canary", tmp_path / "evil.sh"
    script.write_text(f"#!/bin/sh\ntouch {canary}\ncat\n")
    script.chmod(0o755)
    for key in ("filter.evil.clean", "filter.a=b.clean", "filter.evil.process", "core.fsmonitor"):
        git(checkout, "config", key, str(script))
    (checkout / ".gitattributes").write_text("*.py filter=evil\n*.md filter=a=b\n")
    (checkout / "tea.py").write_text("x = 1\n")
    assert (await taken(checkout, staged=False))["tea.py"] == "x = 1\n"
    assert not canary.exists()


async def test_before_the_first_commit_all_that_is_staged_is_new(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    with pytest.raises(UserError, match="no commit yet") as wrong:
        await find_change(tmp_path)
    assert "--staged" in wrong.value.hint
    with pytest.raises(NothingToReview, match="nothing is staged"):
        await taken(tmp_path, staged=True)
    (tmp_path / "a.py").write_text("a = 1\n")
    git(tmp_path, "add", "a.py")
    assert await taken(tmp_path, staged=True) == {"a.py": "a = 1\n"}


async def test_where_nothing_differs_that_is_said(checkout: Path) -> None:
    for staged in (True, False):
        with pytest.raises(NothingToReview, match="nothing to review"):
            await taken(checkout, staged=staged)


async def test_what_a_commit_of_one_file_is_about_is_what_git_shows_its_hook(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (checkout / "tea.py").write_text("own = 1\n")
    environ = {**os.environ, "GIT_INDEX_FILE": str(checkout / ".git/next-index")}
    subprocess.run(["git", "-C", str(checkout), "read-tree", "HEAD"], env=environ, check=True)
    subprocess.run(["git", "-C", str(checkout), "add", "tea.py"], env=environ, check=True)
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/next-index")
    assert await taken(checkout, staged=True) == {"tea.py": "own = 1\n"}


async def test_a_bare_repository_has_ranges_and_no_working_tree(checkout: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare.git"
    subprocess.run(["git", "clone", "-q", "--bare", str(checkout), str(bare)], check=True)
    assert await find_root(bare) == bare
    change = await find_change(bare, "main..brew")
    assert [file.path for file in await LocalReader(bare, change).files(0)] == ["tea.py"]
    with pytest.raises(UserError, match="bare") as wrong:
        await taken(bare, staged=True)
    assert "main.." in wrong.value.hint


async def test_a_shallow_clone_is_told_how_it_gets_the_rest(checkout: Path, tmp_path: Path) -> None:
    shallow = tmp_path / "shallow"
    far = f"file://{checkout}"
    subprocess.run(["git", "clone", "-q", "--depth=1", "-b", "brew", far, str(shallow)], check=True)
    for text in ("HEAD~1..HEAD", "main..HEAD", ""):
        with pytest.raises(UserError) as wrong:
            await find_change(shallow, text)
        assert "fetch-depth: 0" in wrong.value.hint, text


async def test_git_is_heard_where_it_fails(checkout: Path) -> None:
    change = await find_change(checkout)
    (tree,) = [sha(checkout, "HEAD:tea.py")]
    (checkout / ".git/objects" / tree[:2] / tree[2:]).unlink()
    with pytest.raises(UserError) as wrong:
        await LocalReader(checkout, change).files(0)
    assert tree in str(wrong.value) and "MB" not in str(wrong.value)
    with pytest.raises(UserError, match="not in a git repository"):
        await find_root(checkout.parent)


async def changes(checkout: Path, text: str, remote: str = "origin") -> list[tuple[str, str]]:
    return [(change.base, change.head) for _, change in await pushed(checkout, remote, pushes(text))]


async def test_a_push_is_judged_by_what_it_brings(checkout: Path) -> None:
    git(checkout, "tag", "old", "main")
    git(checkout, "-c", "user.name=A", "-c", "user.email=a@b", "tag", "-am", "New", "new", "brew")
    main, brew = sha(checkout, "main"), sha(checkout, "brew")
    new = f"refs/heads/brew {brew} refs/heads/brew {ZEROS}\n"
    assert await changes(checkout, new) == [(main, brew)]
    assert await changes(checkout, f"(delete) {ZEROS} refs/heads/brew {brew}\n") == []
    assert await changes(checkout, f"refs/tags/old {main} refs/tags/old {ZEROS}\n") == []
    tag = f"refs/tags/new {sha(checkout, 'new')} refs/tags/new {ZEROS}\n"
    assert await changes(checkout, new + tag) == [(main, brew)], "once, though two refs name it"
    assert await changes(checkout, "") == []
    blob = sha(checkout, "HEAD:tea.py")
    assert await changes(checkout, f"refs/tags/blob {blob} refs/tags/blob {ZEROS}\n") == []


async def test_of_a_branch_that_is_there_only_the_new_commits_are_judged(checkout: Path) -> None:
    first = sha(checkout, "brew")
    commit(checkout, {"pot.py": "x = 1\n"}, "Pot")
    second = sha(checkout, "brew")
    git(checkout, "switch", "-q", "main")  # what is checked out does not count
    assert await changes(checkout, f"refs/heads/brew {second} refs/heads/brew {first}\n") == [(first, second)]
    unknown = "1" * 40  # somebody else's push, not fetched yet
    (found,) = await changes(checkout, f"refs/heads/brew {second} refs/heads/brew {unknown}\n")
    assert found == (sha(checkout, "main"), second)


async def test_a_first_push_to_an_empty_repository_brings_everything(tmp_path: Path) -> None:
    make_repository(tmp_path, {"tea.py": TEA})
    head = sha(tmp_path, "HEAD")
    ((_, change),) = await pushed(tmp_path, "origin", pushes(f"HEAD {head} refs/heads/main {ZEROS}\n"))
    assert [file.status for file in await LocalReader(tmp_path, change).files(0)] == ["added"]


@pytest.mark.parametrize("text", ["nonsense", "a b c", f"refs/heads/a {ZEROS} refs/heads/a"])
def test_what_git_does_not_write_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="is not told"):
        pushes(text)


async def test_a_range_may_begin_at_the_default_branch(checkout: Path) -> None:
    whole = await find_change(checkout)
    for text in ("..HEAD", "..brew", "...", "main...HEAD", "origin/main...brew"):
        assert await find_change(checkout, text) == whole, text
