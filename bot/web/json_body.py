"""What a request to the API says."""

from collections.abc import Collection
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

from bot.core import json_text

MOST_BYTES = 256 * 1024


async def json_object(request: Request, types: Collection[str] = ("application/json",)) -> dict[str, Any]:
    """The body as a JSON object; 400, 413, 415, 422 where it is none."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in types:
        raise HTTPException(415, "send application/json")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise HTTPException(413, f"at most {MOST_BYTES >> 10} KB")
    try:
        given = json_text.read(body, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise HTTPException(400, "the body is not JSON, or a text in it is none") from None
    if not isinstance(given, dict):
        raise HTTPException(422, "an object of keys is expected")
    return given


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no JSON")
