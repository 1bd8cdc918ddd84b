"""Where inference runs, as values."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["ollama", "openai", "anthropic", "mlx", "scripted"]


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


@dataclass(frozen=True, slots=True)
class HostModel:
    """A model on a host: how many tokens it can really read, and whether it runs on that machine at all."""

    name: str
    context_length: int
    remote: bool = False
    """An Ollama `:cloud` model, or one with a `remote_host`: the prompt would leave the network."""
    thinks: bool = False
    digest: str = ""
    """Names its very weights, where the host tells; empty: an answer of it is not kept for later."""
