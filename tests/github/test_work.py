"""A made repository of 300 issues read from GitHub: every answer against what is true of it, each edge with
its source."""

import re

from bot.core.dependency_questions import dependency_question
from bot.core.refs import RepoRef
from bot.core.work_answers import WorkFacts, answered
from bot.core.work_graph import work_graph
from bot.core.work_items import WorkRef
from bot.github.client import GitHub
from bot.testing.github import GitHubStandIn as StandIn
from bot.testing.github.repository import Repository
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
