"""What a change that is not on GitHub has in place of what GitHub would tell: for local ranges and labelled
cases."""

from collections.abc import Mapping, Sequence

from bot.core.diff import FileDiff, patch_text
from bot.core.errors import Gone
from bot.core.facts import Commit, OthersRemark, OwnThread
from bot.core.guidelines import Guidance
from bot.core.refs import Actor, Login, Sha
from bot.github.gather import IssueState, PullRequestState, RawComment, RawFile, Thread


class Offline:
    """The part of `bot.context.GitHubReader` that is about conversations: there are none. Nor are sizes
    known."""

    __slots__ = ()

    async def merging(self, branch: str, head: Sha) -> tuple[int, ...]:
        return ()

    async def sizes(self, sha: Sha, paths: Sequence[str]) -> dict[str, int]:
        return {}

    async def reports(self, sha: Sha) -> dict[str, str]:
        return {}

    async def labels(self) -> tuple[tuple[str, str], ...]:
        return ()

    async def workflows(self, ref: str) -> dict[str, str]:
        return {}

    async def guidance(self, base: Sha, changed: Sequence[str], named: Sequence[str]) -> Guidance:
        return Guidance()

    async def thread(self, number: int, comment_id: int) -> Sequence[RawComment]:
        return ()

    async def threads(self, number: int) -> Sequence[Thread]:
        return ()

    async def annotations(self, head: Sha) -> Sequence[OthersRemark]:
        return ()

    async def own_threads(self, number: int) -> Sequence[OwnThread]:
        return ()

    async def has_comment(self, comment_id: int) -> bool:
        return False

    async def touching(self, path: str, ref: str, most: int) -> Sequence[Commit]:
        return ()

    async def granted(self) -> Mapping[str, str]:
        return {}

    async def permission(self, login: str) -> str:
        return "none"

    async def issue(self, number: int) -> IssueState:
        raise Gone(404, "there are no issues here")

    async def comments(self, number: int, total: int = 0) -> Sequence[RawComment]:
        return ()


def pull_request(number: int, head: Sha, base: Sha, title: str, body: str, author: str) -> PullRequestState:
    """The open pull request that a change would be."""
    return PullRequestState(
        number=number,
        open=True,
        draft=False,
        merged=False,
        head_sha=head,
        base_sha=base,
        base_ref="",
        title=title,
        body=body,
        author=Actor(Login(author), 0),
        labels=(),
        changed_files=0,
        from_fork=False,
    )


def raw_file(file: FileDiff) -> RawFile:
    """As GitHub lists a changed file."""
    patch = None if file.hunks is None else patch_text(file)
    return RawFile(file.path, file.old_path, file.status, patch, file.additions, file.deletions, file.blob)
