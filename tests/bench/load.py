"""A small fast client for loopback: raw HTTP/1.1 over kept connections, so that the client is not what is
measured."""

import asyncio
import hashlib
import hmac
import json
import secrets
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from tests.samples.webhooks import example_payloads

SECRET = b"It's a Secret to Everybody"


@dataclass(frozen=True, slots=True)
class Answer:
    """`seconds` from the first byte sent to the last byte read."""

    status: int
    seconds: float


def delivery(size: int, guid: str = "", event: str = "watch") -> bytes:
    """A signed POST /webhook with a published pull request's payload, of about `size` bytes."""
    payload = dict(_pull_request())
    payload["padding"] = secrets.token_hex(max(0, size - len(json.dumps(payload))) // 2)
    body = json.dumps(payload).encode()
    signature = hmac.new(SECRET, body, hashlib.sha256).hexdigest()
    head = (
        "POST /webhook HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"X-GitHub-Event: {event}\r\nX-GitHub-Delivery: {guid or uuid.uuid4()}\r\n"
        f"X-Hub-Signature-256: sha256={signature}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@cache
def _pull_request() -> dict[str, Any]:
    """The smallest one of a pull request that was opened."""
    found = [
        payload
        for event, action, payload in example_payloads()
        if (event, action) == ("pull_request", "opened")
    ]
    return min(found, key=lambda payload: len(json.dumps(payload)))


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


async def send(url: str, requests: Sequence[bytes], connections: int) -> list[Answer]:
    """All requests over so many connections, each answered before the next on the same one."""
    parts = urlsplit(url)
    todo = iter(requests)
    answers: list[Answer] = []

    async def worker() -> None:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        for request in todo:
            begun = time.perf_counter()
            writer.write(request)
            await writer.drain()
            status = await _read(reader)
            answers.append(Answer(status, time.perf_counter() - begun))
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(worker() for _ in range(connections)))
    return answers


async def _read(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        (
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length")
        ),
        0,
    )
    await reader.readexactly(length)
    return int(head.split(b" ", 2)[1])


def quantile(values: Sequence[float], share: float) -> float:
    """The nearest-rank quantile."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
