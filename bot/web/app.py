"""Composes the HTTP face: two hot routes in plain ASGI, the rest in Starlette behind the guard."""

from collections.abc import Callable, Mapping, Sequence

from starlette.applications import Starlette
from starlette.datastructures import State
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.core.errors import TemporaryError
from bot.core.hosts import Host
from bot.store import Store
from bot.web import agents, chat, metrics, openapi, pages, settings
from bot.web.body import drain
from bot.web.guard import AccessGuard
from bot.web.pages.html import refusal_page, wants_html
from bot.web.ready import Readiness
from bot.web.responses import PROBLEM, answer, finish, problem
from bot.web.session import Sessions
from bot.web.webhook import CLOSE, Receiver


class WebApp:
    """The ASGI application. /webhook and /healthz meet no middleware; everything else meets the guard."""

    def __init__(self, receiver: Receiver | None, rest: ASGIApp, state: State) -> None:
        self.receiver, self.rest, self.state = receiver, rest, state

    def wake_by(self, ring: Callable[[], None]) -> None:
        """`ring` tells the workers that something came in, and must not wait."""
        self.state.wake = ring
        if self.receiver:
            self.receiver.wake = ring

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path")
        if path == "/webhook":
            await (self.receiver or _not_received)(scope, receive, send)
        elif path == "/healthz":
            await answer(send, 200, b"ok\n", b"text/plain")
        else:
            await self.rest(scope, receive, send)


async def _not_received(scope: Scope, receive: Receive, send: Send) -> None:
    """The body is not read."""
    told = 'no webhook is taken here: intake.mode is "poll", deliveries are read from GitHub'
    await answer(send, 404, problem(404, told), PROBLEM, CLOSE, more=True)
    await drain(receive)
    await finish(send)


def create_app(
    *,
    receiver: Receiver | None,
    store: Store,
    token: str,
    tokens: Callable[[], Sequence[str]] | None = None,
    hosts: frozenset[str],
    readiness: Readiness,
    queue_lengths: metrics.QueueLengths,
    public_url: str = "",
    site: str = "https://github.com",
    slug: str = "",
    places: metrics.Places | None = None,
    refuse_setting: settings.Refuse = lambda _key, _value: "",
    ask: chat.ChatPort | None = None,
    requests: agents.AgentsPort | None = None,
    model_hosts: Sequence[Host] = (),
    budget: tuple[float, int] = (0.0, 0),
) -> WebApp:
    """`receiver`: None where no webhook is taken. `hosts` are the names under which this server may be asked
    (`guard.allowed_hosts`). `site` is where people look at GitHub, `slug` the App's name there;
    `refuse_setting` says why this process does not allow a setting; `ask` answers questions, and `requests`
    takes what workers are to do, where this process can; `budget` is what online models may take in a day, US
    dollars and tokens."""
    rest = Starlette(
        routes=[
            *pages.ROUTES,
            Route("/readyz", readyz, methods=["GET"]),
            Route("/metrics", metrics.show, methods=["GET"]),
            Route("/openapi.json", openapi.show, methods=["GET"]),
            Route("/agents/chat", chat.answer, methods=["POST"]),
            Route("/agents/code/implement", agents.implement, methods=["POST"]),
            Route("/agents/issue/triage", agents.triage, methods=["POST"]),
            Route("/agents/review/analyze", agents.analyze, methods=["POST"]),
            *settings.routes(),
        ],
        exception_handlers={HTTPException: _refused, TemporaryError: _unavailable, Exception: _broken},
    )
    rest.state.receiver = receiver
    rest.state.wake = receiver.wake if receiver else lambda: None
    rest.state.store = store
    rest.state.sessions = Sessions(token, tokens)
    rest.state.readiness = readiness
    rest.state.queue_lengths = queue_lengths
    rest.state.public_url = public_url
    rest.state.site = site
    rest.state.slug = slug
    rest.state.places = places
    rest.state.refuse_setting = refuse_setting
    rest.state.agents = requests
    rest.state.hosts = tuple(model_hosts)
    rest.state.online = frozenset(host.name for host in model_hosts if host.online)
    rest.state.budget = budget
    rest.state.talks = chat.Talks(ask) if ask else None
    return WebApp(receiver, AccessGuard(rest, rest.state.sessions, hosts), rest.state)


async def readyz(request: Request) -> Response:
    """200 when deliveries are taken and worked on."""
    readiness: Readiness = request.app.state.readiness
    lines = await readiness.lines()
    ready = readiness.ready(lines)
    body = {name: {"ok": line.ok, "detail": line.detail} for name, line in lines.items()}
    return JSONResponse({"ready": ready, "components": body}, status_code=200 if ready else 503)


def _problem(
    request: Request, status: int, detail: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Why there is no answer: a page for a browser, a problem for a program."""
    if wants_html(request):
        signed_in = getattr(request.state, "signed_in", False)
        page = refusal_page(status, detail, request.headers, request if signed_in else None)
        page.headers.update(headers or {})
        return page
    return Response(problem(status, detail), status, headers, media_type="application/problem+json")


async def _refused(request: Request, wrong: Exception) -> Response:
    if not isinstance(wrong, HTTPException):
        raise wrong
    return _problem(request, wrong.status_code, str(wrong.detail), wrong.headers)


async def _unavailable(request: Request, wrong: Exception) -> Response:
    return _problem(request, 503, "the store does not answer now", {"retry-after": "10"})


async def _broken(request: Request, wrong: Exception) -> Response:
    return _problem(request, 500, "something went wrong here; the log says what")
