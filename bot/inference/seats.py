"""A host and a model of it that can be asked."""

from dataclasses import dataclass

from bot.core.hosts import Host, HostModel


@dataclass(frozen=True, slots=True)
class Seat:
    """One window, in tokens, that the model is always asked with. `tier`: seats of a lower one are asked
    first."""

    host: Host
    model: HostModel
    num_ctx: int
    tier: int = 0


@dataclass(frozen=True, slots=True)
class Seats:
    """Who can be asked, best first; `reason` says for each host why it is not among them."""

    seats: tuple[Seat, ...]
    reason: str
