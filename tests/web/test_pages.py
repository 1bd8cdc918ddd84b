"""The dashboard as people use it: every page with what is on it, in a browser and as JSON for programs."""

import asyncio
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest

from bot.core.conventions import Count, Evidence, Example, lesson_of
from bot.core.findings import Finding, JudgedFinding
from bot.core.host_slots import SlotRequest, Written
from bot.core.hosts import Host
from bot.core.inference import ModelCall, Usage
from bot.core.memory import Lesson
from bot.core.refs import IssueTitle, Login, RepoRef
from bot.inference.hosts.slots import LocalHostSlots
from bot.log import LoggedLine
from bot.store import Decision, Run, RunSpec, Store
from bot.store.reconciliation import Reconciliation
from bot.web.openapi import document
from bot.web.pages import VIEWS
from bot.web.pages.html import field_text
from bot.web.session import RENEW_AFTER, Sessions
from tests.browser import Browser, Page
from tests.store.making import NewEffect, claimed, queued
from tests.web.conftest import TOKEN, Front, opened
from tests.web.test_browser import chromium, page, sign_in

__all__ = ["chromium", "page"]

BEARER = {"authorization": f"Bearer {TOKEN}"}
HTML = {**BEARER, "accept": "text/html"}
TEA = RepoRef("octo", "hello", 11, 3)


async def lived_in(front: Front, store: Store) -> Run:
    """Something on every page; the run that did it."""
    guid = (await front.deliver()).json()["delivery"]
    delivery = store.inbox.undispatched()[0]
    about = IssueTitle(7, True, "Say hello", "mona")
    spec = RunSpec("pull_requests.judge", "default", "11#7")
    store.routing.record([Decision(delivery, "routed", [spec], about=about)])
    await front.deliver(
        {"action": "opened", "repository": {"id": 11, "full_name": "octo/hello"}}, x_github_event="odd"
    )
    other = store.inbox.undispatched()[0]
    store.routing.record([Decision(other, "quarantined", note="not what its event promises",
                                   about=IssueTitle(8, False, "It says nothing", "ann"))])  # fmt: skip
    run = store.runs.of_delivery(guid)[0]
    claimed = store.runs.claim(run.id, "me")
    assert claimed is not None
    store.outbox.plan(claimed, [NewEffect("k" * 64, "PostReview", "{}")])
    finding = Finding("src/a.py", "major", "bug", "Loses the last row", "It does.", line=3)
    ghost = Finding("src/b.py", "nit", "style", "Not there", "")
    judged = [JudgedFinding(finding), JudgedFinding(ghost, "refused", "quoting code that is not there")]
    store.findings.add(run.id, 11, 7, "a" * 40, "big:14b", judged)
    said = (("system", "Be kind."), ("user", "Look."), ("assistant", '{"findings": []}'))
    store.calls.add(
        run.id,
        "octo/hello",
        [
            ModelCall(
                time.time(), "review", "review", "mini", "big:14b", 5_100, 60, tokens_cached=4_099, said=said
            )
        ],
    )
    store.run_logs.add(run.id, [LoggedLine(time.time(), "info", "a line of the log")])
    with store.database.write() as connection:
        store.memory.remember(connection, TEA, Lesson("convention", "We use tabs.", Login("mona"), 7), None)
        store.drafts.keep(connection, TEA, 7, "Which kettle?", "triage")
    return claimed


def on_every_page(run: Run) -> dict[str, str]:
    """Each address, and words that have to be there."""
    return {
        "/": "Say hello",
        "/pulls": "Say hello",
        "/issues": "It says nothing",
        "/issues/11/7": "Loses the last row",
        "/findings": "Loses the last row",
        "/findings?by=week&outcome=open": "Said",
        "/runs": "pull_requests.judge",
        "/runs?state=dead&internal=true": "Dead letters",
        "/pulls?q=nowhere": "Nothing fits",
        f"/runs/{run.id}": "a line of the log",
        f"/runs/{run.id}?": "<td>1,001</td><td>4,099</td><td>60</td>",
        f"/runs/{run.id}/calls/0": "Be kind.",
        "/drafts": "Which kettle?",
        "/memory": "We use tabs.",
        "/repositories": "octo/hello",
        "/repositories/octo/hello": "review.max_comments",
        "/hosts": "mini",
        "/deliveries": "quarantined",
        "/budget": "big:14b",
    }


