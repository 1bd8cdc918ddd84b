"""The dashboard at `/`: signing in with the API token, and tables of what Hob does. No script runs in it."""

from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.store.stats import arrivals
from bot.web.model_stats import compare
from bot.web.runs import as_json, show_run, when, whole_run
from bot.web.session import COOKIE, LIFETIME, Sessions

HERE = Path(__file__).parent
MOST_FORM_BYTES = 4096
OFTEN = "reconcile"
"""A handler whose rounds would crowd out all else; what they found has a line of its own."""


@cache
def _pages() -> Any:
    """Templates; jinja2 is imported by the first page that is looked at."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _stylesheet() -> bytes:
    return (HERE / "static" / "hob.css").read_bytes()


async def stylesheet(request: Request) -> Response:
    return Response(_stylesheet(), media_type="text/css", headers={"cache-control": "max-age=3600"})


async def home(request: Request) -> Response:
    """The tables, or for a stranger the sign-in form with 401."""
    if not request.state.signed_in:
        return _login_page(401)
    store = request.app.state.store
    runs = await run_in_threadpool(partial(store.runs.latest, 50, unless_done=OFTEN))
    deliveries = await run_in_threadpool(arrivals, store.database, 50)
    lines = await request.app.state.readiness.lines()
    page = rendered(
        "home.html",
        runs=[as_json(run) for run in runs],
        deliveries=[(delivery, when(delivery.received_at)) for delivery in deliveries],
        lines=lines,
        ready=request.app.state.readiness.ready(lines),
        models=compare(await run_in_threadpool(store.calls.totals)),
    )
    sessions: Sessions = request.app.state.sessions
    if (
        request.state.cookie
        and sessions.holds(request.state.cookie)
        and sessions.is_old(request.state.cookie)
    ):
        _set_cookie(request, page, sessions.issue())
    return page


async def run(request: Request) -> Response:
    """One run: a page for a browser, JSON for a program."""
    if "text/html" not in request.headers.get("accept", ""):
        return await show_run(request)
    return rendered("run.html", run=await whole_run(request))


async def show_app(request: Request) -> Response:
    """Which App this is, and where it is put on further repositories. Its keys are long stored."""
    site, slug = request.app.state.site, request.app.state.slug
    page = f"{site}/{'apps' if site == 'https://github.com' else 'github-apps'}/{slug}"
    app = {"slug": slug, "html_url": page}
    return rendered("setup_made.html", app=app, install=f"{page}/installations/new", news=[], running=True)


async def login(request: Request) -> Response:
    """The form's target. A right token is answered with a new cookie, whatever cookie came with it."""
    sessions: Sessions = request.app.state.sessions
    address = request.client.host if request.client else ""
    if wait := sessions.wait(address):
        page = _login_page(429, f"Too many wrong tokens. Try again in {wait} s.")
        page.headers["retry-after"] = str(wait)
        return page
    if not sessions.is_token((await form_fields(request)).get("token", "").strip()):
        sessions.failed(address)
        return _login_page(401, "That is not the token.")
    answer = RedirectResponse("/", status_code=303)
    _set_cookie(request, answer, sessions.issue())
    return answer


async def logout(request: Request) -> Response:
    """Takes the cookie away."""
    answer = RedirectResponse("/", status_code=303)
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return answer


ROUTES = (
    Route("/", home, methods=["GET"]),
    Route("/runs/{id}", run, methods=["GET"]),
    Route("/setup", show_app, methods=["GET"]),
    Route("/login", login, methods=["POST"]),
    Route("/logout", logout, methods=["POST"]),
    Route("/static/hob.css", stylesheet, methods=["GET"]),
)


def _login_page(status: int, complaint: str = "") -> HTMLResponse:
    page = rendered("login.html", complaint=complaint)
    page.status_code = status
    return page


def rendered(name: str, **values: Any) -> HTMLResponse:
    """A page of a template."""
    html = _pages().get_template(name).render(values)
    return HTMLResponse(html.encode("utf-8", "replace"), headers={"cache-control": "no-store"})


def _set_cookie(request: Request, answer: Response, value: str) -> None:
    public = urlsplit(request.app.state.public_url)
    secure = public.scheme == "https" and request.url.hostname == public.hostname
    answer.set_cookie(COOKIE, value, max_age=LIFETIME, httponly=True, samesite="strict", secure=secure)


async def form_fields(request: Request, most_bytes: int = MOST_FORM_BYTES) -> dict[str, str]:
    """The fields of an urlencoded form, each once; empty where it is longer than so many bytes."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > most_bytes:
            return {}
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[0] for name, values in fields.items()}
