"""The pages and the API as a person, a script and a stranger meet them."""

import asyncio
import json
import re
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from html.parser import HTMLParser

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from bot.core.due_times import DueTimes
from bot.store import Decision, RunSpec, Store
from bot.web.guard import allowed_hosts
from bot.web.responses import answer
from bot.web.server import listen, server
from bot.web.session import LIFETIME, MOST_ADDRESSES, SHARED, TICKET_SECONDS, TRIES, Sessions
from tests.store.making import NewEffect
from tests.web.conftest import TOKEN, Front

BEARER = {"authorization": f"Bearer {TOKEN}"}
BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
CLOSED = [
    "/readyz",
    "/metrics",
    "/runs",
    "/runs/1",
    "/openapi.json",
    "/agents/chat",
    "/agents/issue/triage",
    "/agents/review/analyze",
    "/settings/users/x",
    "/nothing",
]


@pytest.mark.parametrize("path", CLOSED)
async def test_D1_without_the_token_everything_is_401(front: Front, path: str) -> None:
    for given in (
        {},
        {"authorization": "Bearer wrong"},
        {"authorization": f"Basic {TOKEN}"},
        {"cookie": "hob_session=1.2.3"},
    ):
        answer = await front.client.get(path, headers=given)
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_D1_the_dashboard_asks_a_stranger_to_sign_in(front: Front) -> None:
    answer = await front.client.get("/")
    assert answer.status_code == 401
    assert 'action="/login"' in answer.text
    assert "Runs" not in answer.text


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "hob.example.", "[::1", "localhost@evil"]
)
async def test_D1_a_foreign_host_is_421(front: Front, host: str) -> None:
    for path in ("/", "/runs", "/readyz", "/login"):
        answer = await front.client.get(path, headers={"host": host, **BEARER})
        assert answer.status_code == 421
    assert (await front.client.get("/healthz", headers={"host": host})).status_code == 200
    assert (await front.deliver(host=host)).status_code == 202


@pytest.mark.parametrize("path", ["/drafts", "/drafts/1/2", "/runs/1", "/no-such-page"])
async def test_D1_a_browser_that_is_not_signed_in_comes_to_the_form(front: Front, path: str) -> None:
    browsers = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    answer = await front.client.get(path, headers=browsers)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert (await front.client.get("/", headers=browsers)).status_code == 401
    wrong = await front.client.get(path, headers={**browsers, "authorization": "Bearer guess"})
    assert wrong.status_code == 401
    assert (await front.client.post(path, headers={**browsers, "origin": front.url})).status_code == 401


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost:8700", "LOCALHOST", "[::1]:80", "hob.example", "hob.example:443"]
)
async def test_D1_our_own_names_are_served(front: Front, host: str) -> None:
    assert (await front.client.get("/runs", headers={"host": host, **BEARER})).status_code == 200


def test_D1_a_server_for_all_interfaces_still_answers_to_known_names_only() -> None:
    assert allowed_hosts("0.0.0.0", "") == {"localhost", "127.0.0.1", "::1"}
    assert "hob.example" in allowed_hosts("::", "https://hob.example/x")


async def signed_in(front: Front) -> str:
    answer = await front.client.post("/login", data={"token": TOKEN}, headers={"origin": front.url})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    return answer.headers["set-cookie"]


async def test_D1_a_cross_origin_post_is_403(front: Front) -> None:
    cookie = (await signed_in(front)).partition(";")[0]
    for foreign in (
        {"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"},
        {"origin": "http://["}, {"origin": "https://[evil.example"},
        {"sec-fetch-site": "same-site"}, {}, {"sec-fetch-site": "none"},
        {"sec-fetch-site": "cross-site", "origin": front.url},
        {"sec-fetch-site": "same-site", "origin": "null"},
        {"sec-fetch-site": "same-origin", "origin": "https://evil.example"},
        {"sec-fetch-site": "same-origin", "origin": "http://["},
    ):  # fmt: skip
        answer = await front.client.post("/logout", headers={"cookie": cookie, **foreign})
        assert answer.status_code == 403
    answer = await front.client.post(
        "/login", data={"token": TOKEN}, headers={"origin": "https://evil.example"}
    )
    assert answer.status_code == 403
    answer = await front.client.post("/logout", headers={"cookie": cookie, "origin": front.url})
    assert answer.status_code == 303
    assert f'{Sessions(TOKEN).cookie}=""' in answer.headers["set-cookie"]