@pytest.fixture
async def lived(store: Store) -> Any:
    async with opened(store, model_hosts=(Host("mini", "ollama", "http://127.0.0.1:9"),)) as front:
        yield front, await lived_in(front, store)


async def test_every_page_shows_what_it_is_for_in_time_and_size(lived: tuple[Front, Run]) -> None:
    front, run = lived
    for path, shown in on_every_page(run).items():
        answer = await front.client.get(path, headers=HTML)
        assert answer.status_code == 200, path
        assert shown in answer.text, path
        assert len(answer.content) < 100_000, path


@pytest.mark.parametrize("file", ["review:\n  max_comments: 3\nonline: never\n", "review: [", "<b>: x"])
async def test_a_repositorys_settings_count_with_its_own_file(
    lived: tuple[Front, Run], store: Store, file: str
) -> None:
    front, _ = lived
    path = "/repositories/octo/hello"
    store.known.keep_file(11, file)
    told = {one["name"]: one for one in (await front.client.get(path, headers=BEARER)).json()["settings"]}
    most, online = told["review.max_comments"], told["online"]
    says = "max_comments" in file
    assert (most["value"], most["layer"]) == ((3, ".github/hob.yml") if says else (8, "default"))
    assert (most["before_file"], online["value"]) == (8, "never" if says else "allowed")
    shown = (await front.client.get(path, headers=HTML)).text
    assert ("</code>, as it was read last, says 3, and that counts" in shown) == says
    store.known.keep_file(11, None)
    told = {one["name"]: one for one in (await front.client.get(path, headers=BEARER)).json()["settings"]}
    assert told["review.max_comments"]["layer"] == "default"


async def test_a_recovered_delivery_says_so(lived: tuple[Front, Run], store: Store) -> None:
    front, run = lived
    kept = Reconciliation(store.database)
    progress = kept.load()
    for number in range(600):
        progress.recover(f"g-{number}")
    assert len(progress.recovered) == 500
    progress.recover(run.delivery)
    kept.save(progress)
    told = (await front.client.get("/deliveries", headers=BEARER)).json()["deliveries"]
    assert {one["guid"]: one["recovered"] for one in told}.pop(run.delivery) is True
    assert [one["recovered"] for one in told].count(True) == 1
    assert (await front.client.get("/deliveries", headers=HTML)).text.count(">recovered</span>") == 1


@pytest.mark.parametrize("path", ["/", "/hosts"])
async def test_what_a_model_reads_and_writes_now_is_shown_with_its_speed(store: Store, path: str) -> None:
    slots = LocalHostSlots()
    for name in ("a", "b"):
        await slots.enter(SlotRequest(name, "mini", f"<b>{name}</b>:14b", 60.0, 1.0), 2)
    await slots.renew([SlotRequest("a", "mini", "<b>a</b>:14b", 60.0, 1.0, written=Written(341, 40.0))], [])
    host = Host("mini", "ollama", "http://127.0.0.1:9", parallel=2)
    async with opened(store, model_hosts=(host,), places=partial(slots.look, ["mini"])) as front:
        shown = (await front.client.get(path, headers=HTML)).text
        told = (await front.client.get("/hosts", headers=BEARER)).json()["hosts"][0]["answering"]
    assert "&lt;b&gt;a&lt;/b&gt;:14b has written about 341 tokens, 8.5 a second; about " in shown
    assert "&lt;b&gt;b&lt;/b&gt;:14b reads the prompt, for 0." in shown
    assert [(one["tokens"], one["tokens_per_second"]) for one in told] == [(341, 8.5), (0, 0.0)]


