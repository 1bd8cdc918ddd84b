"""All that this GitHub remembers, and how what happens there becomes deliveries."""

import base64
import json
import secrets
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.testing.github.deliveries import KEPT, DeliveryAttempt, Post, encode, sign
from bot.testing.github.git import Content, GitRepo
from bot.testing.github.installations import Installation, Token
from bot.testing.github.limits import Limits
from bot.testing.github.repository import Repository
from bot.testing.github.shapes import hooks
from bot.testing.github.world import App, Happening, World, locked

PERMISSIONS = {
    "checks": "write",
    "contents": "read",
    "issues": "write",
    "merge_queues": "read",
    "pull_requests": "write",
}
EVENTS = [
    *("check_run", "check_suite", "issue_comment", "issues", "merge_group", "pull_request"),
    *("pull_request_review", "pull_request_review_comment", "push", "repository"),
]


class State(World):
    """Repositories, the App, its installations and tokens, deliveries, the rate limit."""

    def __init__(self, directory: Path, html_url: str) -> None:
        super().__init__(html_url)
        self.directory = directory
        self.repositories: dict[str, Repository] = {}
        self.app: App | None = None
        self.installations: dict[int, Installation] = {}
        self.tokens: dict[str, Token] = {}
        self.deliveries: list[DeliveryAttempt] = []
        self.post = Post(self)
        self.echo = True
        """Whether the App's own writes fire events, as they do on GitHub."""
        self.young_token_seconds = 0.0
        """A token younger than this is answered 401, as GitHub's replicas sometimes do."""
        self.most_objects = 10_000
        """Objects that one GraphQL query may ask for; for more GitHub says that it is too large."""
        self.lacking: set[str] = set()
        """Fields of GraphQL that this server is too old to know, as `Issue.blockedBy`."""
        self.limits = Limits()
        self.person = "octo"
        """Who is signed in on the website."""
        self.owns: set[str] = set()
        """Organisations whose Apps this person may make."""
        self.registered: dict[str, Any] = {}
        """Code -> an App that was made from a manifest (`pages.Registered`)."""
        self.listeners.append(self._deliver_happening)

    @locked
    def repository(
        self, full_name: str, *, private: bool = False, files: Mapping[str, Content] | None = None
    ) -> Repository:
        """A new repository with one commit on main; an installation on all of the account covers it."""
        git = GitRepo(self.directory / f"{full_name}.git")
        repo = Repository(self, full_name, git, private=private)
        repo.commit({"README.md": f"# {repo.name}\n"} if files is None else files, "First commit")
        self.repositories[full_name.lower()] = repo
        return repo

    def installation_of(self, repo: Repository) -> Installation | None:
        return next((one for one in self.installations.values() if one.covers(repo)), None)

    def mint(self, installation: Installation, permissions: dict[str, str], ids: tuple[int, ...]) -> Token:
        """A token of today's form, `ghs_APPID_JWT`, about 520 characters."""
        now = self.now()
        parts = [
            {"alg": "RS256", "typ": "JWT"},
            {
                "iss": "github",
                "sub": f"installation:{installation.id}",
                "jti": secrets.token_hex(16),
                "exp": int(now) + 3600,
            },
        ]
        encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
        value = f"ghs_{installation.app.id}_{'.'.join(encoded)}.{secrets.token_urlsafe(256)}"
        token = Token(value, installation, permissions, ids, now, now + 3600)
        self.tokens[value] = token
        return token

    def _deliver_happening(self, what: Happening) -> None:
        repo = self._repository_of(what.subject)
        installation = self.installation_of(repo) if repo else None
        if repo is None or installation is None or self.app is None or installation.suspended_at:
            return
        if what.event not in self.app.events or (what.sender is self.app.bot and not self.echo):
            return
        self.deliver(what.event, hooks.payload(repo, what, installation.id))

    @staticmethod
    def _repository_of(subject: Any) -> Repository | None:
        for step in ("pull", "issue"):
            subject = getattr(subject, step, subject)
        home = subject if isinstance(subject, Repository) else getattr(subject, "repo", None)
        return home if isinstance(home, Repository) else None

    @locked
    def deliver(
        self, event: str, payload: dict[str, Any] | bytes, guid: str | None = None
    ) -> DeliveryAttempt:
        """Signs and sends a payload (a dict, or the exact bytes) in the background; see `.wait()`."""
        body = payload if isinstance(payload, bytes) else encode(payload)
        told = payload if isinstance(payload, dict) else {}
        delivery = DeliveryAttempt(
            id=self.next_id(),
            guid=guid or str(uuid.uuid4()),
            event=event,
            action=told.get("action"),
            body=body,
            delivered_at=self.now(),
            installation_id=(told.get("installation") or {}).get("id"),
            repository_id=(told.get("repository") or {}).get("id"),
        )
        return self._dispatch(delivery)

    @locked
    def redeliver(self, old: DeliveryAttempt) -> DeliveryAttempt:
        """The same GUID and body once more, as a delivery of its own."""
        again = DeliveryAttempt(
            id=self.next_id(),
            guid=old.guid,
            event=old.event,
            action=old.action,
            body=old.body,
            delivered_at=self.now(),
            installation_id=old.installation_id,
            repository_id=old.repository_id,
            redelivery=True,
        )
        return self._dispatch(again)

    def _dispatch(self, delivery: DeliveryAttempt) -> DeliveryAttempt:
        delivery.headers = self.headers(delivery.event, delivery.guid, delivery.body)
        self.deliveries.append(delivery)
        self.post.send(delivery)
        return delivery

    def headers(self, event: str, guid: str, body: bytes) -> dict[str, str]:
        """What GitHub sends with a delivery."""
        return {
            "Accept": "*/*",
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/5c4de1f",
            "X-GitHub-Delivery": guid,
            "X-GitHub-Event": event,
            "X-GitHub-Hook-ID": "424242",
            "X-GitHub-Hook-Installation-Target-ID": str(self.app.id if self.app else 0),
            "X-GitHub-Hook-Installation-Target-Type": "integration",
            **sign(self.post.secret, body),
        }

    def listed_deliveries(self) -> list[DeliveryAttempt]:
        """Newest first, of the last three days."""
        since = self.now() - KEPT
        return [delivery for delivery in reversed(self.deliveries) if delivery.delivered_at >= since]
