"""What all things of the stand-in share: lock, clock, ids, people, and word of what happens."""

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")
COLORS = ("gray", "blue", "green", "yellow", "orange", "red", "pink", "purple")
"""Of types of issues."""


@dataclass(eq=False)
class User:
    """A person, an organisation or an App's bot account."""

    login: str
    id: int
    type: str = "User"
    deleted: bool = False
    """Nobody shows who wrote what a deleted account wrote."""


@dataclass(eq=False)
class App:
    """A GitHub App; `public_key` (PEM) is None for Apps of others, who never call."""

    id: int
    slug: str
    owner: User
    bot: User
    permissions: dict[str, str] = field(default_factory=dict)
    events: list[str] = field(default_factory=list)
    public_key: bytes | None = None
    created_at: float = 0.0
    more_public_keys: list[bytes] = field(default_factory=list)
    """An App may have several, while one takes the place of another."""

    @property
    def client_id(self) -> str:
        return f"Iv23li{self.id:014d}"


@dataclass(eq=False)
class IssueType:
    """An organisation's: all its repositories share it."""

    id: int
    name: str
    description: str | None
    color: str
    created_at: float
    enabled: bool = True


@dataclass(frozen=True)
class Happening:
    """Something happened to `subject`; `extra` are further keys of the payload."""

    event: str
    action: str | None
    subject: Any
    sender: User
    extra: dict[str, Any]


class World:
    """Shared by all repositories. Whoever reads or writes holds `lock`; whoever waits, waits on `changed`."""

    def __init__(self, html_url: str = "https://github.com") -> None:
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.html_url = html_url
        self.api_url = "https://api.github.com"
        self.git_url = "https://github.com"
        """Where repositories are cloned from."""
        self.clock_offset = 0.0
        self.issue_types: dict[str, list[IssueType]] = {}
        """By the organisation's login in lower case."""
        self.users: dict[str, User] = {}
        self.apps: dict[str, App] = {}
        self.listeners: list[Callable[[Happening], None]] = []
        self._ids = itertools.count(1_000_001)

    @property
    def world(self) -> "World":
        return self

    def now(self) -> float:
        """Seconds since 1970 by GitHub's own clock, which `clock_offset` sets wrong."""
        return time.time() + self.clock_offset

    def next_id(self) -> int:
        return next(self._ids)

    def user(self, login: str, kind: str = "User") -> User:
        """The user of that name, made on first mention; a name ending in `[bot]` is an App's."""
        found = self.users.get(login.lower())
        if found is None:
            found = User(login, self.next_id(), "Bot" if login.endswith("[bot]") else kind)
            self.users[login.lower()] = found
        return found

    def set_issue_types(self, organization: str, *names: str) -> None:
        """What issues of an organisation may be, beside those it has already."""
        listed = self.issue_types.setdefault(organization.lower(), [])
        for name in names:
            color = COLORS[len(listed) % len(COLORS)]
            listed.append(IssueType(self.next_id(), name, None, color, self.now()))

    def delete_user(self, login: str) -> None:
        """The account is gone; what it wrote stays."""
        self.user(login).deleted = True

    def app_of(self, user: User) -> App | None:
        """The App whose bot this user is; every bot has one."""
        if user.type != "Bot":
            return None
        slug = user.login.removesuffix("[bot]")
        if slug not in self.apps:
            self.apps[slug] = App(self.next_id(), slug, self.user(f"{slug}-makers", "Organization"), user)
        return self.apps[slug]

    def emit(self, event: str, action: str | None, subject: object, sender: User, **extra: Any) -> None:
        """Tells all listeners; the webhooks are one, an issue's own history another."""
        if note := getattr(subject, "note", None):
            note(action, sender, extra)
        for listener in self.listeners:
            listener(Happening(event, action, subject, sender, extra))
        self.changed.notify_all()


class InWorld(Protocol):
    """Anything that knows its world."""

    @property
    def world(self) -> World: ...


S = TypeVar("S", bound=InWorld)


def locked(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Runs a method under the world's lock and wakes whoever waits for a change."""

    @wraps(method)
    def under_lock(self: S, *args: P.args, **kwargs: P.kwargs) -> R:
        with self.world.changed:
            try:
                return method(self, *args, **kwargs)
            finally:
                self.world.changed.notify_all()

    return cast("Callable[Concatenate[S, P], R]", under_lock)


def stamp(at: float) -> str:
    """A time as GitHub writes it: 2026-11-21T08:00:00Z."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
