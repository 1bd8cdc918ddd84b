"""The gate before every page but /webhook and /healthz: foreign `Host`, missing token, foreign origin."""

from collections.abc import Callable, Iterable
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.web.responses import PROBLEM, answer, problem
from bot.web.session import WINDOW, Sessions

LOOPBACK = ("localhost", "127.0.0.1", "::1")
OPEN = ("/login", "/login/link", "/static/hob.css")
"""What a browser needs before it is signed in to the dashboard."""
SAFE = ("GET", "HEAD", "OPTIONS")
BACK = "hob_back"
"""A cookie: the page to which a browser was going when it was asked to sign in, percent-encoded."""
MOST_BACK = 1000


def security(form_target: str = "") -> tuple[tuple[bytes, bytes], ...]:
    """Headers of every page. `form_target`: an origin that forms may be sent to beside our own; such a page
    has no script."""
    scripts = "" if form_target else "script-src 'self'; connect-src 'self'; "
    target = f"'self' {form_target}".rstrip()
    policy = (
        f"default-src 'none'; {scripts}style-src 'self'; img-src 'self'; "
        f"form-action {target}; frame-ancestors 'none'; base-uri 'none'"
    )
    return (
        (b"content-security-policy", policy.encode()),
        (b"x-content-type-options", b"nosniff"),
        (
            b"referrer-policy",
            b"same-origin",
        ),  # under no-referrer, browsers send our own forms with `Origin: null`
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
    )


SECURITY = security()


_EXTRA: dict[int, tuple[tuple[bytes, bytes], ...]] = {
    401: ((b"www-authenticate", b'Bearer realm="hob"'),),
    429: ((b"retry-after", str(int(WINDOW)).encode()),),
}


def allowed_hosts(host: str, public_url: str) -> frozenset[str]:
    """The names under which this server may be asked."""
    public = urlsplit(public_url).hostname
    own = () if host in ("0.0.0.0", "::", "") else (host.lower(),)  # noqa: S104  compared, not bound
    return frozenset((*LOOPBACK, *own, *((public,) if public else ())))


class AccessGuard:
    """ASGI middleware. Sets `scope["state"]["signed_in"]`; pages decide by it what a stranger sees.
    `open_paths`: what a browser needs before it is signed in; `form_target`: as in `security`, now."""

    def __init__(
        self,
        app: ASGIApp,
        sessions: Sessions,
        hosts: Iterable[str],
        *,
        open_paths: Iterable[str] = OPEN,
        form_target: Callable[[], str] = str,
    ) -> None:
        self.app, self.sessions, self.hosts = app, sessions, frozenset(hosts)
        self.open_paths, self.form_target = frozenset(open_paths), form_target

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = Headers(scope=scope)
        status, detail = self._verdict(scope, headers)
        if status:
            await _refuse(send, scope, headers, status, detail)
            return
        await self.app(scope, receive, self._with_security(send))

    def _verdict(self, scope: Scope, headers: Headers) -> tuple[int, str]:
        """(0, "") when the request may pass."""
        names = headers.getlist("host")
        if len(names) != 1 or hostname(names[0]) not in self.hosts:
            return 421, "not known by this name; set server.public_url to the address that browsers use"
        given = _bearer(headers)
        client = scope.get("client")
        address = str(client[0]) if client else ""
        if given and self.sessions.wait(address):
            return 429, "too many wrong tokens came from this address; try again in a minute"
        bearer = bool(given) and self.sessions.is_token(given)
        if given and not bearer:
            self.sessions.failed(address)
        cookie = self._cookie(headers)
        signed_in = bearer or self.sessions.holds(cookie)
        scope["state"] = {**scope.get("state", {}), "signed_in": signed_in, "cookie": cookie}
        if scope["method"] not in SAFE and not bearer and not self._same_origin(headers, names[0]):
            return 403, "asked from another site"
        if not signed_in and scope["path"] != "/" and scope["path"] not in self.open_paths:
            return 401, "send the API token (Authorization: Bearer …) or sign in at /"
        return 0, ""

    def _with_security(self, send: Send) -> Send:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                target = self.form_target()
                headers = security(target) if target else SECURITY
                message["headers"] = [*message.get("headers", ()), *headers]
            await send(message)

        return sending

    def _same_origin(self, headers: Headers, host: str) -> bool:
        """Whether a browser says that our own page sends this. `Sec-Fetch-Site`, which no page can set, holds
        behind a proxy that changes `Host` too; browsers leave it out where they are on plain HTTP, then
        `Origin` has to be us. One that says nothing is believed only without a cookie, for then it acts for
        nobody."""
        origin = headers.get("origin", "")
        if site := headers.get("sec-fetch-site"):
            ours = origin in ("", "null") or hostname(_netloc(origin)) in self.hosts
            return site == "same-origin" and ours
        if origin:
            return _netloc(origin) == host.lower()
        return not self._cookie(headers)

    def _cookie(self, headers: Headers) -> str:
        """Our cookie's value, or an empty string. Whatever else runs on this machine may have set odd ones
        beside it, which are passed over (Python's own reader gives up at the first)."""
        sent = cookie_parser(headers.get("cookie", ""))
        return next(iter(self.sessions.ours(sent).values()), "")


async def _refuse(send: Send, scope: Scope, headers: Headers, status: int, detail: str) -> None:
    """A page for a person, who is led to the form in which to sign in, and back again."""
    from bot.web.pages.html import refusal_page

    extra = _EXTRA.get(status, ())
    body, kind = problem(status, detail), PROBLEM
    if _is_a_person(headers):
        if status == 401 and scope["method"] == "GET":
            status, extra = 303, ((b"location", b"/"), (b"set-cookie", _way_back(scope)))
        else:
            said = "nothing was changed; sign in, and do it again" if status == 401 else detail
            body, kind = bytes(refusal_page(status, said, headers).body), b"text/html; charset=utf-8"
    await answer(send, status, body, kind, (*SECURITY, *extra))


def _is_a_person(headers: Headers) -> bool:
    """Whether a browser asks; a program that has a token says so."""
    return "text/html" in headers.get("accept", "") and "authorization" not in headers


def _way_back(scope: Scope) -> bytes:
    """A cookie for `BACK`."""
    query = scope.get("query_string", b"").decode("latin-1")
    asked = f"{quote(scope['path'])}{'?' if query else ''}{query}"
    value = quote(asked if len(asked) <= MOST_BACK else "/", safe="")
    name = back_name(Headers(scope=scope))
    return f"{name}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=600".encode()


def back_name(headers: Headers) -> str:
    """`BACK` of this port: at the next there may be another Hob, which has other pages."""
    host, _, port = headers.get("host", "").rpartition(":")
    return f"{BACK}_{port}" if host and port.isascii() and port.isdecimal() else BACK


def _bearer(headers: Headers) -> str:
    """The token that is given in `Authorization`; empty where there is none."""
    kind, _, given = headers.get("authorization", "").partition(" ")
    return given.strip() if kind.lower() == "bearer" else ""


def hostname(value: str) -> str:
    """The name in a Host header, without its port, in lower case; empty when it is none."""
    try:
        return urlsplit(f"//{value}").hostname or ""
    except ValueError:
        return ""


def _netloc(origin: str) -> str:
    """Host and port of an Origin header in lower case; empty when it is none."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""
