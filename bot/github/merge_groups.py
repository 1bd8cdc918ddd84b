"""The pull requests that a merge queue's commits name. All text here is hostile."""

import re

from bot.core.errors import GitHubError, Gone
from bot.core.refs import Sha
from bot.github.api import Api
from bot.github.payloads import clean

MOST_QUEUED = 1_000
"""Commits of a merge group that are looked at."""
_MERGE = re.compile(r"Merge pull request #([1-9][0-9]{0,9}) from ")
_SQUASH = re.compile(r"\(#([1-9][0-9]{0,9})\)$")


async def merging(api: Api, branch: str, head: Sha) -> tuple[int, ...]:
    """As GitHub words them ("Merge pull request #7 from …", "Brew (#7)"); nothing where one of the two is
    no more. Of a merge its own commit alone is asked, not what it brings: that is the author's to word.

    https://docs.github.com/en/rest/commits/commits#compare-two-commits
    """
    path = "/repos/{owner}/{repo}/compare/{basehead}"
    asked = {"basehead": f"{branch}...{head}"}
    try:
        found = await api.get_all(path, asked, cap=MOST_QUEUED, key="commits")
    except Gone:
        return ()
    try:
        commits = {one["sha"]: one for one in found}
        titles: list[str] = []
        at: str | None = head
        while at in commits:
            one = commits.pop(at)
            titles.append(clean(one["commit"]["message"]).partition("\n")[0].strip())
            at = one["parents"][0]["sha"] if one["parents"] else None
    except (KeyError, TypeError, IndexError) as error:
        raise GitHubError(200, f"a commit without {error}") from None
    named = (_MERGE.match(title) or _SQUASH.search(title[-20:]) for title in reversed(titles))
    return tuple(dict.fromkeys(int(one[1]) for one in named if one))
