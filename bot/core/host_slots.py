"""Places at model hosts, shared by all workers of all machines: who is inside, who waits, and how fast hosts
have been."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

LEASE_SECONDS = 15.0
"""A place whose holder has not been heard for so long is free again; holders are heard three times as
often."""
WAIT_SECONDS = 6.0
"""The same for a place in the waiting line, where whoever waits is heard every second or two."""
KEPT_SECONDS = 900.0
"""How long a host keeps a model loaded that nobody uses (`keep_alive`)."""
_WEIGHT = 0.3
"""Of a new answer in an average; the second counts alone, since a host's first holds its loading."""
_FASTEST = 5_000.0
"""Tokens a second. A host that has read faster beside its loading has mixed up the two."""
_FEW = 50
"""Tokens that a host reads in no time beside what it has read before."""
_UNCLEAR = 0.25
"""Of the seconds until its first token: reading, where such a host does not tell."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """How long a request would wait now: `ahead` of it wait so many, its turn is expected in `seconds` (0:
    at once)."""

    ahead: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Served:
    """What one request at a host was like. `tokens_in` is 0 where the host does not count."""

    seconds: float
    ok: bool = True
    tokens_in: int = 0
    tokens_out: int = 0
    first_token_seconds: float = 0.0
    load_seconds: float = 0.0
    tokens_cached: int = 0
    """Of `tokens_in`, those that the host had read before."""

    @property
    def tokens_read(self) -> int:
        """Anew; 0 where they are too few to tell how fast."""
        fresh = self.tokens_in - self.tokens_cached
        return 0 if self.tokens_cached and fresh < _FEW else fresh


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast a model is on a host: moving averages, before the first answer a guess. Tokens a second,
    seconds, tokens."""

    prompt: float = 400.0
    answer: float = 20.0
    load: float = 8.0
    length: float = 300.0
    """Of its answers."""
    calls: int = 0

    def seconds(self, tokens_in: int, loaded: bool = True) -> float:
        """Expected for one request that nobody is before."""
        work = tokens_in / self.prompt + self.length / self.answer
        return work if loaded else work + self.load

    def after(self, served: Served) -> "Speed":
        """With one more answer in the averages; what an answer does not tell stays as it was."""
        first, load = served.first_token_seconds, served.load_seconds
        reading, writing = first - load, served.seconds - first
        if load and served.tokens_read > _FASTEST * reading:
            reading = max(reading, _UNCLEAR * first)
        weight = max(_WEIGHT, 1 / self.calls) if self.calls else 1.0
        return Speed(
            prompt=_mixed_rate(self.prompt, _rate(served.tokens_read, reading), weight),
            answer=_mixed_rate(self.answer, _rate(served.tokens_out - 1, writing), weight),
            load=_mixed(self.load, served.load_seconds if load > 0.5 else None, weight),
            length=_mixed(self.length, float(served.tokens_out) or None, weight),
            calls=self.calls + 1,
        )


def _rate(tokens: int, seconds: float) -> float | None:
    """Tokens a second, within what machines can do; None where it cannot be told. What took no time (a host
    that loads for as long as it takes to the first token) was fast."""
    return min(max(tokens / max(seconds, 1e-4), 0.05), 1e6) if tokens > 0 else None


def _mixed(old: float, new: float | None, weight: float) -> float:
    return old if new is None else old + weight * (new - old)


def _mixed_rate(old: float, new: float | None, weight: float) -> float:
    """The rate whose seconds for a token are the average: an answer that took no time outweighs none."""
    return old if new is None else new if weight == 1 else 1 / _mixed(1 / old, 1 / new, weight)


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums since the shared state was made, for metrics: of one model on one host."""

    requests: int = 0
    failures: int = 0
    seconds: float = 0.0
    first_token_seconds: float = 0.0
    tokens_in: int = 0
    tokens_out: int = 0

    def plus(self, served: Served) -> "Totals":
        return Totals(
            self.requests + 1,
            self.failures + (not served.ok),
            self.seconds + served.seconds,
            self.first_token_seconds + served.first_token_seconds,
            self.tokens_in + served.tokens_in,
            self.tokens_out + served.tokens_out,
        )


@dataclass(frozen=True, slots=True)
class Written:
    """Of an answer under way: about how many tokens there are, and the seconds since the first."""

    tokens: int = 0
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Tokens a second; 0 where it is too early to tell."""
        return (self.tokens - 1) / self.seconds if self.tokens > 1 and self.seconds >= 0.5 else 0.0


@dataclass(frozen=True, slots=True)
class SlotRequest:
    """One request at one host. `seconds`: expected; `order`: the lower goes first (urgency, then arrival)."""

    id: str
    host: str
    model: str
    seconds: float
    order: float
    loaded: bool = False
    """Whether the host had the model in its memory: what it says of loading is then part of every answer."""
    written: Written = Written()


@dataclass(frozen=True, slots=True)
class Ahead:
    """A request that is inside or waits, with the seconds it will still need. `passed`: since it went in."""

    id: str
    seconds: float
    order: float = 0.0
    model: str = ""
    passed: float = 0.0
    written: Written = Written()


def left(expected: float, passed: float) -> float:
    """Seconds that a request still needs: one that takes longer than expected will do so for a while."""
    return max(expected - passed, 0.1 * expected, 0.5 * passed if passed > expected else 0.0)


@dataclass(frozen=True, slots=True)
class Traffic:
    """One host at one moment, over all processes."""

    inside: tuple[Ahead, ...] = ()
    waiting: tuple[Ahead, ...] = ()
    """Who goes first comes first."""
    model: str = ""
    """Asked for last, and so loaded, if it was not too long ago."""
    idle_seconds: float = float("inf")
    """Since the last request began or ended."""
    speeds: Mapping[str, Speed] = field(default_factory=dict)
    totals: Mapping[str, Totals] = field(default_factory=dict)

    @property
    def loaded(self) -> str:
        return self.model if self.idle_seconds < KEPT_SECONDS or self.inside else ""


class HostSlots(Protocol):
    """Where the slots of all hosts are kept. Methods raise `TemporaryError` when it cannot be reached."""

    async def look(self, hosts: Sequence[str]) -> dict[str, Traffic]:
        """Every host's traffic now."""
        ...

    async def enter(self, ticket: SlotRequest, places: int, before: str = "") -> bool:
        """True: the ticket is inside its host. False: it now waits there, and no longer at the host
        `before`."""
        ...

    async def leave(self, ticket: SlotRequest) -> None:
        """The ticket is neither inside nor waiting any more; those who listen are told."""
        ...

    async def renew(self, inside: Iterable[SlotRequest], waiting: Iterable[SlotRequest]) -> None:
        """These still live, and have written so much; what was lost of them is put back."""
        ...

    async def learn(self, host: str, model: str, served: Served, speed: Speed) -> None:
        """Adds to the totals and keeps the new averages."""
        ...

    def listen(self, wake: Callable[[], None]) -> None:
        """`wake` is called soon after a place becomes free anywhere."""
        ...

    async def aclose(self) -> None: ...
