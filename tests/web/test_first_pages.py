"""What a person meets who has just come: pages with nothing on them yet, pages that lead on and back, and the
work that was given up."""

import asyncio
import time

import pytest

from bot.core.findings import Finding, JudgedFinding
from bot.store import Decision, RunSpec
from tests.browser import Page
from tests.store.making import claimed, delivery, put, queued
from tests.web.conftest import TOKEN, Front
from tests.web.test_browser import chromium, page, sign_in

__all__ = ["chromium", "page"]

BEARER = {"authorization": f"Bearer {TOKEN}"}
HTML = {**BEARER, "accept": "text/html"}
FIRST = {
    "/pulls": "None was heard of yet",
    "/issues": "None was heard of yet",
    "/runs": "Nothing has run yet",
    "/findings": "No review has judged anything yet",
    "/memory": "Nothing is remembered yet",
    "/repositories": "None was heard of yet",
    "/deliveries": "GitHub has sent nothing yet",
}


@pytest.mark.parametrize("path", FIRST)
async def test_an_empty_page_says_whether_there_is_nothing_or_nothing_fits(path: str, front: Front) -> None:
    first = (await front.client.get(path, headers=HTML)).text
    assert FIRST[path] in first
    assert "Nothing fits" not in first
    fits = (await front.client.get(f"{path}?q=nowhere", headers=HTML)).text
    assert FIRST[path] not in fits
    assert 'Nothing fits. <a href="?">Show all</a>' in fits


async def test_a_list_leads_to_its_next_page_and_back_to_the_first(front: Front, page: Page) -> None:
    finding = JudgedFinding(Finding("a.py", "minor", "bug", "One", ""))
    for number in range(1, 6):
        front.store.findings.add(number, 11, number, "a" * 40, "m", [finding])

    def person() -> None:
        sign_in(page, front.url)
        page.opens(f"{front.url}/findings?limit=2&severity=minor")
        assert "Back to the first ones" not in page.text
        page.clicks("Older findings")
        page.clicks("Older findings")
        assert "Older findings" not in page.text
        page.clicks("Back to the first ones")
        assert page.address == f"{front.url}/findings?limit=2&severity=minor"

    await asyncio.to_thread(person)


async def test_what_was_given_up_has_a_page_where_it_is_tried_again(front: Front, page: Page) -> None:
    (run, other) = (queued(front.store)[0], queued(front.store)[0])
    front.store.runs.finish(claimed(front.store, run), "dead", error="the kettle was cold")
    front.store.runs.finish(claimed(front.store, other), "done", "two findings")

    def person() -> None:
        sign_in(page, front.url)
        page.clicks("Dead letters")
        assert "the kettle was cold" in page.text
        assert "two findings" not in page.text
        current = "[...document.querySelectorAll('[aria-current]')].map(each => each.innerText)"
        assert page.runs(current) == ["Dead letters"]
        page.clicks(f"Try run {run.id} again")
        assert page.address == f"{front.url}/runs/{run.id}"
        page.clicks("Dead letters")
        assert "Nothing was given up." in page.text
        page.clicks("Runs")
        assert page.runs(current) == ["Runs"]

    await asyncio.to_thread(person)


async def test_a_page_that_can_renew_itself_no_more_says_so(front: Front, page: Page) -> None:
    def person() -> None:
        sign_in(page, front.url)
        assert "is old" not in page.text
        page.asks("Network.clearBrowserCookies")
        end = time.monotonic() + 20
        while "What is shown here is old" not in page.text and time.monotonic() < end:
            time.sleep(0.2)
        assert "What is shown here is old" in page.text
        page.clicks("Load it again")
        assert "API token" in page.text

    await asyncio.to_thread(person)


async def test_a_run_is_found_by_the_words_of_its_error(front: Front) -> None:
    (run,) = queued(front.store)
    front.store.runs.finish(claimed(front.store, run), "dead", error="the kettle was cold")
    found = (await front.client.get("/runs?q=kettle", headers=BEARER)).json()["runs"]
    assert [one["id"] for one in found] == [run.id]


@pytest.mark.parametrize(
    ("state", "ends", "again"),
    [("routed", "done", False), ("routed", "dead", True), ("ignored", "", True), ("quarantined", "", True),
     ("new", "", False)],
)  # fmt: skip
async def test_a_delivery_has_a_button_only_where_it_does_something(
    state: str, ends: str, again: bool, front: Front, page: Page
) -> None:
    new = delivery()
    put(front.store, new)
    if state != "new":
        specs = [RunSpec("pull_requests.judge", "default", "12#3")] if ends else []
        decided = Decision(front.store.inbox.get(new.guid), state, specs)  # type: ignore[arg-type]
        for run in front.store.routing.record([decided]):
            front.store.runs.finish(claimed(front.store, run), ends)  # type: ignore[arg-type]
    shown = (await front.client.get("/deliveries", headers=HTML)).text
    assert ("Again</button>" in shown) == again
    answer = await front.client.post(f"/deliveries/{new.guid}/again", headers={**HTML, "origin": front.url})
    assert answer.status_code == (303 if again else 409)
    if again:
        assert answer.headers["location"] == f"/deliveries?q={new.guid}"


async def test_scheduled_work_leads_to_no_delivery_that_never_was(front: Front) -> None:
    (run, asked) = (queued(front.store, guid="schedule:2026-11-30T10:00:00Z")[0], queued(front.store)[0])
    assert "/deliveries?q=" not in (await front.client.get(f"/runs/{run.id}", headers=HTML)).text
    assert "/deliveries?q=" in (await front.client.get(f"/runs/{asked.id}", headers=HTML)).text