async def test_what_programs_get_is_what_is_described(lived: tuple[Front, Run]) -> None:
    front, run = lived
    named = {"repo_id": 11, "number": 7, "id": run.id, "n": 0, "owner": "octo", "name": "hello"}
    whole = document()
    for view in VIEWS:
        path = view.path
        for name, value in named.items():
            path = path.replace(f"{{{name}}}", str(value))
        answer = await front.client.get(path, headers=BEARER)
        assert answer.status_code == 200, path
        shape = whole["paths"][view.path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        jsonschema_rs.Draft202012Validator({**shape, "components": whole["components"]}).validate(
            answer.json()
        )
    answer = await front.client.get("/", headers={**BEARER, "accept": "application/json"})
    assert [one["title"] for one in answer.json()["working"]] == ["Say hello"]


@pytest.mark.parametrize(
    "path",
    ["/runs", "/findings", "/pulls", "/issues", "/memory", "/repositories", "/hosts", "/deliveries",
     "/budget", "/issues/1/2", "/runs/1/calls/0", "/repositories/octo/hello"],
)  # fmt: skip
async def test_D1_no_page_is_shown_to_a_stranger(front: Front, path: str) -> None:
    assert (await front.client.get(path)).status_code == 401
    assert (await front.client.get(path, headers={"accept": "text/html"})).status_code == 303


@pytest.mark.parametrize(
    ("path", "status"),
    [("/findings?before=x", 400), ("/findings?before=-1", 400), ("/findings?days=" + "9" * 18, 200),
     ("/findings?by=odd", 400), ("/findings?number=" + "9" * 30, 400), ("/findings?q=%25_%5C", 200),
     ("/findings?q=a%00b", 400),
     ("/pulls?before=nan,1,2", 400), ("/pulls?before=1,2", 400), ("/pulls?before=1e999,1,1", 400),
     ("/memory?before=1.5,2,3", 200), ("/memory?before=1,99999999999999999999,1", 400), ("/issues/x/1", 404),
     ("/issues/1/" + "9" * 40, 404), ("/issues/1/1", 404), ("/repositories/a%2Fb/c", 404),
     ("/repositories/octo/" + "x" * 101, 404), ("/runs/1/calls/0", 404), ("/runs/1/calls/x", 404),
     ("/deliveries?state=odd", 400), ("/budget?days=0", 200), ("/budget?days=x", 400),
     ("/runs?q=%F0%9F%90%9D", 200)],
)  # fmt: skip
async def test_an_odd_question_is_answered_kindly(front: Front, path: str, status: int) -> None:
    for headers in (BEARER, HTML):
        assert (await front.client.get(path, headers=headers)).status_code == status


async def pressed(front: Front, path: str, **fields: str) -> httpx.Response:
    return await front.client.post(path, data=fields, headers={**HTML, "origin": front.url})


async def test_a_run_is_cancelled_and_a_dead_one_tried_again(lived: tuple[Front, Run]) -> None:
    front, run = lived
    again = await pressed(front, f"/runs/{run.id}/retry")
    assert again.status_code == 409
    assert (await pressed(front, f"/runs/{run.id}/cancel")).headers["location"] == f"/runs/{run.id}"
    assert front.store.runs.heartbeat(run) == "superseded"
    front.store.runs.finish(run, "superseded")
    shown = (await front.client.get(f"/runs/{run.id}", headers=BEARER)).json()
    assert "cancelled" in shown["summary"]
    assert (await pressed(front, f"/runs/{run.id}/cancel")).status_code == 409
    with front.store.database.write() as connection:
        connection.exec_driver_sql("UPDATE runs SET state = 'dead'")
    told = await front.client.post(f"/runs/{run.id}/retry", headers=BEARER)
    assert (told.status_code, told.json()) == (202, {"run": run.id})
    assert front.woken
    assert (await front.client.get("/runs?state=queued", headers=BEARER)).json()["runs"]


async def test_D3_no_button_is_pressed_by_get_or_from_elsewhere(lived: tuple[Front, Run]) -> None:
    front, run = lived
    for path in (
        f"/runs/{run.id}/retry",
        f"/runs/{run.id}/cancel",
        "/memory/11/1/forget",
        "/memory/11/1/accept",
        "/memory/11/1/decline",
        "/deliveries/x/again",
    ):
        assert (await front.client.get(path, headers=BEARER)).status_code == 405
        assert (await front.client.post(path)).status_code == 401
        foreign = {"origin": "https://evil.example", "cookie": "hob_session=1.2.3"}
        assert (await front.client.post(path, headers=foreign)).status_code == 403


async def test_a_delivery_that_was_kept_aside_is_looked_at_again(lived: tuple[Front, Run]) -> None:
    front, _ = lived
    asked = (await front.client.get("/deliveries?state=quarantined", headers=BEARER)).json()["deliveries"]
    guid = asked[0]["guid"]
    assert (await pressed(front, f"/deliveries/{guid}/again")).status_code == 303
    assert [one.guid for one in front.store.inbox.undispatched()] == [guid]
    assert (await pressed(front, f"/deliveries/{guid}/again")).status_code == 409
    assert (await pressed(front, "/deliveries/none/again")).status_code == 409


async def test_what_is_remembered_is_forgotten_by_a_button(lived: tuple[Front, Run]) -> None:
    front, _ = lived
    assert (await pressed(front, "/memory/11/1/forget")).headers["location"] == "/memory?told=forgotten+1"
    assert (await front.client.get("/memory", headers=BEARER)).json()["memory"] == []
    assert (await pressed(front, "/memory/11/1/forget")).status_code == 404


async def test_a_learned_convention_is_shown_with_what_it_rests_on_and_accepted_or_declined(
    lived: tuple[Front, Run], store: Store
) -> None:
    front, _ = lived
    hostile = Example("javascript:alert(1)", "src/<b>.py", "print(<script>)", "Use <i>structlog</i>.", "bob")
    good = Example("https://github.com/octo/hello/pull/1", "src/a.py", "print(x)", "Never.", "bob")
    seen = Evidence("*.py", ("print",), "remark", Count(9, 10), Count(6, 8), (good, hostile), (hostile,))
    for one in (seen, replace(seen, trigger=("eval",))):
        store.memory.offer(11, "octo/hello", [lesson_of(one, "Never print <b>.", Login("my-hob"))])
    shown = (await front.client.get("/memory", headers=HTML)).text
    assert "right on 6 of 8 changes" in shown
    assert 'action="/memory/11/2/accept"' in shown
    assert '<a href="https://github.com/octo/hello/pull/1"' in shown
    assert not any(bad in shown for bad in ("javascript:", "<script>)", "<i>", "<b>"))
    told = (await front.client.get("/", headers=BEARER | {"accept": "application/json"})).json()
    assert told["offered"] == 2
    assert (await pressed(front, "/memory/11/2/accept")).headers["location"] == "/memory?told=accepted+2"
    assert (await pressed(front, "/memory/11/3/decline")).status_code == 303
    assert (await pressed(front, "/memory/11/3/decline")).status_code == 404
    assert (await pressed(front, "/memory/11/1/decline")).status_code == 404
    listed = (await front.client.get("/memory", headers=BEARER)).json()["memory"]
    assert {one["n"]: one["kind"] for one in listed} == {1: "convention", 2: "convention", 3: "declined"}
    assert [one["evidence"] and one["evidence"]["spoken"] for one in listed if one["n"] < 3] == [8, None]
    assert 'action="/memory/11/2/accept"' not in (await front.client.get("/memory", headers=HTML)).text


async def test_a_setting_is_changed_on_its_page_and_what_cannot_be_is_said_there(
    lived: tuple[Front, Run],
) -> None:
    front, _ = lived
    at = "/repositories/octo/hello"
    saved = await pressed(front, at, key="review.max_comments", value="3")
    assert (saved.status_code, saved.headers["location"]) == (
        303,
        f"{at}?saved=review.max_comments#review.max_comments",
    )
    await pressed(front, at, key="review.base_branches", value="main, release/*")
    await pressed(front, at, key="language", value="pt-BR")
    rows = {one["name"]: one for one in (await front.client.get(at, headers=BEARER)).json()["settings"]}
    assert (rows["review.max_comments"]["value"], rows["review.max_comments"]["stored"]) == (3, True)
    assert rows["review.base_branches"]["value"] == ["main", "release/*"]
    assert rows["language"]["value"] == "pt-BR"
    wrong = await pressed(front, at, key="review.max_comments", value="<b>many")
    assert wrong.status_code == 422
    assert "&lt;b&gt;many" in wrong.text and 'role="alert"' in wrong.text
    assert (await pressed(front, at, key="no.such", value="1")).status_code == 422
    for odd in ("[" * 5_000, '{"a":' * 2_000, "9" * 5_000, '"\\ud800"', "\0"):
        assert (await pressed(front, at, key="review.max_comments", value=odd)).status_code == 422
    assert (await pressed(front, at, key="review.max_comments", value="")).status_code == 303
    rows = {one["name"]: one for one in (await front.client.get(at, headers=BEARER)).json()["settings"]}
    assert rows["review.max_comments"]["layer"] == "default"


@pytest.mark.parametrize("key", ["review.labels", "review.guidelines", "review.min_severity", "language"])
async def test_a_field_shows_the_whole_value_and_saving_it_unchanged_changes_nothing(
    key: str, lived: tuple[Front, Run], page: Page
) -> None:
    front, _ = lived
    values = {
        "review.labels": ['"quoted" autofocus onfocus=alert(1)', "é <b>&amp;'"],
        "review.guidelines": ["CONTRIBUTING.md", "docs/*.md"],
        "review.min_severity": "major",
        "language": "pt-BR",
    }
    before = {**values, "review.auto": False}
    front.store.settings.change("repo", "octo/hello", lambda _: before)

    def person() -> None:
        sign_in(page, front.url)
        page.opens(f"{front.url}/repositories/octo/hello")
        shown = page.runs(f"document.getElementById('value-{key}').value")
        assert shown == (values[key] if isinstance(values[key], str) else ", ".join(values[key]))
        page.clicks(f"Save {key}")
        assert f"{key} is saved." in page.text

    await asyncio.to_thread(person)
    assert front.store.settings.get("repo", "octo/hello") == before


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (["main", "release/*"], "main, release/*"),
        ([], "[]"),
        (["a,b"], '["a,b"]'),
        (["true"], '["true"]'),
        (["1", "2"], "1, 2"),
        ([" a"], '[" a"]'),
        ([{"path": "a"}], '[{"path": "a"}]'),
        (8, "8"),
    ],
)
def test_a_list_of_words_is_shown_as_people_write_it_where_it_is_read_as_the_same(
    value: object, shown: str
) -> None:
    assert field_text(value) == shown


