"""Names of things on GitHub."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NewType, get_args

LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}(\[bot\])?")
"""A user or an organisation, also a managed one (`mona_acme`) or an App's."""
NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
"""A repository without its owner."""

ID = re.compile(r"[0-9]{1,18}")
"""GitHub's number of a repository, as a person writes it."""

Sha = NewType("Sha", str)
"""A full commit id, 40 (SHA-1) or 64 (SHA-256) lower-case hexadecimal digits."""

Login = NewType("Login", str)
"""A user's name on GitHub, without the `@`; Apps end in `[bot]`."""

Permission = Literal["none", "read", "triage", "write", "maintain", "admin"]
"""What somebody may do in a repository, least first."""

RANK: Mapping[str, int] = {name: rank for rank, name in enumerate(get_args(Permission))}

TRUSTED = frozenset({"triage", "write", "maintain", "admin"})
"""Permissions with which a person may have findings dismissed, and ask for reviews."""


@dataclass(frozen=True, slots=True)
class RepoRef:
    """One repository as one installation of the App sees it."""

    owner: str
    name: str
    id: int
    installation: int
    private: bool = True
    default_branch: str = "main"

    @property
    def full_name(self) -> str:
        return f"{self.owner}/{self.name}"


@dataclass(frozen=True, slots=True)
class IssueRef:
    """An issue or a pull request: GitHub numbers both in one row."""

    repo: RepoRef
    number: int

    def __str__(self) -> str:
        return f"{self.repo.full_name}#{self.number}"


@dataclass(frozen=True, slots=True)
class IssueTitle:
    """What an issue or pull request is called. `author` is empty where its account is gone."""

    number: int
    is_pull: bool
    title: str
    author: str
    state: Literal["open", "closed", "merged"] = "open"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who caused an event. `type` is GitHub's own word: User, Bot, Organization."""

    login: Login
    id: int
    type: str = "User"

    @property
    def is_bot(self) -> bool:
        return self.type == "Bot" or self.login.endswith("[bot]")


OPERATOR = Actor(Login(""), 0)
"""Who runs Hob and may have everything done, where no login of GitHub's asks."""
