"""Which module speaks to which kind of host: one line each, loaded when the first host of that kind is
used. Other packages bring more kinds by the entry point group `hob.runners`: a name, and what makes a
`Runner` of a `Host`. They cannot replace a kind of this table."""

import pkgutil
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import cast

from bot.core.errors import ConfigError
from bot.core.hosts import Host
from bot.inference.runners import Runner

GROUP = "hob.runners"

RUNNERS: dict[str, str] = {
    "ollama": "bot.inference.runners.ollama:OllamaRunner",
    "openai": "bot.inference.runners.openai:OpenAIRunner",
    "anthropic": "bot.inference.runners.anthropic:AnthropicRunner",
    "mlx": "bot.inference.runners.mlx:MlxRunner",
    "scripted": "bot.inference.runners.scripted:ScriptedRunner",
}


def make_runner(host: Host) -> Runner:
    """A runner for the host, not yet connected; `ConfigError` for a kind that has none or a URL it cannot
    use."""
    return _maker(host)(host)


def kinds() -> list[str]:
    """All kinds that this installation knows."""
    return sorted({*RUNNERS, *entry_points(group=GROUP).names})


def _maker(host: Host) -> Callable[[Host], Runner]:
    if path := RUNNERS.get(host.kind):
        return cast("Callable[[Host], Runner]", pkgutil.resolve_name(path))
    for point in entry_points(group=GROUP, name=host.kind):
        try:
            return cast("Callable[[Host], Runner]", point.load())
        except (ImportError, AttributeError) as error:
            raise ConfigError(
                f"host {host.name}: the runner for kind {host.kind!r} cannot be loaded: {error}",
                hint=f"mend or remove {point.value}",
            ) from error
    raise ConfigError(
        f"host {host.name}: there is no runner for kind {host.kind!r}",
        hint=f"use one of: {', '.join(kinds())}",
    )
