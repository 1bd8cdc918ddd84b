"""Issues and pull requests as work, and what they and their texts say of what waits for what. All text is
hostile.

https://docs.github.com/en/issues/tracking-your-work-with-issues
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from bot.core.mentions import MOST_CHARS, MOST_MENTIONS, mentions, placed, prose
from bot.core.refs import Login

WorkState = Literal["open", "closed", "merged"]
ToldBy = Literal["dependency", "sub-issue", "task list", "text", "pull request"]
WorkKind = Literal["blocked_by", "contains", "closed_by"]

GHOST = Login("ghost")
_BELONGS = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})
_NAME = r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}"
_TASK = re.compile(
    rf"\s*(?:[-*+]|\d{{1,9}}[.)])\s{{1,8}}\[ \]\s{{1,8}}\**(?P<ref>"
    rf"(?P<repo>{_NAME})?\#(?P<number>[1-9]\d{{0,8}})"
    rf"|https?://[\w.:-]{{1,100}}/(?P<of>{_NAME})/(?:issues|pull)/(?P<at>[1-9]\d{{0,8}}))(?![\w-])"
)


@dataclass(frozen=True, slots=True)
class WorkRef:
    """An issue or pull request by number; `repo` is `owner/name` in lower case, empty in the same repository.
    What else was told of it does not make it another one."""

    number: int
    repo: str = ""
    state: WorkState | Literal[""] = field(default="", compare=False)
    title: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.repo}#{self.number}"


@dataclass(frozen=True, slots=True)
class WorkItem:
    """As GitHub tells it. Times are seconds since 1970, 0 where there is none."""

    number: int
    kind: Literal["issue", "pull_request"] = "issue"
    title: str = ""
    state: WorkState = "open"
    state_reason: str = ""
    """`completed`, `not_planned`, `duplicate`, `reopened`."""
    body: str = ""
    author: Login = GHOST
    association: str = ""
    """GitHub's word for what the author is to the repository: OWNER, MEMBER, CONTRIBUTOR, NONE, …"""
    assignees: tuple[Login, ...] = ()
    labels: tuple[str, ...] = ()
    milestone: str = ""
    type: str = ""
    created: float = 0
    updated: float = 0
    closed: float = 0
    comments: int = 0
    parent: WorkRef | None = None
    sub_issues: tuple[WorkRef, ...] = ()
    blocked_by: tuple[WorkRef, ...] = ()
    blocking: tuple[WorkRef, ...] = ()
    linked_pulls: tuple[WorkRef, ...] = ()
    """That will close this issue, or have."""
    closes: tuple[WorkRef, ...] = ()
    """Issues that this pull request will close."""
    reviewers: tuple[Login, ...] = ()
    """Asked for a review that they have not given."""
    draft: bool = False
    unseen: int = 0
    """Dependencies and sub-issues that GitHub counts and does not show: of repositories that may not be read,
    or past the first hundred."""

    @property
    def ref(self) -> WorkRef:
        return WorkRef(self.number, "", self.state, self.title)


@dataclass(frozen=True, slots=True)
class Milestone:
    """`due` is seconds since 1970, 0 without a date."""

    title: str
    number: int = 0
    open: bool = True
    open_items: int = 0
    closed_items: int = 0
    due: float = 0


@dataclass(frozen=True, slots=True)
class Release:
    """`at`: when it was published, seconds since 1970."""

    tag: str
    name: str = ""
    body: str = ""
    at: float = 0
    draft: bool = False
    prerelease: bool = False


@dataclass(frozen=True, slots=True)
class WorkEdge:
    """`source` waits for `target`: it is blocked by it, contains it, or is closed by it (a pull request)."""

    kind: WorkKind
    source: WorkRef
    target: WorkRef
    told_by: ToldBy


def edges_of(items: Mapping[WorkRef, WorkItem], full_name: str = "") -> Iterator[WorkEdge]:
    """What GitHub and the texts of one repository's items tell; what several sources tell is an edge of each.

    A text holds back its own item only, whoever wrote it: that it blocks another item counts where its author
    belongs to the repository or wrote the other one too.
    """
    for item in items.values():
        yield from _told(item)
        yield from _said(item, items, full_name)


def _told(item: WorkItem) -> Iterator[WorkEdge]:
    """What GitHub itself knows."""
    me = item.ref
    for ref in item.blocked_by:
        yield WorkEdge("blocked_by", me, ref, "dependency")
    for ref in item.blocking:
        yield WorkEdge("blocked_by", ref, me, "dependency")
    for ref in item.sub_issues:
        yield WorkEdge("contains", me, ref, "sub-issue")
    if item.parent:
        yield WorkEdge("contains", item.parent, me, "sub-issue")
    for ref in item.linked_pulls:
        yield WorkEdge("closed_by", me, ref, "pull request")
    for ref in item.closes:
        yield WorkEdge("closed_by", ref, me, "pull request")


def _said(item: WorkItem, known: Mapping[WorkRef, WorkItem], full_name: str) -> Iterator[WorkEdge]:
    """What the text of an item says."""
    me = item.ref
    for mention in mentions(item.body, full_name):
        ref = ref_of(mention.issue)
        if ref == me:
            continue
        if mention.relation == "blocked_by":
            yield WorkEdge("blocked_by", me, ref, "text")
        elif mention.relation == "blocks" and _may_claim(item, known.get(ref)):
            yield WorkEdge("blocked_by", ref, me, "text")
    for ref in open_tasks(item.body, full_name):
        if ref != me:
            yield WorkEdge("contains", me, ref, "task list")


def _may_claim(item: WorkItem, other: WorkItem | None) -> bool:
    return item.association in _BELONGS or (other is not None and other.author == item.author)


def open_tasks(text: str, full_name: str = "") -> tuple[WorkRef, ...]:
    """The issues that unticked boxes of a task list begin with (`- [ ] #12`), at most 200; none of a quote or
    code, nor of a list under a word that says what they are ("Blocks:")."""
    said = prose(text[:MOST_CHARS])
    plain = {place for place, mention in placed(said, full_name) if mention.relation == "mentions"}
    found: dict[WorkRef, None] = {}
    start = 0
    for line in said.split("\n"):
        task = _TASK.match(line)
        if task and start + task.start("ref") in plain:
            repo = (task["repo"] or task["of"] or "").lower()
            own = repo in ("", full_name.lower())
            found[WorkRef(int(task["number"] or task["at"]), "" if own else repo)] = None
            if len(found) >= MOST_MENTIONS:
                break
        start += len(line) + 1
    return tuple(found)


def ref_of(name: str) -> WorkRef:
    """Of `12` or `owner/name#12`, as `Mention.issue` has it."""
    repo, _, number = name.rpartition("#")
    return WorkRef(int(number), repo)