async def test_D3_two_hobs_on_one_machine_do_not_sign_each_other_out(front: Front) -> None:
    other = Sessions("the token of another Hob")
    theirs = f"{other.cookie}={other.issue()}; hob_session={other.issue()}"
    ours = (await signed_in(front)).partition(";")[0]
    assert not ours.startswith((f"{other.cookie}=", "hob_session="))
    assert TOKEN not in ours
    for sent in (f"{theirs}; {ours}", f"{ours}; {theirs}"):
        assert (await front.client.get("/runs", headers={"cookie": sent})).status_code == 200
    sent = f"{theirs}; {ours}"
    answer = await front.client.post("/logout", headers={"cookie": sent, "origin": front.url})
    assert [one.partition("=")[0] for one in answer.headers.get_list("set-cookie")] == [
        ours.partition("=")[0]
    ]
    assert (await front.client.get("/runs", headers={"cookie": theirs})).status_code == 401


async def test_a_browser_that_signed_in_before_cookies_had_names_of_their_own_stays_signed_in(
    front: Front,
) -> None:
    kept = f"hob_session={Sessions(TOKEN).issue()}"
    assert (await front.client.get("/runs", headers={"cookie": kept})).status_code == 200
    answer = await front.client.post("/logout", headers={"cookie": kept, "origin": front.url})
    assert 'hob_session=""' in answer.headers["set-cookie"]


@pytest.mark.parametrize(
    "sent",
    [
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "same-origin", "origin": "null"},  # where a browser's settings forbid referrers
        {"sec-fetch-site": "same-origin", "origin": "https://hob.example"},  # a proxy has changed Host
        {"origin": "http://LOCALHOST:8700", "host": "localhost:8700"},  # plain HTTP: no Sec-Fetch-Site
        {"origin": "https://hob.example", "host": "hob.example"},
    ],
)
async def test_D1_what_browsers_send_for_our_own_forms_passes(front: Front, sent: dict[str, str]) -> None:
    cookie = (await signed_in(front)).partition(";")[0]
    answer = await front.client.post("/logout", headers={"cookie": cookie, **sent})
    assert answer.status_code == 303


async def test_signing_in_with_the_token_shows_the_tables(front: Front) -> None:
    await front.deliver()
    cookie = await signed_in(front)
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    for path, shown in (("/", "Nothing has run yet."), ("/deliveries", "pull_request.opened")):
        page = await front.client.get(path, headers=BROWSER)
        assert page.status_code == 200
        assert shown in page.text
        assert TOKEN not in page.text
    assert "octo/hello" in page.text


async def test_D3_a_link_signs_a_browser_in_once_and_not_for_long(front: Front) -> None:
    ticket = Sessions(TOKEN).ticket()
    answer = await front.client.get("/login/link", params={"ticket": ticket}, headers=BROWSER)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert (await front.client.get("/", headers=BROWSER)).status_code == 200
    front.client.cookies.clear()
    late = Sessions(TOKEN).ticket(time.time() - TICKET_SECONDS - 1)
    cookie = Sessions(TOKEN).issue()
    for wrong in (ticket, late, cookie, "", "9999999999.x.\u00e9", Sessions("another token").ticket()):
        answer = await front.client.get("/login/link", params={"ticket": wrong})
        assert answer.status_code in (401, 429)
        assert "set-cookie" not in answer.headers
    assert not Sessions(TOKEN).holds(ticket)


