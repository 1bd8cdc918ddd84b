"""`hob standup`: how a repository stands, read through the App; nothing is posted."""

from pathlib import Path

import pytest

from bot.testing.github import GitHubStandIn
from tests.cli.test_receive import hob, told, world
from tests.tea import BROKEN

__all__ = ["world"]


def test_what_moved_is_stuck_and_asked_in_words_and_as_json(
    world: tuple[GitHubStandIn, dict[str, str], Path],
) -> None:
    github, settings, _ = world
    assert hob(settings, "migrate").returncode == 0
    repo = github.repository("octo/tea", private=True, files={"tea.py": "x = 1\n"})
    github.clock_offset = -20 * 86_400
    kettle = repo.open_issue("Kettle\x1b[2J", "Burns.", author="ann")
    repo.open_pull_request("Brew", {"tea.py": BROKEN}, author="bob")
    github.clock_offset = -1 * 86_400
    kettle.close("ann")
    github.clock_offset = 0
    before = len(github.writes())
    done = hob(settings, "standup", "octo/tea")
    assert done.returncode == 0, done.stderr
    assert "Kettle" in done.stdout and "\x1b" not in done.stdout
    assert "`#2` Brew: did not change, with `bob`, since" in done.stdout
    found = told(hob(settings, "standup", "octo/tea", "--json", "--since", "3 days"))
    assert [(one["number"], one["what"]) for one in found["moved"]] == [(1, "done")]
    assert [one["number"] for one in found["stuck"]] == [2] and found["complete"] is True
    nowhere = hob(settings, "standup", "octo/tea", "--milestone", "v9", "--json")
    assert (nowhere.returncode, nowhere.stdout) == (1, "")
    assert "I find nothing in a milestone named v9" in nowhere.stderr
    assert [one for one in github.writes()[before:] if not one.is_mint] == []


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["tea"], 2, "is no repository"),
        (["octo/tea", "--since", "2999-01-01"], 2, "is in the future"),
        (["octo/tea", "--since", "Blursday"], 2, "is no time"),
        (["octo/none"], 1, "the App is not installed on octo/none"),
    ],
)
def test_what_is_wrong_is_one_line(
    arguments: list[str], code: int, said: str, world: tuple[GitHubStandIn, dict[str, str], Path]
) -> None:
    _, settings, _ = world
    assert hob(settings, "migrate").returncode == 0
    done = hob(settings, "standup", *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr.splitlines()[-1]
