"""Where inference runs, as values."""

from dataclasses import dataclass, field, replace
from typing import Any

Kind = str
"""ollama, openai, anthropic, mlx, scripted, or one that another package brings (`hob.runners`)."""


@dataclass(frozen=True, slots=True)
class Host:
    """One model host of `hob.toml`'s `[[hosts]]`. The meaning of each field: docs/configuration.md."""

    name: str
    kind: Kind
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
    models: tuple[tuple[str, tuple[tuple[str, str | float], ...]], ...] = ()
    """model -> those of these four that are its own"""
    answers: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """prompt -> what a scripted host says to it, one after the other"""

    def of(self, model: str) -> "Host":
        """The host with the keys that are this model's own."""
        own: Any = dict(dict(self.models).get(model, ()))
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
    loaded: bool = field(default=False, compare=False)
    """In the host's memory when it was last asked what it has."""
    digest: str = field(default="", compare=False)
    """Names its very weights, where the host tells; empty: an answer of it is not kept for later."""

    @property
    def shown(self) -> str:
        """For a person."""
        return self.name or "any model: it does not say which it has"
