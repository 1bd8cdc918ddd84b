"""`hob backtest`: merged pull requests as they were when they were opened."""

from pathlib import Path

import pytest

from bot.evals.cases import load_cases
from bot.testing.github import GitHubStandIn
from tests import commands
from tests.cli.test_receive import hob, told, world
from tests.tea import BROKEN, TEA

__all__ = ["world"]
LATER = BROKEN + "\n\ndef pour():\n    return open('cup').read()\n"


@pytest.fixture
def history(world: tuple[GitHubStandIn, dict[str, str], Path]) -> tuple[GitHubStandIn, dict[str, str], Path]:
    """#1 was mended before its merge, #2 is as it was; #3 was never merged."""
    github, settings, folder = world
    assert hob(settings, "migrate").returncode == 0
    repo = github.repository("octo/tea", private=True, files={"pot.py": "x = 1\n"})
    first = repo.open_pull_request("Brew", {"tea.py": BROKEN}, author="ann")
    first.review_comment("bob", "tea.py", 3, "This divides by zero.")
    first.review_comment("ann", "tea.py", 1, "My own note.")
    github.clock_offset += 60
    first.push({"tea.py": TEA})
    first.merge("bob")
    second = repo.open_pull_request("Again", {"mug.py": BROKEN}, author="ann")
    github.clock_offset += 60
    second.merge("bob")
    repo.open_pull_request("Never", {"jug.py": BROKEN}, author="ann").close()
    return github, settings, folder


def test_findings_are_followed_and_nothing_is_posted(
    history: tuple[GitHubStandIn, dict[str, str], Path],
) -> None:
    github, settings, _ = history
    written = len(github.writes())
    report = told(hob(settings, "backtest", "octo/tea", "--json"))
    pulls = {one["number"]: one for one in report["pull_requests"]}
    (first,) = report["ranked"]
    assert (first["number"], first["path"], first["outcome"]) == (1, "tea.py", "fixed before the merge")
    assert report["kinds"] == [{"kind": "model, sure", "findings": 1, "changed": 1}]
    assert set(pulls) == {1, 2}
    (finding,) = pulls[1]["findings"]
    assert (finding["path"], finding["end"], finding["outcome"]) == ("tea.py", 3, "fixed before the merge")
    assert pulls[1]["remarks"] == [{"path": "tea.py", "line": 3, "author": "bob"}]
    assert pulls[2]["findings"] == []  # the model speaks of tea.py, which this one does not touch
    assert pulls[2]["counts"]["about files that this change does not touch"] == 1
    assert len(github.writes()) == written


def test_a_table_and_cases_for_eval(history: tuple[GitHubStandIn, dict[str, str], Path]) -> None:
    _, settings, folder = history
    done = hob(settings, "backtest", "octo/tea", "--last", "2", "--write-cases", str(folder / "cases"))
    assert done.returncode == 0, done.stderr
    assert "the lines of 1 were changed later" in done.stdout
    assert "#1 tea.py:3" in done.stdout
    assert "1 (100%)" in done.stdout
    assert "1 of 2: #2 Again" in done.stderr
    one, two = sorted(load_cases([folder / "cases"]), key=lambda case: case.title)
    assert (one.title, two.title) == ("Again", "Brew")
    assert [(each.path, each.start, each.quote) for each in two.golden] == [
        ("tea.py", 3, "    return water / 0")
    ]
    assert two.texts == {"tea.py": BROKEN}
    scored = told(hob(settings, "eval", str(folder / "cases"), "--json", "--threshold", "0.5"))
    assert (scored["rows"][0]["matched"], scored["rows"][0]["golden"]) == (1, 1)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["octo/none"], 1, "the App is not installed on octo/none"),
        (["octo"], 2, "is no repository: write owner/name"),
        (["octo/tea", "--last", "0"], 2, "0 is not in the range"),
    ],
)
def test_what_is_wrong_is_one_line(
    arguments: list[str], code: int, said: str, world: tuple[GitHubStandIn, dict[str, str], Path]
) -> None:
    assert hob(world[1], "migrate").returncode == 0
    done = hob(world[1], "backtest", *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_that_is_not_made_yet_is_said(world: tuple[GitHubStandIn, dict[str, str], Path]) -> None:
    done = commands.process("backtest", "octo/tea", folder=world[2], environ=world[1])
    assert done.returncode == 1
    assert "run hob migrate" in done.stderr


def test_a_repository_without_merges_is_said(world: tuple[GitHubStandIn, dict[str, str], Path]) -> None:
    github, settings, _ = world
    assert hob(settings, "migrate").returncode == 0
    github.repository("octo/tea", private=True, files={"pot.py": "x = 1\n"})
    done = hob(settings, "backtest", "octo/tea")
    assert done.returncode == 1
    assert "no merged pull request" in done.stderr


def test_what_was_kept_in_shadow_is_reported_without_asking_a_model(
    history: tuple[GitHubStandIn, dict[str, str], Path],
) -> None:
    _, settings, _ = history
    done = hob(settings, "backtest", "octo/tea", "--shadow")
    assert done.returncode == 0, done.stderr
    assert "# What Hob would have said in octo/tea" in done.stdout
    assert "0 reviews of 0 pull requests" in done.stdout
    assert told(hob(settings, "backtest", "octo/tea", "--shadow", "--json"))["reviews"] == []


def test_what_was_replayed_is_told_where_github_answers_no_more(
    history: tuple[GitHubStandIn, dict[str, str], Path],
) -> None:
    github, settings, _ = history
    github.fault("GET", r"/pulls/1/commits", kind="rate_limited", seconds=1)
    done = hob(settings, "backtest", "octo/tea", "--json")
    assert [one["number"] for one in told(done)["pull_requests"]] == [2]
    assert "GitHub answers no more for now, 1 of 2 are left out" in done.stderr
