"""Who may in: the API token as a bearer, or a browser that was given a signed cookie for it."""

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass, field

COOKIE = "hob_session"
LIFETIME = 12 * 3600
RENEW_AFTER = 3600
TRIES = 5
"""Wrong tokens from one address within `WINDOW` seconds before it has to wait."""
WINDOW = 60.0
MOST_ADDRESSES = 1000


@dataclass(slots=True)
class Sessions:
    """Cookies are `expiry.nonce.mac`; a new token ends them all. `now` is the clock, epoch seconds."""

    token: str
    _failures: dict[str, list[float]] = field(default_factory=dict)

    def is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode("utf-8", "replace"), self.token.encode())

    def issue(self, now: float | None = None) -> str:
        """A new cookie value."""
        head = f"{int((now or time.time()) + LIFETIME)}.{secrets.token_urlsafe(12)}"
        return f"{head}.{self._mac(head)}"

    def holds(self, cookie: str, now: float | None = None) -> bool:
        """Whether it was issued here and has not expired."""
        head, _, mac = cookie.rpartition(".")
        expiry = head.partition(".")[0]
        right = hmac.compare_digest(mac.encode("utf-8", "replace"), self._mac(head).encode())
        return right and expiry.isdecimal() and int(expiry) > (now or time.time())

    def is_old(self, cookie: str) -> bool:
        """Whether a valid cookie is due to be replaced."""
        return int(cookie.partition(".")[0]) - time.time() < LIFETIME - RENEW_AFTER

    def _mac(self, head: str) -> str:
        key = hmac.digest(self.token.encode(), b"hob session", "sha256")
        return hmac.new(key, head.encode("utf-8", "replace"), hashlib.sha256).hexdigest()

    def wait(self, address: str) -> int:
        """Seconds that this address must wait before it may try again; 0: it may."""
        recent = [at for at in self._failures.get(address, ()) if time.monotonic() - at < WINDOW]
        if len(recent) < TRIES:
            return 0
        return max(1, int(WINDOW - (time.monotonic() - recent[0])))

    def failed(self, address: str) -> None:
        """Remembers a wrong token. The table is bounded: who comes from a thousand addresses shares one."""
        if address not in self._failures and len(self._failures) >= MOST_ADDRESSES:
            self._forget_old()
            if len(self._failures) >= MOST_ADDRESSES:
                address = "others"
        now = time.monotonic()
        recent = [at for at in self._failures.get(address, ()) if now - at < WINDOW]
        self._failures[address] = [*recent, now][-TRIES:]

    def _forget_old(self) -> None:
        now = time.monotonic()
        for address, at in list(self._failures.items()):
            if now - at[-1] > WINDOW:
                del self._failures[address]
