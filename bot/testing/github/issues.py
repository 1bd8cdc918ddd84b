"""Issues, what is said under them, and what people do there."""

from dataclasses import dataclass, field
from typing import Any, Protocol

from bot.testing.github.milestones import RepositoryMilestone
from bot.testing.github.world import App, IssueType, User, World, locked


@dataclass(eq=False)
class Label:
    """A label of a repository."""

    id: int
    name: str
    color: str = "ededed"
    description: str | None = None


@dataclass(eq=False)
class Reaction:
    """GitHub keeps at most one of a `content` by one user on one thing."""

    id: int
    user: User
    content: str
    at: float


class Home(Protocol):
    """The repository, as far as an issue needs it."""

    world: World
    full_name: str
    comments: dict[int, "IssueComment"]
    issues: dict[int, "Issue"]

    def issue_type(self, name: str) -> IssueType: ...

    def label(self, name: str, color: str = "ededed", description: str | None = None) -> Label: ...


class Authored:
    """Anything written by somebody: an issue, a comment, a review comment."""

    def __init__(self, world: World, author: User, body: str) -> None:
        self.world = world
        self.id = world.next_id()
        self.author = author
        self.via: App | None = world.app_of(author)
        self.body = body
        self.created_at = self.updated_at = world.now()
        self.reactions: list[Reaction] = []

    def react(self, user: User, content: str) -> tuple[Reaction, bool]:
        """The reaction and whether it is new."""
        for reaction in self.reactions:
            if reaction.user is user and reaction.content == content:
                return reaction, False
        reaction = Reaction(self.world.next_id(), user, content, self.world.now())
        self.reactions.append(reaction)
        return reaction, True

    def rewrite(self, body: str) -> str:
        """Replaces the text and gives the old one."""
        before, self.body, self.updated_at = self.body, body, self.world.now()
        return before


class IssueComment(Authored):
    """A comment under an issue or a pull request."""

    def __init__(self, issue: "Issue", author: User, body: str) -> None:
        super().__init__(issue.world, author, body)
        self.issue = issue

    @locked
    def edit(self, author: str, body: str) -> None:
        """`author` changes the text; webhooks tell the old one."""
        self.edited(self.world.user(author), body)

    def edited(self, by: User, body: str) -> None:
        before = self.rewrite(body)
        self.world.emit("issue_comment", "edited", self, by, changes={"body": {"from": before}})

    @locked
    def delete(self, author: str) -> None:
        self.removed(self.world.user(author))

    def removed(self, by: User) -> None:
        self.issue.comments.remove(self)
        del self.issue.repo.comments[self.id]
        self.world.emit("issue_comment", "deleted", self, by)


HISTORY = frozenset(
    (
        *("closed", "reopened", "labeled", "unlabeled", "assigned", "unassigned"),
        *("milestoned", "demilestoned", "locked", "unlocked", "edited"),
    )
)
"""What GitHub lists among the events of an issue; of edits those of the title."""


@dataclass(frozen=True)
class HistoryEntry:
    """Something that happened to an issue, with its title since."""

    id: int
    at: float
    action: str
    by: User
    title: str
    extra: dict[str, Any]


@dataclass
class _Closing:
    at: float | None = None
    by: User | None = None
    reason: str | None = None


