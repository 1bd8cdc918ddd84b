"""What is read of issues and pull requests, and in how many calls."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.core.errors import GitHubError, Gone, TemporaryError
from bot.core.github_reader import GitHubReader
from bot.core.refs import RepoRef, Sha
from bot.github import contents, hobyml
from bot.github.client import GitHub
from bot.github.conversations import issue_state
from bot.github.reader import JobReader
from bot.testing.github import GitHubStandIn as StandIn
from bot.testing.github import executable, submodule, symlink
from bot.testing.github.pulls import PullRequest
from bot.testing.github.repository import Repository
from tests.fakes.github import Contract
from tests.github.conftest import Canned, Connect

READ = {"contents": "read", "pull_requests": "read"}
HOSTILE = [
    'quote".py',
    "back`tick.py",
    "co:lon.py",
    "sp ace.py",
    "q?uestion#hash.py",
    "per%2Fcent.py",
    "übel.py",
    "$e0}{.py",
    "-dash.py",
]


@asynccontextmanager
async def reading(
    github: GitHub, repo: RepoRef, permissions: Mapping[str, str] = READ
) -> AsyncIterator[JobReader]:
    async with github.job(repo) as job:
        yield JobReader(repo, job, permissions)


async def test_a_pull_request_as_it_stands(github: GitHub, repo: RepoRef, pull: PullRequest) -> None:
    async with reading(github, repo) as reader:
        state = await reader.pull_request(1)
    assert (state.number, state.open, state.draft, state.merged) == (1, True, False, False)
    assert (state.head_sha, state.base_sha, state.base_ref) == (pull.head_sha, pull.base_sha, "main")
    assert (state.title, state.body, state.author.login) == ("Brew hotter", "Please.", "mona")
    assert (state.changed_files, state.from_fork) == (1, False)


async def test_a_fork_is_a_fork_even_when_it_is_gone(
    github: GitHub, repo: RepoRef, repository: Repository, contract: Contract
) -> None:
    pull = repository.open_pull_request("From afar", {"tea.py": "x\n"}, fork=True)
    async with reading(github, repo) as reader:
        assert (await reader.pull_request(1)).from_fork
        pull.delete_fork()
        assert (await reader.pull_request(1)).from_fork
    contract.problems.clear()  # GitHub's description says that a head always has a repository; GitHub differs


async def test_files_with_patches_renames_and_none(
    github: GitHub, repo: RepoRef, repository: Repository
) -> None:
    repository.open_pull_request(
        "Many things",
        {"tea.py": None, "new/tea.py": repository_text(), "bin": b"\0\1\2", "pot.py": "only this\n"},
    )
    async with reading(github, repo) as reader:
        files = {one.path: one for one in await reader.files(1)}
    assert (files["new/tea.py"].status, files["new/tea.py"].old_path) == ("renamed", "tea.py")
    assert files["bin"].hunks is None
    assert (files["pot.py"].status, files["pot.py"].additions) == ("modified", 1)
    assert files["pot.py"].hunks


def repository_text() -> str:
    return "".join(f"line {n}\n" for n in range(1, 41))


async def test_all_files_are_read_whatever_their_count_is_said_to_be(
    connect: Connect, repo: RepoRef, pull: PullRequest
) -> None:
    bare = {"number": 1, "state": "open", "title": "t", "changed_files": 1, "user": None}
    ends = {"head": {"sha": pull.head_sha, "repo": {"id": repo.id}}, "base": {"sha": "b" * 40, "ref": "main"}}
    files = [{"filename": f"{n}.py", "patch": "@@ -1 +1 @@\n-a\n+b"} for n in range(3)]
    canned = Canned(lambda request: files if request.url.path.endswith("/files") else bare | ends)
    async with reading(connect(transport=canned), repo) as reader:
        state = await reader.pull_request(1)
        read = await reader.files(1)
    assert (state.from_fork, state.labels) == (False, ())
    assert [one.path for one in read] == ["0.py", "1.py", "2.py"]


@pytest.mark.parametrize(("count", "calls"), [(10, 4), (100, 5), (120, 7)])
async def test_a_review_is_read_in_few_calls(
    gh: StandIn, github: GitHub, repo: RepoRef, repository: Repository, count: int, calls: int
) -> None:
    repository.open_pull_request("Wide", {f"src/{n}.py": f"n = {n}\n" for n in range(count)})
    async with reading(github, repo) as reader:
        state = await reader.pull_request(1)
        await reader.config_text(state.base_sha)
        files = await reader.files(1)
        texts = await reader.texts(state.head_sha, [one.path for one in files])
    assert texts == {f"src/{n}.py": f"n = {n}\n" for n in range(count)}
    assert len(gh.calls()) == calls


async def test_N3_of_3001_files_3000_are_read(
    gh: StandIn, github: GitHub, repo: RepoRef, repository: Repository
) -> None:
    repository.open_pull_request("Huge", {f"src/{n}.txt": f"{n}\n" for n in range(3_001)})
    async with reading(github, repo) as reader:
        state = await reader.pull_request(1)
        files = await reader.files(1)
    assert state.changed_files == 3_001
    assert len({one.path for one in files}) == 3_000
    assert len(gh.calls()) == 31


@pytest.mark.parametrize("path", HOSTILE)
async def test_hostile_paths_are_only_names(
    github: GitHub, repo: RepoRef, repository: Repository, path: str
) -> None:
    pull = repository.open_pull_request("Odd", {path: "odd = 1\n", "plain.py": "plain = 1\n"})
    async with reading(github, repo) as reader:
        files = [one.path for one in await reader.files(1)]
        texts = await reader.texts(Sha(pull.head_sha), files)
    assert set(files) == {path, "plain.py"}
    assert texts == {path: "odd = 1\n", "plain.py": "plain = 1\n"}


async def test_a_path_is_never_part_of_a_query(connect: Connect, repo: RepoRef) -> None:
    blob = {"text": "odd\n", "isBinary": False, "isTruncated": False, "byteSize": 4}
    canned = Canned(lambda _: {"data": {"repository": {"e0": blob}}})
    path = 'a") { x } #\n$e1: String!.py'
    async with reading(connect(transport=canned), repo) as reader:
        assert await reader.texts(Sha("a" * 40), [path]) == {path: "odd\n"}
    (asked,) = (json.loads(one.content) for one in canned.requests)
    assert path not in asked["query"]
    assert asked["variables"]["e0"] == f"{'a' * 40}:{path}"


@pytest.mark.parametrize(
    "answer",
    [
        [],
        {"data": None},
        {"data": {"repository": None}},
        {"data": {"repository": {"e0": None}}},
        {"data": {"repository": {"e0": {"text": None}}}},
        {"data": {"repository": {"e0": {"text": "x", "byteSize": "y"}}}},
        {"data": []},
    ],
)
async def test_odd_answers_give_no_text_and_no_crash(connect: Connect, repo: RepoRef, answer: Any) -> None:
    async with reading(connect(transport=Canned(lambda _: answer)), repo) as reader:
        try:
            assert await reader.texts(Sha("a" * 40), ["a"]) == {}
        except GitHubError as error:
            assert error.status == 200  # noqa: PT017  either is a clear end


@pytest.mark.parametrize("answer", [[], "x", {}, {"number": 1}, {"head": None}, {"number": 1, "head": []}])
async def test_an_odd_pull_request_is_a_clear_error(connect: Connect, repo: RepoRef, answer: Any) -> None:
    async with reading(connect(transport=Canned(lambda _: answer)), repo) as reader:
        with pytest.raises(GitHubError):
            await reader.pull_request(1)


async def test_binary_large_and_missing_files_have_no_text(
    github: GitHub, repo: RepoRef, repository: Repository
) -> None:
    pull = repository.open_pull_request(
        "Odd", {"bin": b"\0\1", "huge": "x" * 600_000, "big": "x" * 5_000, "small": "x\n", "dir/in": "y\n"}
    )
    wanted = ["bin", "huge", "big", "small", "dir", "absent", "../etc/passwd", ""]
    async with github.repository(repo, READ) as api:
        assert await contents.texts(api, repo, Sha(pull.head_sha), wanted, 1_000) == {"small": "x\n"}


async def test_texts_are_those_of_their_commit_and_each_is_asked_for_once(
    gh: StandIn, github: GitHub, repo: RepoRef, pull: PullRequest
) -> None:
    async with reading(github, repo) as reader:
        head = await reader.texts(Sha(pull.head_sha), ["tea.py", "tea.py"])
        base = await reader.texts(Sha(pull.base_sha), ["tea.py"])
    assert "hotter" in head["tea.py"]
    assert "hotter" not in base["tea.py"]
    assert len(gh.calls()) == 2


@pytest.mark.parametrize("status", [403, 404])
async def test_without_graphql_a_few_texts_come_by_rest(
    gh: StandIn, github: GitHub, repo: RepoRef, repository: Repository, status: int
) -> None:
    changes: dict[str, Any] = {f"{n}.py": f"{n}\n" for n in range(30)}
    pull = repository.open_pull_request(
        "Wide", {**changes, **dict.fromkeys(HOSTILE, "odd\n"), "bin": b"\0\xff"}
    )
    gh.fault("POST", "/graphql", kind="answer", status=status, times=99)
    wanted = ["bin", "absent", *HOSTILE, *changes]
    async with reading(github, repo) as reader:
        texts = await reader.texts(Sha(pull.head_sha), wanted)
    assert set(texts) == set(wanted[2:20])
    assert set(texts.values()) == {"odd\n", *(f"{n}\n" for n in range(9))}


async def test_graphql_that_fails_for_now_is_temporary(
    gh: StandIn, github: GitHub, repo: RepoRef, pull: PullRequest
) -> None:
    gh.fault("POST", "/graphql", kind="answer", status=502, times=9)
    async with reading(github, repo) as reader:
        with pytest.raises(TemporaryError):
            await reader.texts(Sha(pull.head_sha), ["tea.py"])


async def test_a_read_by_graphql_is_tried_again_as_reads_are(
    gh: StandIn, github: GitHub, repo: RepoRef, pull: PullRequest
) -> None:
    gh.fault("POST", "/graphql", kind="reset", times=1)
    async with reading(github, repo) as reader:
        assert await reader.texts(Sha(pull.head_sha), ["tea.py"])


async def test_C1_the_configuration_is_the_base_s(
    github: GitHub, repo: RepoRef, repository: Repository
) -> None:
    repository.commit({".github/hob.yml": "language: de\n"})
    pull = repository.open_pull_request("Take over", {".github/hob.yml": "language: fr\n"})
    async with reading(github, repo) as reader:
        state = await reader.pull_request(pull.number)
        text, complaints = await reader.config_text(state.base_sha)
    assert complaints == ()
    assert hobyml.read(text)[0].language == "de"


async def test_no_configuration_is_no_complaint(github: GitHub, repo: RepoRef, pull: PullRequest) -> None:
    async with reading(github, repo) as reader:
        assert await reader.config_text(pull.base_sha) == (None, ())


@pytest.mark.parametrize(
    "content",
    [
        symlink("../tea.py"),
        submodule("a" * 40),
        "# " + "x" * 70_000,
        b"\xff\xfe",
        b"a: \0",
    ],
    ids=["symlink", "submodule", "64 KB", "not UTF-8", "NUL"],
)
async def test_a_configuration_that_is_no_small_text_file_is_refused(
    github: GitHub, repo: RepoRef, repository: Repository, content: Any
) -> None:
    sha = repository.commit({".github/hob.yml": content})
    async with reading(github, repo) as reader:
        text, complaints = await reader.config_text(sha)
    assert text is None
    assert ".github/hob.yml" in complaints[0].message


async def test_a_configuration_that_is_a_directory_is_refused(
    github: GitHub, repo: RepoRef, repository: Repository
) -> None:
    sha = repository.commit({".github/hob.yml/a": executable("x")})
    async with reading(github, repo) as reader:
        text, complaints = await reader.config_text(sha)
    assert text is None
    assert "dir" in complaints[0].message


@pytest.mark.parametrize("role", ["admin", "maintain", "write", "triage", "read", "none"])
async def test_A1_what_a_person_may_do_is_asked_of_github(
    gh: StandIn, github: GitHub, repo: RepoRef, repository: Repository, role: str
) -> None:
    repository.grant("mallory", role, association="MEMBER")
    async with reading(github, repo, {"metadata": "read"}) as reader:
        assert await reader.permission("mallory") == role
        assert await reader.permission("nobody-of-that-name") == "none"


async def test_A1_a_role_of_the_organisation_s_own_counts_as_its_base(
    connect: Connect, repo: RepoRef
) -> None:
    canned = Canned(lambda _: {"permission": "write", "role_name": "Tea Master"})
    async with reading(connect(transport=canned), repo, {"metadata": "read"}) as reader:
        assert await reader.permission("mona") == "write"
    canned.reply = lambda _: {"permission": "Tea Master"}
    async with reading(connect(transport=canned), repo, {"metadata": "read"}) as reader:
        assert await reader.permission("mona") == "none"


@pytest.mark.parametrize("login", ["..", "a/../../x", "dependabot[bot]"])
async def test_A1_a_login_is_only_a_name(
    gh: StandIn, github: GitHub, repo: RepoRef, repository: Repository, login: str
) -> None:
    async with reading(github, repo, {"metadata": "read"}) as reader:
        assert await reader.permission(login) == "none"


async def test_labels_and_issues(github: GitHub, repo: RepoRef, repository: Repository) -> None:
    issue = repository.open_issue("Cold", "It is cold.", "mona")
    issue.add_label("mona", "bug")
    async with reading(github, repo, {"issues": "read"}) as reader:
        labels = dict(await reader.labels())
        state = await reader.issue(1)
    assert labels["bug"] == "Something isn't working"
    assert (state.title, state.body, state.author.login, state.labels) == (
        "Cold",
        "It is cold.",
        "mona",
        ("bug",),
    )
    assert (state.open, state.is_pull_request) == (True, False)


async def test_an_issue_says_who_has_it_and_what_for(
    gh: StandIn, github: GitHub, repo: RepoRef, repository: Repository
) -> None:
    gh.set_issue_types("octo", "Bug")
    issue = repository.open_issue("Cold", kind="Bug", milestone="v1", assignees=["ann", "bob"], at=1000)
    said = issue.comment("ann", "brr")
    said.created_at = 2000
    issue.lock("mona")
    issue.close("mona", "not_planned")
    async with reading(github, repo, {"issues": "read"}) as reader:
        state = await reader.issue(1)
        (comment,) = await reader.comments(1)
    assert (state.type, state.milestone, state.assignees, state.locked) == ("Bug", "v1", ("ann", "bob"), True)
    assert (state.created_at, state.state_reason, state.closed_at > 1000, comment.at) == (
        1000,
        "not_planned",
        True,
        2000,
    )


async def test_a_transferred_issue_is_told_as_one_that_went_or_is_gone(
    github: GitHub, repo: RepoRef, gh: StandIn, repository: Repository
) -> None:
    other = gh.repository("octo/cups")
    other.open_issue("First there")
    repository.open_issue("Cold")
    repository.transfer_issue(1, other)
    async with reading(github, repo, {"issues": "read"}) as reader:
        with pytest.raises(Gone):
            await reader.issue(1)
    assert not issue_state({"number": 1}, 1).transferred
    assert issue_state({"number": 2}, 1).transferred


async def test_the_last_comments_are_read_without_the_rest(
    gh: StandIn, github: GitHub, repo: RepoRef, repository: Repository
) -> None:
    issue = repository.open_issue("Long")
    for n in range(345):
        issue.comment("mona", f"{n}")
    async with reading(github, repo, {"issues": "read"}) as reader:
        state = await reader.issue(1)
        calls = len(gh.calls())
        last = await reader.comments(1, state.comments)
        assert len(gh.calls()) - calls <= 2
    assert [one.body for one in last] == [str(n) for n in range(295, 345)]


async def test_a_thread_is_read_from_any_of_its_comments(
    github: GitHub, repo: RepoRef, pull: PullRequest
) -> None:
    first = pull.review_comment("mona", "tea.py", 20, "Why?")
    pull.review_comment("mona", "tea.py", 21, "Another matter")
    reply = first.reply("lisa", "Because.")
    async with reading(github, repo) as reader:
        for asked in (first, reply):
            thread = await reader.thread(1, asked.id)
            assert [(one.author.login, one.body) for one in thread] == [
                ("mona", "Why?"),
                ("lisa", "Because."),
            ]
        with pytest.raises(Gone):
            await reader.thread(1, 1)


async def test_ghes_has_texts_too(tmp_path: Any, pem: str, connect: Connect) -> None:
    with StandIn(tmp_path / "ghes", ghes=True) as gh:
        gh.install_app("octo", private_key=pem)
        tea = gh.repository("octo/tea", files={"a": "text\n"})
        installation = gh.installation_of(tea)
        assert installation
        there = RepoRef("octo", "tea", tea.id, installation.id)
        github = connect(api_url=gh.api_url)
        async with reading(github, there) as reader:
            sha = Sha(tea.git.resolve("main") or "")
            assert await reader.texts(sha, ["a"]) == {"a": "text\n"}
        await github.aclose()


def test_nothing_that_handlers_ask_of_github_is_answered_by_a_default() -> None:
    asked = {name for name in vars(GitHubReader) if not name.startswith("_")}
    assert len(asked) > 15
    assert asked <= set(vars(JobReader))
