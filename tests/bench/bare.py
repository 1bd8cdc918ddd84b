"""The baseline of the receiver: Starlette checks a signature and answers 202; nothing is stored. `python -m
tests.bench.bare PORT`."""

import hashlib
import hmac
import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

SECRET = b"It's a Secret to Everybody"


async def webhook(request: Request) -> JSONResponse:
    expected = "sha256=" + hmac.new(SECRET, await request.body(), hashlib.sha256).hexdigest()
    good = hmac.compare_digest(expected, request.headers["x-hub-signature-256"])
    return JSONResponse({"delivery": request.headers["x-github-delivery"]}, 202 if good else 401)


if __name__ == "__main__":
    uvicorn.run(
        Starlette(routes=[Route("/webhook", webhook, methods=["POST"])]),
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
    )
