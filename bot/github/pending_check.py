"""The check run of a head that is waiting for its review. It is no row of the outbox: whether there is one is
asked before one is made, and the review's own check run is that very one, completed.

https://docs.github.com/en/rest/checks/runs#create-a-check-run
"""

from typing import Any

from bot.core.effects import Conclusion
from bot.core.refs import RepoRef, Sha
from bot.github.api import Api, Params
from bot.github.apply import CHECK_NAME
from bot.github.find import applied

NEEDS = {"checks": "write"}


async def find(api: Api, repo: RepoRef, head: Sha, app_id: int) -> int:
    """The id of our check run of this head that is not completed; 0 where there is none."""
    path = "/repos/{owner}/{repo}/commits/{sha}/check-runs"
    asked: Params = {**_at(repo), "sha": head, "check_name": CHECK_NAME, "app_id": app_id}
    for run in await api.get_all(path, asked, cap=100, key="check_runs"):
        if isinstance(run, dict) and run.get("status") != "completed":
            return applied(run).github_id
    return 0


async def begin(api: Api, repo: RepoRef, head: Sha, title: str, summary: str) -> int:
    """Makes one; its id."""
    output = {"title": title, "summary": summary}
    body: dict[str, Any] = {"name": CHECK_NAME, "head_sha": head, "status": "queued", "output": output}
    return applied(await api.post("/repos/{owner}/{repo}/check-runs", body, _at(repo))).github_id


async def end(
    api: Api, repo: RepoRef, run: int, title: str, conclusion: Conclusion, summary: str = ""
) -> None:
    """Completes one for which no review comes. `conclusion`: of what nobody has read, unless the head was
    judged before: GitHub shows this one in the place of that."""
    output = {"title": title, "summary": summary or title}
    body = {"status": "completed", "conclusion": conclusion, "output": output}
    await api.patch("/repos/{owner}/{repo}/check-runs/{id}", body, {**_at(repo), "id": run})


def _at(repo: RepoRef) -> dict[str, str | int]:
    return {"owner": repo.owner, "repo": repo.name}
