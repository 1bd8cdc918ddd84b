"""Pull requests over real commits: heads that move, diffs, and the reviews made of them.

What GitHub's button under a suggestion does to the file.

https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/reviewing-changes-in-pull-requests/incorporating-feedback-in-your-pull-request
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from bot.testing.github.git import Content, FileChange, GitCommit, GitRepo
from bot.testing.github.hunks import CommentSpot, Side, find, moved
from bot.testing.github.issues import Authored, CheckRun, Home, Issue
from bot.testing.github.world import User, World, locked

_FENCE = re.compile(r"^ {0,3}(`{3,}(?=[^`]*$)|~{3,})\s*(.*?)\s*$")
_CLOSES = re.compile(r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+#([1-9][0-9]{0,8})\b", re.IGNORECASE)


def block(body: str) -> list[str] | None:
    """The lines of the first ```suggestion block (none: delete the lines); None where there is no block.

    A fence closes at a line of at least as many of its characters, as CommonMark says; what looks like one
    inside of another is its text.
    """
    lines = body.replace("\r\n", "\n").split("\n")
    at = 0
    while at < len(lines):
        if fence := _FENCE.match(lines[at]):
            closing = re.compile(rf"^ {{0,3}}{re.escape(fence[1][0])}{{{len(fence[1])},}}\s*$")
            end = next((n for n in range(at + 1, len(lines)) if closing.match(lines[n])), len(lines))
            if fence[2] == "suggestion":
                return lines[at + 1 : end]
            at = end
        at += 1
    return None


def suggested(text: str, body: str, first: int, last: int) -> str:
    """`text` with its lines first..last (counted from 1) replaced by the suggestion of `body`."""
    replacement = block(body)
    if replacement is None:
        raise ValueError("the comment has no suggestion block")
    lines = text.split("\n")
    if not 1 <= first <= last <= len(lines):
        raise ValueError(f"the file has no lines {first}-{last}")
    end = "\r" if lines[first - 1].endswith("\r") else ""
    return "\n".join([*lines[: first - 1], *(line + end for line in replacement), *lines[last:]])


class CodeHome(Home, Protocol):
    """The repository, as far as a pull request needs it."""

    git: GitRepo
    default_branch: str
    review_comments: dict[int, "ReviewComment"]
    check_runs: list[CheckRun]


@dataclass(eq=False)
class Review:
    """A submitted (or, with state PENDING, not yet submitted) review."""

    id: int
    pull: "PullRequest"
    author: User
    body: str
    state: str
    commit_id: str
    submitted_at: float

    @property
    def comments(self) -> list["ReviewComment"]:
        return [comment for comment in self.pull.review_comments if comment.review is self]

    @locked
    def edit(self, author: str, body: str) -> None:
        """`author` changes the text; webhooks tell the old one."""
        self.edited(self.world.user(author), body)

    @property
    def world(self) -> World:
        return self.pull.world

    def edited(self, by: User, body: str) -> None:
        before, self.body = self.body, body
        self.world.emit("pull_request_review", "edited", self, by, changes={"body": {"from": before}})


class ReviewComment(Authored):
    """A comment on lines of a diff; `line` and `position` are None once the lines have changed (outdated)."""

    def __init__(
        self,
        review: Review,
        author: User,
        body: str,
        path: str,
        location: CommentSpot,
        start: CommentSpot | None = None,
    ) -> None:
        super().__init__(review.pull.world, author, body)
        self.review, self.pull, self.path = review, review.pull, path
        self.location, self.start = location, start
        self.original_commit_id = self.commit_id = review.commit_id
        self.line: int | None = location.line
        self.start_line: int | None = start.line if start else None
        self.position: int | None = location.position
        self.in_reply_to: int | None = None
        self.resolved = False
        """Of a thread's first comment."""

    @property
    def side(self) -> Side:
        return self.location.side

    @locked
    def edit(self, author: str, body: str) -> None:
        self.edited(self.world.user(author), body)

    def edited(self, by: User, body: str) -> None:
        before = self.rewrite(body)
        self.world.emit("pull_request_review_comment", "edited", self, by, changes={"body": {"from": before}})

    @locked
    def reply(self, author: str, body: str) -> "ReviewComment":
        return self.pull.add_reply(self, self.world.user(author), body)

    def removed(self, by: User) -> None:
        """Without a trace; replies stay, as on GitHub."""
        self.pull.review_comments.remove(self)
        self.pull.code.review_comments.pop(self.id, None)
        self.world.emit("pull_request_review_comment", "deleted", self, by)

    def follow(self, before: str, after: str, sha: str) -> None:
        """After a push: the same line in the new text, or outdated. Comments on the old side stay."""
        if self.side == "LEFT" or self.line is None:
            return
        shift = moved(before, after, self.line)
        self.start_line = moved(before, after, self.start_line) if self.start_line else None
        self.line = shift
        location = find(self.pull.patch(self.path), shift, "RIGHT") if shift else None
        self.position = location.position if location else None
        if shift:
            self.commit_id = sha


class PullRequest(Issue):
    """`base_sha` is the base branch at opening or at the last push; files are told against the merge base."""

    event = "pull_request"

    def __init__(
        self,
        repo: CodeHome,
        number: int,
        title: str,
        body: str,
        author: User,
        *,
        head_ref: str,
        base_ref: str,
    ) -> None:
        super().__init__(repo, number, title, body, author)
        self.code = repo
        self.git = repo.git
        self.head_ref, self.base_ref = head_ref, base_ref
        self.base_sha = self.head_sha = ""
        self.fork: Any = None
        """The repository of the head when that is another one; None with `from_fork`: it was deleted."""
        self.from_fork = False
        self.draft = False
        self.merged_at: float | None = None
        self.reviewers: list[User] = []
        """Asked for a review that they have not given."""
        self.reviews: list[Review] = []
        self.review_comments: list[ReviewComment] = []

    @property
    def branch(self) -> str:
        """Where the head's branch lives in the shared store."""
        return (
            f"refs/forks/{self.number}/{self.head_ref}" if self.from_fork else f"refs/heads/{self.head_ref}"
        )

    @property
    def merge_base(self) -> str:
        return self.git.merge_base(self.base_sha, self.head_sha)

    @property
    def check_runs(self) -> list[CheckRun]:
        """Of all its commits, oldest first."""
        shas = {commit.sha for commit in self.commits} | {self.head_sha}
        return [run for run in self.code.check_runs if run.head_sha in shas]

    @property
    def commits(self) -> list[GitCommit]:
        return list(self.git.log(self.base_sha, self.head_sha))

    def files(self, head: str = "") -> tuple[FileChange, ...]:
        """What `head` (default: the newest) changes against the merge base."""
        head = head or self.head_sha
        return self.git.changes(self.git.merge_base(self.base_sha, head), head)

    def patch(self, path: str, head: str = "") -> str | None:
        return next((change.patch for change in self.files(head) if change.path == path), None)

    @locked
    def push(self, files: Mapping[str, Content], message: str = "More changes", author: str = "") -> str:
        """One more commit on the head; gives its sha."""
        return self._push(files, message, author, self.head_sha)

    @locked
    def force_push(self, files: Mapping[str, Content], message: str = "Rewritten", author: str = "") -> str:
        """Replaces all commits of the head by one made on the base branch."""
        base = self.git.resolve(self.base_ref) or self.base_sha
        return self._push(files, message, author, base)

    def _push(self, files: Mapping[str, Content], message: str, author: str, parent: str) -> str:
        who = self.world.user(author) if author else self.author
        sha = self.git.write(
            self.branch, files, parent=parent, message=message, author=who.login, at=self.world.now()
        )
        self.move_head(sha, who)
        return sha

    def move_head(self, sha: str, by: User) -> None:
        """The head is `sha` now; comments follow their lines, webhooks say `synchronize`."""
        before, self.head_sha = self.head_sha, sha
        self.base_sha = self.git.resolve(self.base_ref) or self.base_sha
        self.git.point(f"refs/pull/{self.number}/head", sha)
        self.updated_at = self.world.now()
        for comment in self.review_comments:
            comment.follow(self.text(comment.path, before), self.text(comment.path, sha), sha)
        if self.state == "open" and before:
            self.world.emit("pull_request", "synchronize", self, by, before=before, after=sha)

    @locked
    def ask_review(self, login: str) -> None:
        """Whoever may push asks somebody for a review."""
        self.reviewers.append(self.world.user(login))
        self.updated_at = self.world.now()

    @locked
    def merge(self, author: str) -> str:
        """Merges the head into the base branch by a merge commit, and closes; gives the commit's sha.
        ValueError where the two conflict."""
        by = self.world.user(author)
        tip = self.git.resolve(self.base_ref) or self.base_sha
        sha = self.git.merge(
            tip, self.head_sha, f"Merge pull request #{self.number}", by.login, self.world.now()
        )
        self.git.point(f"refs/heads/{self.base_ref}", sha)
        self.end_merged(author)
        return sha

    def end_merged(self, author: str) -> None:
        """Closed as merged, and with it what it says that it closes."""
        self.merged_at = self.world.now()
        self.close(author)
        for number in self.closes:
            issue = self.repo.issues.get(number)
            if issue is not None and issue.event == "issues" and issue.state == "open":
                issue.close(author)

    @property
    def closes(self) -> list[int]:
        """The issues that its text says it closes, where its base is the default branch.

        https://docs.github.com/en/issues/tracking-your-work-with-issues/using-issues/linking-a-pull-request-to-an-issue
        """
        if self.base_ref != self.code.default_branch:
            return []
        return list(dict.fromkeys(int(number) for number in _CLOSES.findall(self.body)))

    def text(self, path: str, sha: str = "") -> str:
        """A file at a head; empty where there is none."""
        name = f"{sha or self.head_sha}:{path}"
        return self.git.objects([name]).get(name, ("", "", b""))[2].decode("utf-8", "replace")

    @locked
    def ready_for_review(self) -> None:
        self.draft = False
        self.world.emit("pull_request", "ready_for_review", self, self.author)

    def retitle(self, by: User, title: str | None, body: str | None) -> None:
        """What a call changes of the two; webhooks say `edited`."""
        self.edit(by.login, title=title, body=body)

    @locked
    def convert_to_draft(self) -> None:
        self.draft = True
        self.world.emit("pull_request", "converted_to_draft", self, self.author)

    @locked
    def retarget(self, base: str, author: str = "") -> None:
        """Another base branch: a person's wish, or GitHub's where a stacked base was merged and deleted."""
        changes = {"base": {"ref": {"from": self.base_ref}, "sha": {"from": self.base_sha}}}
        self.base_ref, self.base_sha = base, self.git.resolve(base) or self.base_sha
        by = self.world.user(author) if author else self.author
        self.world.emit("pull_request", "edited", self, by, changes=changes)

    @locked
    def delete_fork(self) -> None:
        """The head's repository is gone: `head.repo` is null from now on."""
        self.fork = None

    @locked
    def review_comment(
        self,
        author: str,
        path: str,
        line: int,
        body: str,
        *,
        start_line: int | None = None,
        side: Side = "RIGHT",
    ) -> ReviewComment:
        """`author` comments on a line of the diff, in a review of its own as the site makes it."""
        patch = self.patch(path)
        location = find(patch, line, side)
        if location is None:
            raise ValueError(f"line {line} of {path} is not in the diff")
        start = find(patch, start_line, side) if start_line else None
        review = self.add_review(self.world.user(author), "", "COMMENTED", self.head_sha)
        comment = self.add_line_comment(review, body, path, location, start)
        self.announce(review)
        return comment

    @locked
    def review(self, author: str, body: str, state: str = "COMMENTED") -> Review:
        """`author` submits a review without line comments; `state`: also APPROVED, CHANGES_REQUESTED."""
        review = self.add_review(self.world.user(author), body, state, self.head_sha)
        self.announce(review)
        return review

    def add_review(self, author: User, body: str, state: str, commit_id: str) -> Review:
        review = Review(self.world.next_id(), self, author, body, state, commit_id, self.world.now())
        self.reviews.append(review)
        return review

    def add_line_comment(
        self, review: Review, body: str, path: str, location: CommentSpot, start: CommentSpot | None = None
    ) -> ReviewComment:
        comment = ReviewComment(review, review.author, body, path, location, start)
        self.review_comments.append(comment)
        self.code.review_comments[comment.id] = comment
        return comment

    def add_reply(self, to: ReviewComment, author: User, body: str) -> ReviewComment:
        """A reply under the first comment of the thread, in a review of its own as GitHub makes it."""
        review = self.add_review(author, "", "COMMENTED", to.commit_id)
        reply = self.add_line_comment(review, body, to.path, to.location, to.start)
        reply.in_reply_to = to.in_reply_to or to.id
        reply.line, reply.start_line, reply.position = to.line, to.start_line, to.position
        self.announce(review)
        return reply

    def announce(self, review: Review) -> None:
        """The webhooks of a submitted review: one for it, one a comment."""
        self.updated_at = self.world.now()
        if review.state == "PENDING":
            return
        self.world.emit("pull_request_review", "submitted", review, review.author)
        for comment in review.comments:
            self.world.emit("pull_request_review_comment", "created", comment, comment.author)

    @locked
    def apply_suggestion(self, comment: ReviewComment, author: str = "") -> str:
        """Commits the comment's ```suggestion block in place of its lines; gives the new sha."""
        if comment.line is None or comment.side == "LEFT":
            raise ValueError("the comment is outdated or on the old side: GitHub offers no button")
        text = suggested(
            self.text(comment.path), comment.body, comment.start_line or comment.line, comment.line
        )
        who = author or self.author.login
        return self._push({comment.path: text}, "Apply suggestion from code review", who, self.head_sha)
