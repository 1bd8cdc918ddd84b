"""What a repository says to its reviewers, read at a base in two calls (more only for what guidelines
import)."""

from collections.abc import Mapping, Sequence

from bot.core.errors import GitHubError
from bot.core.guidelines import Guidance, Tree, gathered
from bot.core.refs import RepoRef, Sha
from bot.github import contents
from bot.github.api import Api


async def guidance(
    api: Api, repo: RepoRef, base: Sha, changed: Sequence[str], named: Sequence[str]
) -> Guidance:
    """Nothing where GitHub does not show the folders."""

    async def folders(paths: Sequence[str]) -> Tree:
        return await contents.folders(api, repo, base, paths)

    async def texts(paths: Sequence[str]) -> Mapping[str, str]:
        return await contents.texts(api, repo, base, paths)

    try:
        return await gathered(changed, named, folders, texts)
    except GitHubError as error:
        if error.status not in (403, 404):
            raise
        return Guidance()
