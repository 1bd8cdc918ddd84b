"""Milestones and releases: what a repository keeps beside issues."""

from dataclasses import dataclass

from bot.testing.github.world import User


@dataclass(eq=False)
class RepositoryMilestone:
    """Times in seconds since 1970."""

    id: int
    number: int
    title: str
    description: str | None
    creator: User
    created_at: float
    due_on: float | None = None
    state: str = "open"
    closed_at: float | None = None


@dataclass(eq=False)
class RepositoryRelease:
    """`published_at` None: a draft."""

    id: int
    tag: str
    name: str
    body: str
    author: User
    target: str
    created_at: float
    published_at: float | None
    prerelease: bool = False
