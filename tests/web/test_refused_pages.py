"""What a person sees in a browser where there is no page: why, and a way on. Programs get JSON."""

import asyncio
from urllib.parse import quote

import httpx
import pytest

from bot.store import StoreUnavailable
from tests.browser import Page
from tests.store.making import claimed, queued
from tests.web.conftest import TOKEN, Front
from tests.web.test_browser import chromium, page, sign_in

__all__ = ["chromium", "page"]

BEARER = {"authorization": f"Bearer {TOKEN}"}
BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


async def signed_in(front: Front, **cookies: str) -> httpx.Response:
    kept = "; ".join(f"{name}={value}" for name, value in cookies.items())
    headers = {**BROWSER, "origin": front.url, "cookie": kept}
    return await front.client.post("/login", data={"token": TOKEN}, headers=headers)


async def cookie(front: Front) -> dict[str, str]:
    issued = (await signed_in(front)).headers["set-cookie"].partition(";")[0]
    return {**BROWSER, "cookie": issued, "origin": front.url}


@pytest.mark.parametrize(
    ("method", "path", "status", "said"),
    [
        ("GET", "/no-such-page", 404, "There is no such page"),
        ("GET", "/runs/99", 404, "there is no such run."),
        ("GET", "/runs?state=odd", 400, "state is one of queued"),
        ("GET", "/findings?before=x", 400, "before is a whole number."),
        ("GET", "/drafts/1/2", 404, "no draft 2 waits there"),
        ("GET", "/issues/1/2", 404, "no delivery told of such an issue"),
        ("GET", "/settings/users/x", 404, "nothing is stored for user x."),
        ("GET", "/logout", 405, "Method Not Allowed"),
        ("POST", "/deliveries/x/again", 409, "nothing of this delivery failed"),
        ("POST", "/memory/1/2/forget", 404, "nothing numbered 2 is remembered"),
        ("POST", "/memory/1/2/accept", 404, "no convention numbered 2 is offered"),
        ("POST", "/repositories/octo/hello", 422, "no setting has this name."),
    ],
)
async def test_a_person_reads_why_there_is_no_page_and_a_program_gets_json(
    method: str, path: str, status: int, said: str, front: Front
) -> None:
    headers = {**await cookie(front), "referer": f"{front.url}/runs?q=a&state=dead"}
    shown = await front.client.request(method, path, headers=headers)
    assert (shown.status_code, shown.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert said in shown.text
    assert "{" not in shown.text, "no JSON"
    assert 'aria-label="Pages"' in shown.text, "it is one of the pages"
    assert 'href="/runs?q=a&amp;state=dead">Back' in shown.text
    told = await front.client.request(method, path, headers=BEARER)
    assert told.headers["content-type"] == "application/problem+json"
    assert told.json()["status"] == told.status_code


@pytest.mark.parametrize(
    "referer",
    ["https://evil.example/x", "http://[", "{url}//evil.example", "{url}/\\evil.example", "javascript:1", ""],
)
async def test_the_way_back_leads_to_no_other_site(referer: str, front: Front) -> None:
    headers = {**await cookie(front), "referer": referer.format(url=front.url)}
    shown = await front.client.get("/no-such-page", headers=headers)
    assert "evil" not in shown.text
    assert '<a href="/">To the first page' in shown.text


@pytest.mark.parametrize("wrong", [StoreUnavailable("gone"), ValueError("a secret detail")])
async def test_a_person_reads_that_something_is_broken(
    wrong: Exception, front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise wrong

    monkeypatch.setattr(type(front.store.runs), "get", fails)
    headers = await cookie(front)
    shown = await front.client.get("/runs/1", headers=headers)
    assert shown.status_code == (503 if isinstance(wrong, StoreUnavailable) else 500)
    assert "<h1>" in shown.text
    assert str(wrong) not in shown.text


@pytest.mark.parametrize("path", ["/drafts/1/2", "/runs/1/cancel", "/no-such-page"])
async def test_D1_a_person_whose_session_ended_reads_so_when_a_button_is_pressed(
    path: str, front: Front
) -> None:
    headers = {**BROWSER, "origin": front.url, "referer": f"{front.url}/drafts/1/2"}
    shown = await front.client.post(path, data={"do": "post"}, headers=headers)
    assert (shown.status_code, shown.headers["content-type"]) == (401, "text/html; charset=utf-8")
    assert "You are signed out" in shown.text
    assert 'href="/drafts/1/2">Back' in shown.text
    assert "Pull requests" not in shown.text
    assert "default-src 'none'" in shown.headers["content-security-policy"]
    foreign = {**await cookie(front), "origin": "https://evil.example"}
    shown = await front.client.post(path, headers=foreign)
    assert (shown.status_code, shown.headers["content-type"]) == (403, "text/html; charset=utf-8")


@pytest.mark.parametrize(
    "planted",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "evil",
        "/a\r\nset-cookie: x=1",
        "/é",
        "\t//e",
        "",
    ],
)
async def test_D1_signing_in_leads_to_no_other_site(planted: str, front: Front) -> None:
    name = f"hob_back_{front.url.rpartition(':')[2]}"
    answer = await signed_in(front, **{name: quote(planted, safe="")})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


async def test_D1_whoever_signs_in_comes_to_the_page_that_they_asked_for(front: Front, page: Page) -> None:
    (run,) = queued(front.store)
    front.store.runs.finish(claimed(front.store, run), "dead", error="no more tries")
    asked = f"{front.url}/runs?q=octo%2Fhello&state=dead"

    def person() -> None:
        page.opens(asked)
        assert (page.status, page.address) == (401, f"{front.url}/")
        page.types("wrong")
        page.clicks("Sign in")
        page.types(TOKEN)
        page.clicks("Sign in")
        assert (page.status, page.address) == (200, asked)
        page.clicks("Sign out")
        sign_in(page, front.url)
        assert page.address == f"{front.url}/", "asked for once, led there once"
        page.opens(f"{front.url}/runs/{run.id}")
        front.store.runs.revive(run.id)
        page.clicks("Try again")
        assert page.status == 409
        assert "only a dead one is tried again" in page.text
        page.clicks("Back")
        assert page.address == f"{front.url}/runs/{run.id}"

    await asyncio.to_thread(person)
