"""`POST /webhook` as GitHub and as an attacker use it."""

import asyncio
import json
import logging
import os
import socket
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.store import Store
from bot.web.body import BodyReader
from bot.web.webhook import Receiver
from tests.web.conftest import BODY, SECRET, Front, headers, opened, sign


async def test_a_signed_delivery_is_stored_then_acknowledged(front: Front) -> None:
    guid = str(uuid.uuid4())
    raw = json.dumps(BODY).encode()
    answer = await front.deliver(raw, x_github_delivery=guid)
    assert (answer.status_code, answer.json()) == (202, {"delivery": guid, "duplicate": False})
    kept = front.store.inbox.get(guid)
    assert (kept.body, kept.event, kept.action, kept.repo, kept.number, kept.sender) == (
        raw, "pull_request", "opened", "octo/hello", 7, "mona",
    )  # fmt: skip
    assert (kept.installation_id, kept.repo_id, kept.state) == (3, 11, "new")
    assert len(front.woken) == 1


async def test_the_same_guid_again_is_a_duplicate(front: Front) -> None:
    guid = str(uuid.uuid4())
    answers = [(await front.deliver(x_github_delivery=guid)).json()["duplicate"] for _ in range(3)]
    assert answers == [False, True, True]
    assert front.stored() == 1


async def test_a_ping_is_acknowledged(front: Front) -> None:
    answer = await front.deliver({"zen": "Keep it logically awesome.", "hook_id": 1}, x_github_event="ping")
    assert answer.status_code == 202


WRONG_SIGNATURES = [
    None,
    "",
    "sha256=",
    "sha256=" + "0" * 64,
    "sha256=" + "0" * 63,
    "sha1=" + "0" * 40,
    "sha512=" + "0" * 128,
    sign(b"another body"),
    sign(json.dumps(BODY).encode()).upper(),
    sign(json.dumps(BODY).encode()).removeprefix("sha256="),
    sign(json.dumps(BODY).encode(), b""),
    sign(json.dumps(BODY).encode()) + "0",
]


