"""Hands webhook deliveries from a machine that GitHub can call to one that it cannot, which calls out.

On the first, behind a proxy with TLS:  RELAY_TOKEN=... python3 relay.py hold --port 8701
On the second:  RELAY_TOKEN=... python3 relay.py pass https://relay.example http://127.0.0.1:8700/webhook

GitHub is answered with what the second machine was; with 503 where nobody there takes it within nine seconds.
Nothing is stored, and the body goes as it came: its signature is checked where it arrives.
"""

import argparse
import hmac
import json
import os
import queue
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MOST_BYTES = 25 << 20
MOST_WAITING = 50
ANSWER_SECONDS = 9.0
"""GitHub gives up after ten."""
HELD_SECONDS = 25.0
"""How long the second machine's question is kept open; proxies mostly allow 30."""
PASSED = ("content-type", "x-github-event", "x-github-delivery", "x-hub-signature-256")


class Delivery:
    def __init__(self, headers: dict[str, str], body: bytes) -> None:
        self.headers, self.body, self.until = headers, body, time.monotonic() + ANSWER_SECONDS
        self.status, self.done = 503, threading.Event()


class Holder(BaseHTTPRequestHandler):
    """`POST /webhook` waits for `GET /next` to take it and `POST /answer` to tell what became of it."""

    waiting: "queue.Queue[Delivery]" = queue.Queue(MOST_WAITING)
    taken: dict[str, Delivery] = {}  # noqa: RUF012  one for all requests
    timeout = 60
    token = ""

    def do_POST(self) -> None:
        if self.path == "/webhook":
            self._webhook()
        elif self.path == "/answer" and self._is_ours():
            told = json.loads(self._body() or b"{}")
            found = self.taken.pop(str(told.get("id")), None)
            if found:
                found.status = int(told["status"])
                found.done.set()
            self._say(204)
        else:
            self._say(404)

    def do_GET(self) -> None:
        if self.path != "/next" or not self._is_ours():
            self._say(404)
            return
        until = time.monotonic() + HELD_SECONDS
        while (left := until - time.monotonic()) > 0:
            try:
                one = self.waiting.get(timeout=left)
            except queue.Empty:
                break
            if one.until > time.monotonic():
                number = os.urandom(8).hex()
                self.taken[number] = one
                self._say(200, one.body, {**one.headers, "x-relay-id": number})
                return
        self._say(204)

    def _webhook(self) -> None:
        body = self._body()
        if body is None:
            self._say(413)
            return
        one = Delivery({name: self.headers[name] for name in PASSED if self.headers.get(name)}, body)
        try:
            self.waiting.put_nowait(one)
        except queue.Full:
            self._say(503)
            return
        one.done.wait(ANSWER_SECONDS)
        self._say(one.status)

    def _is_ours(self) -> bool:
        given = self.headers.get("authorization", "").encode()
        return hmac.compare_digest(given, f"Bearer {self.token}".encode())

    def _body(self) -> bytes | None:
        told = self.headers.get("content-length", "")
        if not told.isascii() or not told.isdigit() or int(told) > MOST_BYTES:
            return None
        return self.rfile.read(int(told))

    def _say(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def pass_on(relay: str, target: str, token: str) -> None:
    """Asks for deliveries and hands each on, for ever."""
    ours = {"authorization": f"Bearer {token}"}
    while True:
        try:
            asked = urllib.request.Request(f"{relay}/next", headers=ours)
            with urllib.request.urlopen(asked, timeout=HELD_SECONDS + 10) as answer:
                if answer.status != 200:
                    continue
                body, number = answer.read(), answer.headers["x-relay-id"]
                headers = {name: answer.headers[name] for name in PASSED if answer.headers.get(name)}
            told = json.dumps({"id": number, "status": _hand(target, headers, body)}).encode()
            said = urllib.request.Request(f"{relay}/answer", told, ours)
            urllib.request.urlopen(said, timeout=10).close()
        except OSError as error:
            print(f"the relay does not answer, again in 5 s: {error}", flush=True)
            time.sleep(5)


def _hand(target: str, headers: dict[str, str], body: bytes) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(target, body, headers), timeout=8) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code
    except OSError:
        return 503


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    ways = parser.add_subparsers(dest="way", required=True)
    hold = ways.add_parser("hold")
    hold.add_argument("--host", default="127.0.0.1")
    hold.add_argument("--port", type=int, default=8701)
    on = ways.add_parser("pass")
    on.add_argument("relay")
    on.add_argument("target")
    given = parser.parse_args()
    token = os.environ.get("RELAY_TOKEN", "")
    if len(token) < 16:
        parser.error(
            "RELAY_TOKEN needs 16 characters or more, the same on both machines: openssl rand -hex 16"
        )
    if given.way == "pass":
        pass_on(given.relay.rstrip("/"), given.target, token)
    Holder.token = token
    server = ThreadingHTTPServer((given.host, given.port), Holder)
    print(f"listening on http://{given.host}:{server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
