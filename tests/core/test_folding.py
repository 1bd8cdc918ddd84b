"""Names in settings, as people write them."""

from itertools import product
from typing import Any

import pytest

from bot.core.folding import folded, names_login
from bot.core.refs import Actor, Login, RepoRef
from bot.core.settings import ReviewSettings
from bot.core.skip_rules import why_not_reviewed
from bot.runs.archives import may_answer


@pytest.mark.parametrize("name", ["Kind/Bug", "kind/bug", " KIND/BUG ", "kInD/bUg"])
def test_labels_and_repositories_are_the_same_in_any_case(name: str) -> None:
    assert folded(name) == "kind/bug"


@pytest.mark.parametrize(
    ("said", "login", "means"),
    [
        ("dependabot", "dependabot[bot]", True),
        ("Dependabot[Bot]", "dependabot[bot]", True),
        ("app/dependabot", "dependabot[bot]", True),
        ("@Renovate", "renovate[bot]", True),
        ("@Mona", "mona", True),
        ("MONA", "Mona", True),
        ("renovate[bot]", "renovate", False),
        ("app/renovate", "renovate", False),
        ("depend", "dependabot[bot]", False),
        ("", "mona", False),
    ],
)
def test_a_login_in_settings_means_an_account(said: str, login: str, means: bool) -> None:
    assert names_login(["somebody", said], login) is means


def state(**more: Any) -> Any:
    class State:
        open, draft, title, base_ref = True, False, "Kettle", "main"
        author = Actor(Login("mona"), 1)
        labels: tuple[str, ...] = ()

    for name, value in more.items():
        setattr(State, name, value)
    return State


@pytest.mark.parametrize("said", ["dependabot", "Dependabot[bot]", "DEPENDABOT"])
def test_ignored_authors_are_ignored_however_they_are_written(said: str) -> None:
    settings = ReviewSettings(ignore_authors=(said,))
    bot = state(author=Actor(Login("dependabot[bot]"), 2, "Bot"))
    assert why_not_reviewed(bot, settings) == "its author is left out by the settings"
    assert why_not_reviewed(state(), settings) is None


@pytest.mark.parametrize(("said", "on_it"), [*product(["Needs Review", "needs review"], repeat=2)])
def test_a_label_that_lets_a_pull_request_in_is_found_in_any_case(said: str, on_it: str) -> None:
    settings = ReviewSettings(labels=(said,))
    assert why_not_reviewed(state(labels=(on_it,)), settings) is None
    assert why_not_reviewed(state(labels=("other",)), settings) == "it has none of the labels"


def test_an_archive_opened_in_another_case_is_open() -> None:
    archive = RepoRef("Octo", "Old-Tea", id=1, installation=7)
    elsewhere = RepoRef("mona", "pot", id=2, installation=7, private=False)
    assert may_answer(archive, elsewhere, ["octo/old-tea"])
    assert not may_answer(archive, elsewhere, ["octo/old"])
