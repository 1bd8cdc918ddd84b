"""What a repository says to its reviewers and to GitHub Actions, read at a base in two calls each (more only
for what guidelines import)."""

from collections.abc import Mapping, Sequence

from bot.core.errors import GitHubError
from bot.core.guidelines import Guidance, PathSizes, gathered
from bot.core.refs import RepoRef, Sha
from bot.github import contents
from bot.github.api import Api

WORKFLOWS = ".github/workflows"
MOST_WORKFLOWS = 100


async def guidance(
    api: Api, repo: RepoRef, base: Sha, changed: Sequence[str], named: Sequence[str]
) -> Guidance:
    """Nothing where GitHub does not show the folders."""

    async def folders(paths: Sequence[str]) -> PathSizes:
        return await contents.folders(api, repo, base, paths)

    async def texts(paths: Sequence[str]) -> Mapping[str, str]:
        return await contents.texts(api, repo, base, paths)

    try:
        return await gathered(changed, named, folders, texts)
    except GitHubError as error:
        if error.status not in (403, 404):
            raise
        return Guidance()


async def workflows(api: Api, repo: RepoRef, base: Sha) -> dict[str, str]:
    """path -> text of its GitHub Actions workflows. Nothing where GitHub does not show the folder."""
    try:
        found = await contents.folders(api, repo, base, [WORKFLOWS])
        paths = [path for path in sorted(found) if path.endswith((".yml", ".yaml"))]
        return await contents.texts(api, repo, base, paths[:MOST_WORKFLOWS])
    except GitHubError as error:
        if error.status not in (403, 404):
            raise
        return {}
