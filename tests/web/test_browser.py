"""The dashboard in a real browser, with the headers that it really sends."""

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.browser import Browser, Page, browser
from tests.store.making import queued
from tests.web.conftest import TOKEN, Front

pytestmark = pytest.mark.xdist_group("browser")


EVIL = """<!doctype html><title>Teapots</title>
<form method=post action="{url}/{path}"><input type=hidden name=token value="{token}">
<button>Win a teapot</button></form>"""


class Evil(ThreadingHTTPServer):
    """Pages of somebody else with a form for each path of ours; the query is their Referrer-Policy."""

    def __init__(self, url: str) -> None:
        class Page(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path, _, policy = self.path.partition("?")
                body = EVIL.format(url=url, path=path.strip("/"), token=TOKEN).encode()
                self.send_response(200)
                self.send_header("content-type", "text/html")
                if policy:
                    self.send_header("referrer-policy", policy)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Page)


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("chromium")) as running:
        yield running


@pytest.fixture
async def page(chromium: Browser) -> Page:
    return await asyncio.to_thread(chromium.page)


def sign_in(page: Page, url: str) -> None:
    page.opens(url)
    page.types(TOKEN)
    page.clicks("Sign in")
    assert page.status == 200, page.text


async def test_D1_a_person_signs_in_looks_around_and_signs_out(front: Front, page: Page) -> None:
    (run,) = queued(front.store)

    def person() -> None:
        page.opens(front.url)
        assert page.status == 401
        assert "octo/hello" not in page.text
        page.types("not the token")
        page.clicks("Sign in")
        assert page.status == 401
        assert "That is not the token." in page.text
        page.types(TOKEN)
        page.presses_enter()
        assert page.status == 200
        assert page.address == f"{front.url}/"
        assert "octo/hello" in page.text
        page.opens(f"{front.url}/")
        assert page.status == 200, "signed in still, after the address was typed"
        page.clicks("Sign out")
        assert page.status == 401
        page.opens(f"{front.url}/")
        assert page.status == 401
        assert "octo/hello" not in page.text
        sign_in(page, front.url)
        page.clicks(f"Run {run.id}")
        assert page.status == 200
        assert page.address == f"{front.url}/runs/{run.id}"
        assert "pull_requests.review" in page.text
        page.clicks("Sign out")
        assert (page.status, page.address) == (401, f"{front.url}/")

    await asyncio.to_thread(person)


async def test_D1_the_page_runs_no_script_and_looks_as_its_sheet_says(front: Front, page: Page) -> None:
    def person() -> None:
        page.opens(front.url)
        assert page.runs("document.styleSheets.length") == 1
        assert page.runs("getComputedStyle(document.querySelector('main')).maxWidth") != "none"
        page.runs(
            "document.body.append(Object.assign(document.createElement('script'), {text: 'window.ran = 1'}))"
        )
        assert page.runs("window.ran === undefined")

    await asyncio.to_thread(person)


@pytest.fixture
def evil(front: Front) -> Iterator[Evil]:
    made = Evil(front.url)
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("policy", ["", "no-referrer", "unsafe-url"])
async def test_D1_a_page_of_another_origin_can_post_nothing(
    host: str, policy: str, front: Front, page: Page, evil: Evil
) -> None:
    """`127.0.0.1` on another port is the same site to a browser, so that our cookie goes with what it sends;
    `localhost` is another site."""

    def person() -> None:
        sign_in(page, front.url)
        for path in ("login", "logout"):
            page.opens(f"http://{host}:{evil.server_port}/{path}?{policy}")
            page.clicks("Win a teapot")
            assert (page.address, page.status) == (f"{front.url}/{path}", 403)
            assert "asked from another site" in page.text
        page.opens(f"http://{host}:{evil.server_port}/?{policy}")
        sends = "{method: 'POST', mode: 'no-cors', credentials: 'include'}"
        page.runs(f"fetch('{front.url}/logout', {sends}).catch(() => null).then(() => 1)")
        page.opens(f"{front.url}/")
        assert page.status == 200, "still signed in"

    await asyncio.to_thread(person)
