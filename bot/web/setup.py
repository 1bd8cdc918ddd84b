"""The pages of `hob setup`, on loopback: what a person decides, the form that GitHub gets, and where GitHub
leads back to. No script runs in them.

Who may in: a browser that was given the one-time link gets a cookie for it. GitHub's way back is known by its
`state`, which only such a browser has seen.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from hmac import compare_digest
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from bot.core.errors import ConfigError, TemporaryError, UserError
from bot.github.manifest import MEANS
from bot.github.registration import (
    LONGEST_NAME,
    AppRequest,
    RegisteredApp,
    api_of,
    convert,
    form_address,
    form_manifest,
    install_address,
    permissions_of,
)
from bot.github.site import site_of
from bot.web.guard import AccessGuard
from bot.web.pages.html import form_fields, rendered, stylesheet
from bot.web.session import LIFETIME, Sessions

HOST = "127.0.0.1"
BACK = "/setup/created"
"""Where GitHub leads back to, with `code` and `state`."""
STATE_SECONDS = 3600.0
"""As long as GitHub keeps a code."""
MOST_STATES = 50


@dataclass(frozen=True, slots=True)
class SetupRequest:
    """What a person has decided so far. `pull`: the model may be fetched."""

    app: AppRequest
    api_url: str
    pull: bool = True

    @property
    def site(self) -> str:
        return site_of(self.api_url)


@dataclass(slots=True)
class PendingStates:
    """States that GitHub may bring back: each once, and within an hour. `clock`: seconds since 1970."""

    clock: Callable[[], float] = time.time
    _issued: list[tuple[str, float, SetupRequest]] = field(default_factory=list)

    def issue(self, asked: SetupRequest) -> str:
        state = secrets.token_urlsafe(32)
        self.put(state, asked, self.clock() + STATE_SECONDS)
        return state

    def put(self, state: str, asked: SetupRequest, until: float) -> None:
        """One that was issued elsewhere, or is given back."""
        self._issued = [*self._issued, (state, until, asked)][-MOST_STATES:]

    def claim(self, given: str) -> SetupRequest | None:
        """What was asked with a state, which is used up by that; None for one that is not ours or over."""
        sent = given.encode("utf-8", "replace")
        same = [each for each in self._issued if compare_digest(each[0].encode(), sent)]
        self._issued = [each for each in self._issued if each not in same]
        return next((asked for _, until, asked in same if until > self.clock()), None)


Keep = Callable[[RegisteredApp, SetupRequest], Awaitable[None]]
"""Writes an App's credentials down; ConfigError."""


@dataclass(slots=True)
class Registration:
    """From a state and a code to an App whose credentials are on disk, one at a time and once."""

    keep: Keep
    states: PendingStates = field(default_factory=PendingStates)
    made: RegisteredApp | None = None
    asked: SetupRequest | None = None
    done: asyncio.Event = field(default_factory=asyncio.Event)
    _unkept: RegisteredApp | None = None
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def finish(self, state: str, code: str) -> RegisteredApp:
        """UserError: refused, for good. TemporaryError: the same may be sent again."""
        async with self._one:
            if self.made:
                raise UserError(f"Hob has its App already: {self.made.slug}", "nothing was changed")
            asked = self.states.claim(state)
            if asked is None:
                raise UserError(
                    "this does not come from this setup, or is older than an hour, and nothing was done",
                    "begin on the page that `hob setup` opened",
                )
            try:
                app = self._unkept or await convert(asked.api_url, asked.site, code)
                self._unkept = app
                await self.keep(app, asked)
            except (TemporaryError, ConfigError):
                self.states.put(state, asked, self.states.clock() + STATE_SECONDS)
                raise
            self.made, self.asked, self._unkept = app, asked, None
            self.done.set()
            return app


