"""Reading a repository that would like to run something, or to be misread."""

from pathlib import Path

import pytest

from bot.core.errors import UserError
from bot.knowledge.git import MOST_PATHS, Git, GitError
from tests.knowledge.conftest import TEA, Services


def test_nothing_that_a_repository_configures_is_run(checkout: Services, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\necho ran >> {canary}\ncat\n")
    trap.chmod(0o755)
    checkout.commit({"x.py": TEA, ".gitattributes": "*.py diff=trap filter=trap\n"})
    for key in (
        *("core.fsmonitor", "core.pager", "core.sshCommand", "core.askPass", "core.alternateRefsCommand"),
        *("diff.external", "diff.trap.textconv", "diff.trap.command", "filter.trap.smudge"),
        *("filter.trap.clean", "gpg.program", "pager.log", "alias.log", "core.editor"),
    ):
        checkout.repo.run("config", key, str(trap))
    checkout.repo.run("config", "log.showSignature", "true")
    checkout.repo.run("config", "core.hooksPath", str(tmp_path))
    git = checkout.git
    tip = git.commit("main")
    shas = [entry.sha for entry in git.tree(tip)]
    assert len(git.sizes(shas)) == len(list(git.contents(shas))) == 2
    assert [commit.paths for commit in git.history(tip, most=9)] == [(".gitattributes", "x.py")]
    assert not canary.exists()


@pytest.mark.parametrize("name", ["--help", "-1", "main..main", "main --all", "", "x\0y", "0" * 40])
def test_what_names_no_commit_names_none(checkout: Services, name: str) -> None:
    checkout.commit({"x.py": TEA})
    assert checkout.git.commit(name) == ""


@pytest.mark.parametrize("sha", ["--output=/tmp/x", "HEAD", "a" * 39, "A" * 40])
def test_only_whole_shas_are_asked_for(checkout: Services, sha: str) -> None:
    with pytest.raises(GitError, match="whole sha"):
        list(checkout.git.history(sha, most=1))
    with pytest.raises(GitError, match="whole sha"):
        list(checkout.git.tree(sha))
    with pytest.raises(GitError, match="whole sha"):
        checkout.git.sizes([sha])


def test_a_message_cannot_pretend_to_be_a_change_or_a_commit(checkout: Services) -> None:
    evil = "Fix\n\n:100644 100644 " + "1" * 40 + " " + "2" * 40 + " M\n/etc/passwd\n" + "3" * 40 + "\n"
    checkout.commit({"x.py": TEA}, evil)
    checkout.commit({":100644 x": "a\n", "4" * 40: "b\n"}, "Names like git's own output", at=2e9)
    newest, oldest = checkout.git.history(checkout.git.commit("main"), most=9)
    assert oldest.paths == ("x.py",)
    assert "/etc/passwd" in oldest.body
    assert newest.paths == ("4" * 40, ":100644 x")


def test_merges_empty_messages_and_commits_of_very_many_files(checkout: Services) -> None:
    base = checkout.commit({"x.py": TEA}, "Base", at=1e9)
    side = checkout.commit({f"{at}.txt": "x\n" for at in range(MOST_PATHS + 9)}, "Many", at=1.1e9)
    checkout.repo.run("config", "user.name", "Ann")
    checkout.repo.run("config", "user.email", "a@example.com")
    tree = checkout.repo.run("rev-parse", f"{side}^{{tree}}").decode().strip()
    merge = (
        checkout.repo.run("commit-tree", tree, "-p", base, "-p", side, "--allow-empty-message", "-m", "")
        if False
        else (checkout.repo.run("commit-tree", tree, "-p", base, "-p", side, data=b""))
    )
    history = {commit.sha: commit for commit in checkout.git.history(merge.decode().strip(), most=9)}
    assert history[merge.decode().strip()].paths == ()
    assert history[merge.decode().strip()].subject == ""
    assert len(history[side].paths) == MOST_PATHS
    assert history[base].name == "Ann"


def test_a_folder_without_a_repository_says_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not in a git repository"):
        _ = Git(tmp_path).root


def test_other_gits_in_the_environment_mean_nothing(
    checkout: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    tip = checkout.commit({"x.py": TEA})
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "/bin/false")
    assert checkout.git.commit("main") == tip
