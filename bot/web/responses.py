"""Answers as plain ASGI messages, for the routes that are too hot for a framework.

Errors are `application/problem+json`: https://www.rfc-editor.org/rfc/rfc9457
"""

import json
from http import HTTPStatus
from typing import Any

from starlette.types import Send

Headers = tuple[tuple[bytes, bytes], ...]

JSON = b"application/json"
PROBLEM = b"application/problem+json"


async def answer(
    send: Send,
    status: int,
    body: bytes,
    content_type: bytes = JSON,
    headers: Headers = (),
    *,
    more: bool = False,
) -> None:
    """A whole answer; with `more` the connection is kept until `finish`."""
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", content_type),
                (b"content-length", b"%d" % len(body)),
                *headers,
            ],
        }
    )
    await send({"type": "http.response.body", "body": body, "more_body": more})


async def finish(send: Send) -> None:
    """Ends an answer that was begun with `more`."""
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def problem(status: int, detail: str, **extra: Any) -> bytes:
    """The body that tells what was wrong."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **extra,
    }
    return json.dumps(body, ensure_ascii=False).encode(errors="replace")
