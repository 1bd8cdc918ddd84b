"""Webhook deliveries: signed, posted in the background, and remembered with what came back.

https://docs.github.com/en/webhooks/webhook-events-and-payloads#delivery-headers
"""

import hashlib
import hmac
import http.client
import json
import queue
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from bot.testing.github.world import World

GIVE_UP = 10.0
"""Seconds after which GitHub stops waiting for an answer."""
KEPT = 3 * 24 * 3600.0
"""Seconds for which deliveries can be listed and sent again."""


@dataclass(eq=False)
class DeliveryAttempt:
    """One attempt. `status_code` 0: not tried (no URL), 502: no connection, 504: no answer in time."""

    id: int
    guid: str
    event: str
    action: str | None
    body: bytes
    delivered_at: float
    installation_id: int | None = None
    repository_id: int | None = None
    redelivery: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    status_code: int = 0
    status: str = "no webhook is configured"
    duration: float = 0.0
    answer_headers: dict[str, str] = field(default_factory=dict)
    answer: str = ""
    done: threading.Event = field(default_factory=threading.Event)

    @property
    def payload(self) -> dict[str, Any]:
        decoded: dict[str, Any] = json.loads(self.body)
        return decoded

    @property
    def ok(self) -> bool:
        return 200 <= self.status_code < 300

    def wait(self, timeout: float = 30.0) -> "DeliveryAttempt":
        """Until it was answered or given up; TimeoutError."""
        if not self.done.wait(timeout):
            raise TimeoutError(f"the delivery {self.guid} is still under way after {timeout} s")
        return self


def encode(payload: dict[str, Any]) -> bytes:
    """The bytes that are signed and sent."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def sign(secret: str, body: bytes) -> dict[str, str]:
    """Both signature headers. https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries"""
    key = secret.encode()
    return {
        "X-Hub-Signature": "sha1=" + hmac.new(key, body, hashlib.sha1).hexdigest(),
        "X-Hub-Signature-256": "sha256=" + hmac.new(key, body, hashlib.sha256).hexdigest(),
    }


class Post:
    """The post office: `workers` deliveries at once; with one, they leave in the order of events."""

    def __init__(self, world: World, workers: int = 1) -> None:
        self.world = world
        self.url = ""
        self.secret = ""
        self.held: list[DeliveryAttempt] | None = None
        """A list while deliveries are held back; None when they leave at once."""
        self._queue: queue.SimpleQueue[DeliveryAttempt | None] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(workers)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join(timeout=GIVE_UP + 5)

    def send(self, delivery: DeliveryAttempt) -> None:
        if not self.url:
            delivery.done.set()
        elif self.held is not None:
            self.held.append(delivery)
        else:
            self._queue.put(delivery)

    def _work(self) -> None:
        while (delivery := self._queue.get()) is not None:
            started = time.monotonic()
            status_code, status, headers, answer = _post(self.url, delivery)
            with self.world.changed:
                delivery.status_code, delivery.status = status_code, status
                delivery.answer_headers, delivery.answer = headers, answer
                delivery.duration = round(time.monotonic() - started, 3)
                delivery.done.set()
                self.world.changed.notify_all()


def _post(url: str, delivery: DeliveryAttempt) -> tuple[int, str, dict[str, str], str]:
    """(status code, GitHub's word for it, headers, body) of the answer."""
    parts = urlsplit(url)
    if (parts.hostname or "").endswith(".invalid"):  # RFC 6761: nobody has to be asked
        return 502, "failed to connect to host", {}, ""
    connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = connect(parts.hostname or "", parts.port, timeout=GIVE_UP)
    try:
        connection.request("POST", parts.path or "/", body=delivery.body, headers=delivery.headers)
        answer = connection.getresponse()
        text = answer.read(65_536).decode("utf-8", "replace")
        good = 200 <= answer.status < 300
        status = "OK" if good else f"Invalid HTTP Response: {answer.status}"
        return answer.status, status, dict(answer.getheaders()), text
    except TimeoutError:
        return 504, "timed out", {}, ""
    except (OSError, http.client.HTTPException):
        return 502, "failed to connect to host", {}, ""
    finally:
        connection.close()
