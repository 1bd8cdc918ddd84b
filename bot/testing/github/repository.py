"""A repository, as the people who work in it see it."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.testing.github.git import Content, GitRepo
from bot.testing.github.issues import CheckRun, Issue, IssueComment, Label
from bot.testing.github.milestones import RepositoryMilestone, RepositoryRelease
from bot.testing.github.pulls import PullRequest, ReviewComment
from bot.testing.github.queue import Method, QueuedGroup, queue
from bot.testing.github.transfers import transfer
from bot.testing.github.world import App, IssueType, User, World, locked

ROLES = ("none", "read", "triage", "write", "maintain", "admin")
NOTHING = "0" * 40
_FIRST_LABELS = (
    ("bug", "d73a4a", "Something isn't working"),
    ("documentation", "0075ca", "Improvements or additions to documentation"),
    ("duplicate", "cfd3d7", "This issue or pull request already exists"),
    ("enhancement", "a2eeef", "New feature or request"),
    ("good first issue", "7057ff", "Good for newcomers"),
    ("help wanted", "008672", "Extra attention is needed"),
    ("invalid", "e4e669", "This doesn't seem right"),
    ("question", "d876e3", "Further information is requested"),
    ("wontfix", "ffffff", "This will not be worked on"),
)


@dataclass(frozen=True)
class Artifact:
    """A zip archive that a workflow left for a commit; `at` in seconds since 1970."""

    id: int
    name: str
    head_sha: str
    data: bytes
    at: float
    expired: bool = False


class Repository:
    """`labels` starts with those that GitHub gives a new repository."""

    def __init__(self, world: World, full_name: str, git: GitRepo, *, private: bool) -> None:
        owner, self.name = full_name.split("/")
        self.world = world
        self.owner = world.user(owner, "Organization")
        self.full_name = full_name
        self.git = git
        self.id = world.next_id()
        self.private = private
        self.default_branch = "main"
        self.size = 1
        """What GitHub says of its size on disk, in KB: seldom exact."""
        self.archived, self.has_issues = False, True
        self.parent: Repository | None = None
        self.created_at = self.pushed_at = world.now()
        self.roles: dict[str, str] = {}
        self.associations: dict[str, str] = {}
        self.labels: list[Label] = []
        self.issues: dict[int, Issue] = {}
        self.deleted: set[int] = set()
        """Numbers of issues that are shown to nobody."""
        self.milestones: list[RepositoryMilestone] = []
        self.releases: list[RepositoryRelease] = []
        self.comments: dict[int, IssueComment] = {}
        self.review_comments: dict[int, ReviewComment] = {}
        self.check_runs: list[CheckRun] = []
        self.artifacts: list[Artifact] = []
        self.suites: list[Any] = []
        self.jobs: dict[int, Any] = {}
        self.statuses: list[Any] = []
        """What `bot.testing.github.ci` keeps: suites, jobs by their check run's id, commit statuses."""
        self.protected: dict[str, str] = {}
        """branch -> the refusal (`bot.testing.github.refusals`) of whoever writes it through the API."""
        self.drafts = True
        """Whether it knows draft pull requests: not every plan of GitHub's does."""
        for name, color, description in _FIRST_LABELS:
            self.label(name, color, description)

    @property
    def pulls(self) -> list[PullRequest]:
        return [issue for issue in self.issues.values() if isinstance(issue, PullRequest)]

    @property
    def shown(self) -> list[Issue]:
        """Issues and pull requests that are still here, oldest first."""
        return [
            one for one in self.issues.values() if one.number not in self.deleted and one.moved_to is None
        ]

    @property
    def issue_types(self) -> list[IssueType]:
        """Those of its organisation: `world.set_issue_types`."""
        return self.world.issue_types.get(self.owner.login.lower(), [])

    def issue_type(self, name: str) -> IssueType:
        """KeyError where the organisation has none of that name."""
        found = next((one for one in self.issue_types if one.name.lower() == name.lower()), None)
        if found is None or not found.enabled:
            raise KeyError(name)
        return found

    @locked
    def milestone(
        self, title: str, *, description: str = "", due_on: float | None = None, author: str = ""
    ) -> RepositoryMilestone:
        """The milestone of that title, made where it is missing."""
        found = next((one for one in self.milestones if one.title == title), None)
        if found is None:
            who = self.world.user(author) if author else self.owner
            made = (self.world.next_id(), len(self.milestones) + 1, title, description or None, who)
            found = RepositoryMilestone(*made, self.world.now(), due_on)
            self.milestones.append(found)
        return found

    @locked
    def close_milestone(self, title: str) -> None:
        closed = self.milestone(title)
        closed.state, closed.closed_at = "closed", self.world.now()

    @locked
    def release(
        self,
        tag: str,
        *,
        name: str = "",
        body: str = "",
        author: str = "",
        draft: bool = False,
        prerelease: bool = False,
        at: float | None = None,
    ) -> RepositoryRelease:
        """Of the default branch's newest commit, which the tag names from now on."""
        now = self.world.now() if at is None else at
        who = self.world.user(author) if author else self.owner
        sha = self.git.resolve(f"refs/heads/{self.default_branch}") or ""
        if not draft:
            self.git.point(f"refs/tags/{tag}", sha)
        made = RepositoryRelease(
            self.world.next_id(), tag, name or tag, body, who, sha, now, None if draft else now, prerelease
        )
        self.releases.append(made)
        return made

    @locked
    def grant(self, login: str, role: str, *, association: str = "") -> None:
        """Gives a person a role (read, triage, write, maintain, admin, none). `association` is what
        payloads claim instead of the truth: for private members of an organisation GitHub's word is wrong."""
        if role not in ROLES:
            raise ValueError(f"no such role: {role}")
        self.world.user(login)
        self.roles[login.lower()] = role
        if association:
            self.associations[login.lower()] = association

    def role(self, user: User) -> str:
        """What GitHub calls the role; strangers may read what is public."""
        if user is self.owner:
            return "admin"
        return self.roles.get(user.login.lower(), "none" if self.private else "read")

    def association(self, user: User) -> str:
        told = self.associations.get(user.login.lower())
        if told:
            return told
        if user is self.owner:
            return "OWNER"
        if self.roles.get(user.login.lower(), "none") != "none":
            return "MEMBER" if self.owner.type == "Organization" else "COLLABORATOR"
        return "NONE"

    @locked
    def upload(self, name: str, head_sha: str, files: Mapping[str, str]) -> Artifact:
        """What actions/upload-artifact does in a workflow on that commit."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path, text in files.items():
                archive.writestr(path, text)
        made = Artifact(self.world.next_id(), name, head_sha, packed.getvalue(), self.world.now())
        self.artifacts.append(made)
        return made

    @locked
    def check_run(self, head_sha: str, name: str, *annotations: dict[str, Any]) -> CheckRun:
        """A completed check run of another App (CI), with annotations as GitHub takes them."""
        bot = self.world.user("ci[bot]", "Bot")
        app = App(self.world.next_id(), "ci", self.owner, bot)
        run = CheckRun(self.world.next_id(), self, app, name, head_sha, "completed", "failure")
        run.title, run.summary, run.annotations = name, "", list(annotations)
        run.suite = int(head_sha[:7], 16)
        run.started_at = run.completed_at = self.world.now()
        self.check_runs.append(run)
        return run

    @locked
    def label(self, name: str, color: str = "ededed", description: str | None = None) -> Label:
        """The label of that name, whatever its letters' case; made where it is missing."""
        found = self.find_label(name)
        if found is None:
            found = Label(self.world.next_id(), name, color, description)
            self.labels.append(found)
        return found

    def find_label(self, name: str) -> Label | None:
        return next((label for label in self.labels if label.name.lower() == name.lower()), None)

    @locked
    def commit(
        self, files: Mapping[str, Content], message: str = "Update", *, branch: str = "", author: str = ""
    ) -> str:
        """One commit on a branch (default: the default branch); gives its sha."""
        branch = branch or self.default_branch
        return self.git.write(
            f"refs/heads/{branch}",
            files,
            parent=self.git.resolve(f"refs/heads/{branch}"),
            message=message,
            author=author or self.owner.login,
            at=self.world.now(),
        )

    @locked
    def push(
        self,
        files: Mapping[str, Content],
        message: str = "Update",
        *,
        branch: str = "",
        author: str = "",
        force: bool = False,
    ) -> str:
        """A commit on a branch that webhooks tell of; with `force` it replaces the whole history."""
        ref = f"refs/heads/{branch or self.default_branch}"
        before = self.git.resolve(ref) or NOTHING
        who = self.world.user(author or "mona")
        after = self.git.write(
            ref,
            files,
            parent=None if force or before == NOTHING else before,
            message=message,
            author=who.login,
            at=self.world.now(),
        )
        self._pushed(ref, before, after, who, forced=force)
        return after

    def moved(self, ref: str, before: str, after: str, who: User) -> None:
        """A branch that the API moved, and the pull requests that it is the head of."""
        self._pushed(ref, before, after, who)
        for pull in self.pulls:
            if pull.state == "open" and not pull.from_fork and pull.branch == ref and after != NOTHING:
                pull.move_head(after, who)

    def open_from(self, title: str, body: str, head: str, base: str, who: User, draft: bool) -> PullRequest:
        """A pull request of a branch that is there."""
        number = len(self.issues) + 1
        pull = PullRequest(self, number, title, body, who, head_ref=head, base_ref=base)
        pull.draft = draft
        pull.base_sha = self.git.resolve(f"refs/heads/{base}") or ""
        pull.move_head(self.git.resolve(f"refs/heads/{head}") or "", who)
        self.issues[number] = pull
        self.world.emit("pull_request", "opened", pull, who)
        return pull

    @locked
    def delete_branch(self, branch: str) -> None:
        ref = f"refs/heads/{branch}"
        before = self.git.resolve(ref) or NOTHING
        self.git.point(ref, None)
        self._pushed(ref, before, NOTHING, self.world.user("mona"))

    def _pushed(self, ref: str, before: str, after: str, who: User, *, forced: bool = False) -> None:
        told = {
            "ref": ref,
            "before": before,
            "after": after,
            "created": before == NOTHING,
            "deleted": after == NOTHING,
            "forced": forced,
            "base_ref": None,
            "compare": f"{self.world.html_url}/{self.full_name}/compare/{before[:12]}...{after[:12]}",
            "commits": [],
            "head_commit": None,
            "pusher": {"name": who.login, "email": f"{who.login}@users.noreply.github.com"},
        }
        self.pushed_at = self.world.now()
        self.world.emit("push", None, self, who, **told)

    @locked
    def delete_issue(self, number: int) -> None:
        """It is gone as if it had never been; its number is not given again."""
        issue = self.issues[number]
        self.deleted.add(number)
        self.world.emit("issues", "deleted", issue, self.owner)

    @locked
    def transfer_issue(self, number: int, to: "Repository", author: str = "") -> Issue:
        """It goes on in another repository under a number of its own; gives it as it is there."""
        return transfer(self, self.issues[number], to, self.world.user(author) if author else self.owner)

    @locked
    def open_issue(
        self,
        title: str,
        body: str = "",
        author: str = "",
        *,
        labels: Sequence[str] = (),
        kind: str = "",
        milestone: str = "",
        assignees: Sequence[str] = (),
        at: float | None = None,
    ) -> Issue:
        """`kind`: its type. `at`: when it was opened, in seconds since 1970, if not now."""
        return self.add_issue(
            self.world.user(author or "mona"),
            title,
            body,
            labels=[self.label(name) for name in labels],
            kind=self.issue_type(kind) if kind else None,
            milestone=self.milestone(milestone) if milestone else None,
            assignees=[self.world.user(login) for login in assignees],
            at=at,
        )

    def add_issue(
        self,
        who: User,
        title: str,
        body: str,
        *,
        labels: Sequence[Label] = (),
        kind: IssueType | None = None,
        milestone: RepositoryMilestone | None = None,
        assignees: Sequence[User] = (),
        at: float | None = None,
    ) -> Issue:
        """What was chosen beside title and text stands in `opened`, and has deliveries of its own after."""
        issue = Issue(self, len(self.issues) + 1, title, body, who)
        if at is not None:
            issue.created_at = issue.updated_at = at
        issue.labels, issue.type, issue.milestone = list(labels), kind, milestone
        issue.assignees = list(assignees)
        self.issues[issue.number] = issue
        self.world.emit("issues", "opened", issue, who)
        told = [("labeled", "label", labels), ("assigned", "assignee", assignees)]
        told += [
            ("typed", "type", [kind] if kind else []),
            ("milestoned", "milestone", [milestone] if milestone else []),
        ]
        for action, key, chosen in told:
            for one in chosen:
                self.world.emit("issues", action, issue, who, **{key: one})
        return issue

    @locked
    def open_pull_request(
        self,
        title: str,
        changes: Mapping[str, Content],
        *,
        body: str = "",
        author: str = "",
        fork: bool = False,
        draft: bool = False,
        branch: str = "",
        base: str = "",
        message: str = "",
        as_author: str = "",
        head_sha: str = "",
    ) -> PullRequest:
        """Commits `changes` on a new branch (of a fork of the author's with `fork`) and opens a pull request;
        `head_sha`: a commit that is there already, instead.

        `message` is the commit's (default: the title), `as_author` the name in it, which anybody can forge.
        """
        who, number = self.world.user(author or "mona"), len(self.issues) + 1
        base = base or self.default_branch
        pull = PullRequest(
            self, number, title, body, who, head_ref=branch or f"{who.login}-patch-{number}", base_ref=base
        )
        pull.draft, pull.from_fork = draft, fork
        pull.fork = self._fork(who) if fork else None
        pull.base_sha = self.git.resolve(f"refs/heads/{base}") or ""
        sha = head_sha or self.git.write(
            pull.branch,
            changes,
            parent=pull.base_sha,
            message=message or title,
            author=as_author or who.login,
            at=self.world.now(),
        )
        self.git.point(pull.branch, sha)
        pull.move_head(sha, who)
        self.issues[number] = pull
        self.world.emit("pull_request", "opened", pull, who)
        return pull

    @locked
    def enqueue(self, *pulls: PullRequest, author: str = "", method: Method = "merge") -> QueuedGroup:
        """`author` puts them into the merge queue, which makes a group of them."""
        return queue(self, pulls, self.world.user(author or "mona"), method)

    def _fork(self, who: User) -> "Repository":
        fork = Repository(self.world, f"{who.login}/{self.name}", self.git, private=self.private)
        fork.parent, fork.owner = self, who
        return fork
