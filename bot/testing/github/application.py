"""From a raw request to an answer: faults, authentication, route, limits, ETags; one request at a time."""

import asyncio
import hashlib
import json
import time
import uuid
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl, unquote

from bot.testing.github import attachments, pages, smart
from bot.testing.github.auth import authenticate, bearer
from bot.testing.github.exchange import Exchange
from bot.testing.github.faults import Fault
from bot.testing.github.refusals import REFUSALS, partly
from bot.testing.github.rest.actions import STORE, stored
from bot.testing.github.server import AsgiMessage, Receive, Send, break_off
from bot.testing.github.state import State
from bot.testing.github.wire import RestCall, RestRefusal, RestResponse, match, not_found

_PREFIXES = ("/api/v3", "/api")


class Application:
    """An ASGI application over the state."""

    def __init__(self, github: Any) -> None:
        self.github = github

    async def __call__(self, scope: AsgiMessage, receive: Receive, send: Send) -> None:
        exchange, call = self._read(scope, await _body(receive))
        if smart.is_git(exchange.path):
            await self._serve_git(exchange, scope, receive, send)
            return
        if attachments.is_attachment(exchange.path):
            await attachments.serve(self.github, exchange, call, receive, send)
            return
        if pages.is_page(exchange.path):
            shown = await asyncio.to_thread(pages.serve, self.github, call)
            await _send(send, shown, shown.body)
            return
        fault, answer = await asyncio.to_thread(self._decide, exchange, call)
        if fault and "hang" in fault.kind:
            await _hang(receive, self.github.released, fault.seconds)
            answer = None
        if answer is None:
            await break_off(scope, receive)
            return
        await _send(send, answer, answer.body if scope["method"] != "HEAD" else b"")

    async def _serve_git(self, exchange: Exchange, scope: AsgiMessage, receive: Receive, send: Send) -> None:
        """Faults that apply cut the pack in half."""
        fault, answer = await asyncio.to_thread(self._decide_git, exchange)
        cut = fault is not None and fault.applies
        if answer is not None:
            await _send(send, answer, answer.body, more=cut)
        if fault and "hang" in fault.kind:
            await _hang(receive, self.github.released, fault.seconds)
        if answer is None or cut:
            await break_off(scope, receive)

    def _decide_git(self, exchange: Exchange) -> tuple[Fault | None, RestResponse | None]:
        """git itself runs without the lock: people go on meanwhile."""
        gh = self.github
        with gh.changed:
            step = smart.step(exchange)
            fault = next((one for one in gh.faults if one.takes(exchange.method, step)), None)
        spoilt = _spoilt(RestCall(gh, "", "", {}, {}, b"", gh.origin), fault, None) if fault else None
        answer = spoilt if fault and not fault.applies else smart.answer(gh, exchange)
        with gh.changed:
            exchange.fault, exchange.status = fault.kind if fault else "", answer.status if answer else 0
            gh.fetches.append(exchange)
            gh.changed.notify_all()
        return fault, smart.spoilt(answer, fault) if fault and answer else answer

    def _read(self, scope: AsgiMessage, body: bytes) -> tuple[Exchange, RestCall]:
        raw = scope["raw_path"].decode("latin-1")
        prefix = next((one for one in _PREFIXES if raw.startswith(one + "/")), "")
        path = unquote(raw.removeprefix(prefix))
        query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        state: State = self.github
        call = RestCall(state, scope["method"], path, query, headers, body, self.github.origin + prefix)
        try:
            decoded = json.loads(body) if body else None
        except ValueError:
            decoded = None
        return Exchange(call.method, path, query, headers, body, decoded, state.now()), call

    def _decide(self, exchange: Exchange, call: RestCall) -> tuple[Fault | None, RestResponse | None]:
        """Under the lock: what is done and answered. No answer: the connection is to be broken."""
        gh = self.github
        begun = time.perf_counter()
        with gh.changed:
            fault = next((one for one in gh.faults if one.takes(call.method, call.path)), None)
            answer = None if fault and not fault.applies else self._answer(call)
            call.token = call.token or bearer(call)
            if fault:
                exchange.fault = fault.kind
                answer = _spoilt(call, fault, answer)
            if call.token:
                exchange.permissions = call.token.permissions
                exchange.repository_ids = call.token.repository_ids
            if answer:
                answer = self._finished(call, answer)
                exchange.status, exchange.answer, exchange.answer_headers = (
                    answer.status,
                    answer.json,
                    answer.headers,
                )
            exchange.seconds = time.perf_counter() - begun
            gh.requests.append(exchange)
            for observer in gh.observers:
                observer(exchange)
            gh.changed.notify_all()
        return fault, answer

    def _answer(self, call: RestCall) -> RestResponse:
        try:
            if call.path.startswith(STORE):
                return stored(call)
            found = match(call.method, call.path)
            if found is None:
                raise not_found()
            route, call.params = found
            call.route = route
            authenticate(call, route)
            self._count(call)
            return _unchanged(call, route.handler(call))
        except RestRefusal as refusal:
            return refusal.answer()

    def _count(self, call: RestCall) -> None:
        counted = _counted(call)
        if counted is None or call.path == "/rate_limit":
            return
        reading = call.path == "/graphql" or call.path == "/installation/token"  # neither makes content
        refused = call.state.limits.take(counted, "GET" if reading else call.method)
        if refused:
            raise RestRefusal(403, refused)

    def _finished(self, call: RestCall, answer: RestResponse) -> RestResponse:
        """With the headers that every answer of GitHub's carries; those given already win."""
        state = call.state
        headers = {
            "Date": formatdate(state.now(), usegmt=True),
            "Server": "github.com",
            "Content-Type": "application/json; charset=utf-8",
            "X-GitHub-Media-Type": "github.v3; format=json",
            "X-GitHub-Request-Id": uuid.uuid4().hex[:16].upper(),
            "X-GitHub-Api-Version-Selected": call.headers.get("x-github-api-version", "2022-11-28"),
        }
        counted = _counted(call)
        if counted is not None:
            headers |= limits(state, state.limits.used(counted), state.limits.limit(counted))
        headers |= answer.headers
        if answer.status in (204, 304):
            headers.pop("Content-Type")
        else:
            headers["Content-Length"] = str(len(answer.body))
        return RestResponse(answer.status, answer.json, headers, answer.raw)