async def test_D3_the_cookie_is_new_at_each_login_and_dies_with_the_token(front: Front) -> None:
    first, second = await signed_in(front), await signed_in(front)
    assert first.partition(";")[0] != second.partition(";")[0]
    value = first.partition(";")[0].partition("=")[2]
    assert Sessions(TOKEN).holds(value)
    assert not Sessions("another token").holds(value)
    assert not Sessions(TOKEN).holds(value, now=time.time() + LIFETIME + 1)
    assert not Sessions(TOKEN).holds("")
    assert not Sessions(TOKEN).holds("9999999999.x.\u00e9")


@pytest.mark.parametrize(
    "planted", ["9999999999.planted.00", "x", "", "9999999999..", "nonce.of.a-stranger", "1" * 4_000]
)
async def test_D3_a_session_that_was_planted_before_the_login_is_none_after_it(
    front: Front, planted: str
) -> None:
    """The value that is given is another, and the planted one opens nothing."""
    name = (await signed_in(front)).partition("=")[0]
    front.client.cookies.clear()
    given = {"cookie": f"{name}={planted}", "origin": front.url}
    answer = await front.client.post("/login", data={"token": TOKEN}, headers=given)
    assert answer.status_code == 303
    issued = answer.headers["set-cookie"].partition(";")[0].partition("=")[2]
    assert issued and issued != planted
    front.client.cookies.clear()
    for value, status in ((planted, 401), (issued, 200)):
        shown = await front.client.get("/runs", headers={"cookie": f"{name}={value}"})
        assert shown.status_code == status


async def test_D3_guessing_is_429(front: Front) -> None:
    codes = [(await front.client.post("/login", data={"token": f"guess {n}"})).status_code for n in range(8)]
    assert codes == [401] * 5 + [429] * 3
    answer = await front.client.post("/login", data={"token": TOKEN})
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 60


async def test_D3_wrong_bearers_count_like_wrong_logins(front: Front) -> None:
    async def bearer(token: str) -> int:
        given = {"authorization": f"Bearer {token}"}
        return (await front.client.get("/runs", headers=given)).status_code

    cookie = (await signed_in(front)).partition(";")[0]
    front.client.cookies.clear()
    assert [await bearer(TOKEN) for _ in range(8)] == [200] * 8
    assert [await bearer(f"guess {n}") for n in range(8)] == [401] * 5 + [429] * 3
    assert await bearer(TOKEN) == 429  # what is compared in vain cannot be guessed
    assert (await front.client.post("/login", data={"token": TOKEN})).status_code == 429
    assert (await front.client.get("/runs", headers={"cookie": cookie})).status_code == 200


def test_D3_the_limit_holds_for_any_number_of_addresses() -> None:
    sessions = Sessions(TOKEN)
    addresses = [f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}" for n in range(3_000)]
    for _ in range(TRIES):
        for address in addresses:
            sessions.failed(address)
    assert all(sessions.wait(address) for address in addresses)
    assert len(sessions._failures) <= MOST_ADDRESSES + SHARED


def test_D3_a_block_of_ipv6_counts_as_one_address() -> None:
    sessions = Sessions(TOKEN)
    for n in range(TRIES):
        sessions.failed(f"2001:db8::{n:x}")
    assert sessions.wait("2001:db8::ffff:1") and not sessions.wait("2001:db8:0:1::1")
    for _ in range(TRIES):
        sessions.failed("::ffff:192.0.2.7")
    assert sessions.wait("192.0.2.7") and not sessions.wait("::ffff:192.0.2.8")


async def test_D3_what_changes_is_not_done_by_get(front: Front) -> None:
    for path in ("/login", "/logout"):
        answer = await front.client.get(path, headers=BEARER)
        assert answer.status_code == 405
        assert answer.headers["content-type"] == "application/problem+json"


