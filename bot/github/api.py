"""Calls to GitHub's API by one identity: paced, authenticated, cached, retried where that is safe.

Reads are retried; a write whose answer was lost is `Ambiguous` and never sent again from here.
"""

import asyncio
import itertools
import json
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import uritemplate
from gidgethub import sansio

from bot import log
from bot.core.errors import Ambiguous, GitHubError, Gone, TemporaryError
from bot.core.network import Network
from bot.core.refs import RepoRef
from bot.github.auth import Credentials
from bot.github.cache import CacheKey, ETagCache
from bot.github.limits import Limiter, resource_scope
from bot.github.refusals import read, read_graphql, refusal
from bot.github.repeats import repeated
from bot.github.site import site_of
from bot.github.wire import GitHubResponse, LostError, NotSentError, TooLargeError, Wire, origin
from bot.http import URL, InvalidURL

JSON = "application/vnd.github+json"
API_VERSION = "2022-11-28"
RETRIES = 2
_MOST_HOPS = 3
_MOST_EXCHANGES = 16
_MOST_PAGES = 100
_PER_PAGE = 100
_ENDS_A_PATH = str.maketrans({"%": "%25", "#": "%23", "?": "%3F"})
_OF_NOW = frozenset({"date", "x-ratelimit-limit", "x-ratelimit-remaining"})
"""What an answer says of its moment, not of what was asked for."""

Params = Mapping[str, str | int | list[str]]


def _version() -> str:
    try:
        return version("hobbot")
    except PackageNotFoundError:
        return "0"


_VERSION = _version()


@dataclass(frozen=True, slots=True)
class GitHubServer:
    """What all identities on one GitHub server share."""

    api_url: str
    wire: Wire
    limiter: Limiter
    cache: ETagCache

    @property
    def graphql_url(self) -> str:
        """https://docs.github.com/en/enterprise-server/graphql/guides/forming-calls-with-graphql"""
        base = self.api_url.rstrip("/")
        return f"{base.removesuffix('/v3')}/graphql" if base.endswith("/api/v3") else f"{base}/graphql"

    @property
    def site(self) -> str:
        """Where people look at it."""
        return site_of(self.api_url)


