"""The page *Drafts*: read, changed, posted and discarded by whoever has the token, and by nobody else."""

import asyncio
import time
from urllib.parse import urlencode

import httpx
import msgspec
import pytest

from bot.core.refs import RepoRef
from bot.store import Store
from bot.store.requests import CommandRequest
from bot.web.session import Sessions
from tests.browser import Page
from tests.web.conftest import TOKEN, Front
from tests.web.test_browser import chromium, page, sign_in

__all__ = ["chromium", "page"]

TEA = RepoRef("octo", "tea", id=12, installation=7)
BEARER = {"authorization": f"Bearer {TOKEN}"}
TEXT = "Which kettle?\n\n<b>It</b> burns & hisses."


def keep(store: Store, body: str = TEXT, number: int = 5) -> str:
    """Its path."""
    with store.database.write() as connection:
        store.drafts.keep(connection, TEA, number, body, "triage")
    return f"/drafts/12/{store.drafts.waiting()[-1].n}"


def asked(store: Store) -> list[CommandRequest]:
    return [msgspec.json.decode(one.body, type=CommandRequest) for one in store.inbox.undispatched()]


async def sends(front: Front, path: str, **fields: str) -> httpx.Response:
    kind = {"content-type": "application/x-www-form-urlencoded"}
    return await front.client.post(path, content=urlencode(fields), headers={**BEARER, **kind})


@pytest.mark.parametrize("path", ["/drafts", "/drafts/12/1"])
async def test_D1_a_stranger_sees_and_changes_no_draft(front: Front, path: str) -> None:
    keep(front.store)
    assert (await front.client.get(path)).status_code == 401
    for cookie in ({}, {"cookie": "hob_session=1.2.3"}):
        answer = await front.client.post("/drafts/12/1", content="do=post", headers=cookie)
        assert answer.status_code in (401, 403)
    assert asked(front.store) == []


async def test_D1_a_draft_is_shown_as_text(front: Front) -> None:
    keep(front.store, "<script>alert(1)</script> </textarea></pre><img src=x>")
    for path in ("/drafts", "/drafts/12/1"):
        shown = (await front.client.get(path, headers=BEARER)).text
        assert "&lt;script&gt;" in shown
        assert "<script>" not in shown
        assert "<img" not in shown
    assert 'href="https://github.com/octo/tea/issues/5"' in shown


@pytest.mark.parametrize(("order", "line"), [("post", "/hob draft post 1"), ("discard", "/hob draft drop 1")])
async def test_a_button_asks_for_a_command_on_the_drafts_issue(front: Front, order: str, line: str) -> None:
    answer = await sends(front, keep(front.store), do=order)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/drafts?asked={order}%201")
    (one,) = asked(front.store)
    assert (one.repo, one.number, one.line, one.channel, one.by.login) == (TEA, 5, line, "dashboard", "")
    assert front.woken
    shown = (await front.client.get(answer.headers["location"], headers=BEARER)).text
    assert "Draft 1 is being" in shown


async def test_X2_a_changed_text_is_made_harmless_before_it_is_kept(front: Front) -> None:
    path = keep(front.store)
    body = "Better, @octo/everyone:\r\n\r\n![x](https://evil.example/x)\r\nyes"
    saved = (await sends(front, path, do="save", body=body)).headers["location"]
    assert saved == f"{path}?saved=1"
    assert "Saved, and not posted yet." in (await front.client.get(saved, headers=BEARER)).text
    assert "Saved" not in (await front.client.get(path, headers=BEARER)).text
    (draft,) = front.store.drafts.waiting()
    assert "`@octo/everyone`" in draft.body
    assert "evil.example/x)" not in draft.body
    assert asked(front.store) == []
    assert (await sends(front, path, do="post", body="Best.")).status_code == 303
    assert front.store.drafts.waiting()[0].body == "Best."
    assert [one.line for one in asked(front.store)] == ["/hob draft post 1"]


@pytest.mark.parametrize(
    "fields", [{}, {"do": "approve"}, {"do": "post", "body": " \n "}, {"do": "save", "body": "<!-- x -->"}]
)
async def test_what_is_no_order_or_no_text_changes_nothing(front: Front, fields: dict[str, str]) -> None:
    assert (await sends(front, keep(front.store), **fields)).status_code == 400
    assert front.store.drafts.waiting()[0].body == TEXT
    assert asked(front.store) == []


@pytest.mark.parametrize(
    "path", ["/drafts/12/9", "/drafts/13/1", "/drafts/x/1", "/drafts/12/-1", f"/drafts/12/{10**30}"]
)
async def test_what_is_not_there_or_no_number_is_404(front: Front, path: str) -> None:
    keep(front.store)
    assert (await front.client.get(path, headers=BEARER)).status_code == 404
    assert (await sends(front, path, do="post", body="x")).status_code == 404
    assert asked(front.store) == []


@pytest.mark.xdist_group("browser")
async def test_D1_a_person_edits_posts_and_discards_with_mouse_and_keyboard(front: Front, page: Page) -> None:
    keep(front.store)
    keep(front.store, "Second.", 6)

    def person() -> None:
        sign_in(page, front.url)
        page.clicks("Drafts")
        assert "octo/tea#5: triage" in page.text
        assert "<b>It</b> burns & hisses." in page.text
        page.clicks("Edit draft 1 on octo/tea#5")
        assert page.address == f"{front.url}/drafts/12/1"
        page.runs("document.activeElement.select()")
        page.types("Which one, please?")
        page.clicks("Save")
        assert page.runs("document.activeElement.value") == "Which one, please?"
        page.opens(f"{front.url}/drafts")
        assert "Which one, please?" in page.text
        page.runs("document.querySelector('button[value=post]').focus()")
        page.presses_enter()
        assert page.status == 200
        assert "Draft 1 is being posted" in page.text
        page.clicks("Discard draft 2 on octo/tea#6")
        assert "Draft 2 is being discarded" in page.text

    await asyncio.to_thread(person)
    assert [one.line for one in asked(front.store)] == ["/hob draft post 1", "/hob draft drop 2"]


@pytest.mark.xdist_group("browser")
async def test_what_was_typed_outlives_the_session(front: Front, page: Page) -> None:
    keep(front.store)

    def person() -> None:
        sign_in(page, front.url)
        page.opens(f"{front.url}/drafts/12/1")
        page.runs("document.activeElement.select()")
        page.types("Half an hour's work.")
        page.asks("Network.clearBrowserCookies")
        page.runs("document.querySelector('button[value=save]').click()")
        end = time.monotonic() + 10
        while "Nothing was sent" not in page.text and time.monotonic() < end:
            time.sleep(0.05)
        assert "Nothing was sent: you are signed out" in page.text
        assert page.runs("document.getElementById('body').value") == "Half an hour's work."
        sessions = Sessions(TOKEN)
        made = {"name": sessions.cookie, "value": sessions.issue()}
        page.asks("Network.setCookie", url=front.url, **made)  # signed in in another tab
        page.clicks("Save")
        assert "Saved, and not posted yet." in page.text

    await asyncio.to_thread(person)
    assert front.store.drafts.waiting()[0].body == "Half an hour's work."