async def test_the_settings_are_in_parts_and_say_which_are_stored_here(
    lived: tuple[Front, Run], page: Page
) -> None:
    front, _ = lived
    front.store.settings.change("repo", "octo/hello", lambda _: {"review.max_comments": 3})

    def person() -> None:
        sign_in(page, front.url)
        page.opens(f"{front.url}/repositories/octo/hello")
        heads = page.runs("[...document.querySelectorAll('h2')].map(one => one.innerText)")
        assert heads == ["Review", "Review: checks", "Issues", "Code", "In general", "Models"]
        assert "Stored here: review.max_comments." in page.text
        for link in ("Models", "review.max_comments"):
            page.runs(f"[...document.querySelectorAll('a')].find(one => one.innerText === '{link}').click()")
            assert page.runs("document.querySelector(':target').getBoundingClientRect().top < innerHeight")
        assert page.runs("document.getElementById('value-review.base_branches').placeholder") == "none"

    await asyncio.to_thread(person)


async def test_every_page_keeps_a_session_alive(lived: tuple[Front, Run]) -> None:
    front, run = lived
    sessions = Sessions(TOKEN)
    young, aged = sessions.issue(), sessions.issue(time.time() - RENEW_AFTER - 60)
    for path in on_every_page(run):
        for cookie in (young, aged):
            sent = {"accept": "text/html", "cookie": f"{sessions.cookie}={cookie}"}
            answer = await front.client.get(path, headers=sent)
            assert answer.status_code == 200
            assert (sessions.cookie in answer.cookies) == (cookie == aged), path
            front.client.cookies.clear()


