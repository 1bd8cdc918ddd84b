"""The stand-in as a whole: HTTP on loopback, faults on demand, everything remembered."""

import asyncio
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from bot.testing.github import attachments, rest
from bot.testing.github.application import Application
from bot.testing.github.attachments import Attachment
from bot.testing.github.exchange import Exchange
from bot.testing.github.faults import Fault, FaultKind
from bot.testing.github.installations import Installation
from bot.testing.github.repository import Repository
from bot.testing.github.server import ServerThread
from bot.testing.github.shapes.common import user
from bot.testing.github.shapes.hooks import installation as shape_of
from bot.testing.github.shapes.repos import repository
from bot.testing.github.state import EVENTS, PERMISSIONS, State
from bot.testing.github.world import App, locked

__all__ = ["GitHubStandIn", "rest"]

_BRIEF = ("id", "node_id", "name", "full_name", "private")
WEBHOOK_SECRET = "It's a Secret to Everybody"


class GitHubStandIn(State):
    """`with GitHub() as gh:` serves at `gh.api_url`; with `ghes` under /api/v3, as Enterprise Server does.

    People act through `gh.repository(…)` and what it gives; `gh.requests` tells what the bot did.
    """

    def __init__(
        self,
        directory: Path | None = None,
        *,
        port: int = 0,
        ghes: bool = False,
        html_url: str = "https://github.com",
    ) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="stand-in-") if directory is None else None
        super().__init__(Path(self._temporary.name) if self._temporary else directory or Path(), html_url)
        self.requests: list[Exchange] = []
        self.fetches: list[Exchange] = []
        """What git asked, apart from `requests`: the API does not count it either."""
        self.downloads: list[Exchange] = []
        """Of attachments: not the API either."""
        self.attachments: dict[str, Attachment] = {}
        self.faults: list[Fault] = []
        self.observers: list[Callable[[Exchange], None]] = []
        """Called with each finished exchange, under the lock."""
        self.private_key = ""
        """The App's key, PEM, once `install_app` was called."""
        self._server = ServerThread(Application(self), port)
        self.origin = self.git_url = self._server.url
        self.api_url = f"{self.origin}/api/v3" if ghes else self.origin

    @property
    def released(self) -> asyncio.Event:
        """Set when requests are to hang no longer."""
        return self._server.released

    def release_hanging(self) -> None:
        """Breaks off all requests that hang."""
        self._server.release()

    @property
    def graphql_url(self) -> str:
        return self.api_url.removesuffix("/v3") + "/graphql"

    def __enter__(self) -> Self:
        self.post.start()
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()
        self.post.stop()
        if self._temporary:
            self._temporary.cleanup()

    @locked
    def install_app(
        self,
        account: str,
        *,
        slug: str = "hob",
        app_id: int = 4242,
        permissions: dict[str, str] | None = None,
        events: list[str] | None = None,
        webhook_url: str = "",
        secret: str = WEBHOOK_SECRET,
        repositories: list[Repository] | None = None,
        private_key: str = "",
    ) -> Installation:
        """Registers the App on first call; installs it on an account: all repositories, or those named."""
        app = self.app or self.register(
            account,
            slug,
            app_id=app_id,
            permissions=permissions or dict(PERMISSIONS),
            events=events or list(EVENTS),
            webhook_url=webhook_url,
            secret=secret,
            private_key=private_key,
        )
        installation = Installation(
            self.next_id(),
            app,
            self.user(account, "Organization"),
            dict(permissions or app.permissions),
            self.now(),
            repositories,
        )
        self.installations[installation.id] = installation
        return installation

    def register(
        self,
        account: str,
        slug: str,
        *,
        app_id: int = 4242,
        permissions: dict[str, str],
        events: list[str],
        webhook_url: str = "",
        secret: str = WEBHOOK_SECRET,
        private_key: str = "",
    ) -> App:
        """The App of an account, which from now on is the one that calls."""
        key = _key(private_key)
        self.private_key = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        bot, owner = self.user(f"{slug}[bot]"), self.user(account, "Organization")
        self.app = App(app_id, slug, owner, bot, permissions, events, public, self.now())
        self.apps[slug] = self.app
        self.post.url, self.post.secret = webhook_url, secret
        return self.app

    @locked
    def send_webhooks_to(self, url: str, secret: str = WEBHOOK_SECRET) -> None:
        """Where deliveries go from now on; an empty URL: nowhere (they are listed all the same)."""
        self.post.url, self.post.secret = url, secret

    @locked
    def attach(
        self,
        data: bytes,
        content_type: str = "image/png",
        *,
        repo: Repository | None = None,
        location: str = "",
        endless: bool = False,
        seconds: float = 0.0,
    ) -> str:
        """Somebody drops a file into a text (of a private repository: only who reads it gets it); gives the
        address that then stands there. See `Attachment` for what can be wrong with it."""
        made = attachments.new(data, content_type, repo, location, seconds, endless=endless)
        self.attachments[made.uuid] = made
        return f"{self.origin}{attachments.SITE}{made.uuid}"

    @locked
    def fault(
        self,
        method: str,
        path: str,
        *,
        kind: FaultKind,
        times: int = 1,
        status: int = 0,
        seconds: float = 60.0,
        location: str = "",
        says: str = "",
    ) -> Fault:
        """The next `times` requests of `method` (`*`: any) whose path fits the expression go wrong so."""
        usual = 301 if kind == "redirect" else 502
        fault = Fault(method, path, kind, times, status or usual, seconds, location, says)
        self.faults.append(fault)
        return fault

    def writes(self) -> list[Exchange]:
        """Requests that change something, token mints left out."""
        return [one for one in list(self.requests) if one.is_write]

    def calls(self) -> list[Exchange]:
        """All requests, token mints left out."""
        return [one for one in list(self.requests) if not one.is_mint]

    def mints(self) -> list[Exchange]:
        """Requests for tokens, and tokens given back."""
        return [one for one in list(self.requests) if one.is_mint]

    def texts(self) -> list[str]:
        """Every byte that callers sent, credentials left out, one text a request: for leak scans."""
        return [one.text for one in list(self.requests)]

    def wait_until(self, predicate: Callable[[], object], timeout: float = 30.0) -> None:
        """Until something true is given; looked at after each exchange, delivery and act. TimeoutError."""
        with self.changed:
            if not self.changed.wait_for(lambda: bool(predicate()), timeout):
                raise TimeoutError(
                    f"did not happen within {timeout} s; the last requests: {self.requests[-8:]}"
                )

    def flush(self, timeout: float = 30.0) -> None:
        """Until every delivery was answered or given up."""
        self.wait_until(lambda: all(one.done.is_set() for one in self.deliveries), timeout)

    @locked
    def hold_deliveries(self) -> None:
        """From now on deliveries are kept back, until `release_deliveries`."""
        self.post.held = []

    @locked
    def release_deliveries(self, *, newest_first: bool = False) -> None:
        """Sends what was kept back; GitHub promises no order."""
        held, self.post.held = self.post.held or [], None
        for delivery in reversed(held) if newest_first else held:
            self.post.send(delivery)

    @locked
    def suspend(self, installation: Installation) -> None:
        """The account's owner suspends the App; its tokens stop working."""
        installation.suspended_at = self.now()
        self._tell("installation", "suspend", installation)

    @locked
    def uninstall(self, installation: Installation) -> None:
        del self.installations[installation.id]
        self._tell("installation", "deleted", installation)

    @locked
    def take_away(self, installation: Installation, repo: Repository) -> None:
        """The App is no longer installed on this repository."""
        covered = [one for one in self.repositories.values() if installation.covers(one)]
        installation.repositories = [one for one in covered if one is not repo]
        brief = {key: value for key, value in repository(repo).items() if key in _BRIEF}
        more = {"repositories_removed": [brief], "repositories_added": [], "repository_selection": "selected"}
        self._tell("installation_repositories", "removed", installation, more)

    @locked
    def rename(self, repo: Repository, name: str) -> None:
        """The old name leads nowhere: GitHub would send requests on to the new one."""
        before, owner = repo.name, repo.full_name.partition("/")[0]
        del self.repositories[repo.full_name.lower()]
        repo.name, repo.full_name = name, f"{owner}/{name}"
        self.repositories[repo.full_name.lower()] = repo
        self.emit(
            "repository", "renamed", repo, repo.owner, changes={"repository": {"name": {"from": before}}}
        )

    @locked
    def transfer(self, repo: Repository, login: str) -> None:
        """To another account. Only the App's installation there hears of it."""
        before = repo.owner
        del self.repositories[repo.full_name.lower()]
        repo.owner, repo.full_name = self.user(login), f"{login}/{repo.name}"
        self.repositories[repo.full_name.lower()] = repo
        moved = {"owner": {"from": {"organization": user(self, before)}}}
        self.emit("repository", "transferred", repo, repo.owner, changes=moved)

    @locked
    def publicize(self, repo: Repository) -> None:
        repo.private = False
        self.emit("repository", "publicized", repo, repo.owner)

    @locked
    def privatize(self, repo: Repository) -> None:
        repo.private = True
        self.emit("repository", "privatized", repo, repo.owner)

    @locked
    def delete(self, repo: Repository) -> None:
        """The delivery comes from the installation that covered it."""
        self.emit("repository", "deleted", repo, repo.owner)
        del self.repositories[repo.full_name.lower()]

    @locked
    def unsuspend(self, installation: Installation) -> None:
        installation.suspended_at = None
        self._tell("installation", "unsuspend", installation)

    def _tell(self, event: str, action: str, installation: Installation, more: Any = None) -> None:
        payload = {"action": action, "installation": shape_of(self, installation), **(more or {})}
        payload["sender"] = user(self, installation.account)
        self.deliver(event, payload)


def _key(pem: str) -> RSAPrivateKey:
    if not pem:
        return _usual_key()
    key = load_pem_private_key(pem.encode(), None)
    assert isinstance(key, RSAPrivateKey)
    return key


@cache
def _usual_key() -> RSAPrivateKey:
    """Made once a process: it takes a tenth of a second, and many tests need one."""
    return generate_private_key(public_exponent=65537, key_size=2048)
