"""Where a repository is cloned from, and its issues as they change."""

import base64
from typing import Any

import pytest

from bot.core.errors import GitHubError, Gone
from bot.core.refs import RepoRef
from bot.github import auth, tracking
from bot.github.client import GitHub
from bot.github.tracking import blockers, changed_issues
from bot.testing.github import GitHubStandIn as StandIn
from bot.testing.github.repository import Repository
from tests.github.conftest import Canned, Connect

READ = {"issues": "read", "pull_requests": "read"}
CONTENTS = {"contents": "read"}


async def test_a_repository_says_where_it_is_cloned_from_and_how_large_it_is(
    gh: StandIn, github: GitHub, repo: RepoRef, repository: Repository
) -> None:
    repository.size = 77
    async with github.repository(repo, CONTENTS) as api:
        state = await tracking.repository(api, repo)
    assert state.clone_url == f"{gh.origin}/octo/tea.git"
    assert (state.size_kb, state.private, state.default_branch) == (77, False, "main")


@pytest.mark.parametrize(
    ("api_url", "clone_url", "taken"),
    [
        ("https://api.github.com", "https://github.com/octo/tea.git", True),
        ("https://ghes.example/api/v3", "https://ghes.example/octo/tea.git", True),
        ("https://api.octo.ghe.com", "https://octo.ghe.com/octo/tea.git", True),
        ("https://api.github.com", "https://github.com.evil.example/octo/tea.git", False),
        ("https://api.github.com", "http://github.com/octo/tea.git", False),
        ("https://api.github.com", "ext::sh -c evil", False),
        ("https://api.github.com", "", False),
        ("https://api.github.com", None, False),
    ],
)
async def test_N1_it_is_cloned_from_the_servers_own_site_only(
    connect: Connect, api_url: str, clone_url: str | None, taken: bool
) -> None:
    told = {"id": 1, "clone_url": clone_url, "size": 1, "private": True, "default_branch": "main"}
    client = connect(api_url=api_url, transport=Canned(lambda _: told))
    ref = RepoRef("octo", "tea", 1, 1)
    async with client.repository(ref, CONTENTS) as api:
        if taken:
            assert (await tracking.repository(api, ref)).clone_url == clone_url
        else:
            with pytest.raises(GitHubError, match="not on this server"):
                await tracking.repository(api, ref)


async def test_another_repository_of_the_same_name_is_not_ours(connect: Connect) -> None:
    client = connect(transport=Canned(lambda _: {"id": 2, "clone_url": "x"}))
    ref = RepoRef("octo", "tea", 1, 1)
    async with client.repository(ref, CONTENTS) as api:
        with pytest.raises(Gone):
            await tracking.repository(api, ref)


async def test_issues_come_in_the_order_in_which_they_changed(
    github: GitHub, repo: RepoRef, repository: Repository
) -> None:
    first = repository.open_issue("First", "one", author="ann")
    second = repository.open_issue("Second", author="tom")
    pull = repository.open_pull_request("Third", {"x.py": "X = 1\n"}, author="eve")
    first.add_label("ann", "bug")
    second.updated_at -= 100
    first.block(second)
    second.updated_at = first.created_at - 100
    pull.merged_at, pull.state = pull.created_at, "closed"
    async with github.repository(repo, READ) as api:
        listed = await changed_issues(api, repo, 0, 10)
        assert listed[0].number == 2
        by_number = {one.number: one for one in listed}
        assert (by_number[1].labels, by_number[1].author, by_number[1].body) == (("bug",), "ann", "one")
        assert (by_number[3].kind, by_number[3].state) == ("pull_request", "merged")
        assert by_number[2].blockers == 1
        assert await blockers(api, repo, 2) == (1,)
        later = await changed_issues(api, repo, by_number[1].updated, 10)
        assert 2 not in {one.number for one in later}
        assert len(await changed_issues(api, repo, 0, 2)) == 2


@pytest.mark.parametrize("listed", [[{}], [{"number": "x"}], [7], [None], [{"number": 1, "labels": 7}]])
async def test_a_list_that_is_none_is_a_clear_error(connect: Connect, listed: list[Any]) -> None:
    client = connect(transport=Canned(lambda _: listed))
    ref = RepoRef("octo", "tea", 1, 1)
    async with client.repository(ref, READ) as api:
        with pytest.raises(GitHubError):
            await changed_issues(api, ref, 0, 10)


async def test_R12_git_gets_a_new_token_unless_the_old_one_is_merely_young(
    gh: StandIn, github: GitHub, repo: RepoRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with github.job(repo) as job:
        first = await job.basic(CONTENTS)
        login, _, token = base64.b64decode(first.removeprefix("Basic ")).decode().partition(":")
        assert login == "x-access-token"
        assert gh.tokens[token].repository_ids == (repo.id,)
        assert gh.tokens[token].permissions == CONTENTS
        assert await job.basic(CONTENTS, renew=True) == first
        monkeypatch.setattr("bot.github.client.FRESH", 0.0)
        assert await job.basic(CONTENTS, renew=True) != first
    assert auth.FRESH == 5.0
