"""The disk under the clones is full: that is said, nothing of what is there goes, and with room again all
goes on."""

import os
import random
import shutil
from pathlib import Path

import pytest

from bot.store.known_repositories import LEARN
from bot.testing.github import GitHubStandIn
from tests.fakes.models import FakeOllama
from tests.living import living_hob
from tests.runs.test_knowledge import kept, of, searched, teahouse

ROOM_KB = 64
LIMITED = """#!/bin/sh
case "$*" in *"{clones}"*) [ -e "{mark}" ] && trap '' XFSZ && ulimit -f {blocks} ;; esac
exec "{git}" "$@"
"""


@pytest.fixture
def full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """While this file is there, git can write no file over `ROOM_KB` into the clones."""
    mark, programs = tmp_path / "full", tmp_path / "programs"
    programs.mkdir()
    git = programs / "git"
    found, clones = shutil.which("git"), tmp_path / "hob" / "clones"
    git.write_text(LIMITED.format(mark=mark, clones=clones, blocks=ROOM_KB * 2, git=found))
    git.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    return mark


def noise(seed: int) -> str:
    """What no compression makes smaller than `ROOM_KB`."""
    lines = (f"STEEP_{n} = '{random.Random(seed * 9999 + n).randbytes(40).hex()}'" for n in range(4_000))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("first", [True, False], ids=["a first clone", "a push to what is cloned"])
async def test_R7_a_clone_on_a_full_disk_says_so_keeps_what_is_there_and_goes_on_with_room(
    tmp_path: Path, github: GitHubStandIn, ollama: FakeOllama, full: Path, first: bool
) -> None:
    async with living_hob(tmp_path, github, ollama, HOB_KNOWLEDGE__ENABLED="true") as hob:
        repo = teahouse(hob)
        if not first:
            repo.push({"tea.py": "def brew_gently():\n    pass\n"})
            await hob.works()
        before = kept(hob, repo)
        full.touch()
        repo.push({"leaves.py": noise(1), "warm.py": "def warm_the_pot():\n    pass\n"})
        run = of(await hob.works(), LEARN)[-1]
        assert (run.state, run.attempts) == ("queued", 1)
        assert "no room is left on the disk of " in run.error
        assert f"clones{os.sep}{repo.id}.git" in run.error
        if not first:
            assert kept(hob, repo) == before
            assert "tea.py" in await searched(hob, repo, "brew gently")
        full.unlink()
        await hob.retries()
        assert of(await hob.works(), LEARN)[-1].state == "done"
        assert "warm.py" in await searched(hob, repo, "warm the pot")