async def _send(send: Send, answer: RestResponse, body: bytes, *, more: bool = False) -> None:
    headers = [
        (name.lower().encode(), value.encode("latin-1", "replace")) for name, value in answer.headers.items()
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": more})


def _counted(call: RestCall) -> int | None:
    """Whose limit a call is of; 0: the App's own, of which only reading is counted here."""
    if call.token:
        return call.token.installation.id
    return 0 if call.route and call.route.app and call.method == "GET" else None


def limits(state: State, used: int, limit: int = 0) -> dict[str, str]:
    """The primary limit, per installation and hour."""
    limit = limit or state.limits.per_hour
    return {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(max(limit - used, 0)),
        "X-RateLimit-Used": str(used),
        "X-RateLimit-Reset": str(state.limits.reset_at(state.now())),
        "X-RateLimit-Resource": "core",
    }


def _unchanged(call: RestCall, answer: RestResponse) -> RestResponse:
    """304 for a GET whose ETag the caller has; it costs nothing of the limit."""
    if call.method != "GET" or answer.status != 200:
        return answer
    etag = f'W/"{hashlib.sha256(answer.body).hexdigest()}"'
    headers = {**answer.headers, "ETag": etag, "Cache-Control": "private, max-age=60, s-maxage=60"}
    headers["Vary"] = "Accept, Authorization, Cookie, X-GitHub-OTP, Accept-Encoding"
    if etag not in call.headers.get("if-none-match", ""):
        return RestResponse(answer.status, answer.json, headers, answer.raw)
    counted = _counted(call)
    if counted is not None:
        call.state.limits.give_back(counted)
    return RestResponse(304, headers=headers)


def _spoilt(call: RestCall, fault: Fault, answer: RestResponse | None) -> RestResponse | None:
    """`answer`: what it would have been, where that was done. What a fault answers. https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api"""
    seconds = str(int(fault.seconds))
    secondary = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
    match fault.kind:
        case "answer" | "apply_then_answer":
            return RestRefusal(
                fault.status, {502: "Server Error", 503: "Service unavailable"}.get(fault.status, "Faulted")
            ).answer()
        case "retry_after":
            return RestRefusal(403, secondary, Retry_After=seconds).answer()
        case "too_many":
            return RestRefusal(429, secondary, Retry_After=seconds).answer()
        case "secondary":
            return RestRefusal(403, secondary).answer()
        case "rate_limited":
            reset = str(int(call.state.now() + fault.seconds))
            none_left = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
            limited = RestRefusal(403, "API rate limit exceeded for installation ID 1.").answer()
            return RestResponse(403, limited.json, limits(call.state, call.state.limits.per_hour) | none_left)
        case "refuse":
            said = REFUSALS[fault.says]
            return RestResponse(said.status, said.answer, dict(said.headers))
        case "partly" | "one_broken":
            kept = fault.status if fault.kind == "partly" else None
            return RestResponse(200, partly(answer.json if answer else {}, kept))
        case "redirect":
            target = fault.location if "://" in fault.location else call.root + fault.location
            body = {
                "message": "Moved Permanently",
                "url": target,
                "documentation_url": "https://docs.github.com/rest",
            }
            return RestResponse(fault.status, body, {"Location": target})
        case _:
            return None


async def _body(receive: Receive) -> bytes:
    parts = []
    while (message := await receive())["type"] == "http.request":
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            break
    return b"".join(parts)


async def _hang(receive: Receive, released: asyncio.Event, seconds: float) -> None:
    """Until the caller gives up, the stand-in stops, or the time is over."""
    ends = [asyncio.ensure_future(receive()), asyncio.ensure_future(released.wait())]
    await asyncio.wait(ends, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for end in ends:
        end.cancel()
    await asyncio.gather(*ends, return_exceptions=True)
