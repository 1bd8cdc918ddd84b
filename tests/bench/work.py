"""What waits for what in a made repository of 300 issues, read over HTTP from the stand-in: how many answers
are right, and what reading it takes. The truth is told by how it was made (tests/made_work.py)."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

from bot.core.refs import RepoRef
from bot.core.work_graph import work_graph
from bot.github.client import GitHub
from bot.github.reader import JobReader
from bot.testing.github import GitHubStandIn
from tests.bench.figure import Figure
from tests.made_work import asked, make, wrong

SEEDS = (11, 12, 13)
ISSUE = {"issues": "read"}


def figures(folder: Path) -> Iterator[Figure]:
    told = [asyncio.run(_one(folder / str(seed), seed)) for seed in SEEDS]
    right, every = sum(asked() - len(bad) for bad, _, _ in told), asked() * len(SEEDS)
    yield Figure("dependency answers, 300 issues", f"{right} of {every} right", "100 %", right == every)
    calls, seconds = max(calls for _, calls, _ in told), max(seconds for _, _, seconds in told)
    yield Figure(
        "all open issues with their edges",
        f"{calls} calls, {seconds:.2f} s",
        "1 call per 100 issues",
        calls <= 3,
    )


async def _one(folder: Path, seed: int) -> tuple[list[str], int, float]:
    """(wrong answers, calls for the open issues, seconds of reading and building the graph)"""
    folder.mkdir()
    with GitHubStandIn(folder) as gh:
        gh.install_app("octo", slug="hob")
        repository = gh.repository("octo/tea", files={"tea.py": "x"})
        work = make(repository, seed)
        installation = gh.installation_of(repository)
        assert installation and gh.app
        repo = RepoRef("octo", "tea", repository.id, installation.id)
        github = GitHub(gh.api_url, gh.app.id, gh.private_key, slug="hob")
        try:
            async with github.job(repo) as job:
                reader = JobReader(repo, job, ISSUE)
                began = time.perf_counter()
                items = await reader.work_items()
                graph = work_graph(items, repo.full_name)
                seconds = time.perf_counter() - began
                calls = sum(one.path == "/graphql" for one in gh.requests)
                every = await reader.work_items(open_only=False)
        finally:
            await github.aclose()
    return wrong(work, graph, work_graph(every, repo.full_name)), calls, seconds
