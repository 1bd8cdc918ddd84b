"""A real Chromium without a window, by its DevTools protocol over a pipe: pages are opened, typed into and
clicked as a person would, and what is sent has the headers that browsers send.

https://chromedevtools.github.io/devtools-protocol/
"""

import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import needs

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--remote-debugging-pipe",
)
PLUMBING = 'exec "$@" 3<&0 4>&1 </dev/null >/dev/null'
"""It reads commands from descriptor 3 and writes to 4."""
SECONDS = 30.0


@dataclass
class Browser:
    """A running one. Commands go down one pipe and what happens comes up the other, as JSON ended by NUL."""

    _down: int
    _up: int
    _rest: bytes = b""
    _last: int = 0
    _events: list[dict[str, Any]] = field(default_factory=list)

    def page(self) -> "Page":
        """An empty page in a profile of its own: no cookie of another is in it."""
        context = self.asks("Target.createBrowserContext")["browserContextId"]
        target = self.asks("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self.asks("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session)
        for domain in ("Page", "Network", "Runtime"):
            page.asks(f"{domain}.enable")
        return page

    def asks(self, method: str, session: str = "", **given: Any) -> dict[str, Any]:
        """The answer to a command; RuntimeError where it was refused."""
        self._last += 1
        message: dict[str, Any] = {"id": self._last, "method": method, "params": given}
        if session:
            message["sessionId"] = session
        os.write(self._down, json.dumps(message).encode() + b"\0")
        while True:
            said = self._next(SECONDS)
            if said is None:
                raise TimeoutError(f"Chromium did not answer {method}")
            if said.get("id") == self._last:
                if "error" in said:
                    raise RuntimeError(f"{method}: {said['error']}")
                return dict(said["result"])
            self._events.append(said)

    def happens(self, session: str, method: str, seconds: float = SECONDS) -> dict[str, Any]:
        """The next event of this name, one that came meanwhile first; TimeoutError."""
        end = time.monotonic() + seconds
        while True:
            for event in self._events:
                if event.get("sessionId") == session and event["method"] == method:
                    self._events.remove(event)
                    return dict(event["params"])
            said = self._next(end - time.monotonic())
            if said is None:
                raise TimeoutError(f"{method} did not happen")
            self._events.append(said)

    def forget(self, session: str) -> None:
        """What has happened so far."""
        self._events = [event for event in self._events if event.get("sessionId") != session]

    def _next(self, seconds: float) -> dict[str, Any] | None:
        while b"\0" not in self._rest:
            if seconds <= 0 or not select.select([self._up], [], [], seconds)[0]:
                return None
            if not (read := os.read(self._up, 1 << 16)):
                raise RuntimeError("Chromium has ended")
            self._rest += read
        said, _, self._rest = self._rest.partition(b"\0")
        return dict(json.loads(said))


@dataclass
class Page:
    """One tab. `status`: of the last document's answer."""

    browser: Browser
    session: str
    status: int = 0

    def asks(self, method: str, **given: Any) -> dict[str, Any]:
        return self.browser.asks(method, self.session, **given)

    def opens(self, url: str) -> None:
        self.browser.forget(self.session)
        self.asks("Page.navigate", url=url)
        self._arrives()

    def clicks(self, name: str) -> None:
        """The button or link with this name, with the mouse, and waits for the page to which it leads."""
        box = self.runs(
            f"""(() => {{
                const all = [...document.querySelectorAll("button, a")]
                const one = all.find(each => (each.ariaLabel ?? each.innerText).trim() === {json.dumps(name)})
                if (!one) return null
                one.scrollIntoView({{block: "center"}})
                const at = one.getBoundingClientRect()
                return [at.x + at.width / 2, at.y + at.height / 2]
            }})()"""
        )
        assert box, f"nothing is named {name!r} on {self.address}: {self.text}"
        self.browser.forget(self.session)
        for kind in ("mousePressed", "mouseReleased"):
            self.asks("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)
        self._arrives()

    def types(self, text: str) -> None:
        """Into the field that has the focus, as the page gave it."""
        end = time.monotonic() + 5.0
        while self.runs("document.activeElement.tagName") not in ("INPUT", "TEXTAREA"):
            assert time.monotonic() < end, "no field has the focus"  # it is given a moment after the load
            time.sleep(0.05)
        self.asks("Input.insertText", text=text)

    def presses_enter(self) -> None:
        self.browser.forget(self.session)
        key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}
        for kind in ("keyDown", "keyUp"):
            self.asks("Input.dispatchKeyEvent", type=kind, **key)
        self._arrives()

    def runs(self, script: str) -> Any:
        """What a script gives. Hob's own pages have none; this is the debugger's, which their policy lets."""
        said = self.asks("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in said, said
        return said["result"].get("value")

    @property
    def text(self) -> str:
        return str(self.runs("document.body.innerText"))

    @property
    def address(self) -> str:
        return str(self.runs("location.href"))

    def _arrives(self) -> None:
        """Waits until a document is there whole, and notes how it was answered."""
        self.browser.happens(self.session, "Page.loadEventFired")
        while True:
            told = self.browser.happens(self.session, "Network.responseReceived")
            if told["type"] == "Document":
                self.status = int(told["response"]["status"])
                return


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """Chromium, or a named skip. Its profile is in this folder, and it ends with the block."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        needs.missing("Chromium", "chromium")
    process = subprocess.Popen(
        ["sh", "-c", PLUMBING, "sh", program, *FLAGS, f"--user-data-dir={folder}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin and process.stdout
    try:
        yield Browser(process.stdin.fileno(), process.stdout.fileno())
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdin.close()
        process.stdout.close()
