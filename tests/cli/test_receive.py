"""`hob receive`: a stored payload, its plan, and nothing written unless asked."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.testing.github import GitHubStandIn
from tests import commands
from tests.fakes.github import checked_github
from tests.fakes.models import FakeOllama
from tests.running import environment
from tests.tea import finding


@pytest.fixture
def world(tmp_path: Path) -> Iterator[tuple[GitHubStandIn, dict[str, str], Path]]:
    with checked_github(tmp_path / "github") as github, FakeOllama() as ollama:
        ollama.answer = lambda _: {"findings": [finding()], "summary": ""}
        github.install_app("octo", slug="my-hob")
        yield github, environment(tmp_path, github, ollama.url, next(iter(ollama.models))), tmp_path


def hob(settings: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return commands.run(*arguments, folder=Path(settings["HOB_CONFIG"]).parent, environ=settings)


def told(answer: subprocess.CompletedProcess[str]) -> Any:
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def test_it_plans_without_writing_and_writes_once_when_asked(
    world: tuple[GitHubStandIn, dict[str, str], Path],
) -> None:
    github, settings, folder = world
    assert hob(settings, "migrate").returncode == 0
    repo = github.repository("octo/tea", private=True, files={"tea.py": "x = 1\n"})
    pull = repo.open_pull_request("P", {"tea.py": "def brew(water):\n    return water / 0\n"}, author="ann")
    payload = folder / "payload.json"
    payload.write_bytes(github.deliveries[0].body)
    plan = told(hob(settings, "receive", "pull_request", str(payload)))
    assert plan["event"] == "PullRequestOpened"
    assert [effect["kind"] for effect in plan["effects"]] == ["PostReview", "SetCheck"]
    assert plan["effects"][0]["comments"][0]["line"] == 2
    assert github.writes() == []
    for _ in range(2):
        done = told(hob(settings, "receive", "pull_request", str(payload), "--apply"))
        assert {effect["state"] for effect in done["effects"]} == {"done"}
    assert len(pull.reviews) == 1
    assert len(pull.check_runs) == 1


def test_what_nobody_answers_and_what_is_no_payload_are_said(
    world: tuple[GitHubStandIn, dict[str, str], Path],
) -> None:
    _, settings, folder = world
    assert hob(settings, "migrate").returncode == 0
    payload = folder / "payload.json"
    payload.write_text('{"action": "started"}')
    assert told(hob(settings, "receive", "watch", str(payload)))["effects"] == []
    payload.write_text('{"action": "opened", "pull_request": 5}')
    wrong = commands.process("receive", "pull_request", str(payload), folder=folder, environ=settings)
    assert wrong.returncode == 1
    assert wrong.stdout == ""
    assert len(wrong.stderr.strip().splitlines()) == 1
