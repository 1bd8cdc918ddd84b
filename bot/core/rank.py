"""Which host takes a request. Pure, and cheap: it is asked for each request again whenever a place becomes
free."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.core.places import Ahead, Speed, Traffic

Routing = Literal["completion", "least_outstanding", "round_robin"]
STAYS = 0.9
"""Who waits at one host moves to another for less than this part of the time only."""


@dataclass(frozen=True, slots=True)
class Option:
    """A model on a host as routing sees it. Seconds are sums over the requests before this one."""

    places: int
    inside: int
    waiting: int
    inside_seconds: float
    waiting_seconds: float
    loaded: bool
    speed: Speed

    @property
    def is_free(self) -> bool:
        """Whether the request would begin at once."""
        return self.inside + self.waiting < self.places

    @property
    def wait(self) -> float:
        """Seconds until its turn."""
        return 0.0 if self.is_free else (self.inside_seconds + self.waiting_seconds) / self.places

    def expected(self, tokens_in: int) -> float:
        """Seconds until the last token of the answer."""
        return self.speed.seconds(tokens_in, self.loaded) + self.wait


def rank(
    options: Sequence[Option], tokens_in: int, routing: Routing = "completion", turn: int = 0, behind: int = 0
) -> list[int]:
    """Indexes of the options, best first; among equals the order given. `turn` counts requests, for round
    robin. `behind`: so many more come after this one, which would keep those that are busy now busy."""
    numbers = range(len(options))
    if routing == "round_robin":
        return [(turn + number) % len(options) for number in numbers]
    if routing == "least_outstanding":
        return sorted(numbers, key=lambda number: options[number].inside + options[number].waiting)
    rate = sum(each.places / each.speed.seconds(tokens_in) for each in options if not each.is_free)
    more = behind / rate if rate else 0.0
    times = [each.expected(tokens_in) + (0.0 if each.is_free else more) for each in options]
    return sorted(numbers, key=times.__getitem__)


def option(
    traffic: Traffic,
    model: str,
    places: int,
    speed: Speed,
    order: float,
    ticket: str = "",
    loaded: bool = False,
) -> Option:
    """The option as a request of this order sees it: those behind it do not count, nor does it itself."""
    before = [each for each in traffic.waiting if each.order < order and each.id != ticket]
    return Option(
        places=places,
        inside=len(traffic.inside),
        waiting=len(before),
        inside_seconds=_sum(traffic.inside),
        waiting_seconds=_sum(before),
        loaded=loaded or traffic.loaded == model,
        speed=speed,
    )


def guess(model: str, traffics: Mapping[str, Traffic]) -> Speed:
    """For a host on which the model was never asked: as fast as the fastest, so that it is tried."""
    known = [traffic.speeds[model] for traffic in traffics.values() if model in traffic.speeds]
    if not known:
        return Speed()
    fastest = max(known, key=lambda speed: speed.answer)
    return Speed(
        max(each.prompt for each in known), fastest.answer, min(each.load for each in known), fastest.length
    )


def _sum(requests: Sequence[Ahead]) -> float:
    return sum([each.seconds for each in requests])
