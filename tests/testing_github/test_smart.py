"""Plain git fetches from the stand-in as it fetches from GitHub."""

import base64
import os
import subprocess
from pathlib import Path

import pytest

from tests.testing_github.caller import with_token
from tests.testing_github.conftest import Tea


def git(tea: Tea, folder: Path, *arguments: str, token: str = "") -> subprocess.CompletedProcess[str]:
    basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    header = ["-c", f"http.extraHeader=Authorization: Basic {basic}"] if token else []
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    command = ["git", *header, "-c", "credential.helper=", "-C", str(folder), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def url(tea: Tea) -> str:
    return str(tea.call("GET", tea.path).json["clone_url"])


def test_a_token_clones_history_without_blobs_and_fetches_one_by_its_name(tea: Tea, tmp_path: Path) -> None:
    assert url(tea) == f"{tea.gh.origin}/octo/tea.git"
    token = with_token(tea.gh, tea.repo.id, contents="read").credential
    done = git(tea, tmp_path, "clone", "--bare", "--filter=blob:none", url(tea), "c", token=token)
    assert done.returncode == 0, done.stderr
    listed = git(tea, tmp_path / "c", "rev-list", "--objects", "--all", "--missing=print").stdout
    assert any(line.startswith("?") for line in listed.splitlines())
    blob = next(line[1:] for line in listed.splitlines() if line.startswith("?"))
    done = git(tea, tmp_path / "c", "fetch", "--filter=blob:none", "origin", blob, token=token)
    assert done.returncode == 0, done.stderr
    assert git(tea, tmp_path / "c", "cat-file", "-t", blob).stdout == "blob\n"


@pytest.mark.parametrize("version", ["0", "2"])
def test_heads_of_pull_requests_are_there_and_branches_of_forks_are_not(
    tea: Tea, tmp_path: Path, version: str
) -> None:
    forked = tea.repo.open_pull_request("Stir", {"new.py": "x\n"}, author="eve", fork=True)
    token = with_token(tea.gh, tea.repo.id, contents="read").credential
    done = git(tea, tmp_path, "-c", f"protocol.version={version}", "ls-remote", url(tea), token=token)
    refs = dict(reversed(line.split("\t")) for line in done.stdout.splitlines())
    assert refs[f"refs/pull/{forked.number}/head"] == forked.head_sha
    assert not any("fork" in name for name in refs)


def test_who_may_not_read_the_contents_is_refused(tea: Tea, tmp_path: Path) -> None:
    other = tea.gh.repository("octo/pot", private=True)
    narrow = with_token(tea.gh, tea.repo.id, issues="read").credential
    elsewhere = with_token(tea.gh, other.id, contents="read").credential
    said = [git(tea, tmp_path, "ls-remote", url(tea), token=one).stderr for one in ("", narrow, elsewhere)]
    assert "could not read Username" in said[0]
    assert "403" in said[1]
    assert "not found" in said[2]


def test_nothing_is_pushed(tea: Tea, tmp_path: Path) -> None:
    token = with_token(tea.gh).credential
    git(tea, tmp_path, "clone", "--bare", url(tea), "c", token=token)
    done = git(tea, tmp_path / "c", "push", url(tea), "main:evil", token=token)
    assert "403" in done.stderr
    assert tea.repo.git.resolve("refs/heads/evil") is None
