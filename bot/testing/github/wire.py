"""A request, an answer, a refusal, and the table that leads from one to the other."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlencode

from bot.testing.github.installations import Token
from bot.testing.github.pulls import PullRequest
from bot.testing.github.repository import Repository
from bot.testing.github.state import State
from bot.testing.github.world import App, User

DOCS = "https://docs.github.com/rest"
T = TypeVar("T")


@dataclass(frozen=True)
class RestResponse:
    """`json` None: no body, unless `raw` has one."""

    status: int
    json: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None

    @property
    def body(self) -> bytes:
        if self.raw is not None:
            return self.raw
        return (
            b""
            if self.json is None
            else json.dumps(self.json, ensure_ascii=False, separators=(",", ":")).encode()
        )


class RestRefusal(Exception):
    """An error answer in GitHub's form; `errors` where the form has them."""

    def __init__(self, status: int, message: str, errors: Sequence[Any] = (), **headers: str) -> None:
        super().__init__(message)
        self.status, self.message, self.errors, self.headers = status, message, errors, headers

    def answer(self) -> RestResponse:
        body: dict[str, Any] = {"message": self.message}
        if self.errors:
            body["errors"] = list(self.errors)
        body |= {"documentation_url": DOCS, "status": str(self.status)}
        return RestResponse(
            self.status, body, {name.replace("_", "-"): value for name, value in self.headers.items()}
        )


def not_found() -> RestRefusal:
    return RestRefusal(404, "Not Found")


def invalid(resource: str, field_name: str, message: str, code: str = "custom") -> RestRefusal:
    """A 422 that names its field."""
    error = {"resource": resource, "code": code, "field": field_name, "message": message}
    return RestRefusal(422, "Validation Failed", [error])


@dataclass
class RestCall:
    """One request to a route. `root` is the URL that its path hangs on."""

    state: State
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    root: str
    params: dict[str, str] = field(default_factory=dict)
    token: Token | None = None
    route: "RestRoute | None" = None

    @property
    def app(self) -> App:
        """The App whose token calls."""
        assert self.token is not None
        return self.token.installation.app

    @property
    def caller(self) -> User:
        """In whose name it writes: the App's bot."""
        return self.app.bot

    def json(self) -> dict[str, Any]:
        """The body as an object; an empty body is an empty object."""
        decoded = self.any_json()
        if not isinstance(decoded, dict):
            raise RestRefusal(422, "Invalid request.\n\nFor 'links/0/schema', the body is not an object.")
        return decoded

    def any_json(self) -> Any:
        try:
            return json.loads(self.body) if self.body.strip() else {}
        except ValueError:
            raise RestRefusal(400, "Problems parsing JSON") from None

    def number(self, name: str) -> int:
        return int(self.params[name])

    def text(self, name: str, *, required: bool = False) -> str:
        """A string of the body; 422 for another type, or when it is missing though required."""
        value = self.json().get(name)
        if value is None and not required:
            return ""
        if not isinstance(value, str) or (required and not value):
            raise RestRefusal(
                422,
                f'Invalid request.\n\n"{name}" wasn\'t supplied.'
                if value is None
                else f"{name} is not a string.",
            )
        return value

    def repo(self) -> Repository:
        found = self.state.repositories.get(f"{self.params['owner']}/{self.params['repo']}".lower())
        if found is None:
            raise not_found()
        return found

    def pull(self) -> PullRequest:
        found = self.repo().issues.get(self.number("number"))
        if not isinstance(found, PullRequest):
            raise not_found()
        return found

    def page(self, items: Sequence[T], shape: Callable[[T], Any], *, most: int = 100) -> RestResponse:
        """One page with its Link header. https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api"""
        shown, headers = self.cut(items, most=most)
        return RestResponse(200, [shape(item) for item in shown], headers)

    def cut(self, items: Sequence[T], *, most: int = 100) -> tuple[Sequence[T], dict[str, str]]:
        size = min(max(self._whole("per_page", 30), 1), most)
        page = max(self._whole("page", 1), 1)
        last = max(-(-len(items) // size), 1)
        links = []
        for relation, target in (("prev", page - 1), ("next", page + 1), ("last", last), ("first", 1)):
            backward = relation in ("prev", "first")
            if (backward and page > 1) or (not backward and page < last):
                query = urlencode({**self.query, "page": target})
                links.append(f'<{self.root}{self.path}?{query}>; rel="{relation}"')
        return items[(page - 1) * size : page * size], {"Link": ", ".join(links)} if links else {}

    def _whole(self, name: str, default: int) -> int:
        text = self.query.get(name, "")
        return int(text) if text.isdigit() else default


RestHandler = Callable[[RestCall], RestResponse]


@dataclass(frozen=True)
class RestRoute:
    """`needs`: the permissions of which one suffices, as
    `name:level`; `app`: called with the App's JWT; `anyone`: without any proof; else: any valid token."""

    method: str
    path: str
    pattern: re.Pattern[str]
    handler: RestHandler
    needs: tuple[str, ...] = ()
    app: bool = False
    anyone: bool = False


ROUTES: list[RestRoute] = []


def route(
    method: str, path: str, *needs: str, app: bool = False, anyone: bool = False
) -> Callable[[RestHandler], RestHandler]:
    """Registers a handler. `{number}`, `{id}`, `{other}` take digits, `{path}`, `{ref}`, `{name}` (of a
    label) slashes too."""

    def register(handler: RestHandler) -> RestHandler:
        kinds = dict.fromkeys(("basehead", "ref", "name"), ".+") | {"path": ".*"}
        kinds |= dict.fromkeys(("number", "id", "other"), r"\d+")
        pattern = re.sub(r"\{(\w+)\}", lambda name: f"(?P<{name[1]}>{kinds.get(name[1], '[^/]+')})", path)
        ROUTES.append(RestRoute(method, path, re.compile(pattern), handler, needs, app, anyone))
        return handler

    return register


def match(method: str, path: str) -> tuple[RestRoute, dict[str, str]] | None:
    """The route of a request and the parameters in its path; of several, the one written longest."""
    found = [
        (candidate, hit.groupdict())
        for candidate in ROUTES
        if candidate.method == method and (hit := candidate.pattern.fullmatch(path))
    ]
    return max(found, key=lambda pair: len(pair[0].path), default=None)
