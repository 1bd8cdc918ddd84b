"""Where inference runs, as values.

Which host takes a request. Pure, and cheap: it is asked for each request again whenever a place becomes
free.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from bot.core.adapters import Adapter, adapter_name
from bot.core.host_slots import Ahead, Speed, Traffic
from bot.core.network import DIRECT, Network

HostKind = str
"""ollama, openai, anthropic, mlx, scripted, or one that another package brings (`hob.runners`)."""


@dataclass(frozen=True, slots=True)
class Host:
    """One model host of `hob.toml`'s `[[hosts]]`. The meaning of each field: docs/configuration.md."""

    name: str
    kind: HostKind
    url: str
    parallel: int = 1
    roles: tuple[str, ...] = ()
    online: bool = False
    api_key_env: str = ""
    usd_per_mtok_in: float | None = 0.0
    """US dollars for a million tokens of a prompt; 0: it costs nothing, None: nobody said."""
    usd_per_mtok_out: float | None = 0.0
    start: tuple[str, ...] = ()
    """The command (program and arguments, no shell) that starts the host when it is needed and does not
    answer."""
    stop: tuple[str, ...] = ()
    idle_minutes: float = 15.0
    """A host with a `stop` command is stopped when nobody has used it for so long."""
    keep_alive: str = ""
    """How long an Ollama keeps a model loaded that nobody uses: `15m`, `0`, `-1` for ever; empty: 15m."""
    num_ctx: int = 0
    """The window in tokens that a model is asked with, as far as it has so many; 0: as many as Hob uses."""
    first_token_seconds: float = 0.0
    """How long the first token may take, and each after it; 0: as the runner says."""
    between_tokens_seconds: float = 0.0
    vision: bool = False
    """Its models read pictures; an Ollama tells that itself."""
    models: tuple[tuple[str, tuple[tuple[str, str | float], ...]], ...] = ()
    """model -> those of these five that are its own"""
    answers: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """prompt -> what a scripted host says to it, one after the other"""
    network: Network = DIRECT
    adapters: tuple[Adapter, ...] = ()
    """Those that a host of kind `mlx` has."""

    def of(self, model: str) -> "Host":
        """The host with the keys that are this model's own; an adapter's are those of its base model."""
        told = adapter_name(model)
        own: Any = dict(dict(self.models).get(told.base if told else model, ()))
        return replace(self, **own) if own else self

    def patience(self, model: str, usual: tuple[float, float]) -> tuple[float, float]:
        """Seconds until the first token, and between two."""
        own = self.of(model)
        return own.first_token_seconds or usual[0], own.between_tokens_seconds or usual[1]

    def cost(self, tokens_in: int, tokens_out: int) -> float:
        """US dollars for one answer."""
        return (tokens_in * (self.usd_per_mtok_in or 0) + tokens_out * (self.usd_per_mtok_out or 0)) / 1e6

    @property
    def priced(self) -> bool:
        """Whether somebody said what it costs."""
        return self.usd_per_mtok_in is not None or self.usd_per_mtok_out is not None


@dataclass(frozen=True, slots=True)
class HostModel:
    """A model on a host: how many tokens it can really read, and whether it runs on that machine at all.
    Without a name: the host does not say what it has, and takes any."""

    name: str
    context_length: int
    remote: bool = False
    """An Ollama `:cloud` model, or one with a `remote_host`: the prompt would leave the network."""
    thinks: bool = False
    sees: bool = False
    """Reads pictures, as far as the host tells."""
    calls_tools: bool = field(default=True, compare=False)
    """False where the host tells that it does not."""
    loaded: bool = field(default=False, compare=False)
    """In the host's memory when it was last asked what it has."""
    repo_id: int | None = None
    """Whose adapter it is: no prompt about another repository is put to it; None: anybody's."""
    digest: str = field(default="", compare=False)
    """Names its very weights, where the host tells; empty: an answer of it is not kept for later."""

    @property
    def shown(self) -> str:
        """For a person."""
        return self.name or "any model: it does not say which it has"


RoutingStrategy = Literal["completion", "least_outstanding", "round_robin"]
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
    kept: int = 0
    """Tokens of the request that the host has read already, if it has not forgotten them with its model."""

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
        return self.needed(tokens_in) + self.wait

    def needed(self, tokens_in: int) -> float:
        """Seconds of its own work."""
        return self.speed.seconds(max(0, tokens_in - self.kept * self.loaded), self.loaded)


def rank(
    options: Sequence[Option],
    tokens_in: int,
    routing: RoutingStrategy = "completion",
    turn: int = 0,
    behind: int = 0,
) -> list[int]:
    """Indexes of the options, best first; among equals the order given. `turn` counts requests, for round
    robin. `behind`: so many more come after this one, which would keep those that are busy now busy."""
    numbers = range(len(options))
    if routing == "round_robin":
        return [(turn + number) % len(options) for number in numbers]
    if routing == "least_outstanding":
        return sorted(numbers, key=lambda number: options[number].inside + options[number].waiting)
    rate = sum(
        each.places / replace(each, loaded=True).needed(tokens_in) for each in options if not each.is_free
    )
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
    kept: int = 0,
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
        kept=kept,
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