class Tags(HTMLParser):
    """Every tag and attribute name of a page, as a browser reads it."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)


HOSTILE = '<script>alert(1)</script><svg onload="x">{{7*7}}'


async def test_D2_what_others_wrote_is_escaped(front: Front, store: Store) -> None:
    body = {"action": HOSTILE, "repository": {"id": 1, "full_name": HOSTILE}, "sender": {"login": HOSTILE}}
    await front.deliver(body, x_github_delivery='"><script>alert(2)</script>')
    delivery = store.inbox.undispatched()[0]
    store.routing.record([Decision(delivery, "routed", [RunSpec(HOSTILE, "high", HOSTILE)])])
    (run,) = store.runs.latest()
    for path in ("/", "/runs?internal=true", f"/runs/{run.id}", "/deliveries", "/repositories", "/memory"):
        page = await front.client.get(path, headers={**BEARER, **BROWSER})
        assert page.status_code == 200
        ours = page.text.replace('<script src="/static/hob.js" defer></script>', "")
        assert "<script" not in ours
        assert "<svg" not in ours
        assert "49" not in re.sub(r"<time[^>]*>", "", ours), "7 * 7 is text; a time may have a 49 in it"
        assert "&lt;script&gt;" in ours or path in ("/", "/repositories", "/memory")
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'; script-src 'self'" in policy
        assert "unsafe" not in policy
        seen = Tags()
        seen.feed(ours)
        assert seen.tags.isdisjoint({"script", "style", "svg", "iframe", "object"})
        assert not [name for name in seen.attributes if name == "style" or name.startswith("on")]


async def test_the_stylesheet_is_served(front: Front) -> None:
    answer = await front.client.get("/static/hob.css")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/css; charset=utf-8")


async def test_runs_are_listed_and_shown_with_their_effects(front: Front, store: Store) -> None:
    guid = (await front.deliver()).json()["delivery"]
    delivery = store.inbox.undispatched()[0]
    store.routing.record([Decision(delivery, "routed", [RunSpec("pull_requests.review", "default", "11#7")])])
    run = store.runs.of_delivery(guid)[0]
    claimed = store.runs.claim(run.id, "me")
    store.outbox.plan(claimed, [NewEffect("k" * 64, "PostReview", "{}")])  # type: ignore[arg-type]
    store.outbox.start_sending("k" * 64, claimed)  # type: ignore[arg-type]
    store.outbox.done("k" * 64, "https://github.com/octo/hello/pull/7#r1", 1)
    listed = (await front.client.get("/runs", headers=BEARER)).json()["runs"]
    assert [(each["id"], each["state"], each["delivery"]) for each in listed] == [(run.id, "planned", guid)]
    shown = (await front.client.get(f"/runs/{run.id}", headers=BEARER)).json()
    assert shown["effects"][0]["url"] == "https://github.com/octo/hello/pull/7#r1"
    assert shown["effects"][0]["state"] == "done"
    assert shown["handler"] == "pull_requests.review"
    assert (await front.client.get("/runs?state=done", headers=BEARER)).json()["runs"] == []


@pytest.mark.parametrize("repo", [0, 11])
async def test_a_run_that_no_delivery_asked_for_is_shown_like_any_other(
    front: Front, store: Store, repo: int
) -> None:
    if repo:
        await front.deliver()
        store.routing.record([Decision(each, "ignored") for each in store.inbox.undispatched()])
    times = DueTimes("2026-11-29", 1.0, 0.0, 3.0e9)
    due, per_repository = RunSpec("standup", "low", ""), bool(repo)
    store.schedule.make_due(
        due, lambda _: times, now=2.0e9, horizon=4.0e9, per_repository=per_repository, at_first=True
    )
    (run,) = store.runs.latest()
    name = f"schedule:2026-11-29:{repo}" if repo else "schedule:2026-11-29"
    listed = (await front.client.get("/runs", headers=BEARER)).json()["runs"]
    assert [(each["handler"], each["delivery"]) for each in listed] == [("standup", name)]
    page = await front.client.get(f"/runs/{run.id}", headers={**BEARER, "accept": "text/html"})
    assert name in page.text
    assert "standup: " in page.text
    assert "standup" in (await front.client.get("/", headers=BEARER)).text


@pytest.mark.parametrize(
    ("path", "status"),
    [("/runs/999", 404), ("/runs/x", 404), ("/runs/" + "9" * 30, 404),
     ("/runs/" + "9" * 5000, 404), ("/runs/٣", 404),
     ("/runs?limit=0", 400), ("/runs?limit=x", 400),
     ("/runs?limit=" + "9" * 5000, 400), ("/runs?state=odd", 400), ("/nothing", 404)],
)  # fmt: skip
async def test_a_wrong_question_is_a_problem(front: Front, path: str, status: int) -> None:
    answer = await front.client.get(path, headers=BEARER)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status


@pytest.mark.parametrize(
    "path",
    ["/runs?handler=%00", "/runs?repo=a%00b", "/findings?source=%00", "/findings?q=a%00", "/memory?repo=%00",
     "/deliveries?event=%00", "/issues?repo=%00", "/pulls?q=%00", "/repositories?before=%00"],
)  # fmt: skip
async def test_a_NUL_that_only_some_databases_take_is_a_problem_with_each(front: Front, path: str) -> None:
    answer = await front.client.get(path, headers=BEARER)
    assert (answer.status_code, answer.json()["detail"].endswith("holds a NUL")) == (400, True)
    assert (await front.client.post("/deliveries/%00/again", headers=BEARER)).status_code == 409


async def test_readyz_is_200_while_needed_components_answer(front: Front) -> None:
    answer = await front.client.get("/readyz", headers=BEARER)
    assert answer.status_code == 200
    components = answer.json()["components"]
    assert components["hosts"] == {"ok": False, "detail": "mini: down"}  # reported, and no reason for 503
    assert components["store"]["ok"] is True


def raising(error: Exception) -> Callable[[], Awaitable[str]]:
    async def probe() -> str:
        raise error

    return probe


async def test_readyz_is_503_when_a_needed_component_fails(front: Front) -> None:
    front.components["queue"] = raising(ConnectionError("no worker is there"))
    answer = await front.client.get("/readyz", headers=BEARER)
    assert answer.status_code == 503
    assert answer.json()["components"]["queue"] == {"ok": False, "detail": "no worker is there"}


async def test_readyz_does_not_wait_for_what_hangs(front: Front) -> None:
    hangs = asyncio.Event()
    asked: list[None] = []

    async def hanging() -> str:
        asked.append(None)
        await hangs.wait()
        return "at last"

    front.components["github"] = hanging
    answers = await asyncio.wait_for(
        asyncio.gather(*(front.client.get("/readyz", headers=BEARER) for _ in range(5))), 15
    )
    assert {answer.status_code for answer in answers} == {503}
    assert len(asked) == 1
    hangs.set()
    await asyncio.sleep(0)
    assert (await front.client.get("/readyz", headers=BEARER)).status_code == 200


async def test_healthz_answers_while_the_store_hangs(
    front: Front, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()
    read = store.database.read
    monkeypatch.setattr(store.database, "read", lambda: released.wait(30) and read())
    waiting = asyncio.ensure_future(front.client.get("/runs", headers=BEARER))
    for _ in range(20):
        assert (await front.client.get("/healthz")).text == "ok\n"
    assert not waiting.done()
    released.set()
    assert (await waiting).status_code == 200


async def test_a_store_that_is_away_is_a_503_problem(
    front: Front, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bot.store import StoreUnavailable

    def away(*_: object) -> None:
        raise StoreUnavailable("postgresql://u:secret@h is away")

    monkeypatch.setattr(store.database, "read", away)
    answer = await front.client.get("/runs", headers=BEARER)
    assert answer.status_code == 503
    assert "secret" not in answer.text


async def test_metrics_are_prometheus_text(front: Front) -> None:
    await front.deliver()
    await front.deliver(x_hub_signature_256="sha256=" + "0" * 64)
    answer = await front.client.get("/metrics", headers=BEARER)
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    assert 'hob_deliveries_total{event="pull_request",result="taken"} 1' in lines
    assert 'hob_deliveries_total{event="",result="401"} 1' in lines
    assert 'hob_repository_deliveries_total{repository="octo/hello"} 1' in lines
    assert 'hob_inbox{state="new"} 1' in lines
    assert 'hob_queue_length{queue="default"} 2' in lines
    assert "hob_redis_up 1" in lines
    for line in lines:
        assert re.fullmatch(
            r'# (HELP|TYPE) \w+ .+|\w+(\{\w+="(\\.|[^"\\])*"(,\w+="(\\.|[^"\\])*")*\})? \d+(\.\d+)?', line
        )


async def test_metrics_survive_a_redis_that_is_away(front: Front) -> None:
    front.lengths_fail.append(ConnectionError("Redis is away"))
    answer = await front.client.get("/metrics", headers=BEARER)
    assert answer.status_code == 200
    assert "hob_redis_up 0" in answer.text.splitlines()


@pytest.mark.parametrize(
    "other",
    [
        'theme={"mode":"dark"}',
        "last=12 May 2026",
        "flag",
        "=nameless",
        'half="',
        "ö=1",
        "a[0]=x; b=(c)",
        ";;",
    ],
)
async def test_D1_odd_cookies_of_others_on_this_machine_lock_nobody_out(front: Front, other: str) -> None:
    cookie = (await signed_in(front)).partition(";")[0]
    front.client.cookies.clear()
    for sent in (f"{other}; {cookie}", f"{cookie}; {other}"):
        assert (await front.client.get("/runs", headers={"cookie": sent.encode()})).status_code == 200
        answer = await front.client.post("/logout", headers={"cookie": sent.encode()})
        assert answer.status_code == 403  # it is seen that a browser sends this, which says not from where


async def test_head_and_cookies_of_others_do_no_harm(front: Front) -> None:
    assert (await front.client.head("/runs", headers=BEARER)).status_code == 200
    for cookie in ("hob_session", "=;;;", "hob_session=" + "a" * 4000, "x=y; hob_session=1.2"):
        assert (await front.client.get("/runs", headers={"cookie": cookie})).status_code == 401


async def test_a_large_login_form_is_not_read_to_its_end(front: Front) -> None:
    async def endless() -> object:
        for _ in range(100):
            yield b"token=" + b"x" * 1000

    form = {"content-type": "application/x-www-form-urlencoded"}
    answer = await front.client.post("/login", content=endless(), headers=form)  # type: ignore[arg-type]
    assert answer.status_code == 401


async def test_answers_are_json_that_others_can_read(front: Front) -> None:
    answer = await front.client.get("/runs", headers=BEARER)
    assert json.loads(answer.content) == {"runs": [], "next": None}
    assert isinstance(answer, httpx.Response)


async def test_whoever_is_told_the_address_before_it_answers_waits_and_is_not_refused() -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await answer(send, 200, b"late", b"text/plain")

    listening = listen("127.0.0.1", 0)
    running = server(app, listening)
    with socket.create_connection(listening.getsockname(), 10) as early:
        early.sendall(b"GET / HTTP/1.1\r\nhost: hob\r\n\r\n")
        serving = asyncio.create_task(running.serve(sockets=[listening]))
        assert (await asyncio.to_thread(early.recv, 100)).startswith(b"HTTP/1.1 200 OK")
    running.should_exit = True
    await serving
    listening.close()
