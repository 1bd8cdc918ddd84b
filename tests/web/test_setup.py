"""The pages of `hob setup` over HTTP, and the way back from GitHub: what is refused, and what is kept."""

import asyncio
import html
import json
import logging
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from bot import log
from bot.cli.setup import keep
from bot.config import load_config, private_key, webhook_secrets
from bot.github.registration import AppRequest
from bot.testing.github import GitHubStandIn
from bot.web.setup import BACK, MOST_STATES, STATE_SECONDS, Registration, SetupPages, SetupRequest
from tests.web.conftest import TOKEN, Front

ORIGIN = "http://127.0.0.1:4711"
HTML = {"accept": "text/html"}


@dataclass
class Visit:
    """A setup under way, and a browser at its pages."""

    folder: Path
    github: GitHubStandIn
    pages: SetupPages
    browser: httpx.AsyncClient
    now: list[float] = field(default_factory=lambda: [1_000_000.0])

    async def enters(self) -> str:
        """Opens the link; gives the page."""
        link = self.pages.link.removeprefix(ORIGIN)
        answer = await self.browser.get(link, headers=HTML, follow_redirects=True)
        assert (answer.status_code, answer.url.path, answer.url.query) == (200, "/setup", b"")
        return answer.text

    async def creates(self, page: str, name: str = "") -> str:
        """Sends the form to GitHub and creates the App there; gives the address back without its origin."""
        action = html.unescape(re.findall(r'action="(http[^"]+)"', page)[0])
        manifest = html.unescape(re.findall(r'name="manifest" value="([^"]+)"', page)[0])
        async with httpx.AsyncClient(trust_env=False) as person:
            shown = await person.post(action, data={"manifest": manifest})
            assert "Create GitHub App" in shown.text, shown.text
            fields = {
                key: html.unescape(value)
                for key, value in re.findall(r'name="(\w+)" value="([^"]*)"', shown.text)
            }
            target = self.github.origin + re.findall(r'action="([^"]+)"', shown.text)[0]
            made = await person.post(target, data=fields | ({"name": name} if name else {}))
        assert made.status_code == 302, made.text
        assert made.headers["location"].startswith(ORIGIN + BACK)
        return str(made.headers["location"].removeprefix(ORIGIN))

    async def comes_back(self, address: str) -> httpx.Response:
        return await self.browser.get(address, headers=HTML)

    def written(self) -> dict[str, str]:
        return {each.name: each.read_text() for each in sorted(self.folder.iterdir())}


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHubStandIn]:
    with GitHubStandIn(tmp_path / "github") as made:
        made.html_url = made.origin
        yield made


@pytest.fixture
async def visit(tmp_path: Path, github: GitHubStandIn) -> AsyncIterator[Visit]:
    folder = tmp_path / "hob"
    path = keep.config_file({"HOB_CONFIG": str(folder / "hob.toml")})

    async def write(app: keep.RegisteredApp, asked: SetupRequest) -> None:
        keep.keep_app(path, app, asked)

    asked = SetupRequest(AppRequest("hob-ann"), f"{github.origin}/api/v3")
    pages = SetupPages("the-one-time-token", ORIGIN, asked, Registration(write), "a model", "a-model (1 GB)")
    transport = httpx.ASGITransport(pages.app())
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as browser:
        made = Visit(folder, github, pages, browser)
        pages.registration.states.clock = lambda: made.now[0]
        yield made


async def test_K4_the_way_back_stores_the_key_for_its_owner_only_and_leads_on(visit: Visit) -> None:
    back = await visit.creates(await visit.enters())
    answer = await visit.comes_back(back)
    app = visit.github.app
    assert app
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        f"{visit.github.origin}/apps/hob-ann/installations/new",
    )
    config = load_config(visit.folder / "hob.toml", {})
    assert (config.github.app_id, config.github.app_slug) == (app.id, "hob-ann")
    assert private_key(config) == visit.github.private_key
    assert webhook_secrets(config) == (visit.github.post.secret.encode(),)
    assert config.intake.mode == "poll"
    assert config.github.api_url == f"{visit.github.origin}/api/v3"
    assert {each.stat().st_mode & 0o777 for each in visit.folder.iterdir()} == {0o600}
    assert visit.folder.stat().st_mode & 0o077 == 0
    shown = (await visit.browser.get("/setup")).text
    assert "hob-ann is made" in shown
    assert visit.github.post.url == "https://hob.invalid/webhook"


