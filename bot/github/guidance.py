"""What a repository says to its reviewers, read at a base in two calls (more only for what guidelines
import)."""

from collections.abc import Mapping, Sequence

from bot.core import guidelines as rules
from bot.core.errors import GitHubError
from bot.core.guidelines import Guidance, Guideline
from bot.core.refs import RepoRef, Sha
from bot.github import contents
from bot.github.api import Api


async def guidance(
    api: Api, repo: RepoRef, base: Sha, changed: Sequence[str], named: Sequence[str]
) -> Guidance:
    """Guidelines with what they import, CODEOWNERS, other reviewers' configurations. Regular files of the
    base only: a symlink may point at anything, and is named instead. Nothing where GitHub does not show the
    folders."""
    try:
        tree = await contents.folders(api, repo, base, rules.folders(changed))
    except GitHubError as error:
        if error.status not in (403, 404):
            raise
        return Guidance()
    wanted = rules.guideline_paths(tree, named)
    owners = next((path for path in rules.OWNERS if tree.get(path) in rules.FILES), "")
    rivals = [path for path in rules.RIVALS if tree.get(path) in rules.FILES]
    texts = await contents.texts(api, repo, base, [*wanted, *filter(None, [owners]), *rivals])

    async def imported(paths: Sequence[str]) -> Mapping[str, str]:
        folders = [path.rpartition("/")[0] for path in paths]
        modes = await contents.folders(api, repo, base, folders)
        regular = [path for path in paths if modes.get(path) in rules.FILES]
        return await contents.texts(api, repo, base, regular)

    scoped = {path: rules.scope(path, texts[path]) for path in wanted if path in texts}
    whole = await rules.with_imports({path: text for path, (_, text) in scoped.items()}, imported)
    return Guidance(
        guidelines=tuple(Guideline(path, whole[path], patterns) for path, (patterns, _) in scoped.items()),
        owners=texts.get(owners, ""),
        rivals={path: texts[path] for path in rivals if path in texts},
        symlinks=tuple(rules.symlinks(tree, named)),
    )