class Issue(Authored):
    """An issue; a pull request is one too, with the same numbers, comments and labels."""

    event = "issues"

    def __init__(self, repo: Home, number: int, title: str, body: str, author: User) -> None:
        super().__init__(repo.world, author, body)
        self.repo = repo
        self.number = number
        self.title = title
        self.state = "open"
        self.closing = _Closing()
        self.labels: list[Label] = []
        self.comments: list[IssueComment] = []
        self.history: list[HistoryEntry] = []
        self.unlabeled: list[tuple[User, Label]] = []
        """Who took which label off, oldest first."""
        self.blocked_by: list[Issue] = []
        self.type: IssueType | None = None
        self.milestone: RepositoryMilestone | None = None
        self.assignees: list[User] = []
        self.locked = False
        self.lock_reason: str | None = None
        self.parent: Issue | None = None
        self.sub_issues: list[Issue] = []
        self.moved_to: Issue | None = None
        """What became of it, once it was transferred to another repository."""

    def note(self, action: str | None, by: User, extra: dict[str, Any]) -> None:
        """Keeps what happened, as far as GitHub lists it."""
        if action in HISTORY and (action != "edited" or "title" in extra.get("changes", {})):
            told = HistoryEntry(self.world.next_id(), self.world.now(), action or "", by, self.title, extra)
            self.history.append(told)

    @locked
    def comment(self, author: str, body: str) -> IssueComment:
        """`author` writes a comment."""
        return self.add_comment(self.world.user(author), body)

    def add_comment(self, author: User, body: str) -> IssueComment:
        comment = IssueComment(self, author, body)
        self.comments.append(comment)
        self.repo.comments[comment.id] = comment
        self.updated_at = comment.created_at
        self.world.emit("issue_comment", "created", comment, author)
        return comment

    @locked
    def edit(self, author: str, *, title: str | None = None, body: str | None = None) -> None:
        """`author` changes title or text."""
        changes: dict[str, dict[str, str]] = {}
        if title is not None:
            changes["title"], self.title = {"from": self.title}, title
            self.updated_at = self.world.now()
        if body is not None:
            changes["body"] = {"from": self.rewrite(body)}
        self.world.emit(self.event, "edited", self, self.world.user(author), changes=changes)

    @locked
    def close(self, author: str = "", reason: str = "completed") -> None:
        """`reason`: also not_planned, duplicate."""
        by = self.world.user(author) if author else self.author
        self.state, self.closing = "closed", _Closing(self.world.now(), by, reason)
        self._tell("closed", by)

    @locked
    def reopen(self, author: str = "") -> None:
        self.state, self.closing = "open", _Closing(reason="reopened")
        self._tell("reopened", self.world.user(author) if author else self.author)

    def _tell(self, action: str, by: User, **extra: object) -> None:
        self.updated_at = self.world.now()
        self.world.emit(self.event, action, self, by, **extra)

    @locked
    def block(self, other: "Issue", author: str = "") -> None:
        """Another issue cannot be done before this one."""
        by = self.world.user(author) if author else self.author
        other.blocked_by.append(self)
        self.updated_at = other.updated_at = self.world.now()
        for action in ("blocked_by_added", "blocking_added"):
            self.world.emit("issue_dependencies", action, Dependency(other, self), by)

    @locked
    def unblock(self, other: "Issue", author: str = "") -> None:
        by = self.world.user(author) if author else self.author
        other.blocked_by.remove(self)
        self.updated_at = other.updated_at = self.world.now()
        for action in ("blocked_by_removed", "blocking_removed"):
            self.world.emit("issue_dependencies", action, Dependency(other, self), by)

    @property
    def blocking(self) -> list["Issue"]:
        return [other for other in self.repo.issues.values() if self in other.blocked_by]

    @locked
    def add_sub_issue(self, child: "Issue", author: str = "") -> None:
        """Takes it from another parent, as the site does when asked to."""
        by = self.world.user(author) if author else self.author
        if child.parent is not None:
            child.parent.remove_sub_issue(child, author)
        child.parent = self
        self.sub_issues.append(child)
        self.updated_at = child.updated_at = self.world.now()
        for action in ("sub_issue_added", "parent_issue_added"):
            self.world.emit("sub_issues", action, Parenthood(self, child), by)

    @locked
    def remove_sub_issue(self, child: "Issue", author: str = "") -> None:
        by = self.world.user(author) if author else self.author
        child.parent = None
        self.sub_issues.remove(child)
        self.updated_at = child.updated_at = self.world.now()
        for action in ("sub_issue_removed", "parent_issue_removed"):
            self.world.emit("sub_issues", action, Parenthood(self, child), by)

    @locked
    def set_type(self, author: str, name: str) -> None:
        """A type of the organisation's; empty: none."""
        self.put_type(self.world.user(author), self.repo.issue_type(name) if name else None)

    def put_type(self, by: User, kind: IssueType | None) -> None:
        """Webhooks tell of the old type going, then of the new one coming."""
        before, self.type = self.type, kind
        if before is not None and before is not kind:
            self._tell("untyped", by, type=before)
        if kind is not None and before is not kind:
            self._tell("typed", by, type=kind)

    @locked
    def set_milestone(self, author: str, milestone: RepositoryMilestone | None) -> None:
        self.put_milestone(self.world.user(author), milestone)

    def put_milestone(self, by: User, milestone: RepositoryMilestone | None) -> None:
        before, self.milestone = self.milestone, milestone
        if before is not None and before is not milestone:
            self._tell("demilestoned", by, milestone=before)
        if milestone is not None and before is not milestone:
            self._tell("milestoned", by, milestone=milestone)

    @locked
    def assign(self, author: str, *logins: str) -> None:
        """`author` adds assignees."""
        wanted = [self.world.user(login) for login in logins]
        self.put_assignees(self.world.user(author), [*self.assignees, *wanted])

    @locked
    def unassign(self, author: str, *logins: str) -> None:
        gone = {login.lower() for login in logins}
        left = [one for one in self.assignees if one.login.lower() not in gone]
        self.put_assignees(self.world.user(author), left)

    def put_assignees(self, by: User, wanted: list[User]) -> None:
        before, self.assignees = self.assignees, list(dict.fromkeys(wanted))
        for one in before:
            if one not in self.assignees:
                self._tell("unassigned", by, assignee=one)
        for one in self.assignees:
            if one not in before:
                self._tell("assigned", by, assignee=one)

    @locked
    def lock(self, author: str = "", reason: str | None = None) -> None:
        """The conversation: only who may write to the repository says more. `reason`: off-topic, too heated,
        resolved, spam."""
        self.locked, self.lock_reason = True, reason
        self._tell("locked", self.world.user(author) if author else self.author)

    @locked
    def unlock(self, author: str = "") -> None:
        self.locked, self.lock_reason = False, None
        self._tell("unlocked", self.world.user(author) if author else self.author)

    @property
    def state_reason(self) -> str | None:
        return self.closing.reason

    @locked
    def add_label(self, author: str, name: str) -> None:
        self.put_labels(self.world.user(author), [name])

    def put_labels(self, by: User, names: list[str]) -> None:
        """Adds labels; one that the repository lacks is made, as GitHub does."""
        for name in names:
            label = self.repo.label(name)
            if label not in self.labels:
                self.labels.append(label)
                self._tell("labeled", by, label=label)

    @locked
    def remove_label(self, author: str, name: str) -> None:
        self.take_label(self.world.user(author), next(one for one in self.labels if one.name == name))

    def take_label(self, by: User, label: Label) -> None:
        self.labels.remove(label)
        self.unlabeled.append((by, label))
        self._tell("unlabeled", by, label=label)

    @property
    def label_names(self) -> list[str]:
        return [label.name for label in self.labels]


