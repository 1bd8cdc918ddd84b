"""Signing in with the API token, or by a link that was printed where Hob was started, and out again."""

from collections.abc import Awaitable, Callable
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.web.guard import back_name
from bot.web.pages.html import form_fields, own_path, rendered, script, set_cookie, stylesheet
from bot.web.session import Sessions

FORM = "login.html"
LINK = "/login/link"


async def by_token(request: Request) -> Response:
    """The form's target. A right token is answered with a new cookie, whatever cookie came with it."""
    sessions: Sessions = request.app.state.sessions

    async def knows() -> bool:
        return sessions.is_token((await form_fields(request)).get("token", "").strip())

    return await _let_in(request, knows, "That is not the token.")


async def by_link(request: Request) -> Response:
    """A link works once and for some minutes."""
    sessions: Sessions = request.app.state.sessions

    async def redeems() -> bool:
        return sessions.redeems(request.query_params.get("ticket", ""))

    return await _let_in(request, redeems, "That link was used, or is too old. The token signs you in.")


async def _let_in(request: Request, knows: Callable[[], Awaitable[bool]], complaint: str) -> Response:
    """Whoever has guessed too often is not listened to."""
    sessions: Sessions = request.app.state.sessions
    address = request.client.host if request.client else ""
    if wait := sessions.wait(address):
        return _too_many(wait)
    if not await knows():
        sessions.failed(address)
        return login_page(401, complaint)
    name = back_name(request.headers)
    back = request.cookies.get(name, "")
    answer = RedirectResponse(own_path(unquote(back)), status_code=303)
    set_cookie(request, answer, sessions.issue())
    if back:
        answer.delete_cookie(name, httponly=True, samesite="strict")
    return answer


def link_of(sessions: Sessions) -> str:
    """The path of a new one."""
    return f"{LINK}?ticket={sessions.ticket()}"


async def logout(request: Request) -> Response:
    """Takes the cookie away, under whatever name it came."""
    sessions: Sessions = request.app.state.sessions
    answer = RedirectResponse("/", status_code=303)
    for name, value in sessions.ours(request.cookies).items():
        if sessions.holds(value):
            answer.delete_cookie(name, httponly=True, samesite="strict")
    return answer


ROUTES = (
    Route("/login", by_token, methods=["POST"]),
    Route(LINK, by_link, methods=["GET"]),
    Route("/logout", logout, methods=["POST"]),
    Route("/static/hob.css", stylesheet, methods=["GET"]),
    Route("/static/hob.js", script, methods=["GET"]),
)


def login_page(status: int, complaint: str = "") -> HTMLResponse:
    """The form."""
    page = rendered(FORM, complaint=complaint)
    page.status_code = status
    return page


def _too_many(wait: int) -> HTMLResponse:
    page = login_page(429, f"Too many wrong tokens. Try again in {wait} s.")
    page.headers["retry-after"] = str(wait)
    return page