async def test_a_person_works_through_what_was_learned_and_another_tab_is_late(
    lived: tuple[Front, Run], chromium: Browser, page: Page
) -> None:
    front, _ = lived
    good = Example("https://github.com/octo/hello/pull/1", "src/a.py", "print(x)", "Never.", "bob")
    seen = Evidence("*.py", ("print",), "remark", Count(9, 10), Count(6, 8), (good,), ())
    for one in (seen, replace(seen, trigger=("eval",))):
        front.store.memory.offer(11, "octo/hello", [lesson_of(one, "Never.", Login("my-hob"))])
    late = await asyncio.to_thread(chromium.page)

    def person() -> None:
        for tab in (page, late):
            sign_in(tab, front.url)
            tab.clicks("2 learned conventions to accept or decline")
            assert "We use tabs." not in tab.text
        page.clicks("Accept 2 of octo/hello")
        assert page.address == f"{front.url}/memory?kind=candidate&told=accepted+2"
        assert "Number 2 is accepted: reviewers are told of it from now on." in page.text
        late.clicks("Decline 2 of octo/hello")
        assert late.status == 404
        assert late.runs("document.querySelector('h1').innerText") == "That cannot be done now"
        late.clicks("Back")
        assert late.address == f"{front.url}/memory?kind=candidate"
        page.clicks("Decline 3 of octo/hello")
        assert "Number 3 is declined" in page.text
        assert "Nothing fits. Show all" in page.text

    await asyncio.to_thread(person)


