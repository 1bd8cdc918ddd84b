"""Pages with the longest names and the worst titles that GitHub lets through: nothing is cut off, nothing is
squeezed into a column of single words, and all of it is text."""

import asyncio
import time
from typing import Any

import pytest

from bot.core.findings import Finding, JudgedFinding
from bot.core.inference import ModelCall
from bot.core.memory import Lesson
from bot.core.refs import IssueTitle, Login, RepoRef
from bot.store import Decision, Run, RunSpec, Store
from tests.browser import Page
from tests.store.making import claimed, delivery, put
from tests.web.conftest import Front
from tests.web.test_browser import chromium, page, sign_in
from tests.web.test_pages import looks_at

__all__ = ["chromium", "page"]

LONGEST = RepoRef("o" * 39, "x" * 100, 11, 3)
SAID = "GitHub refused the review: the line must be part of the diff. " * 6
TITLES = (
    "W" * 256,
    "<script>document.title = 'run'</script><img src=x onerror=\"document.title = 'run'\">",
    "{{ 7 * 7 }} \u202e[a](javascript:alert(1))",
    "Ordinary words about a kettle. " * 8,
)


def long_things(store: Store) -> list[Run]:
    """One of each, with names as long as they may be."""
    made = []
    for number, title in enumerate(TITLES, 1):
        new = delivery(repo_id=11, repo=LONGEST.full_name, number=number, sender="a" * 39)
        put(store, new)
        spec = RunSpec("pull_requests.judge", "default", f"11#{number}")
        about = IssueTitle(number, True, title, "a" * 39)
        (run,) = store.routing.record([Decision(store.inbox.get(new.guid), "routed", [spec], about=about)])
        call = ModelCall(time.time(), "review", "review", "mini", "m" * 80, failure=SAID)
        store.calls.add(run.id, LONGEST.full_name, [call])
        found = Finding("deep/" * 50 + "a.py", "major", "bug", title, "It does.", line=3)
        judged = [JudgedFinding(found), JudgedFinding(found, "refused", SAID)]
        store.findings.add(run.id, 11, number, "a" * 40, "m" * 80, judged)
        store.runs.finish(claimed(store, run), "dead", error=SAID)
        made.append(run)
    odd = delivery(repo_id=11, repo=LONGEST.full_name, sender="a" * 39)
    put(store, odd)
    store.routing.record([Decision(store.inbox.get(odd.guid), "quarantined", note=SAID)])
    with store.database.write() as connection:
        store.memory.remember(connection, LONGEST, Lesson("convention", SAID, Login("a" * 39), 7), None)
        store.drafts.keep(connection, LONGEST, 7, "W" * 500, "triage")
    return made


PAGES = (
    *("/", "/pulls", "/runs", "/findings", "/memory", "/drafts", "/repositories", "/deliveries", "/budget"),
    *("/runs/{run}", "/issues/11/1", "/drafts/11/1", "/runs/999"),
)
CUT_OFF = """[...document.querySelectorAll("td, th, dd, p, li, h1, h2, label")].filter(each => {
    const at = each.getBoundingClientRect()
    const frame = each.closest(".wide")?.getBoundingClientRect()
    if (getComputedStyle(each.closest("thead") ?? each).clipPath !== "none") return false  // for ears only
    return at.right > (frame ? frame.right : innerWidth) + 1 && at.width > 1
}).map(each => each.outerHTML.slice(0, 100))"""
TALLEST = (
    "Math.max(0, ...[...document.querySelectorAll('tr')].map(each => each.getBoundingClientRect().height))"
)
WORDS_IN_SIGHT = "document.querySelector('a[href*=\"/calls/\"]').getBoundingClientRect().right < innerWidth"
MOST_PIXELS = 1_000
"""Of a row on a phone, where its cells are below each other: 256 wide letters, twenty to a line, a long name
and what GitHub said."""


@pytest.mark.parametrize("width", [360, 1280])
async def test_D1_long_names_and_hostile_titles_cut_nothing_off(width: int, front: Front, page: Page) -> None:
    (run, *_) = await asyncio.to_thread(long_things, front.store)

    def person() -> None:
        wrong: list[Any] = []
        sign_in(page, front.url)
        for path in PAGES:
            looks_at(page, front.url + path.format(run=run.id), width, "light")
            if not page.runs("document.documentElement.scrollWidth <= innerWidth"):
                wrong.append((path, "the page is wider than the window"))
            if cut := page.runs(CUT_OFF):
                wrong.append((path, cut[:3]))
            if (tall := page.runs(TALLEST)) > MOST_PIXELS:
                wrong.append((path, f"a row is {tall} pixels tall"))
            if path == "/runs/{run}" and not page.runs(WORDS_IN_SIGHT):
                wrong.append((path, "the words that a model was asked are out of sight"))
            if page.runs("document.title") == "run":
                wrong.append((path, "a title was run"))
        assert wrong == []

    await asyncio.to_thread(person)


async def test_each_thing_that_waits_for_a_person_is_a_line_of_its_own(front: Front, page: Page) -> None:
    await asyncio.to_thread(long_things, front.store)

    def person() -> None:
        sign_in(page, front.url)
        lines = page.text.splitlines()
        assert "4 dead runs" in lines
        assert "1 draft to post or discard" in lines

    await asyncio.to_thread(person)
