"""The deliveries that GitHub kept, read as the App. Of an odd answer at most its odd items are lost."""

import json
from typing import Any

import pytest

from bot.core.errors import GitHubError, Gone, RateLimited, TemporaryError
from bot.github.client import GitHub
from bot.github.deliveries import HookDeliveries
from bot.github.routing import routing
from bot.http import Request, Response
from bot.testing.github import GitHubStandIn as StandIn
from bot.testing.github.repository import Repository
from tests.github.conftest import Canned, Connect

ITEM = {
    "id": 12345678,
    "guid": "0b989ba4-242f-11e5-81e1-c7b6966d2516",
    "delivered_at": "2026-03-03T20:00:00Z",
    "redelivery": False,
    "duration": 0.27,
    "status": "OK",
    "status_code": 202,
    "event": "issues",
    "action": "opened",
    "installation_id": 123,
    "repository_id": 456,
    "throttled_at": None,
}
JSON = {"Content-Type": "application/json; charset=utf-8"}


async def all_of(kept: HookDeliveries, per_page: int) -> list[list[str]]:
    pages, cursor = [], ""
    while True:
        page = await kept.page(cursor, per_page=per_page)
        pages.append([one.guid for one in page.deliveries])
        if not (cursor := page.following):
            return pages


@pytest.mark.parametrize("many", [0, 1, 7, 8, 15])
async def test_every_delivery_is_listed_once_page_by_page_newest_first(
    gh: StandIn, github: GitHub, repository: Repository, many: int
) -> None:
    made = [gh.deliver("issues", {"action": "opened", "n": n}).guid for n in range(many)]
    listed = await all_of(HookDeliveries(github.app()), 7)
    assert [guid for page in listed for guid in page] == [one.guid for one in reversed(gh.deliveries)]
    assert set(made) <= {guid for page in listed for guid in page}
    assert all(len(page) <= 7 for page in listed)


async def test_a_page_is_gone_on_from_while_new_deliveries_come_in(gh: StandIn, github: GitHub) -> None:
    old = [gh.deliver("issues", {"action": "opened"}).guid for _ in range(6)]
    kept = HookDeliveries(github.app())
    first = await kept.page(per_page=3)
    for _ in range(5):
        gh.deliver("issues", {"action": "closed"})
    second = await kept.page(first.following, per_page=3)
    assert [one.guid for one in first.deliveries + second.deliveries] == old[::-1]


async def test_an_attempt_says_what_it_was_and_how_it_was_answered(gh: StandIn, github: GitHub) -> None:
    payload = {"action": "opened", "installation": {"id": 7}, "repository": {"id": 9, "name": "tee ☕"}}
    first = gh.deliver("issues", payload)
    kept = HookDeliveries(github.app())
    await kept.redeliver(first.id)
    again, before = (await kept.page()).deliveries
    assert (again.guid, again.redelivery, before.redelivery) == (before.guid, True, False)
    assert (before.id, before.event, before.action, before.status_code) == (first.id, "issues", "opened", 0)
    assert (before.installation_id, before.repository_id, before.ok) == (7, 9, False)
    assert abs(before.delivered_at - gh.now()) < 5
    assert json.loads(await kept.payload(first.id)) == payload


async def test_what_did_not_change_is_not_sent_again(gh: StandIn, github: GitHub) -> None:
    gh.deliver("issues", {"action": "opened"})
    kept = HookDeliveries(github.app())
    first = await kept.page()
    gh.clock_offset = 60
    again = await kept.page()
    assert (again.deliveries, again.at - first.at >= 59) == (first.deliveries, True)
    assert [one.status for one in gh.requests if one.path.endswith("/deliveries")] == [200, 304]