@pytest.mark.parametrize("spoilt", ["", "&state=", "&state=foreign", "&state=%00", "&state=ä"])
async def test_K4_without_state_or_with_a_foreign_one_nothing_happens(visit: Visit, spoilt: str) -> None:
    back = await visit.creates(await visit.enters())
    before = visit.written()
    address = back.partition("&state=")[0] + spoilt
    assert (await visit.comes_back(address)).status_code == 403
    assert visit.written() == before
    assert not [one for one in visit.github.requests if "conversions" in one.path], "the code was not used up"
    assert (await visit.comes_back(back)).status_code == 303, "the right one still counts"


async def test_K4_a_state_of_another_setup_is_foreign(visit: Visit) -> None:
    page = await visit.enters()
    other = visit.pages.registration.states.__class__().issue(visit.pages.request)
    back = await visit.creates(page)
    code = parse_qs(urlsplit(back).query)["code"][0]
    assert (await visit.comes_back(f"{BACK}?code={code}&state={other}")).status_code == 403


async def test_K4_a_replayed_answer_changes_nothing(visit: Visit) -> None:
    back = await visit.creates(await visit.enters())
    assert (await visit.comes_back(back)).status_code == 303
    before = visit.written()
    again = await asyncio.gather(*(visit.comes_back(back) for _ in range(3)))
    assert [one.status_code for one in again] == [409, 409, 409]
    assert "hob-ann" in again[0].text
    assert visit.written() == before


async def test_K4_two_answers_at_once_make_one_App(visit: Visit) -> None:
    page = await visit.enters()
    second = (await visit.browser.get("/setup")).text
    backs = [await visit.creates(page), await visit.creates(second, "hob-ann-2")]
    codes = sorted([one.status_code for one in await asyncio.gather(*map(visit.comes_back, backs))])
    assert codes == [303, 409]
    assert len(list(visit.folder.glob("app-*.pem"))) == 1


async def test_K4_a_state_is_over_after_an_hour_and_the_oldest_of_many_are_forgotten(visit: Visit) -> None:
    page = await visit.enters()
    back = await visit.creates(page)
    visit.now[0] += STATE_SECONDS + 1
    assert (await visit.comes_back(back)).status_code == 403
    oldest = await visit.creates((await visit.browser.get("/setup")).text, "hob-old")
    for _ in range(MOST_STATES):
        await visit.browser.get("/setup")
    assert (await visit.comes_back(oldest)).status_code == 403


async def test_K4_a_second_key_is_never_written_over_the_first(visit: Visit) -> None:
    """A file of that name is there, with another key in it."""
    back = await visit.creates(await visit.enters())
    visit.github._ids = iter([555_001, *range(600_000, 700_000)])  # type: ignore[assignment]  what comes next
    (visit.folder / "app-555001.pem").write_text("another key")
    answer = await visit.comes_back(back)
    assert (answer.status_code, "is not written over" in answer.text) == (500, True)
    assert (visit.folder / "app-555001.pem").read_text() == "another key"
    assert "app_id" not in (visit.folder / "hob.toml").read_text()
    (visit.folder / "app-555001.pem").unlink()
    assert (await visit.comes_back(back)).status_code == 303, "mended, and loaded again: the code was kept"
    assert load_config(visit.folder / "hob.toml", {}).github.app_id == 555_001