@dataclass(slots=True)
class SetupPages:
    """What the pages show. `token` opens them once; `model`: words on the model that would be used, and
    `download`: on what fetching it takes, empty where nothing is fetched; `news`: what happens meanwhile."""

    token: str
    origin: str
    request: SetupRequest
    registration: Registration
    model: str = ""
    download: str = ""
    news: list[str] = field(default_factory=list)
    opened: bool = False

    @property
    def link(self) -> str:
        """What a person opens, once."""
        return f"{self.origin}/?token={self.token}"

    def app(self) -> ASGIApp:
        """ASGI, behind the dashboard's guard."""
        routes = [
            Route("/", self._enter, methods=["GET"]),
            Route("/setup", self._show, methods=["GET"]),
            Route("/setup", self._change, methods=["POST"]),
            Route(BACK, self._created, methods=["GET"]),
            Route("/static/hob.css", stylesheet, methods=["GET"]),
        ]
        pages = Starlette(routes=routes)
        pages.state.sessions = Sessions(self.token)
        return AccessGuard(
            pages,
            pages.state.sessions,
            (HOST,),
            open_paths=("/static/hob.css", BACK),
            form_target=lambda: self.request.site,
        )

    async def _enter(self, request: Request) -> Response:
        """The one-time link: a cookie for it, and an address without it."""
        sessions: Sessions = request.app.state.sessions
        address = request.client.host if request.client else ""
        given = request.query_params.get("token", "")
        if not request.state.signed_in:
            if (
                sessions.wait(address)
                or request.method != "GET"
                or self.opened
                or not sessions.is_token(given)
            ):
                sessions.failed(address)
                return _told(401, "This link is not the one that `hob setup` printed, or was opened before.")
            self.opened = True
        answer = RedirectResponse("/setup", status_code=303, headers={"cache-control": "no-store"})
        if not request.state.signed_in:
            # lax: the way back from GitHub ends here too
            value = sessions.issue()
            answer.set_cookie(sessions.cookie, value, max_age=LIFETIME, httponly=True, samesite="lax")
        return answer

    async def _show(self, request: Request) -> Response:
        return self._page({}, {})

    async def _change(self, request: Request) -> Response:
        """Other choices: the same page with them."""
        given = await form_fields(request)
        app = replace(
            self.request.app,
            name=given.get("name", "").strip(),
            organization=given.get("org", "").strip().lstrip("@"),
            code="code" in given,
        )
        complaints = app.complaints()
        try:
            api_url = api_of(given.get("github", ""))
        except ConfigError as wrong:
            complaints["github"] = f"{wrong}: {wrong.hint}"
            api_url = self.request.api_url
        if complaints:
            return self._page(complaints, given)
        self.request = SetupRequest(app, api_url, "pull" in given)
        return RedirectResponse("/setup", status_code=303)

    def _page(self, complaints: dict[str, str], given: dict[str, str]) -> Response:
        if made := self.registration.made:
            return rendered(
                "setup_made.html",
                app=made,
                install=install_address(made.html_url),
                news=self.news,
            )
        asked = self.request
        shown = {
            "name": given.get("name", asked.app.name),
            "org": given.get("org", asked.app.organization),
            "github": given.get("github", asked.site),
            "code": "code" in given if given else asked.app.code,
            "pull": "pull" in given if given else asked.pull,
        }
        page = rendered(
            "setup.html",
            asked=asked,
            action=form_address(asked.site, asked.app, self.registration.states.issue(asked)),
            manifest=form_manifest(asked.app, f"{self.origin}{BACK}"),
            permissions=_permissions(asked.app),
            longest=LONGEST_NAME,
            shown=shown,
            complaints=complaints,
            model=self.model,
            download=self.download,
        )
        page.status_code = 422 if complaints else 200
        return page

    async def _created(self, request: Request) -> Response:
        """GitHub's way back. Leads on to where the App is put on repositories."""
        given = request.query_params
        try:
            app = await self.registration.finish(given.get("state", ""), given.get("code", ""))
        except TemporaryError as wrong:
            return _told(502, str(wrong), again=True)
        except ConfigError as wrong:
            return _told(500, f"{wrong} — {wrong.hint}", again=True)
        except UserError as wrong:
            return _told(409 if self.registration.made else 403, f"{wrong} — {wrong.hint}")
        return RedirectResponse(
            install_address(app.html_url), status_code=303, headers={"cache-control": "no-store"}
        )


def _permissions(app: AppRequest) -> list[tuple[str, str, str]]:
    """(what of, read or write, what for) of each permission that is asked for."""
    return [
        (name.replace("_", " ").capitalize(), level, MEANS[f"{name}: {level}"].replace("`", ""))
        for name, level in permissions_of(app).items()
    ]


def _told(status: int, words: str, **values: Any) -> HTMLResponse:
    page = rendered("setup_told.html", words=words.replace("`", ""), again=values.get("again", False))
    page.status_code = status
    return page
