"""A made repository of 300 issues read from GitHub: every answer against what is true of it, each edge with
its source."""

import re

import pytest

from bot.core.dependency_questions import dependency_question
from bot.core.errors import Gone
from bot.core.refs import RepoRef
from bot.core.work_answers import WorkFacts, answered, around
from bot.core.work_graph import work_graph
from bot.core.work_items import WorkRef
from bot.github.client import GitHub
from bot.testing.github import GitHubStandIn as StandIn
from bot.testing.github.repository import Repository
from tests.github.conftest import Canned, Connect
from tests.github.test_reader import reading
from tests.made_work import PULLS, SIZE, Edge, make, told, wrong

_LINE = re.compile(
    r"- `#(\d+)[^`]*` (is blocked by|has the open part|has the open pull request) "
    r"`#(\d+)[^`]*` \(([a-z, -]+)\)"
)
_KINDS = {"is blocked by": "blocked_by", "has the open part": "contains"}


def lines(answer: str) -> set[Edge]:
    return {
        (_KINDS.get(kind, "closed_by"), int(source), int(target), told_by)
        for source, kind, target, sources in _LINE.findall(answer)
        for told_by in sources.split(", ")
    }


async def test_every_answer_about_300_issues_is_right_and_each_edge_named_with_its_source(
    gh: StandIn, github: GitHub, repo: RepoRef, repository: Repository
) -> None:
    work = make(repository)
    async with reading(github, repo) as reader:
        items = await reader.work_items()
        calls = [one.path for one in gh.requests if one.path in ("/graphql", "/repos/octo/tea/issues")]
        every = await reader.work_items(open_only=False)
        gh.lacking.add("Issue.blockedBy")  # as an older server
        by_rest = await reader.work_items()
    assert calls == ["/graphql"] * -(-(SIZE - len(work.closed - set(work.pulls))) // 100)
    assert len(every) == SIZE + PULLS
    graph, whole = work_graph(items, repo.full_name), work_graph(every, repo.full_name)
    assert wrong(work, graph, whole) == []
    assert min(len(work.ready()), len(work.circling()), len(work.edges)) >= 3
    old = work_graph(by_rest, repo.full_name)
    for n in work.numbers:
        assert told(old.blockers([WorkRef(n)])) == work.blocks([n])
    facts, asked = WorkFacts(graph, full_name=repo.full_name), 0
    for n in list(work.numbers)[::3]:
        said = {f"what blocks #{n}?": work.blocks([n]), f"who is waiting for #{n}?": work.waits(n)}
        for words, true in said.items():
            question = dependency_question(words)
            assert question is not None
            if len({edge[:3] for edge in true}) <= 38:
                assert lines(answered(question, facts) or "") == true, words
                asked += 1
    assert asked > SIZE // 3


async def test_one_issue_is_read_by_rest_with_both_directions(
    gh: StandIn, github: GitHub, repo: RepoRef, repository: Repository
) -> None:
    one, two, three = (repository.open_issue(f"Issue {n}") for n in (1, 2, 3))
    one.block(two)
    two.block(three)
    two.add_sub_issue(one)
    three.add_sub_issue(two)
    pull = repository.open_pull_request("Work", {"a": "b"}, body="Fixes #2")
    three.close()
    async with reading(github, repo) as reader:
        item = await reader.work_item(2)
        assert (item.blocked_by, item.blocking) == ((WorkRef(1),), (WorkRef(3),))
        assert item.sub_issues == (WorkRef(1),)
        assert item.parent == WorkRef(3) and item.parent.state == "closed" and item.unseen == 0
        assert [one.path for one in gh.requests][-5:] == [
            "/repos/octo/tea/issues/2",
            "/repos/octo/tea/issues/2/dependencies/blocked_by",
            "/repos/octo/tea/issues/2/dependencies/blocking",
            "/repos/octo/tea/issues/2/parent",
            "/repos/octo/tea/issues/2/sub_issues",
        ]
        change = await reader.work_item(pull.number)
        assert (change.kind, change.closes) == ("pull_request", (WorkRef(2),))
        with pytest.raises(Gone):
            await reader.work_item(99)


async def test_P6_a_transferred_issue_and_one_that_cannot_be_seen_are_not_told(
    gh: StandIn, github: GitHub, repo: RepoRef, repository: Repository
) -> None:
    other = gh.repository("octo/secrets", private=True, files={"a": "b"})
    issue = repository.open_issue("Moves on")
    repository.transfer_issue(issue.number, other)
    async with reading(github, repo) as reader:
        with pytest.raises(Gone):
            await reader.work_item(issue.number)
        assert await reader.work_items() == []


async def test_what_github_counts_and_does_not_show_holds(connect: Connect, repo: RepoRef) -> None:
    hidden = {"totalCount": 2, "nodes": [None, {"number": 5, "state": "CLOSED", "title": "Done"}]}
    page = {"pageInfo": {"hasNextPage": False, "endCursor": None}}
    nodes = [{"number": 1, "title": "One", "state": "OPEN", "author": None, "blockedBy": hidden}]
    told = {"data": {"repository": {"issues": {**page, "nodes": nodes}, "pullRequests": None}}}
    github = connect(transport=Canned(lambda _: told))
    async with reading(github, repo) as reader:
        (item,) = await reader.work_items()
    assert (item.unseen, item.author, item.blocked_by) == (1, "ghost", (WorkRef(5),))
    graph = work_graph([item])
    assert graph.ready() == ()
    (line,) = [one for one in around(WorkRef(1), WorkFacts(graph)).split("\n") if "counts" in one]
    assert line == "- and 1 that GitHub counts and does not show me, such as in another repository"


async def test_where_github_fails_on_a_hundred_fewer_are_asked_for(
    gh: StandIn, github: GitHub, repo: RepoRef, repository: Repository
) -> None:
    for n in range(60):
        repository.open_issue(f"Issue {n}")
    gh.fault("POST", "/graphql", kind="answer", status=502, times=1)
    async with reading(github, repo) as reader:
        assert len(await reader.work_items()) == 60
    assert sum(one.path == "/graphql" for one in gh.requests) == 3


async def test_a_milestone_alone_and_releases(github: GitHub, repo: RepoRef, repository: Repository) -> None:
    repository.milestone("v1", due_on=86_400.0)
    repository.open_issue("In it", milestone="v1", kind="")
    repository.open_issue("Not in it")
    repository.release("v0.9", body="Hotter.")
    repository.release("v1.0-rc", draft=True)
    async with reading(github, repo, {"contents": "read", "issues": "read"}) as reader:
        assert [item.title for item in await reader.work_items(milestone="v1")] == ["In it"]
        assert await reader.work_items(milestone="v2") == []
        (milestone,) = await reader.milestones()
        (release,) = await reader.releases()
    assert (milestone.title, milestone.open_items, milestone.due) == ("v1", 1, 86_400.0)
    assert (release.tag, release.body) == ("v0.9", "Hotter.") and release.at > 0