async def test_the_budget_counts_what_left_the_network_and_nothing_else(store: Store) -> None:
    ones = (Host("mini", "ollama", "http://127.0.0.1:9"), Host("cloud", "openai", "https://x", online=True))
    for name in ("mini", "cloud"):
        store.ledger.add(None, "octo/hello", Usage("review", name, "big:14b", 5_000, 60, 1.0))
    async with opened(store, model_hosts=ones) as front:
        told = (await front.client.get("/budget", headers=BEARER)).json()
        assert (told["today_tokens"], told["online_hosts"]) == (5_060, ["cloud"])
        assert [one["host"] for one in told["days"]] == ["cloud"]
    async with opened(store, model_hosts=ones[:1]) as front:
        shown = (await front.client.get("/budget", headers=HTML)).text
        assert "No host of this Hob is online" in shown
        assert "5,060" not in shown


async def test_what_a_scan_finds_leads_to_no_issue(lived: tuple[Front, Run], store: Store) -> None:
    """It is about code that no pull request touches."""
    front, run = lived
    found = JudgedFinding(Finding("src/till.py", "major", "bug", "Rounds a `float`", "It does.", line=3))
    store.findings.add(run.id + 1, 11, 0, "a" * 40, "big:14b", [found])
    shown = (await front.client.get("/findings", headers=HTML)).text
    assert "octo/hello, read by night: <code>src/till.py:3</code>" in shown
    assert "Rounds a <code>float</code>" in shown
    assert "/issues/11/0" not in shown


async def test_what_another_run_does_is_no_fault(front: Front, store: Store) -> None:
    (dead,), (spared,) = queued(store), queued(store)
    store.runs.finish(claimed(store, dead), "dead", error="GitHub says no")
    store.runs.finish(claimed(store, spared), "superseded", error="a newer one does it")
    shown = (await front.client.get("/runs", headers=HTML)).text
    assert '<td class="words bad">GitHub says no' in shown
    assert '<td class="words">a newer one does it' in shown
    shown = (await front.client.get(f"/runs/{spared.id}", headers=HTML)).text
    assert '<dd class="">a newer one does it' in shown


