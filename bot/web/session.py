"""Who may in: the API token as a bearer, or a browser that was given a signed cookie for it."""

import hashlib
import hmac
import ipaddress
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

COOKIE = "hob_session"
"""What the cookie's name begins with; until 0.1.0 it was all of it."""
SESSION, LINK = b"hob session", b"hob sign-in link"
"""What is signed, so that a link is no cookie."""
LIFETIME = 12 * 3600
RENEW_AFTER = 3600
TICKET_SECONDS = 600
TRIES = 5
"""Wrong tokens from one address within `WINDOW` seconds before it has to wait."""
WINDOW = 60.0
MOST_ADDRESSES = 1000
SHARED = 64
"""Groups in which further addresses are counted."""


@dataclass(slots=True)
class Sessions:
    """Cookies are `expiry.nonce.mac`; they end with the token that was first when they were issued. `now` is
    the clock, epoch seconds. `renewed` gives the tokens as they are now, all of which are taken."""

    token: str
    renewed: Callable[[], Sequence[str]] | None = None
    _failures: dict[str, list[float]] = field(default_factory=dict)
    _swept: float = 0.0
    _used: dict[str, float] = field(default_factory=dict)
    """Links, and until when they would have worked."""
    _salt: bytes = field(default_factory=lambda: secrets.token_bytes(16))

    def is_token(self, given: str) -> bool:
        said = given.encode("utf-8", "replace")
        return any(hmac.compare_digest(said, token.encode()) for token in self._tokens())

    def _tokens(self) -> Sequence[str]:
        return self.renewed() if self.renewed else (self.token,)

    def _signed(self, mac: str, head: str, what: bytes = SESSION) -> bool:
        said = mac.encode("utf-8", "replace")
        return any(hmac.compare_digest(said, _mac(token, head, what).encode()) for token in self._tokens())

    @property
    def cookie(self) -> str:
        """The name of a new cookie. Each Hob has its own: cookies know no ports, and with one name two on one
        machine would sign each other out."""
        return _cookie_name(self._tokens()[0])

    def ours(self, sent: Mapping[str, str]) -> dict[str, str]:
        """The cookies that may be ours of those that a browser sent, by name; those that hold come first."""
        names = (*map(_cookie_name, self._tokens()), COOKIE)
        found = {name: sent[name] for name in names if name in sent}
        return dict(sorted(found.items(), key=lambda one: not self.holds(one[1])))

    def issue(self, now: float | None = None) -> str:
        """A new cookie value."""
        head = f"{int((now or time.time()) + LIFETIME)}.{secrets.token_urlsafe(12)}"
        return f"{head}.{_mac(self._tokens()[0], head)}"

    def holds(self, cookie: str, now: float | None = None) -> bool:
        """Whether it was issued here and has not expired."""
        head, _, mac = cookie.rpartition(".")
        expiry = head.partition(".")[0]
        return self._signed(mac, head) and expiry.isdecimal() and int(expiry) > (now or time.time())

    def ticket(self, now: float | None = None) -> str:
        """For a link that signs a browser in, once and within `TICKET_SECONDS`; like a cookie, but no
        cookie."""
        head = f"{int((now or time.time()) + TICKET_SECONDS)}.{secrets.token_urlsafe(12)}"
        return f"{head}.{_mac(self._tokens()[0], head, LINK)}"

    def redeems(self, ticket: str, now: float | None = None) -> bool:
        """Whether it is one of ours, young enough, and was not used in this process before."""
        head, _, mac = ticket.rpartition(".")
        expiry = head.partition(".")[0]
        now = now or time.time()
        if not self._signed(mac, head, LINK) or not expiry.isdecimal():
            return False
        self._used = {used: until for used, until in self._used.items() if until > now}
        if int(expiry) <= now or head in self._used:
            return False
        self._used[head] = float(expiry)
        return True

    def is_old(self, cookie: str) -> bool:
        """Whether a valid cookie is due to be replaced."""
        return int(cookie.partition(".")[0]) - time.time() < LIFETIME - RENEW_AFTER

    def wait(self, address: str) -> int:
        """Seconds that this address must wait before it may try again; 0: it may."""
        recent = self._recent(self._counted_as(address))
        if len(recent) < TRIES:
            return 0
        return max(1, int(WINDOW - (time.monotonic() - recent[0])))

    def failed(self, address: str) -> None:
        """Remembers a wrong token, of a login or a bearer."""
        if len(self._failures) >= MOST_ADDRESSES:
            self._forget_old()
        name = self._counted_as(address)
        self._failures[name] = [*self._recent(name), time.monotonic()][-TRIES:]

    def _counted_as(self, address: str) -> str:
        """Who counts as one: an IPv4 address; a /64, of which everybody has 2^64; and past a thousand of
        them, those who fall into the same of `SHARED` groups, as nobody can foresee."""
        try:
            ip = ipaddress.IPv6Address(address)
            name = str(ip.ipv4_mapped or ipaddress.IPv6Network((ip, 64), strict=False))
        except ValueError:
            name = address[:100]
        if name in self._failures or len(self._failures) < MOST_ADDRESSES:
            return name
        return f"others {hash((self._salt, name)) % SHARED}"

    def _recent(self, name: str) -> list[float]:
        now = time.monotonic()
        return [at for at in self._failures.get(name, ()) if now - at < WINDOW]

    def _forget_old(self) -> None:
        now = time.monotonic()
        if now - self._swept < 1.0:
            return
        self._swept = now
        for name, at in list(self._failures.items()):
            if now - at[-1] > WINDOW:
                del self._failures[name]


def _cookie_name(token: str) -> str:
    """The same at all receivers that share a token. No more of it than of the token's other digests is told,
    and that to those alone who have signed in."""
    return f"{COOKIE}_{hmac.digest(token.encode(), b'hob cookie', 'sha256').hex()[:8]}"


def _mac(token: str, head: str, what: bytes = SESSION) -> str:
    key = hmac.digest(token.encode(), what, "sha256")
    return hmac.new(key, head.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
