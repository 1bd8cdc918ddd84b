"""Issues, what is said under them, and what people do there."""

from dataclasses import dataclass, field
from typing import Protocol

from bot.testing.github.world import App, User, World, locked


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
        self.blocked_by: list[Issue] = []

    @locked
    def comment(self, author: str, body: str) -> IssueComment:
        """`author` writes a comment."""
        return self.add_comment(self.world.user(author), body)

    def add_comment(self, author: User, body: str) -> IssueComment:
        comment = IssueComment(self, author, body)
        self.comments.append(comment)
        self.repo.comments[comment.id] = comment
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
    def close(self, author: str = "") -> None:
        by = self.world.user(author) if author else self.author
        self.state, self.closing = "closed", _Closing(self.world.now(), by, "completed")
        self.updated_at = self.world.now()
        self.world.emit(self.event, "closed", self, by)

    @locked
    def block(self, other: "Issue") -> None:
        """Another issue cannot be done before this one."""
        other.blocked_by.append(self)
        self.updated_at = other.updated_at = self.world.now()

    @locked
    def reopen(self, author: str = "") -> None:
        self.state, self.closing = "open", _Closing()
        self.updated_at = self.world.now()
        self.world.emit(self.event, "reopened", self, self.world.user(author) if author else self.author)

    @locked
    def add_label(self, author: str, name: str) -> None:
        self.put_labels(self.world.user(author), [name])

    def put_labels(self, by: User, names: list[str]) -> None:
        """Adds labels; one that the repository lacks is made, as GitHub does."""
        for name in names:
            label = self.repo.label(name)
            if label not in self.labels:
                self.labels.append(label)
                self.world.emit(self.event, "labeled", self, by, label=label)

    def take_label(self, by: User, label: Label) -> None:
        self.labels.remove(label)
        self.world.emit(self.event, "unlabeled", self, by, label=label)

    @property
    def label_names(self) -> list[str]:
        return [label.name for label in self.labels]


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