async def test_a_setting_of_few_values_is_chosen_from_them(lived: tuple[Front, Run], page: Page) -> None:
    front, _ = lived
    stored = partial(front.store.settings.get, "repo", "octo/hello")

    def person() -> None:
        sign_in(page, front.url)
        page.opens(f"{front.url}/repositories/octo/hello")
        assert "`" not in page.text
        for value in ("true", ""):
            page.runs(f"document.getElementById('value-review.drafts').value = '{value}'")
            page.clicks("Save review.drafts")
            assert stored() == ({"review.drafts": True} if value else {})

    await asyncio.to_thread(person)


async def test_pages_lead_to_older_ones_until_there_is_nothing_more(front: Front, store: Store) -> None:
    finding = Finding("a.py", "minor", "bug", "One", "")
    for number in range(1, 8):
        judged = [JudgedFinding(finding)] * 5
        store.findings.add(number, 11, number, "a" * 40, "m", judged)
    seen: list[int] = []
    path: str | None = "/findings?limit=10"
    while path:
        page = (await front.client.get(path, headers=BEARER)).json()
        seen += [one["id"] for one in page["findings"]]
        path = f"/findings?limit=10&before={page['next']}" if page["next"] else None
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == 35
    shown = await front.client.get("/findings?limit=10&q=one&severity=minor", headers=HTML)
    assert 'rel="next" href="?limit=10&amp;q=one&amp;severity=minor&amp;before=' in shown.text


def axe() -> str:
    import axe_core_python

    return (Path(axe_core_python.__file__).parent / "axe.min.js").read_text("utf-8")


VIOLATIONS = """axe.run().then(found => found.violations.map(
    one => one.id + ": " + one.nodes.map(node => node.html + " " + node.failureSummary).slice(0, 2)))"""


SIDEWAYS = """[...document.querySelectorAll(".wide")].filter(one => one.scrollWidth > one.clientWidth + 1)
    .map(one => one.ariaLabel)"""
"""Tables of which a part is out of sight."""


def looks_at(page: Page, url: str, width: int, scheme: str) -> None:
    """With a window so wide, by day or by night."""
    page.asks(
        "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False
    )
    page.asks("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    page.opens(url)


async def test_D1_every_page_can_be_used_by_everybody(lived: tuple[Front, Run], page: Page) -> None:
    """axe finds nothing, in light and dark, and no page is wider than a phone or a desktop."""
    front, run = lived

    def person() -> None:
        script = axe()
        sign_in(page, front.url)
        for path in on_every_page(run):
            for width, scheme in ((360, "dark"), (1600, "light")):
                page.asks(
                    "Emulation.setDeviceMetricsOverride",
                    width=width,
                    height=900,
                    deviceScaleFactor=1,
                    mobile=False,
                )
                page.asks(
                    "Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}]
                )
                page.opens(f"{front.url}{path}")
                assert page.runs("document.documentElement.scrollWidth <= innerWidth"), (path, width)
                assert page.runs(SIDEWAYS) == [], (path, width)
                page.runs(f"{script}; 0")
                found = page.runs(VIOLATIONS)
                assert found == [], (path, scheme)

    await asyncio.to_thread(person)


async def test_the_first_page_renews_itself_and_keeps_what_a_person_opened(
    lived: tuple[Front, Run], page: Page
) -> None:
    front, run = lived

    def person() -> None:
        sign_in(page, front.url)
        page.opens(f"{front.url}/runs/{run.id}")
        page.runs("document.querySelector('details').open = true")
        assert "a line of the log" in page.text
        front.store.runs.finish(run, "done", "all is said")
        end = time.monotonic() + 15
        while "all is said" not in page.text and time.monotonic() < end:
            time.sleep(0.2)
        assert "all is said" in page.text
        assert page.runs("document.querySelector('details').open")

    await asyncio.to_thread(person)
