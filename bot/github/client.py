"""The App on one GitHub server, and its jobs: each holds tokens narrowed to one repository and to the
permissions that a step needs, and gives them back when it ends.

https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app
"""

import asyncio
import base64
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from bot import log
from bot.core.errors import ConfigError, GitHubError, Gone, HobError, TemporaryError
from bot.core.network import DIRECT, Network
from bot.core.refs import Login, RepoRef
from bot.github.api import Api, GitHubServer
from bot.github.auth import FRESH, AppCredentials, Clock, InstallationCredentials, InstallationToken
from bot.github.cache import ETagCache
from bot.github.limits import Limiter, LocalRateLimiter, RateLimiter
from bot.github.wire import CAP, DEADLINE, Wire, origin
from bot.http import AsyncBaseTransport

_REVOKE_WITHIN = 10.0
_log = logging.getLogger(__name__)


class GitHub:
    """`async with GitHub(...) as github`, or `aclose()` at the end. Nothing connects before a call."""

    def __init__(
        self,
        api_url: str,
        app_id: int,
        private_key: str | Callable[[], str],
        *,
        slug: str,
        rate_limiter: RateLimiter | None = None,
        write_gap: float = 1.0,
        transport: AsyncBaseTransport | None = None,
        network: Network = DIRECT,
        deadline: float = DEADLINE,
        cap: int = CAP,
        now: Callable[[], float] = time.time,
    ) -> None:
        if origin(api_url)[0] not in ("http", "https") or not origin(api_url)[1]:
            raise ConfigError(
                f"github.api_url is no web address: {api_url!r}", "for example https://api.github.com"
            )
        self.app_id = app_id
        self.slug = slug
        self._clock = Clock(now)
        self._wire = Wire(transport, deadline, cap, network)
        self._server = GitHubServer(
            api_url.rstrip("/"),
            self._wire,
            Limiter(rate_limiter or LocalRateLimiter(), write_gap),
            ETagCache(),
        )
        self._app = AppCredentials(app_id, private_key, self._clock)

    @property
    def network(self) -> Network:
        return self._wire.network

    @property
    def login(self) -> Login:
        """Who writes what Hob writes."""
        return Login(f"{self.slug}[bot]")

    def app(self) -> Api:
        """The App as itself: its installations and deliveries."""
        return Api(self._server, self._app, "app", ("app",))

    def job(self, repo: RepoRef, delivery: str = "", before_write: Callable[[], object] = bool) -> "Job":
        """`async with github.job(repo) as job: api = job.api({"contents": "read"})`. What `before_write`
        raises keeps a write from being sent."""
        return Job(self, repo, delivery, before_write)

    @asynccontextmanager
    async def repository(self, repo: RepoRef, permissions: Mapping[str, str]) -> AsyncIterator[Api]:
        """A job of one step."""
        async with self.job(repo) as job:
            yield job.api(permissions)

    @asynccontextmanager
    async def installation(self, installation: int) -> AsyncIterator[Api]:
        """For what is told of all repositories of an installation; of none of them more than that it is
        there."""
        scope = f"installation:{installation}"
        app = Api(self._server, self._app, scope, ("app",))

        async def mint() -> InstallationToken:
            path = "/app/installations/{installation}/access_tokens"
            wanted = {"permissions": {"metadata": "read"}}
            return _token(await app.post(path, wanted, {"installation": installation}, idempotent=True))

        credentials = InstallationCredentials(mint, self._clock)
        api = Api(self._server, credentials, scope, (installation, "metadata"))
        try:
            yield api
        finally:
            if credentials.token:
                await _revoke(api, credentials.token)

    async def until_turn(self, installation: int, gap: float) -> float:
        """Seconds until the next piece of background work in an installation may begin, `gap` after the last
        one; 0.0: now, and it is taken."""
        return await self._server.limiter.until_turn(f"installation:{installation}", gap)

    async def find_repository(self, full_name: str) -> RepoRef:
        """A repository that a person names `owner/name`. `Gone` where the App is not installed on it.

        Only a token tells a repository's id: one that reads names is made for it and given back.
        https://docs.github.com/en/rest/apps/apps#get-a-repository-installation-for-the-authenticated-app
        """
        owner, _, name = full_name.partition("/")
        found = await self.app().get("/repos/{owner}/{repo}/installation", {"owner": owner, "repo": name})
        installation = int(found["id"])
        wanted = {"repositories": [name], "permissions": {"metadata": "read"}}
        path = "/app/installations/{installation}/access_tokens"
        given = await self.app().post(path, wanted, {"installation": installation}, idempotent=True)
        await self._give_back(_token(given), installation)
        return _repo_ref(given, installation)

    async def repository_of(self, installation: int, repo_id: int) -> RepoRef:
        """A repository that is known by its number, as it is now. `Gone` where the App may not work in it any
        more, be it that access ended or that it was archived or disabled."""
        given = await self._token_for(self.app(), installation, repo_id, {"metadata": "read"})
        await self._give_back(_token(given), installation)
        repo = _repo_ref(given, installation)
        for state in ("archived", "disabled"):
            if given["repositories"][0].get(state):
                raise Gone(403, f"{repo.full_name} is {state}")
        return repo

    async def reaches(self, installation: int, repo_id: int) -> bool:
        """Whether the App may read a repository through an installation, be it archived."""
        try:
            given = await self._token_for(self.app(), installation, repo_id, {"metadata": "read"})
        except Gone:
            return False
        await self._give_back(_token(given), installation)
        return True

    async def _give_back(self, token: InstallationToken, installation: int) -> None:
        async def mint() -> InstallationToken:
            return token

        credentials = InstallationCredentials(mint, self._clock)
        scope = f"installation:{installation}"
        await _revoke(Api(self._server, credentials, scope, ("once", token.value)), token)

    async def aclose(self) -> None:
        await self._wire.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def narrowed(
        self,
        repo: RepoRef,
        permissions: Mapping[str, str],
        told: Callable[[Any], None],
        before_write: Callable[[], object],
    ) -> tuple[Api, InstallationCredentials]:
        """Calls on one repository with these permissions only; for `Job`, which revokes the token. `told` is
        given what GitHub says with each."""
        if not permissions:
            raise ValueError("without permissions a token would have all that the installation has")
        scope = f"installation:{repo.installation}"
        identity = (repo.installation, repo.id, *sorted(permissions.items()))
        app = Api(self._server, self._app, scope, ("app",))

        async def mint() -> InstallationToken:
            given = await self._token_for(app, repo.installation, repo.id, permissions)
            told(given)
            return _token(given)

        credentials = InstallationCredentials(mint, self._clock)
        return Api(self._server, credentials, scope, identity, repo, before_write), credentials

    async def _token_for(
        self, app: Api, installation: int, repo_id: int, permissions: Mapping[str, str]
    ) -> Any:
        """GitHub's answer. `Gone` when the installation or its access to the repository is no more."""
        wanted = {"repository_ids": [repo_id], "permissions": dict(permissions)}
        path = "/app/installations/{installation}/access_tokens"
        try:
            return await app.post(path, wanted, {"installation": installation}, idempotent=True)
        except GitHubError as error:
            if error.status == 422 and "not accessible" in error.message:
                raise Gone(422, error.message) from None
            raise


