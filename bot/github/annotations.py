"""What others have said about lines of a head in check runs. https://docs.github.com/en/rest/checks/runs"""

from typing import Any

from bot.core.errors import GitHubError
from bot.core.facts import OthersRemark
from bot.core.refs import RepoRef, Sha
from bot.github.api import Api
from bot.github.payloads import clean

MOST_RUNS = 3
"""Whose annotations are read: each is a call."""
MOST_ANNOTATIONS = 100


async def annotations(api: Api, repo: RepoRef, head: Sha, slug: str) -> list[OthersRemark]:
    """Of other Apps' check runs, in a call and one for each run that has any; none where checks may not be
    read."""
    names: dict[str, str | int] = {"owner": repo.owner, "repo": repo.name}
    path = "/repos/{owner}/{repo}/commits/{sha}/check-runs"
    try:
        runs = await api.get_all(path, {**names, "sha": head}, cap=100, key="check_runs")
        found: list[OthersRemark] = []
        for run in [run for run in runs if _annotated(run, slug)][:MOST_RUNS]:
            where = "/repos/{owner}/{repo}/check-runs/{id}/annotations"
            listed = await api.get_all(where, {**names, "id": run["id"]}, cap=MOST_ANNOTATIONS)
            found += [_remark(one, str(run.get("name"))) for one in listed if isinstance(one, dict)]
    except GitHubError as error:
        if error.status not in (403, 404):
            raise
        return []
    return found


def _annotated(run: Any, slug: str) -> bool:
    app = run.get("app") or {}
    output = run.get("output") or {}
    return app.get("slug") != slug and bool(output.get("annotations_count"))


def _remark(found: dict[str, Any], author: str) -> OthersRemark:
    end = found.get("end_line")
    return OthersRemark(
        path=clean(found.get("path")),
        line=end if isinstance(end, int) else None,
        author=clean(author),
        words=clean(f"{found.get('title') or ''} {found.get('message') or ''}").strip(),
        start_line=found.get("start_line") if isinstance(found.get("start_line"), int) else None,
        kind="annotation",
    )