async def test_enterprise_servers_pages_and_payloads_are_read_as_well(
    tmp_path: Any, pem: str, connect: Connect
) -> None:
    with StandIn(tmp_path / "ghes", ghes=True) as ghes:
        ghes.install_app("octo", private_key=pem)
        made = [ghes.deliver("issues", {"n": n}) for n in range(5)]
        kept = HookDeliveries(connect(api_url=ghes.api_url).app())
        assert await all_of(kept, 2) == [
            [made[4].guid, made[3].guid],
            [made[2].guid, made[1].guid],
            [made[0].guid],
        ]
        assert await kept.payload(made[0].id) == b'{"n":0}'


async def test_a_delivery_older_than_GitHub_keeps_is_gone(gh: StandIn, github: GitHub) -> None:
    old = gh.deliver("issues", {"action": "opened"})
    gh.clock_offset = 4 * 86_400
    kept = HookDeliveries(github.app())
    assert (await kept.page()).deliveries == ()
    with pytest.raises(Gone):
        await kept.payload(old.id)


def answering(connect: Connect, answer: Any, **headers: str) -> HookDeliveries:
    def reply(_: Request) -> Response:
        return Response(200, content=json.dumps(answer).encode(), headers={**JSON, **headers})

    return HookDeliveries(connect(transport=Canned(reply)).app())


@pytest.mark.parametrize(
    "odd",
    [
        None,
        7,
        [],
        {},
        ITEM | {"id": "12"},
        ITEM | {"id": True},
        ITEM | {"id": -1},
        ITEM | {"id": 2**63},
        ITEM | {"id": 1.5},
        ITEM | {"guid": None},
        ITEM | {"guid": ""},
        ITEM | {"guid": "request:mine"},
        ITEM | {"guid": "schedule:2026-03-03"},
        ITEM | {"guid": "a" * 65},
        ITEM | {"guid": "a\nb"},
        ITEM | {"guid": "\ud800"},
        ITEM | {"event": "hob-request"},
        ITEM | {"event": ""},
        ITEM | {"event": ["issues"]},
        ITEM | {"delivered_at": None},
        ITEM | {"delivered_at": "soon"},
        ITEM | {"delivered_at": "0001-01-01T00:00:00Z"},
        ITEM | {"delivered_at": "1969-12-31T23:59:59Z"},
        ITEM | {"delivered_at": "9" * 10_000},
    ],
)
async def test_an_item_that_is_none_is_left_out_and_the_others_are_read(connect: Connect, odd: Any) -> None:
    page = await answering(connect, [odd, ITEM]).page()
    assert [one.id for one in page.deliveries] == [ITEM["id"]]


async def test_odd_particulars_of_an_item_are_read_as_absent(connect: Connect) -> None:
    odd = {"action": {}, "status_code": "202", "installation_id": "x", "repository_id": -3, "redelivery": 1}
    (one,) = (await answering(connect, [ITEM | odd]).page()).deliveries
    assert (one.action, one.status_code, one.installation_id, one.repository_id) == ("", 0, None, None)
    assert not one.redelivery


@pytest.mark.parametrize(("said", "kept"), [("a\0b", "ab"), ("\ud800", "\ufffd"), ("a" * 300, "a" * 100)])
async def test_W8_an_action_is_text_that_can_be_stored(connect: Connect, said: str, kept: str) -> None:
    (one,) = (await answering(connect, [ITEM | {"action": said}]).page()).deliveries
    assert one.action == kept


async def test_more_items_than_were_asked_for_are_not_taken(connect: Connect) -> None:
    page = await answering(connect, [ITEM | {"id": n} for n in range(1, 5000)]).page(per_page=10)
    assert len(page.deliveries) == 10


@pytest.mark.parametrize("odd", [None, {}, "deliveries", 3])
async def test_an_answer_that_is_no_list_is_refused(connect: Connect, odd: Any) -> None:
    with pytest.raises(GitHubError):
        await answering(connect, odd).page()