def _token(given: Any) -> InstallationToken:
    try:
        value, expires = str(given["token"]), datetime.fromisoformat(given["expires_at"]).timestamp()
    except (TypeError, KeyError, ValueError):
        raise TemporaryError("GitHub's answer holds no token") from None
    log.hide(value, passing=True)
    return InstallationToken(value, expires)


def _repo_ref(given: Any, installation: int) -> RepoRef:
    try:
        (told,) = given["repositories"]
        return RepoRef(
            owner=str(told["owner"]["login"]),
            name=str(told["name"]),
            id=int(told["id"]),
            installation=installation,
            private=bool(told.get("private", True)),
            default_branch=str(told.get("default_branch") or "main"),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise GitHubError(200, f"a token for one repository without it: {error}") from None


class Job:
    """Tokens for one piece of work on one repository. All are revoked when it ends, however it ends."""

    def __init__(
        self,
        github: GitHub,
        repo: RepoRef,
        delivery: str = "",
        before_write: Callable[[], object] = bool,
    ) -> None:
        self._github = github
        self._before_write = before_write
        self._repo = repo
        self._delivery = delivery
        self._bound = log.bind(delivery=delivery) if delivery else None
        self._apis: dict[tuple[tuple[str, str], ...], tuple[Api, InstallationCredentials]] = {}
        self.private = repo.private
        """As GitHub said last: an event may be older than that."""
        self.has_issues = True

    def api(self, permissions: Mapping[str, str]) -> Api:
        """The same permissions share a token; it is minted at the first call."""
        key = tuple(sorted(permissions.items()))
        if key not in self._apis:
            self._apis[key] = self._github.narrowed(self._repo, permissions, self._learn, self._before_write)
        return self._apis[key][0]

    def _learn(self, given: Any) -> None:
        """From GitHub's answer with a token for the repository."""
        match given:
            case {"repositories": [{"private": bool(private), **more}]}:
                self.private, self.has_issues = private, more.get("has_issues") is not False

    @property
    def slug(self) -> str:
        """The App's name."""
        return self._github.slug

    @property
    def network(self) -> Network:
        """The way to GitHub, for a program of its own (git)."""
        return self._github.network

    async def granted(self) -> Mapping[str, str]:
        """What the installation lets the App do: permission -> level. One call.

        https://docs.github.com/en/rest/apps/apps#get-an-installation-for-the-authenticated-app
        """
        path = "/app/installations/{installation}"
        found = await self._github.app().get(path, {"installation": self._repo.installation})
        given = found.get("permissions") if isinstance(found, dict) else None
        return {str(name): str(level) for name, level in (given or {}).items()}

    async def may(self, permissions: Mapping[str, str]) -> bool:
        """Whether the installation lets the App have them; a token tells, which later calls use."""
        self.api(permissions)
        try:
            await self._apis[tuple(sorted(permissions.items()))][1].header()
        except GitHubError as error:
            if error.status != 422:
                raise
            return False
        return True

    async def basic(self, permissions: Mapping[str, str], *, renew: bool = False) -> str:
        """The token of `api(permissions)` as git shows it over HTTPS. `renew`: the last one was refused; one
        that GitHub may merely not know yet is kept.

        https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/authenticating-as-a-github-app-installation#about-authentication-as-a-github-app-installation
        """
        self.api(permissions)
        credentials = self._apis[tuple(sorted(permissions.items()))][1]
        if renew and credentials.token and credentials.token.age > FRESH:
            credentials.token = None
        token = (await credentials.header()).removeprefix("Bearer ")
        shown = _shown(token)
        log.hide(shown, passing=True)
        return f"Basic {shown}"

    async def revoke_all(self) -> None:
        """Gives the tokens back. A failure is only logged: they end by themselves within the hour."""
        held = [(api, credentials.token) for api, credentials in self._apis.values() if credentials.token]
        self._apis.clear()
        try:
            async with asyncio.timeout(_REVOKE_WITHIN):
                await asyncio.gather(*(_revoke(api, token) for api, token in held))
        except TimeoutError:
            _log.warning("tokens were not revoked in time; they expire by themselves")

    async def __aenter__(self) -> Self:
        if self._bound is not None:
            self._bound.__enter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self.revoke_all()
        finally:
            if self._bound is not None:
                self._bound.__exit__(kind, error, trace)


def _shown(token: str) -> str:
    """As git shows it."""
    return base64.b64encode(f"x-access-token:{token}".encode()).decode()


async def _revoke(api: Api, token: InstallationToken) -> None:
    """What was given back is no secret any more.
    https://docs.github.com/en/rest/apps/installations#revoke-an-installation-access-token"""
    try:
        await api.delete("/installation/token", idempotent=True)
    except HobError as error:
        _log.warning("a token was not revoked; it expires by itself: %s", error)
    else:
        log.forget(token.value)
        log.forget(_shown(token.value))
