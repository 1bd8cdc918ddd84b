"""Kinds of hosts, ours and those that other packages bring."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.core.errors import ConfigError
from bot.core.hosts import Host
from bot.inference.runners.ollama import OllamaRunner
from bot.inference.runners.registry import RUNNERS, kinds, make_runner
from bot.inference.runners.scripted import ScriptedRunner


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Path]:
    """A package on the path that brings runners, as pip would have laid it."""
    (tmp_path / "hob_theirs.py").write_text(
        "from bot.inference.runners.scripted import ScriptedRunner\n"
        "class TheirRunner(ScriptedRunner):\n    pass\n"
    )
    about = tmp_path / "hob_theirs-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: hob-theirs\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(
        "[hob.runners]\ntheirs = hob_theirs:TheirRunner\nbroken = hob_theirs:Nothing\n"
        "ollama = hob_theirs:TheirRunner\n"
    )
    sys.path.insert(0, str(tmp_path))
    yield tmp_path
    sys.path.remove(str(tmp_path))
    sys.modules.pop("hob_theirs", None)


@pytest.mark.parametrize("kind", RUNNERS)
async def test_every_kind_is_made_without_connecting(kind: str) -> None:
    await make_runner(Host("mini", kind, "http://127.0.0.1:9")).aclose()


def test_a_kind_that_nobody_knows_says_which_there_are() -> None:
    with pytest.raises(ConfigError, match="no runner for kind 'olama'") as caught:
        make_runner(Host("mini", "olama", "http://127.0.0.1:9"))
    assert caught.value.hint == f"use one of: {', '.join(sorted(RUNNERS))}"


@pytest.mark.usefixtures("installed")
def test_another_package_brings_a_kind() -> None:
    runner = make_runner(Host("theirs", "theirs", ""))
    assert type(runner).__name__ == "TheirRunner"
    assert isinstance(runner, ScriptedRunner)
    assert {"theirs", "ollama"} <= set(kinds())


@pytest.mark.usefixtures("installed")
async def test_another_package_cannot_replace_ours() -> None:
    runner = make_runner(Host("mini", "ollama", "http://127.0.0.1:9"))
    assert isinstance(runner, OllamaRunner)
    await runner.aclose()


@pytest.mark.usefixtures("installed")
def test_a_runner_that_cannot_be_loaded_says_so() -> None:
    with pytest.raises(ConfigError, match="kind 'broken' cannot be loaded") as caught:
        make_runner(Host("mini", "broken", ""))
    assert "hob_theirs:Nothing" in caught.value.hint