@pytest.mark.parametrize(
    "link",
    [
        '<https://api.github.com/app/hook/deliveries?per_page=1>; rel="next"',
        '<https://api.github.com/app/hook/deliveries?cursor=>; rel="next"',
        '<https://api.github.com/app/hook/deliveries?cursor=here>; rel="next"',
        f'<https://api.github.com/app/hook/deliveries?cursor={"x" * 501}>; rel="next"',
        f'<https://api.github.com/?{"&".join(f"a{n}=1" for n in range(30))}&cursor=there>; rel="next"',
        '<http://[::1/?cursor=there>; rel="next"',
        '<https://api.github.com/app/hook/deliveries?cursor=v1%00>; rel="next"',
        '<https://api.github.com/app/hook/deliveries?cursor=v1%ED%A0%80%0A>; rel="next"',
        '<https://api.github.com/?cursor=there>; rel="prev"',
    ],
)
async def test_a_next_page_that_leads_nowhere_or_round_in_a_circle_is_the_end(
    connect: Connect, link: str
) -> None:
    assert (await answering(connect, [ITEM], Link=link).page("here")).following == ""


async def test_a_next_page_elsewhere_gives_its_cursor_and_no_address(connect: Connect) -> None:
    seen = []

    def reply(request: Request) -> Response:
        seen.append(request)
        return Response(200, json=[], headers={"Link": '<https://evil.example/?cursor=v1_7>; rel="next"'})

    kept = HookDeliveries(connect(transport=Canned(reply)).app())
    page = await kept.page()
    await kept.page(page.following)
    assert {one.url.host for one in seen} == {"127.0.0.1"}
    assert seen[1].url.params["cursor"] == "v1_7"


@pytest.mark.parametrize(
    ("limit", "remaining", "left"),
    [("5000", "4000", 0.8), ("0", "0", 1.0), ("5000", "-1", 1.0), ("1", "9", 1.0)],
)
async def test_the_share_of_the_limit_that_is_left_is_told(
    connect: Connect, limit: str, remaining: str, left: float
) -> None:
    headers = {"X-RateLimit-Limit": limit, "X-RateLimit-Remaining": remaining}
    page = await answering(connect, [ITEM], **headers).page()
    assert page.left == left


@pytest.mark.parametrize("payload", [None, [], 5, True])
@pytest.mark.parametrize("around", [lambda one: {"request": {"payload": one}}, lambda one: {"request": one}])
async def test_a_delivery_without_its_payload_is_gone(connect: Connect, payload: Any, around: Any) -> None:
    with pytest.raises(Gone):
        await answering(connect, ITEM | around(payload)).payload(1)


@pytest.mark.parametrize("text", ["tee ☕", "\U0001f600", "a\0b", "\u2028", "é" * 1000])
async def test_a_payload_comes_back_equal_and_can_be_routed(gh: StandIn, github: GitHub, text: str) -> None:
    payload = {"action": "opened", "issue": {"number": 3, "title": text}}
    made = gh.deliver("issues", payload)
    body = await HookDeliveries(github.app()).payload(made.id)
    assert body == made.body
    assert routing(body).target == 3


async def test_half_a_character_in_a_payload_stays_what_it_is(connect: Connect) -> None:
    answer = rb'{"request": {"payload": {"title": "\ud800"}}}'
    kept = HookDeliveries(
        connect(transport=Canned(lambda _: Response(200, content=answer, headers=JSON))).app()
    )
    assert await kept.payload(1) == rb'{"title":"\ud800"}'


async def test_R11_limits_and_outages_are_told_as_such(gh: StandIn, github: GitHub) -> None:
    gh.fault("GET", "/app/hook/deliveries", kind="retry_after", seconds=60)
    kept = HookDeliveries(github.app())
    with pytest.raises(RateLimited):
        await kept.page()
    with pytest.raises(RateLimited):
        await kept.page()  # nobody asks while it is to wait
    assert len(gh.requests) == 1


async def test_an_answer_that_cannot_be_read_passes(connect: Connect) -> None:
    kept = HookDeliveries(
        connect(transport=Canned(lambda _: Response(200, content=b"[" * 100_000, headers=JSON))).app()
    )
    with pytest.raises(TemporaryError):
        await kept.page()
