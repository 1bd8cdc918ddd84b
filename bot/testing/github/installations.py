"""Where the App is installed, and the tokens it was given there."""

from dataclasses import dataclass

from bot.testing.github.repository import Repository
from bot.testing.github.world import App, User


@dataclass(eq=False)
class Installation:
    """The App on an account; `repositories` None: on all of it."""

    id: int
    app: App
    account: User
    permissions: dict[str, str]
    created_at: float
    repositories: list[Repository] | None = None
    suspended_at: float | None = None

    def covers(self, repo: Repository) -> bool:
        if self.repositories is not None:
            return repo in self.repositories
        return repo.owner is self.account


@dataclass(eq=False)
class Token:
    """An installation token; `repository_ids` empty: all of the installation."""

    value: str
    installation: Installation
    permissions: dict[str, str]
    repository_ids: tuple[int, ...]
    created_at: float
    expires_at: float
    revoked: bool = False
