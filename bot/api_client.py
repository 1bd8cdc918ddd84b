"""Hob's HTTP API for programs, typed: the shapes of `GET /openapi.json` as far as most programs want them.
Python's own HTTP and msgspec alone: nothing else of Hob is needed.

api = HobApi("http://127.0.0.1:8700", token)
for finding in api.findings(repo="octo/tea", outcome="open"):
    print(finding.path, finding.line, finding.title)
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, TypeVar
from urllib.error import HTTPError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import Request, urlopen

import msgspec

T = TypeVar("T")
MOST_BYTES = 32 << 20
"""Of one answer."""


class ApiRefused(Exception):
    """An answer that is no success, or none of Hob's; `status` is HTTP's."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"{status}: {detail}")
        self.status, self.detail = status, detail


class ApiRun(msgspec.Struct, frozen=True):
    id: int
    delivery: str
    handler: str
    priority: str
    target: str
    repo_id: int | None
    repo: str
    head_sha: str | None
    state: str
    attempts: int
    crashes: int
    not_before: datetime | None
    arrived_at: datetime | None
    created_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    error: str
    host: str
    model: str
    tokens_in: int
    tokens_out: int
    summary: str
    seconds: float | None
    number: int | None
    title: str
    is_pull: bool
    tokens_cached: int = 0


class ApiFinding(msgspec.Struct, frozen=True):
    id: int
    run_id: int
    repo_id: int
    repo: str
    number: int
    head_sha: str
    fingerprint: str
    path: str
    line: int | None
    severity: str
    category: str
    source: str
    model: str
    title: str
    state: str
    why: str
    outcome: str
    liked: int
    disliked: int
    at: datetime | None


class ApiRepository(msgspec.Struct, frozen=True):
    id: int
    name: str
    installation: int
    private: bool | None
    issues: int
    last_at: datetime | None
    url: str | None


class ApiLesson(msgspec.Struct, frozen=True):
    repo_id: int
    repo: str
    n: int
    kind: str
    text: str
    author: str
    number: int
    path: str
    title: str
    source: str
    at: datetime | None
    expires: datetime | None
    evidence: dict[str, Any] | None = None


class ApiHost(msgspec.Struct, frozen=True):
    name: str
    kind: str
    url: str
    online: bool
    parallel: int
    roles: list[str]
    up: bool | None
    inside: int
    waiting: int
    wait_seconds: float
    model: str
    answering: list[dict[str, Any]]
    speeds: list[dict[str, Any]]
    requests: int
    failures: int


class HobApi:
    """One Hob, asked with its API token. Methods raise `ApiRefused`, and OSError where nobody answers; the
    keywords of lists are those that the description names, beside `before`."""

    def __init__(self, url: str, token: str, timeout: float = 30.0) -> None:
        if urlsplit(url).scheme not in ("http", "https"):
            raise ValueError(f"an address begins with http:// or https://, not {url[:80]!r}")
        self.url, self.token, self.timeout = url.rstrip("/"), token, timeout

    def runs(self, **query: str | int) -> Iterator[ApiRun]:
        """All that fit, the newest first, page by page."""
        return self._all("/runs", "runs", ApiRun, query)

    def run(self, number: int) -> dict[str, Any]:
        """With its effects, calls, findings and log."""
        return self._asked("GET", f"/runs/{number}")

    def findings(self, **query: str | int) -> Iterator[ApiFinding]:
        return self._all("/findings", "findings", ApiFinding, query)

    def repositories(self, **query: str | int) -> Iterator[ApiRepository]:
        return self._all("/repositories", "repositories", ApiRepository, query)

    def memory(self, **query: str | int) -> Iterator[ApiLesson]:
        return self._all("/memory", "memory", ApiLesson, query)

    def hosts(self) -> list[ApiHost]:
        return msgspec.convert(self._asked("GET", "/hosts")["hosts"], list[ApiHost])

    def settings(self, repo: str) -> dict[str, Any]:
        """What is stored for a repository; 404 where nothing is."""
        return self._asked("GET", _settings(repo))

    def change_settings(self, repo: str, **changed: Any) -> dict[str, Any]:
        """Sets some, as in `**{"review.auto": False}`, and takes those away that are None."""
        return self._asked("PATCH", _settings(repo), changed)

    def analyze(self, repo: str, pr: int, focus: tuple[str, ...] = ()) -> int:
        """Has a pull request reviewed; the run that does it."""
        return self._begun("/agents/review/analyze", {"repo": repo, "pr": pr, "focus": list(focus)})

    def triage(self, repo: str, issue: int, auto_comment: bool = False) -> int:
        return self._begun(
            "/agents/issue/triage", {"repo": repo, "issue": issue, "auto_comment": auto_comment}
        )

    def implement(self, repo: str, issue: int, context: str = "") -> int:
        return self._begun("/agents/code/implement", {"repo": repo, "issue": issue, "context": context})

    def retry(self, number: int) -> None:
        """Tries a dead run again; 409 for any other."""
        self._asked("POST", f"/runs/{number}/retry")

    def cancel(self, number: int) -> None:
        self._asked("POST", f"/runs/{number}/cancel")

    def _begun(self, path: str, given: Mapping[str, Any]) -> int:
        return int(self._asked("POST", path, given)["run"])

    def _all(self, path: str, name: str, kind: type[T], query: Mapping[str, str | int]) -> Iterator[T]:
        before: str | None = ""
        while before is not None:
            more = {"before": before} if before else {}
            page = self._asked("GET", f"{path}?{urlencode({**query, **more})}")
            yield from msgspec.convert(page[name], list[kind])  # type: ignore[valid-type]
            before = page["next"]

    def _asked(self, method: str, path: str, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        body = None if given is None else json.dumps(given).encode()
        if body is not None:
            headers["Content-Type"] = "application/json"
        request = Request(self.url + path, body, headers, method=method)  # noqa: S310  http or https
        try:
            with urlopen(request, timeout=self.timeout) as answer:  # noqa: S310
                return _object(answer.status, answer.read(MOST_BYTES + 1))
        except HTTPError as wrong:
            with wrong:
                try:
                    detail = _object(wrong.code, wrong.read(MOST_BYTES + 1)).get("detail")
                except ApiRefused:
                    detail = wrong.reason
            raise ApiRefused(wrong.code, str(detail)[:2_000]) from None


def _object(status: int, body: bytes) -> dict[str, Any]:
    if len(body) > MOST_BYTES:
        raise ApiRefused(status, f"the answer is longer than {MOST_BYTES >> 20} MB")
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise ApiRefused(status, "the answer is not JSON: is this Hob's address?") from None
    if not isinstance(found, dict):
        raise ApiRefused(status, "the answer is no JSON object: is this Hob's address?")
    return found


def _settings(repo: str) -> str:
    owner, _, name = repo.partition("/")
    return f"/settings/repos/{quote(owner, safe='')}/{quote(name, safe='')}"
