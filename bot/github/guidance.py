"""What a repository says to its reviewers, read at a base in two calls (more only for what guidelines
import)."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from bot.core import guidelines as rules
from bot.core.errors import GitHubError
from bot.core.guidelines import Guidance, Guideline
from bot.core.refs import RepoRef, Sha
from bot.github import contents
from bot.github.api import Api

Folders = Callable[[Sequence[str]], Awaitable[Mapping[str, int]]]
"""What lies in these folders at the base: path -> mode."""
Texts = Callable[[Sequence[str]], Awaitable[Mapping[str, str]]]
"""Those of these files of the base that are text."""


async def guidance(
    api: Api, repo: RepoRef, base: Sha, changed: Sequence[str], named: Sequence[str]
) -> Guidance:
    """Of a repository on GitHub; nothing where GitHub does not show the folders."""

    async def folders(paths: Sequence[str]) -> Mapping[str, int]:
        return await contents.folders(api, repo, base, paths)

    async def texts(paths: Sequence[str]) -> Mapping[str, str]:
        return await contents.texts(api, repo, base, paths)

    try:
        return await collected(folders, texts, changed, named)
    except GitHubError as error:
        if error.status not in (403, 404):
            raise
        return Guidance()


async def collected(folders: Folders, texts: Texts, changed: Sequence[str], named: Sequence[str]) -> Guidance:
    """Guidelines with what they import, CODEOWNERS, other reviewers' configurations. Regular files of the
    base only: a symlink may point at anything, and is named instead."""
    tree = await folders(rules.folders(changed))
    wanted = rules.guideline_paths(tree, named)
    owners = next((path for path in rules.OWNERS if tree.get(path) in rules.FILES), "")
    rivals = [path for path in rules.RIVALS if tree.get(path) in rules.FILES]
    found = await texts([*wanted, *filter(None, [owners]), *rivals])

    async def imported(paths: Sequence[str]) -> Mapping[str, str]:
        modes = await folders([path.rpartition("/")[0] for path in paths])
        return await texts([path for path in paths if modes.get(path) in rules.FILES])

    scoped = {path: rules.scope(path, found[path]) for path in wanted if path in found}
    whole = await rules.with_imports({path: text for path, (_, text) in scoped.items()}, imported)
    return Guidance(
        guidelines=tuple(Guideline(path, whole[path], patterns) for path, (patterns, _) in scoped.items()),
        owners=found.get(owners, ""),
        rivals={path: found[path] for path in rivals if path in found},
        symlinks=tuple(rules.symlinks(tree, named)),
    )
