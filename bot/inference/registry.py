"""Which module speaks to which kind of host: one line each, loaded when the first host of that kind is
used."""

import pkgutil
from collections.abc import Callable
from typing import cast

from bot.core.errors import ConfigError
from bot.core.hosts import Host, Kind
from bot.inference.runners import Runner

RUNNERS: dict[Kind, str] = {
    "ollama": "bot.inference.runners.ollama:OllamaRunner",
    "scripted": "bot.inference.runners.scripted:ScriptedRunner",
}


def make_runner(host: Host) -> Runner:
    """A runner for the host, not yet connected; `ConfigError` for a kind that has none or a URL it cannot
    use."""
    if (path := RUNNERS.get(host.kind)) is None:
        raise ConfigError(
            f"host {host.name}: kind {host.kind!r} cannot be used in this version",
            hint=f"use one of: {', '.join(sorted(RUNNERS))}",
        )
    return cast("Callable[[Host], Runner]", pkgutil.resolve_name(path))(host)