@dataclass(frozen=True)
class Parenthood:
    """A sub-issue and what it is a part of."""

    parent: Issue
    child: Issue

    @property
    def repo(self) -> Home:
        return self.parent.repo


@dataclass(frozen=True)
class Dependency:
    """Of an issue on another."""

    blocked: Issue
    blocker: Issue

    @property
    def repo(self) -> Home:
        return self.blocked.repo


@dataclass(eq=False)
class CheckRun:
    """A check run of a commit; texts as the App sent them."""

    id: int
    repo: Home
    app: App
    name: str
    head_sha: str
    status: str
    conclusion: str | None
    title: str | None = None
    summary: str | None = None
    text: str | None = None
    annotations: list[dict[str, object]] = field(default_factory=list)
    external_id: str = ""
    details_url: str | None = None
    started_at: float = 0.0
    completed_at: float | None = None
    suite: int = 0
    actions: list[dict[str, str]] = field(default_factory=list)

    @property
    def world(self) -> World:
        return self.repo.world

    @locked
    def press(self, author: str, identifier: str) -> None:
        """`author` presses one of its buttons."""
        action = {"identifier": identifier}
        self.world.emit(
            "check_run", "requested_action", self, self.world.user(author), requested_action=action
        )

    @locked
    def rerequest(self, author: str) -> None:
        """`author` presses GitHub's own "Re-run"."""
        self.world.emit("check_run", "rerequested", self, self.world.user(author))
