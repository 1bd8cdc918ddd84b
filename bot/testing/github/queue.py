"""A merge queue: groups of pull requests on branches of its own, that wait for checks.

https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository/configuring-pull-request-merges/managing-a-merge-queue
"""

from dataclasses import dataclass
from typing import Any, Literal

from bot.testing.github.issues import CheckRun
from bot.testing.github.pulls import CodeHome, PullRequest
from bot.testing.github.world import User, World, locked, stamp

Method = Literal["merge", "squash"]


@dataclass(eq=False)
class QueuedGroup:
    """`head_sha` holds the base branch and, on top of it, the pull requests in order."""

    repo: CodeHome
    pulls: tuple[PullRequest, ...]
    base_ref: str
    base_sha: str
    head_ref: str
    head_sha: str
    by: User

    @property
    def world(self) -> World:
        return self.repo.world

    @property
    def check_runs(self) -> list[CheckRun]:
        return [run for run in self.repo.check_runs if run.head_sha == self.head_sha]

    @locked
    def merge(self) -> None:
        """The base branch moves on to the group's commit, and its pull requests are merged."""
        self.repo.git.point(self.base_ref, self.head_sha)
        for pull in self.pulls:
            pull.end_merged(self.by.login)
        self.destroy("merged")

    @locked
    def destroy(self, reason: str = "dequeued") -> None:
        self.repo.git.point(self.head_ref, None)
        self.world.emit(
            "merge_group", "destroyed", self.repo, self.by, merge_group=_shape(self), reason=reason
        )


def queue(repo: CodeHome, pulls: tuple[PullRequest, ...], by: User, method: Method) -> QueuedGroup:
    """A group of these, made as GitHub makes it; webhooks say `checks_requested`."""
    base_ref = f"refs/heads/{pulls[0].base_ref}"
    base = tip = repo.git.resolve(base_ref) or ""
    for pull in pulls:
        merged = method == "merge"
        title = f"Merge pull request #{pull.number} from {by.login}/{pull.head_ref}"
        message = f"{title}\n\n{pull.title}" if merged else f"{pull.title} (#{pull.number})"
        tip = repo.git.merge(
            tip, pull.head_sha, message, "github-merge-queue", repo.world.now(), squash=not merged
        )
    head_ref = f"refs/heads/gh-readonly-queue/{pulls[-1].base_ref}/pr-{pulls[-1].number}-{base}"
    repo.git.point(head_ref, tip)
    group = QueuedGroup(repo, pulls, base_ref, base, head_ref, tip, by)
    repo.world.emit("merge_group", "checks_requested", repo, by, merge_group=_shape(group))
    return group


def _shape(group: QueuedGroup) -> dict[str, Any]:
    """https://docs.github.com/en/webhooks/webhook-events-and-payloads#merge_group"""
    commit = group.repo.git.commit(group.head_sha)
    who = {"name": commit.name, "email": commit.email}
    return {
        "head_sha": group.head_sha,
        "head_ref": group.head_ref,
        "base_ref": group.base_ref,
        "base_sha": group.base_sha,
        "head_commit": {
            "id": commit.sha,
            "tree_id": commit.tree,
            "message": commit.message,
            "timestamp": stamp(commit.at),
            "author": who,
            "committer": who,
        },
    }
