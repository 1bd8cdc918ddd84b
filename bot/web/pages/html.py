"""Templates made into pages, with times, durations and counts as people say them."""

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from bot.core.json_text import is_json
from bot.web.session import LIFETIME, Sessions

WEB = Path(__file__).parents[1]
MOST_FORM_BYTES = 4096
DEAD = "/runs?state=dead&internal=true"
NAVIGATION = (
    ("/", "Now"),
    ("/pulls", "Pull requests"),
    ("/issues", "Issues"),
    ("/findings", "Findings"),
    ("/runs", "Runs"),
    (DEAD, "Dead letters"),
    ("/drafts", "Drafts"),
    ("/memory", "Memory"),
    ("/repositories", "Repositories"),
    ("/hosts", "Hosts"),
    ("/deliveries", "Deliveries"),
    ("/budget", "Budget"),
    ("/setup", "App"),
)
HEADINGS = {
    400: "That is not understood",
    401: "You are signed out",
    403: "That is refused",
    404: "There is no such page",
    409: "That cannot be done now",
    413: "That is too long",
    422: "That is not understood",
    429: "Too often",
    500: "Something went wrong",
    503: "Not now",
}
"""What a page says that only tells why there is none."""
_UNITS = ((86_400.0, "day"), (3_600.0, "hour"), (60.0, "minute"))


@cache
def _pages() -> Any:
    """Templates; jinja2 is imported by the first page that is looked at."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(WEB / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"age": age, "lasted": lasted, "thousands": thousands, "number_of": number_of}
    made.filters |= {"field_text": field_text, "code_marked": code_marked}
    return made


@cache
def _static(name: str) -> bytes:
    return (WEB / "static" / name).read_bytes()


async def stylesheet(request: Request) -> Response:
    return Response(_static("hob.css"), media_type="text/css", headers={"cache-control": "max-age=3600"})


async def script(request: Request) -> Response:
    """Renews the live parts of a page; every page can be read without it."""
    kind = "text/javascript"
    return Response(_static("hob.js"), media_type=kind, headers={"cache-control": "max-age=3600"})


def rendered(template: str, request: Request | None = None, /, **values: Any) -> HTMLResponse:
    """A page of a template; with a request as one of the pages that lead to each other, which keep a session
    alive."""
    path = request.url.path if request else ""
    asked = dict(request.query_params) if request else {}
    about = {"navigation": NAVIGATION if request else (), "query": asked, "link": _link(asked)}
    about["current"] = (
        DEAD if path == "/runs" and asked.get("state") == "dead" else f"/{path[1:].partition('/')[0]}"
    )
    html = _pages().get_template(template).render({**about, **values})
    page = HTMLResponse(html.encode("utf-8", "replace"), headers={"cache-control": "no-store"})
    if request:
        _renew(request, page)
    return page


def _renew(request: Request, answer: Response) -> None:
    """A newer cookie for whoever has had one for a while."""
    sessions: Sessions = request.app.state.sessions
    cookie = request.state.cookie
    if cookie and sessions.holds(cookie) and sessions.is_old(cookie):
        set_cookie(request, answer, sessions.issue())


def set_cookie(request: Request, answer: Response, value: str) -> None:
    public = urlsplit(request.app.state.public_url)
    secure = public.scheme == "https" and request.url.hostname == public.hostname
    name = request.app.state.sessions.cookie
    answer.set_cookie(name, value, max_age=LIFETIME, httponly=True, samesite="strict", secure=secure)


def refusal_page(status: int, detail: str, headers: Headers, request: Request | None = None) -> HTMLResponse:
    """A page that says why there is no other, and leads back to where its reader was; with a request among
    the pages that lead to each other."""
    phrase = HTTPStatus(status).phrase
    said = "" if detail == phrase else detail
    pressed = status == 404 and request is not None and request.method != "GET"
    heading = HEADINGS.get(409 if pressed else status, phrase)
    page = rendered("refused.html", request, heading=heading, said=said, back=came_from(headers))
    page.status_code = status
    return page


def came_from(headers: Headers) -> str:
    """The page of ours that led here, as a path; else the first one."""
    try:
        came = urlsplit(headers.get("referer", ""))
    except ValueError:
        return "/"
    ours = came.netloc and came.netloc == headers.get("host")
    return own_path(came._replace(scheme="", netloc="").geturl()) if ours else "/"


def own_path(said: str) -> str:
    """A path of this server, `/` where it would lead elsewhere: browsers read `//a` and `/\\a` as hosts."""
    ours = said.startswith("/") and said[1:2] not in ("/", "\\") and said.isascii() and said.isprintable()
    return said if ours else "/"


def wants_html(request: Request) -> bool:
    """Whether a browser asks, and no program."""
    return "text/html" in request.headers.get("accept", "")


async def form_fields(request: Request, most_bytes: int = MOST_FORM_BYTES) -> dict[str, str]:
    """The fields of an urlencoded form, each once; empty where it is longer than so many bytes."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > most_bytes:
            return {}
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[0] for name, values in fields.items()}


def _link(asked: Mapping[str, str]) -> Any:
    """`link(before=3)`: the address of this page with that changed; an empty value is left out."""

    def link(**changed: object) -> str:
        kept = {name: value for name, value in asked.items() if name != "told"}
        values = {**kept, **{name: str(value) for name, value in changed.items()}}
        return "?" + urlencode({name: value for name, value in values.items() if value})

    return link


def age(iso: str | None) -> str:
    """How long ago a time in ISO 8601 was, or when it will be."""
    if not iso:
        return ""
    seconds = time.time() - datetime.fromisoformat(iso).astimezone(UTC).timestamp()
    said = _about(abs(seconds))
    if not said:
        return "just now"
    return f"{said} ago" if seconds > 0 else f"in {said}"


def lasted(seconds: float | None) -> str:
    """A span as people say it: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`."""
    if seconds is None:
        return ""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def thousands(number: float) -> str:
    """12,345"""
    return f"{number:,.0f}"


def field_text(value: object) -> str:
    """A setting's value as a person writes it into a field: words bare, a list of words with commas, all else
    as JSON. Unlike `tojson`, whose quotes end an attribute, it is escaped like any text."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        joined = ", ".join(value)
        if [one.strip() for one in joined.split(",")] == value and not is_json(joined):
            return joined
    return json.dumps(value, ensure_ascii=False)


def code_marked(text: str) -> Any:
    """Words of Hob's own, with what stands between backticks as code."""
    from markupsafe import Markup, escape

    parts = enumerate(text.split("`"))
    return Markup().join(Markup("<code>{}</code>").format(one) if n % 2 else escape(one) for n, one in parts)


def number_of(count: int, noun: str) -> str:
    """1 finding, 2 findings"""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def _about(seconds: float) -> str:
    """Empty below five seconds."""
    if seconds < 5:
        return ""
    if seconds < 60:
        return f"{seconds:.0f} seconds"
    unit, name = next((unit, name) for unit, name in _UNITS if seconds >= unit)
    return number_of(int(seconds // unit), name)
