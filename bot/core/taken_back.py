"""Effects by which what Hob wrote into a repository is taken back."""

from dataclasses import dataclass

from bot.core.refs import Sha


@dataclass(frozen=True, slots=True)
class WithdrawPullRequest:
    """A pull request of Hob's own is closed, unmerged."""

    number: int


@dataclass(frozen=True, slots=True)
class DeleteBranch:
    """A branch of Hob's own goes, while nobody else has put anything on it."""

    branch: str


@dataclass(frozen=True, slots=True)
class RevertCommit:
    """A commit of Hob's own at the tip of a branch of its own is taken back by another: the files are as they
    were before it."""

    branch: str
    commit: Sha
