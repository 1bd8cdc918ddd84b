"""Issues that move to another repository.

https://docs.github.com/en/issues/tracking-your-work-with-issues/administering-issues/transferring-an-issue-to-another-repository
"""

from typing import Protocol

from bot.testing.github.issues import Home, Issue, Label
from bot.testing.github.milestones import RepositoryMilestone
from bot.testing.github.world import User


class TransferPlace(Home, Protocol):
    """A repository, as far as a transfer needs it."""

    milestones: list[RepositoryMilestone]

    def find_label(self, name: str) -> Label | None: ...


def transfer(home: TransferPlace, old: Issue, to: TransferPlace, by: User) -> Issue:
    """Comments go with it; labels and the milestone only as far as they are there too."""
    new = Issue(to, len(to.issues) + 1, old.title, old.body, old.author)
    new.created_at, new.state, new.closing, new.locked = old.created_at, old.state, old.closing, old.locked
    new.type, new.assignees = old.type, list(old.assignees)
    new.labels = [label for one in old.labels if (label := to.find_label(one.name))]
    wanted = old.milestone.title if old.milestone else None
    new.milestone = next((one for one in to.milestones if one.title == wanted), None)
    new.comments, old.moved_to = list(old.comments), new
    for comment in new.comments:
        comment.issue = new
        to.comments[comment.id] = home.comments.pop(comment.id)
    to.issues[new.number] = new
    changes = {"new_issue": new, "new_repository": to}
    home.world.emit("issues", "transferred", old, by, changes=changes)
    home.world.emit("issues", "opened", new, by, changes={"old_issue": old, "old_repository": home})
    return new
