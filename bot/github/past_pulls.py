"""Merged pull requests as they ended, with what people said on lines that did not stay as they were."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.core.errors import GitHubError, Gone
from bot.core.past_changes import (
    MOST_LINE,
    MOST_REMARK,
    MOST_REMARKS,
    CodeLine,
    PastChange,
    PastRemark,
    is_read,
    kept_lines,
    reverted,
)
from bot.core.refs import RepoRef
from bot.github.api import Api, Params
from bot.github.changed_files import file_diff
from bot.github.conversations import actor
from bot.github.history import Merged
from bot.github.payloads import clean

PAGES = 3
"""Of 100 files or comments each, of one pull request; one with more moves code, and says nothing here."""


@dataclass(frozen=True, slots=True)
class PastPull:
    """`left`: the share of the rate limit that was left then."""

    change: PastChange
    left: float


async def past_pull(api: Api, repo: RepoRef, pull: Merged) -> PastPull:
    """Two calls, at most six. The remarks are of whoever made them: who may write is asked elsewhere.

    https://docs.github.com/en/rest/pulls/pulls#list-pull-requests-files
    https://docs.github.com/en/rest/pulls/comments#list-review-comments-on-a-pull-request
    """
    path = "/repos/{owner}/{repo}/pulls/{number}"
    files, whole, _ = await _pages(api, f"{path}/files", repo, pull.number)
    said, _, left = await _pages(api, f"{path}/comments", repo, pull.number)
    added: list[CodeLine] = []
    removed: list[CodeLine] = []
    for file in map(file_diff, files):
        whole &= file.hunks is not None or not file.additions
        for hunk in file.hunks or ():
            added += [(file.path, line.text) for line in hunk.lines if line.kind == "+"]
            removed += [(file.old_path or file.path, line.text) for line in hunk.lines if line.kind == "-"]
    stayed = {text.strip()[:MOST_LINE] for _, text in added}
    remarks = [one for found in said if whole and (one := _remark(found, pull)) and one.line not in stayed]
    change = PastChange(
        f"#{pull.number}",
        pull.url,
        pull.title[:MOST_LINE],
        pull.merged_at,
        kept_lines(added),
        kept_lines(removed),
        tuple(remarks[:MOST_REMARKS]),
        reverted(pull.title, pull.body),
    )
    return PastPull(change, left)


async def share_left(api: Api) -> float:
    """Of the rate limit; asking takes nothing of it, and where there is none all is left.

    https://docs.github.com/en/rest/rate-limit/rate-limit
    """
    try:
        return (await api.get_page("/rate_limit")).left
    except Gone:
        return 1.0


async def _pages(api: Api, path: str, repo: RepoRef, number: int) -> tuple[list[Any], bool, float]:
    """(the rows, whether these are all, the share of the rate limit that is left)"""
    found: list[Any] = []
    left = 1.0
    for page in range(1, PAGES + 1):
        asked: Params = {
            "owner": repo.owner,
            "repo": repo.name,
            "number": number,
            "per_page": 100,
            "page": page,
        }
        answer = await api.get_page(path, asked)
        if not isinstance(answer.data, list):
            raise GitHubError(200, "a list was expected")
        found += answer.data
        left = min(left, answer.left)
        if answer.following is None:
            return found, True, left
    return found, False, left


def _remark(found: Any, pull: Merged) -> PastRemark | None:
    """The first of a thread, of a person who did not write the change, on a line that it added: the last of
    its hunk."""
    if (
        not isinstance(found, Mapping)
        or found.get("in_reply_to_id") is not None
        or found.get("side") == "LEFT"
    ):
        return None
    who, path = actor(found.get("user")), clean(found.get("path"))
    line = clean(found.get("diff_hunk"))[-4 * MOST_LINE :].rpartition("\n")[2]
    text = line[1:].strip()[:MOST_LINE]
    if (
        who.is_bot
        or who.login == pull.author.login
        or not line.startswith("+")
        or not text
        or not is_read(path)
    ):
        return None
    body, url = clean(found.get("body"))[:MOST_REMARK], clean(found.get("html_url"))
    return PastRemark(path, text, body, str(who.login), url)