@pytest.mark.parametrize("signature", WRONG_SIGNATURES)
async def test_W1_a_wrong_signature_is_401_and_nothing_is_parsed_or_stored(
    front: Front, signature: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[bytes] = []
    monkeypatch.setattr(front.receiver, "route", parsed.append)
    answer = await front.deliver(x_hub_signature_256=signature)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 401
    assert (front.stored(), parsed, front.woken) == (0, [], [])


async def test_W1_a_sha1_signature_alone_is_401(front: Front) -> None:
    answer = await front.deliver(x_hub_signature_256=None, x_hub_signature="sha1=" + "0" * 40)
    assert answer.status_code == 401
    assert front.stored() == 0


@pytest.mark.parametrize("secrets", [(), (b"",), (b"good", b"")])
def test_W1_a_receiver_is_not_made_with_an_empty_secret(secrets: tuple[bytes, ...]) -> None:
    with pytest.raises(ValueError, match="webhook secret"):
        Receiver(secrets=secrets, put=lambda new: None, wake=lambda: None, read=BodyReader(1))  # type: ignore


async def raw(front: Front, head: bytes, body: bytes = b"", *, half: bool = False) -> bytes:
    """Sends bytes as they are and gives all that comes back until the server closes or has answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
    writer.write(head + b"\r\n\r\n" + body)
    await writer.drain()
    try:
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
        if half:
            answer += await asyncio.wait_for(reader.read(), 20)
    finally:
        writer.close()
        await writer.wait_closed()
    return answer


def head(body: bytes, *lines: bytes, signature: bytes | None = None) -> bytes:
    signature = sign(body).encode() if signature is None else signature
    fixed = [
        b"POST /webhook HTTP/1.1", b"Host: 127.0.0.1",
        b"Content-Type: application/json", b"X-GitHub-Event: push",
        b"X-GitHub-Delivery: " + str(uuid.uuid4()).encode(), b"X-Hub-Signature-256: " + signature,
    ]  # fmt: skip
    return b"\r\n".join([*fixed, *lines])


@pytest.mark.parametrize(
    "signature",
    [b"sha256=" + b"\xe9" * 64, b"\xe9", b"sha256=" + b"a" * 63 + b"\xe9",
     b"sha256=" + b"0" * 1_000_000, b"0" * 1_000_000],
    ids=["e9", "e9 short", "e9 last", "1 MB", "1 MB of another shape"],
)  # fmt: skip
async def test_W2_an_odd_signature_header_is_401(front: Front, signature: bytes) -> None:
    body = b"{}"
    length = b"Content-Length: %d" % len(body)
    answer = await raw(front, head(body, length, signature=signature), body)
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert front.stored() == 0


async def test_W2_a_signature_that_stands_twice_is_401(front: Front) -> None:
    body = b"{}"
    for second in (sign(body).encode(), b"sha256=" + b"0" * 64):
        twice = b"X-Hub-Signature-256: " + second
        answer = await raw(front, head(body, b"Content-Length: 2", twice), body)
        assert answer.startswith(b"HTTP/1.1 401 ")
    assert front.stored() == 0


async def test_W2_a_head_without_end_is_cut_off(front: Front) -> None:
    with socket.create_connection(("127.0.0.1", front.port), timeout=20) as wire:
        wire.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(wire, b"POST /webhook HTTP/1.1\r\nX-Long: ")
        sent = 0
        try:
            while sent < 64 << 20:
                await loop.sock_sendall(wire, b"a" * 65536)
                sent += 65536
        except (BrokenPipeError, ConnectionResetError):
            pass
    assert sent < 64 << 20


async def test_W2_other_odd_requests_are_4xx(front: Front) -> None:
    for request in (b"POST /webhook HTTP/1.1\r\nHost: x\r\nbad header", b"\x00\x01\x02", b"GET"):
        answer = await raw(front, request)
        assert answer.startswith(b"HTTP/1.1 4")


async def test_W3_githubs_published_vector_is_accepted(store: Store) -> None:
    """https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation"""
    vector = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert sign(b"Hello, World!", b"It's a Secret to Everybody") == vector
    async with opened(store, secrets=(b"It's a Secret to Everybody",)) as front:
        answer = await front.deliver(b"Hello, World!", x_hub_signature_256=vector)
        assert answer.status_code == 400  # the signature holds; the body is not JSON
        other = await front.deliver(b"Hello, World?", x_hub_signature_256=vector)
        assert other.status_code == 401


async def test_W3_only_the_exact_raw_bytes_pass(front: Front) -> None:
    body = b'{"action": "opened", "number":7}'
    for other in (
        b'{"number":7,"action":"opened"}',
        body + b"\n",
        body.replace(b" ", b""),
        b"\xef\xbb\xbf" + body,
    ):
        answer = await front.client.post("/webhook", content=other, headers=headers(body))
        assert answer.status_code == 401
    assert (await front.deliver(body)).status_code == 202


@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", "", None]
)
async def test_W3_a_form_is_415(front: Front, kind: str | None) -> None:
    body = b"payload=%7B%7D"
    answer = await front.deliver(body, content_type=kind)
    assert answer.status_code == 415
    assert front.stored() == 0


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
async def test_W3_json_by_any_spelling_is_taken(front: Front, kind: str) -> None:
    assert (await front.deliver(content_type=kind)).status_code == 202


async def test_other_methods_are_405(front: Front) -> None:
    for method in ("GET", "PUT", "DELETE", "OPTIONS"):
        answer = await front.client.request(method, "/webhook")
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("name", ["x_github_event", "x_github_delivery"])
@pytest.mark.parametrize("value", [None, "", "with space", "x" * 65, "tab\tbed"])
async def test_a_delivery_without_its_names_is_400(front: Front, name: str, value: str | None) -> None:
    assert (await front.deliver(**{name: value})).status_code == 400
    assert front.stored() == 0


async def test_W7_25_mb_are_taken(front: Front) -> None:
    body = b'{"a": "' + b"x" * ((25 << 20) - 9) + b'"}'
    assert len(body) == 25 << 20
    assert (await asyncio.wait_for(front.deliver(body), 10)).status_code == 202


async def chunks(size: int) -> Any:
    for _ in range(size // 65536):
        yield b"x" * 65536


async def test_W7_26_mb_are_413_with_and_without_a_length(front: Front) -> None:
    body = b"x" * (26 << 20)
    assert (await front.deliver(body)).status_code == 413
    sent = headers(body)
    answer = await front.client.post("/webhook", content=chunks(26 << 20), headers=sent)
    assert answer.status_code == 413
    assert answer.json()["detail"] == f"over {25 << 20} bytes"
    assert front.stored() == 0


async def test_W7_a_declared_length_is_refused_before_a_byte_of_the_body(front: Front) -> None:
    answer = await raw(front, head(b"", b"Content-Length: 99999999999"))
    assert answer.startswith(b"HTTP/1.1 413 ")


async def test_W7_a_stream_without_end_is_413(store: Store) -> None:
    async with opened(store, cap=1 << 20) as front:
        answer = await front.client.post("/webhook", content=chunks(16 << 20), headers=headers(b""))
        assert answer.status_code == 413


async def test_W7_a_half_sent_body_is_408_and_closed(store: Store) -> None:
    async with opened(store, seconds=0.3) as front:
        answer = await raw(front, head(b"", b"Content-Length: 1000"), b"{", half=True)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"connection: close" in answer
        assert front.stored() == 0


async def test_W7_a_body_that_trickles_is_408(store: Store) -> None:
    async with opened(store, seconds=0.3) as front:
        reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
        writer.write(head(b"", b"Content-Length: 1000") + b"\r\n\r\n")
        answer = asyncio.ensure_future(reader.readuntil(b"\r\n\r\n"))
        for _ in range(1000):
            writer.write(b" ")
            if (await asyncio.wait({answer}, timeout=0.02))[0]:
                break
        assert (await answer).startswith(b"HTTP/1.1 408 ")
        writer.close()
        await writer.wait_closed()


async def test_W7_many_half_sent_bodies_leave_room_for_small_ones(store: Store) -> None:
    async with opened(store, cap=1 << 20, seconds=2.0) as front:
        held = []
        for _ in range(8):
            reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
            writer.write(head(b"", b"Content-Length: 1048576") + b"\r\n\r\n" + b"x" * 900_000)
            held.append((reader, writer))
        assert (await asyncio.wait_for(front.deliver(), 5)).status_code == 202
        for reader, writer in held:
            assert (await asyncio.wait_for(reader.read(), 20)).startswith(b"HTTP/1.1 408 ")
            writer.close()
            await writer.wait_closed()
        body = b'{"a": "' + b"x" * 1_000_000 + b'"}'
        assert (await front.deliver(body)).status_code == 202  # the room was given back


def padded(size: int) -> bytes:
    return b'{"a": "' + b"x" * (size - 9) + b'"}'


@pytest.mark.parametrize("declared", [True, False], ids=["with a length", "chunked"])
@pytest.mark.parametrize("megabytes", [[24, 24], [25, 25, 25], [13, 20, 24, 1, 7]], ids=str)
async def test_W7_large_deliveries_that_arrive_together_are_all_taken(
    front: Front, megabytes: list[int], declared: bool
) -> None:
    bodies = [padded(size << 20) for size in megabytes]

    async def pieces(body: bytes) -> Any:
        for start in range(0, len(body), 1 << 18):
            yield body[start : start + (1 << 18)]

    async def send(body: bytes) -> int:
        content = body if declared else pieces(body)
        answer = await front.client.post("/webhook", content=content, headers=headers(body))
        return answer.status_code

    assert await asyncio.gather(*map(send, bodies)) == [202] * len(bodies)


async def test_W7_large_deliveries_that_come_piece_by_piece_in_turns_are_all_taken(store: Store) -> None:
    """Neither may hold what the other needs."""
    async with opened(store, cap=4 << 20) as front:
        bodies = [padded((4 << 20) - n) for n in range(3)]
        links = [await asyncio.open_connection("127.0.0.1", front.port) for _ in bodies]
        for (_, writer), body in zip(links, bodies, strict=True):
            writer.write(head(body, b"Content-Length: %d" % len(body)) + b"\r\n\r\n")
        for start in range(0, 4 << 20, 1 << 18):
            for (_, writer), body in zip(links, bodies, strict=True):
                writer.write(body[start : start + (1 << 18)])
            await asyncio.sleep(0)
        for reader, writer in links:
            assert (await asyncio.wait_for(reader.readline(), 10)).startswith(b"HTTP/1.1 202 ")
            writer.close()


async def test_W7_whoever_stalls_with_the_room_gives_it_to_a_delivery_that_waits(store: Store) -> None:
    async with opened(store, cap=1 << 20, seconds=8.0) as front:
        held = []
        for _ in range(3):
            link = await asyncio.open_connection("127.0.0.1", front.port)
            link[1].write(head(b"", b"Content-Length: 1048576") + b"\r\n\r\n" + b"x" * 900_000)
            held.append(link)
        await asyncio.sleep(0.1)
        assert (await asyncio.wait_for(front.deliver(padded(1_000_000)), 5)).status_code == 202
        for _, writer in held:
            writer.close()


async def test_W7_what_all_bodies_hold_together_is_bounded(store: Store) -> None:
    """Read, verified or being stored: it counts until the answer."""
    reader = BodyReader(1 << 20, 5.0)
    holding = most = 0

    async def one(size: int) -> None:
        nonlocal holding, most
        left = size

        async def receive() -> dict[str, Any]:
            nonlocal left
            await asyncio.sleep(0)
            part = min(left, 1 << 17)
            left -= part
            return {"type": "http.request", "body": b"x" * part, "more_body": left > 0}

        async with reader(receive, [(b"content-length", b"%d" % size)] if size % 2 else []) as body:
            assert len(body) == size
            holding += size
            most = max(most, holding)
            await asyncio.sleep(0.001)
            holding -= size

    await asyncio.gather(*(one((300 << 10) + 1_024 * n + n) for n in range(40)))
    assert holding == 0 and most <= (1 << 20) * 3 // 2
    async with asyncio.timeout(1):
        await one((1 << 20) - 1)  # all room was given back


async def test_W7_900_idle_connections_do_not_keep_github_out(front: Front) -> None:
    links = []
    for n in range(900):
        link = await asyncio.open_connection("127.0.0.1", front.port)
        link[1].write(
            [b"", b"POST /webhook HTTP/1.1\r\n", head(b"", b"Content-Length: 9") + b"\r\n\r\n{"][n % 3]
        )
        links.append(link)
    try:
        for _ in range(3):
            assert (await asyncio.wait_for(front.deliver(), 5)).status_code == 202
    finally:
        for _, writer in links:
            writer.close()


ODD_BODIES = {
    "empty": b" ",
    "deep list": b"[" * 100_000,
    "deep object": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "deep in a field": b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "5,000 digits": b'{"number": ' + b"9" * 5_000 + b"}",
    "5,000 digits elsewhere": b'{"other": ' + b"9" * 5_000 + b', "action": "opened"}',
    "NaN": b'{"number": NaN}',
    "infinity": b'{"number": 1e999}',
    "lone surrogate": b'{"action": "\\ud800", "sender": {"login": "\\udfff"}}',
    "NUL": b'{"action": "a\\u0000b", "repository": {"id": 1, "full_name": "o\\u0000/r"}}',
    "NUL byte": b'{"a": "\x00"}',
    "not UTF-8": b'{"action": "\xff\xfe"}',
    "a list": b"[1, 2]",
    "a text": b'"text"',
    "null": b"null",
    "two values": b"{} {}",
    "wrong types": b'{"action": 1, "number": "x", "repository": [], "sender": null, "installation": {}}',
    "huge ids": b'{"repository": {"id": 99999999999999999999999, "full_name": "o/r"}, "number": -5}',
}  # fmt: skip


@pytest.mark.parametrize("name", ODD_BODIES)
async def test_W8_odd_json_is_400_or_kept_and_the_receiver_lives(front: Front, name: str) -> None:
    guid = str(uuid.uuid4())
    answer = await front.deliver(ODD_BODIES[name], x_github_delivery=guid)
    assert answer.status_code in (202, 400)
    assert front.stored() == (answer.status_code == 202)
    if answer.status_code == 202:
        assert front.store.inbox.get(guid).body == ODD_BODIES[name]
    assert (await front.deliver()).status_code == 202


@pytest.mark.parametrize(
    "name", ["empty", "deep list", "a list", "a text", "null", "two values", "not UTF-8"]
)
async def test_W8_what_is_not_a_json_object_is_400(front: Front, name: str) -> None:
    answer = await front.deliver(ODD_BODIES[name])
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


async def test_W9_secrets_rotate(store: Store) -> None:
    new, old = b"the-new-secret", b"the-old-secret"
    async with opened(store, secrets=(old,)) as front:
        assert (await front.deliver(secret=old)).status_code == 202
        assert (await front.deliver(secret=new)).status_code == 401
    async with opened(store, secrets=(new, old)) as front:
        assert (await front.deliver(secret=old)).status_code == 202
        assert (await front.deliver(secret=new)).status_code == 202
        assert (await front.deliver(secret=b"neither")).status_code == 401
    async with opened(store, secrets=(new,)) as front:
        assert (await front.deliver(secret=new)).status_code == 202
        assert (await front.deliver(secret=old)).status_code == 401


@pytest.mark.parametrize("event", ["star", "an_event_of_tomorrow", "pull_request"])
async def test_W10_unknown_events_and_actions_are_taken_and_counted(front: Front, event: str) -> None:
    body = {"action": "an_action_of_tomorrow", "something": {"new": [1]}}
    assert (await front.deliver(body, x_github_event=event)).status_code == 202
    assert front.receiver.deliveries.get(event, "taken") == 1


async def test_W10_many_event_names_do_not_fill_the_memory(front: Front) -> None:
    for number in range(320):
        await front.deliver(b"{}", x_github_event=f"event_{number}")
    assert len(front.receiver.deliveries.lines()) < 310
    assert front.receiver.deliveries.get("other", "other") >= 20


async def test_200_at_once_are_all_stored(front: Front) -> None:
    answers = await asyncio.gather(*(front.deliver() for _ in range(200)))
    assert {answer.status_code for answer in answers} == {202}
    assert front.stored() == 200


async def test_R2_a_wake_up_that_fails_does_not_fail_the_202(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise ConnectionError("Redis is away")

    monkeypatch.setattr(front.receiver, "wake", broken)
    assert (await front.deliver()).status_code == 202
    assert front.stored() == 1


async def test_R7_what_cannot_be_stored_is_503_and_it_recovers(front: Front, tmp_path: Path) -> None:
    """The database is out of room: SQLite's own page limit stands in for a full disk."""
    assert (await front.deliver()).status_code == 202
    with front.store.database.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    front.store.database.close()
    full = limit_pages(front.store, pages + 2)
    answer = await front.deliver(b'{"a": "' + os.urandom(100_000).hex().encode() + b'"}')
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert front.stored() == 1
    full["pages"] = 1 << 30
    front.store.database.close()
    assert (await front.deliver()).status_code == 202
    assert front.stored() == 2


def limit_pages(store: Store, pages: int) -> dict[str, int]:
    """Every new connection may grow the database to so many pages."""
    from sqlalchemy import event

    limit = {"pages": pages}

    @event.listens_for(store.database.engine, "connect")
    def _limit(connection: Any, _record: Any) -> None:
        connection.execute(f"PRAGMA max_page_count={limit['pages']}").close()

    return limit


async def test_the_guid_stands_on_the_log_line(front: Front, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        guid = (await front.deliver()).json()["delivery"]
    assert [record for record in caplog.records if getattr(record, "delivery", "") == guid]


async def test_K5_at_debug_nothing_secret_is_logged(front: Front, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        await front.deliver()
        await front.deliver(x_hub_signature_256="sha256=" + "0" * 64)
        await front.deliver(b"not json")
    shown = "\n".join(
        f"{record.getMessage()} {vars(record)}"
        for record in caplog.records
        if record.name != "httpcore.http11"
    )
    assert SECRET.decode() not in shown
    assert "sha256=" not in shown


async def test_the_client_may_hang_up(front: Front) -> None:
    for _ in range(3):
        _, writer = await asyncio.open_connection("127.0.0.1", front.port)
        writer.write(head(b"", b"Content-Length: 1000") + b"\r\n\r\n{")
        await writer.drain()
        writer.close()
        await writer.wait_closed()
    assert (await front.deliver()).status_code == 202


async def test_expect_100_continue_is_honoured(front: Front) -> None:
    body = b"{}"
    reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
    writer.write(head(body, b"Content-Length: 2", b"Expect: 100-continue") + b"\r\n\r\n")
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")
    writer.write(body)
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 202")
    writer.close()
    await writer.wait_closed()


async def test_an_answer_is_one_write(front: Front) -> None:
    """Head and body in one piece: what is read at once is all of it."""
    body = json.dumps(BODY).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
    for _ in range(20):
        writer.write(head(body, b"Content-Length: %d" % len(body)) + b"\r\n\r\n" + body)
        answer = await asyncio.wait_for(reader.read(65536), 20)
        assert answer.startswith(b"HTTP/1.1 202 ") and answer.endswith(b'"duplicate":false}')
    writer.close()
    await writer.wait_closed()


async def test_a_connection_serves_many_deliveries(front: Front) -> None:
    limits = httpx.Limits(max_connections=1)
    async with httpx.AsyncClient(base_url=front.url, limits=limits, trust_env=False) as client:
        for _ in range(5):
            raw_body = json.dumps(BODY).encode()
            wrong = headers(raw_body, x_hub_signature_256=sign(b"other"))
            assert (await client.post("/webhook", content=raw_body, headers=wrong)).status_code == 401
            right = headers(raw_body)
            assert (await client.post("/webhook", content=raw_body, headers=right)).status_code == 202


@pytest.mark.parametrize(("event", "guid"), [("hob-request", "1-2"), ("issues", "request:a"), ("hob-x", "1")])
async def test_A1_nobody_outside_gives_a_delivery_a_name_of_hobs_own(
    front: Front, event: str, guid: str
) -> None:
    answer = await front.deliver(x_github_event=event, x_github_delivery=guid)
    assert answer.status_code == 400
    assert front.stored() == 0
