"""All checks, in the order in which a person would mend them."""

import asyncio
from functools import partial

from bot.cli.doctor import hosts, machine, remote
from bot.cli.doctor.line import Line, line
from bot.config import Config, load_config
from bot.core.errors import ConfigError


async def examine() -> list[Line]:
    """Every check's line. Without a configuration that can be read the rest cannot be asked."""
    before = [
        await line("python", machine.python),
        await line("git", machine.git),
        await line("ruff", machine.ruff),
        await line("sandbox", machine.sandbox),
    ]
    try:
        config = load_config()
    except ConfigError as wrong:
        return [*before, Line("configuration", False, str(wrong), wrong.hint)]
    return [*before, *await asyncio.gather(*(line(name, check) for name, check in _checks(config).items()))]


def _checks(config: Config) -> dict[str, machine.Check]:
    found: dict[str, machine.Check] = {
        "configuration": partial(machine.configuration, config),
        "data directory": partial(machine.data_dir, config),
        "webhook secret": partial(machine.webhook_secret, config),
        "private key": partial(machine.private_key, config),
        "API token": partial(machine.api_token, config),
        "database": partial(machine.database, config),
        "vectors": partial(machine.vectors, config),
        "queue": partial(machine.queue, config),
        "handlers": partial(machine.handlers, config),
        "knowledge": partial(machine.knowledge, config),
        "GitHub": partial(remote.reachable, config),
        "clock": partial(remote.clock, config),
        "GitHub App": partial(remote.app, config),
    }
    for host in config.pool_hosts():
        found[f"host {host.name}"] = partial(hosts.answers, host)
        if host.kind == "ollama":
            found[f"host {host.name} exposure"] = partial(hosts.is_private, host)
    for role in config.models.by_role():
        found[f"models for {role}"] = partial(hosts.role_is_served, config, role)
    return found
