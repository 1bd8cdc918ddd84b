"""Who asks: the App itself (a JWT), or an installation narrowed to one repository and few permissions.

https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from bot.github.wire import GitHubResponse
from bot.log import hide

BACKDATED = 60
"""Seconds by which a JWT's birth is set back, for clocks that differ a little."""
LIFE = 9 * 60
"""Seconds from `iat` to `exp`; GitHub refuses more than ten minutes."""
FRESH = 5.0
"""Seconds in which a new token may still be unknown to some of GitHub's servers."""
_MARGIN = 120.0
_TOLERATED_SKEW = 5.0
_MOST_RENEWALS = 3


class Credentials(Protocol):
    """Proof of identity for the next request."""

    async def header(self) -> str:
        """The value of `authorization`."""
        ...

    async def refused(self, answer: GitHubResponse, used: str) -> bool:
        """After a 401 to the header `used`: whether asking again may help. Waits as long as is sensible."""
        ...


class Clock:
    """GitHub's time, as far as its `Date` headers told it. `now` is this machine's, in seconds since 1970."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._skew = 0.0

    def now(self) -> float:
        return self._now() + self._skew

    def learn(self, date: float | None) -> bool:
        """Takes GitHub's word for the time; whether that made a difference that matters."""
        if date is None or abs(date - self.now()) <= _TOLERATED_SKEW:
            return False
        self._skew = date - self._now()
        return True


class AppCredentials:
    """The App as itself. `ConfigError` when the key is none."""

    def __init__(self, app_id: int, private_key: str | Callable[[], str], clock: Clock) -> None:
        """A function gives the key as it is now: with another one it signs anew."""
        self._issuer = str(app_id)
        self._key = private_key
        self._clock = clock
        self._token = self._pem = ""
        self._renew_at = 0.0
        hide(self._key_now().strip())

    def _key_now(self) -> str:
        return self._key if isinstance(self._key, str) else self._key()

    async def header(self) -> str:
        now, key = self._clock.now(), self._key_now()
        if now >= self._renew_at or key != self._pem:
            born = int(now) - BACKDATED
            self._token = self._sign({"iat": born, "exp": born + LIFE, "iss": self._issuer}, key)
            self._pem = key
            self._renew_at = now + LIFE - BACKDATED - _MARGIN
            hide(self._token, passing=True)
        return f"Bearer {self._token}"

    def _sign(self, claims: dict[str, object], key: str) -> str:
        """Cryptography comes into memory (9 MB) with the first call, not with an idle process."""
        from bot.github.signing import sign

        return sign(claims, key)

    async def refused(self, answer: GitHubResponse, used: str) -> bool:
        if self._clock.learn(answer.date):
            self._renew_at = 0.0
            return True
        return used != await self.header()


@dataclass(frozen=True, slots=True)
class InstallationToken:
    """An installation token. `expires` by GitHub's clock; `born` by the monotonic one."""

    value: str = field(repr=False)
    expires: float
    born: float = field(default_factory=time.monotonic)

    @property
    def age(self) -> float:
        return time.monotonic() - self.born


class InstallationCredentials:
    """A token, minted at its first use, and again before it expires or when GitHub knows it no more."""

    def __init__(self, mint: Callable[[], Awaitable[InstallationToken]], clock: Clock) -> None:
        self._mint = mint
        self._clock = clock
        self._renewing = asyncio.Lock()
        self._renewals = 0
        self.token: InstallationToken | None = None

    async def header(self) -> str:
        async with self._renewing:
            if self.token is None or self._clock.now() > self.token.expires - _MARGIN:
                self.token = await self._mint()
            return f"Bearer {self.token.value}"

    async def refused(self, answer: GitHubResponse, used: str) -> bool:
        token = self.token
        if token is None or used != f"Bearer {token.value}":
            return True  # another call has renewed it meanwhile
        if token.age < FRESH:
            await asyncio.sleep(min(max(token.age, 0.2), FRESH - token.age + 0.1))
            return True
        if self._renewals >= _MOST_RENEWALS:
            return False
        self._renewals += 1
        self.token = None
        return True