class Api:
    """One identity's calls.

    `path` is a URI template. A parameter that it names goes there, percent-encoded; the others become the
    query. `{owner}` and `{repo}` are known where the identity is bound to a repository.

    Raises `RateLimited`, `TemporaryError`, `Gone`, `GitHubError`, and for writes `Ambiguous`.
    """

    def __init__(
        self,
        server: GitHubServer,
        credentials: Credentials,
        scope: str,
        identity: CacheKey,
        repo: RepoRef | None = None,
        before_write: Callable[[], object] = bool,
    ) -> None:
        self._server = server
        self._credentials = credentials
        self._scope = scope
        self._identity = identity
        self._repo = repo
        self._before_write = before_write

    @property
    def site(self) -> str:
        return self._server.site

    @property
    def network(self) -> Network:
        return self._server.wire.network

    @property
    def url(self) -> str:
        return self._server.api_url

    async def get(self, path: str, params: Params | None = None, *, accept: str = JSON) -> Any:
        """One answer: decoded JSON, or text where another media type was accepted."""
        data, _ = await self._json("GET", self._url(path, params), None, accept=accept)
        return data

    async def get_page(self, path: str, params: Params | None = None) -> "ApiPage":
        """One answer of many, for what goes on from it another time."""
        call = _Call("GET", self._url(path, params), b"", write=False, accept=JSON)
        answer = await self._answered(call)
        return ApiPage(*_decoded(call, answer), _left(answer), answer.date or time.time())

    async def elsewhere(self, path: str, params: Params | None = None) -> bytes:
        """The bytes at the address that an answer leads to, mostly on another host: it is asked without the
        token, once. https://docs.github.com/en/rest/actions/artifacts#download-an-artifact"""
        target = await self.leads_to(path, params)
        if origin(target)[0] != "https" and origin(target) != origin(self._server.api_url):
            raise GitHubError(302, "an address without TLS")
        try:
            found = await self._server.wire.exchange("GET", target, {"user-agent": f"hob/{_VERSION}"}, b"")
        except (NotSentError, LostError) as error:
            raise TemporaryError(str(error)) from None
        if found.status != 200:
            raise GitHubError(found.status, "the download was refused")
        return found.body

    async def leads_to(self, path: str, params: Params | None = None) -> str:
        """The address that an answer leads to, which nobody has asked yet."""
        call = _Call("GET", self._url(path, params), b"", write=False, accept=JSON)
        await self._server.limiter.wait(self._scope, resource_scope(self._scope, "core"))
        headers = self._headers(call, await self._credentials.header())
        try:
            answer = await self._server.wire.exchange("GET", call.url, headers, b"")
        except (NotSentError, LostError) as error:
            raise TemporaryError(str(error)) from None
        if answer.status not in (302, 307):
            refused = read(answer)
            await self._server.limiter.learn(self._scope, answer, refused)
            raise refused.error()
        return self._next_hop(call, call.url, answer)

    async def get_all(
        self, path: str, params: Params | None = None, *, cap: int, key: str | None = None
    ) -> list[Any]:
        """All pages, up to `cap` items; `key` names the list where the answer is an object."""
        url: str | None = self._url(path, {"per_page": min(cap, _PER_PAGE), **(params or {})})
        items: list[Any] = []
        for _ in range(_MOST_PAGES):
            if url is None or len(items) >= cap:
                break
            data, url = await self._json("GET", url, None)
            page = data.get(key) if isinstance(data, dict) and key else data
            if not isinstance(page, list):
                raise GitHubError(200, "a list was expected")
            items += page
        return items[:cap]

    async def post(
        self, path: str, data: Any = None, params: Params | None = None, *, idempotent: bool = False
    ) -> Any:
        """`idempotent`: twice does no harm, so it is retried as a read is, and not paced as a write."""
        return (await self._json("POST", self._url(path, params), data, write=not idempotent))[0]

    async def patch(self, path: str, data: Any, params: Params | None = None) -> Any:
        return (await self._json("PATCH", self._url(path, params), data, write=True))[0]

    async def put(self, path: str, data: Any = None, params: Params | None = None) -> Any:
        return (await self._json("PUT", self._url(path, params), data, write=True))[0]

    async def delete(self, path: str, params: Params | None = None, *, idempotent: bool = False) -> Any:
        return (await self._json("DELETE", self._url(path, params), None, write=not idempotent))[0]

    async def graphql(self, document: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The `data` of a query or mutation. Values go into `variables`, never into the document."""
        write = document.lstrip().startswith("mutation")
        data, errors = await self.graphql_partly(document, variables)
        if errors:
            raise read_graphql(errors).error(write=write)
        return data

    async def graphql_partly(
        self, document: str, variables: Mapping[str, Any] | None = None, *, retries: int = RETRIES
    ) -> tuple[dict[str, Any], list[Any]]:
        """(`data`, `errors`): GitHub may give a part and say what is wrong with the rest. Raises where there
        is no part, and for limits. A query that is to be cut where it fails is not retried as it is."""
        write = document.lstrip().startswith("mutation")
        body = json.dumps({"query": document, "variables": dict(variables or {})}).encode()
        call = _Call("POST", self._server.graphql_url, body, write, JSON, "graphql", retries)
        answer = await self._answered(call)
        found, _ = _decoded(call, answer)
        if not isinstance(found, dict) or not isinstance(found.get("data") or {}, dict):
            raise GitHubError(200, "GraphQL gave no object")
        data, errors = found.get("data") or {}, found.get("errors")
        if not errors:
            return data, []
        refused = read_graphql(errors)
        if refused.kind in ("limit", "pending"):
            await self._server.limiter.learn(self._scope, answer, refused)
        if write or not any(value is not None for value in data.values()):
            raise refused.error(write=write)
        return data, errors if isinstance(errors, list) else [errors]

    def _url(self, path: str, params: Params | None) -> str:
        """`Gone` for values that no URL can carry: nothing of that name exists."""
        values: dict[str, Any] = {**(params or {})}
        if self._repo is not None:
            values = {"owner": self._repo.owner, "repo": self._repo.name, **values}
        named = set(uritemplate.variables(path))
        paths = {name for name in named if f"{{+{name}}}" in path}
        segments = itertools.chain.from_iterable(
            str(v).split("/") if k in paths else v if isinstance(v, list) else [v]
            for k, v in values.items()
            if k in named
        )
        # RFC 6570 lets these through in {+name}, where they would end the path or stand for another name
        values |= {name: str(values[name]).translate(_ENDS_A_PATH) for name in paths & values.keys()}
        query = [name for name in params or {} if name not in named]
        template = path + ("{?" + ",".join(query) + "}" if query else "")
        try:
            if any(segment in ("", ".", "..") for segment in segments):
                raise Gone(404, "no such path")
            return sansio.format_url(template, values, base_url=self._server.api_url)
        except UnicodeError:
            raise Gone(404, "no such path") from None

    async def _json(
        self,
        method: str,
        url: str,
        data: Any,
        *,
        write: bool = False,
        accept: str = JSON,
    ) -> tuple[Any, str | None]:
        """The decoded answer and the next page's URL."""
        body = b"" if data is None else json.dumps(data).encode()
        call = _Call(method, url, body, write, accept, "core")
        return _decoded(call, await self._answered(call))

    async def _answered(self, call: "_Call") -> GitHubResponse:
        """Writes of an identity one after the other."""
        if not call.write:
            return await self._until_answered(call)
        async with self._server.limiter.writing(self._scope):
            return await self._until_answered(call)

    async def _until_answered(self, call: "_Call") -> GitHubResponse:
        """The definite answer. Retries what cannot do harm."""
        failures = 0
        for attempt in range(_MOST_EXCHANGES):
            if attempt:
                repeated()
            await self._server.limiter.wait(self._scope, resource_scope(self._scope, call.resource))
            used = await self._credentials.header()
            if call.write:
                self._before_write()
            try:
                answer = await self._follow(call, used)
            except NotSentError as error:
                problem: Exception = TemporaryError(str(error))
            except TooLargeError as error:
                raise (Ambiguous if call.write else GitHubError)(200, str(error)) from None
            except LostError as error:
                problem = _unknown(call, str(error))
            else:
                refused = read(answer) if answer.status >= 300 else None
                await self._server.limiter.learn(self._scope, answer, refused)
                if refused is None:
                    return answer
                if answer.status == 401 and await self._credentials.refused(answer, used):
                    continue
                if answer.status < 500:
                    raise refused.error()
                problem = _unknown(call, f"GitHub answered {answer.status}", answer.status)
            failures += 1
            if isinstance(problem, Ambiguous) or failures > call.retries:
                raise problem
            await asyncio.sleep(0.2 * 2**failures * random.uniform(0.5, 1.5))  # noqa: S311  jitter is no secret
        raise TemporaryError("GitHub did not accept any proof of who we are")

    async def _follow(self, call: "_Call", authorization: str) -> GitHubResponse:
        """One exchange, and the next where this server redirects it. 304 is answered from the cache."""
        key = (*self._identity, call.url, call.accept)
        known = self._server.cache.get(key) if call.method == "GET" else None
        headers = self._headers(call, authorization)
        if known is not None:
            headers["if-none-match"] = known.headers["etag"]
        url = call.url
        for hop in range(_MOST_HOPS):
            if hop:
                repeated()
            if origin(url) != origin(self._server.api_url):
                raise GitHubError(302, "an address on another host: the token does not go there")
            answer = await self._server.wire.exchange(call.method, url, headers, call.body)
            if answer.status == 304 and known is not None:
                told = {name: value for name, value in answer.headers.items() if name in _OF_NOW}
                return replace(known, headers={**known.headers, **told})
            if answer.status not in (301, 302, 307, 308):
                break
            url = self._next_hop(call, url, answer)
        if answer.status == 200 and call.method == "GET":
            self._server.cache.put(key, answer)
        return answer

    def _next_hop(self, call: "_Call", url: str, answer: GitHubResponse) -> str:
        """A read follows. A write does only where its repository was renamed: 307 and 308, to the same id.

        https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects
        """
        try:
            target = URL(url).join(answer.headers.get("location", ""))
        except InvalidURL:
            raise refusal(answer) from None
        if call.method != "GET":
            base = URL(self._server.api_url).path.rstrip("/")
            renamed = self._repo is not None and target.path.startswith(
                f"{base}/repositories/{self._repo.id}/"
            )
            if answer.status not in (307, 308) or not renamed:
                raise refusal(answer)
        return str(target)

    def _headers(self, call: "_Call", authorization: str) -> dict[str, str]:
        delivery = "".join(c for c in log.bound("delivery") if c.isascii() and (c.isalnum() or c == "-"))
        agent = f"hob/{_VERSION}" + (f" (+{delivery[:64]})" if delivery else "")
        headers = sansio.create_headers(agent, accept=call.accept)
        headers |= {"authorization": authorization, "x-github-api-version": API_VERSION}
        if call.body:
            headers["content-type"] = "application/json; charset=utf-8"
        return headers


@dataclass(frozen=True, slots=True)
class ApiPage:
    """`data` as JSON has it; the next page's address; the share of the rate limit that was left, 1.0 where
    GitHub did not say; when it was answered by GitHub's clock, epoch seconds."""

    data: Any
    following: str | None
    left: float
    at: float


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    url: str
    body: bytes
    write: bool
    accept: str
    resource: str = "core"
    retries: int = RETRIES


def _decoded(call: _Call, answer: GitHubResponse) -> tuple[Any, str | None]:
    """What it says, and the next page's address."""
    try:
        found, _, more = sansio.decipher_response(200, answer.headers, answer.body)
    except (ValueError, LookupError, RecursionError):
        raise _unknown(call, "an answer that cannot be read") from None
    return found, more


def _unknown(call: _Call, what: str, status: int = 502) -> Ambiguous | TemporaryError:
    """Nobody knows what became of it: harmless for a read, not for a write."""
    return Ambiguous(status, what) if call.write else TemporaryError(what)


def _left(answer: GitHubResponse) -> float:
    limit, left = (answer.headers.get(f"x-ratelimit-{name}", "") for name in ("limit", "remaining"))
    if not all(told.isascii() and told.isdigit() and len(told) < 10 for told in (limit, left)):
        return 1.0
    return min(int(left) / int(limit), 1.0) if int(limit) else 1.0
