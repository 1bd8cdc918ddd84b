"""`hob triage`: many issues, shown first, then done by a running Hob."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.testing.github import GitHubStandIn
from bot.testing.github.repository import Repository
from tests.cli.test_receive import hob, told
from tests.fakes.github import checked_github
from tests.fakes.models import FakeOllama
from tests.living import by_schema
from tests.running import environment, forked_hob

World = tuple[GitHubStandIn, dict[str, str], Path]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with checked_github(tmp_path / "github") as github, FakeOllama() as ollama:
        ollama.answer = by_schema()
        github.install_app("octo", slug="my-hob")
        yield github, environment(tmp_path, github, ollama.url, next(iter(ollama.models))), tmp_path


@pytest.fixture
def tea(world: World) -> Repository:
    github, settings, _ = world
    assert hob(settings, "migrate").returncode == 0
    repo = github.repository("octo/tea", private=True)
    for title in ("Cold", "Burns", "Leaks"):
        repo.open_issue(title, "It does.", author="ann")
    repo.issues[2].add_label("ann", "question")
    return repo


def test_a_dry_run_shows_the_plan_of_each_issue_and_writes_nothing(world: World, tea: Repository) -> None:
    github, settings, _ = world
    plan = told(hob(settings, "triage", "octo/tea", "--dry-run", "--json"))
    assert (plan["dry_run"], plan["run"], plan["counts"]) == (True, None, {"planned": 3})
    assert [one["number"] for one in plan["issues"]] == [1, 2, 3]
    assert plan["issues"][0]["effects"][0]["labels"] == ["bug"]
    shown = hob(settings, "triage", "octo/tea", "--label", "question", "--dry-run")
    assert "#2" in shown.stdout and "#1" not in shown.stdout
    assert "AddLabels: bug" in shown.stdout
    assert "1 of 1: #2" in shown.stderr
    assert github.writes() == []


def test_a_forked_hob_does_it_and_the_command_shows_how_far_it_is(world: World, tea: Repository) -> None:
    _, settings, folder = world
    with forked_hob(folder, settings, "-n", "1"):
        done = hob(settings, "triage", "octo/tea", "--json")
        found = told(done)
        assert (found["counts"], [one["state"] for one in found["issues"]]) == ({"done": 3}, ["done"] * 3)
        assert "3 of 3 issues" in done.stderr
        assert [one.label_names for one in tea.issues.values()] == [["bug"], ["question", "bug"], ["bug"]]
        assert [one.comments for one in tea.issues.values()] == [[], [], []]
        again = hob(settings, "triage", "octo/tea", "--follow", str(found["run"]))
        assert (again.returncode, "#3" in again.stdout) == (0, True)
        assert "3 issues to triage, 0 triaged before" in again.stdout
        assert told(hob(settings, "triage", "octo/tea", "--json"))["issues"] == []
        assert len([one for one in world[0].writes() if one.path.endswith("/labels")]) == 3


def test_what_cannot_be_asked_is_said_in_a_line(world: World, tea: Repository) -> None:
    _, settings, _ = world
    for arguments, code, words in (
        (("nonsense",), 2, "owner/name"),
        (("octo/tea", "--since", "Blursday"), 2, "'Blursday' is no time: write a day, as in 2026-11-02"),
        (("octo/tea", "--since", "2999-01-01"), 2, "is in the future"),
        (("octo/tea", "--since", "yesterday", "--dry-run"), 0, ""),
        (("octo/tea", "--follow", "3", "--dry-run"), 2, "--follow"),
        (("octo/none",), 1, "not installed"),
        (("octo/tea", "--follow", "99"), 1, "run 99 is no batch"),
    ):
        said = hob(settings, "triage", *arguments)
        assert (said.returncode, words in said.stderr, "Traceback" in said.stderr) == (code, True, False)