async def test_K4_nothing_secret_is_in_pages_or_logs(visit: Visit, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    bodies = [await visit.enters()]
    answer = await visit.comes_back(await visit.creates(bodies[0]))
    bodies += [answer.text, str(answer.headers), (await visit.browser.get("/setup")).text]
    secrets = [
        visit.github.post.secret,
        *(x for x in visit.github.private_key.splitlines() if "-----" not in x),
    ]
    for said in [*bodies, *map(log.redact, caplog.messages), repr(visit.pages.registration.made)]:
        assert not [secret for secret in secrets if secret in said]
    assert log.redact(visit.github.post.secret) == log.HIDDEN


async def test_D1_the_link_opens_once_and_only_the_browser_that_has_it(visit: Visit) -> None:
    stranger = httpx.AsyncClient(transport=httpx.ASGITransport(visit.pages.app()), base_url=ORIGIN)
    async with stranger:
        assert (await stranger.get("/?token=wrong", headers=HTML)).status_code == 401
        assert (await stranger.head(f"/?token={visit.pages.token}")).status_code == 401
        assert (await stranger.get("/setup")).status_code == 401
        assert (await stranger.post("/setup", data={"name": "x"})).status_code == 401
        await visit.enters()
        assert (await stranger.get(f"/?token={visit.pages.token}", headers=HTML)).status_code == 401
        shown = await stranger.get("/setup", headers=HTML)
        assert (shown.status_code, shown.headers["location"]) == (303, "/")
    await visit.enters()  # the same browser has its cookie


async def test_D1_foreign_hosts_and_origins_are_refused(visit: Visit) -> None:
    await visit.enters()
    for host in ("evil.example", "localhost", "127.0.0.1.evil.example", "[::1]"):
        assert (await visit.browser.get("/setup", headers={"host": host})).status_code == 421
    fields = {"name": "evil"}
    for headers in (
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": "http://127.0.0.1:1"},
    ):
        assert (await visit.browser.post("/setup", data=fields, headers=headers)).status_code == 403
    assert visit.pages.request.app.name == "hob-ann"
    for method in ("PUT", "DELETE", "PATCH"):
        assert (await visit.browser.request(method, "/setup", headers={"origin": ORIGIN})).status_code == 405
    assert (await visit.browser.post(BACK, headers={"origin": ORIGIN})).status_code == 405


async def test_D2_forms_go_to_this_GitHub_and_nowhere_else(visit: Visit) -> None:
    answer = await visit.browser.get(
        visit.pages.link.removeprefix(ORIGIN), headers=HTML, follow_redirects=True
    )
    policy = answer.headers["content-security-policy"]
    assert f"form-action 'self' {visit.github.origin};" in policy
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "no-store"
    changed = {"name": "hob-ann", "github": "https://ghe.example.com"}
    await visit.browser.post("/setup", data=changed, headers={"origin": ORIGIN})
    policy = (await visit.browser.get("/setup")).headers["content-security-policy"]
    assert "form-action 'self' https://ghe.example.com;" in policy
    assert visit.pages.request.api_url == "https://ghe.example.com/api/v3"


async def test_other_choices_are_in_the_form_that_GitHub_gets(visit: Visit) -> None:
    await visit.enters()
    visit.github.owns.add("tea-makers")
    given = {"name": "Tea <b>Hob</b>", "org": "@tea-makers", "github": visit.github.origin, "code": "yes"}
    answer = await visit.browser.post("/setup", data=given, headers={"origin": ORIGIN}, follow_redirects=True)
    page = answer.text
    assert "<b>Hob" not in page
    action = html.unescape(re.findall(r'action="(http[^"]+)"', page)[0])
    assert action.startswith(f"{visit.github.origin}/organizations/tea-makers/settings/apps/new?state=")
    manifest = json.loads(html.unescape(re.findall(r'name="manifest" value="([^"]+)"', page)[0]))
    assert manifest["name"] == "Tea <b>Hob</b>"
    assert manifest["default_permissions"]["contents"] == "write"
    assert manifest["public"] is False
    assert "No model is" in page
    answer = await visit.comes_back(await visit.creates(page))
    assert answer.headers["location"].endswith("/apps/tea-b-hob-b/installations/new")
    assert visit.pages.registration.asked
    assert visit.pages.registration.asked.pull is False


@pytest.mark.parametrize(
    ("field_name", "value"),
    [
        ("name", ""), ("name", "x" * 35), ("name", "🍵"), ("name", "a\nb"),
        ("org", "no/slash"), ("org", "a" * 40), ("org", "-x"), ("org", "a b"), ("org", "../settings"),
        ("github", "ftp://x"), ("github", ""), ("github", "https://a b"), ("github", "https://u:p@h"),
        ("github", "javascript:alert(1)"), ("github", "https://x/?q"), ("github", "https://[::"),
        ("github", "https://h;x"), ("github", "https://h 'unsafe-inline'"), ("github", "https://h:99999"),
    ],
)  # fmt: skip
async def test_a_wrong_choice_is_named_and_changes_nothing(visit: Visit, field_name: str, value: str) -> None:
    await visit.enters()
    given = {"name": "hob", "org": "", "github": visit.github.origin, field_name: value}
    answer = await visit.browser.post("/setup", data=given, headers={"origin": ORIGIN})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert "<details open>" in answer.text
    assert visit.pages.request.app.name == "hob-ann"
    assert visit.pages.request.site == visit.github.origin


@pytest.mark.parametrize(("kind", "status"), [("answer", 502), ("retry_after", 403), ("reset", 0)])
async def test_what_passes_can_be_loaded_again(visit: Visit, kind: str, status: int) -> None:
    back = await visit.creates(await visit.enters())
    visit.github.fault("POST", r"/app-manifests/.*", kind=kind, times=3, status=status)  # type: ignore[arg-type]
    answer = await visit.comes_back(back)
    assert (answer.status_code, "Load this page again" in answer.text) == (502, True)
    del visit.github.faults[:]
    assert (await visit.comes_back(back)).status_code == 303


async def test_a_code_that_GitHub_does_not_know_says_what_to_do(visit: Visit) -> None:
    back = await visit.creates(await visit.enters())
    visit.github.registered.clear()
    answer = await visit.comes_back(back)
    assert answer.status_code == 403
    assert "good for one hour, and once" in answer.text
    assert "hob setup" in answer.text


async def test_a_code_is_a_code(visit: Visit) -> None:
    page = await visit.enters()
    for code in ("", "../../app", "a/b", "%2e%2e", "x" * 300, "a?b", "ä"):
        state = parse_qs(urlsplit(await visit.creates(page, f"hob-{abs(hash(code))}")).query)["state"][0]
        answer = await visit.browser.get(BACK, params={"code": code, "state": state}, headers=HTML)
        assert answer.status_code == 403, code
        page = (await visit.browser.get("/setup")).text
    assert not [one for one in visit.github.requests if "conversions" in one.path]


async def test_a_running_Hob_names_its_App_to_who_is_signed_in(front: Front) -> None:
    signed = {"authorization": f"Bearer {TOKEN}"}
    assert (await front.client.get("/setup")).status_code == 401
    assert (await front.client.post("/setup", headers=signed)).status_code == 405
    page = "https://github.com/apps/my-hob"
    told = (await front.client.get("/setup", headers=signed)).json()
    assert told == {"slug": "my-hob", "page": page, "install": f"{page}/installations/new"}
    shown = await front.client.get("/setup", headers={**signed, **HTML})
    assert shown.status_code == 200
    assert told["install"] in shown.text


async def test_a_name_that_is_taken_is_changed_on_GitHubs_own_page(visit: Visit) -> None:
    visit.github.register("somebody", "hob-ann", permissions={}, events=[])
    page = await visit.enters()
    with pytest.raises(AssertionError, match="Name is already taken"):
        await visit.creates(page)
    assert (await visit.comes_back(await visit.creates(page, "Hob of Ann"))).status_code == 303
    assert load_config(visit.folder / "hob.toml", {}).github.app_slug == "hob-of-ann"
