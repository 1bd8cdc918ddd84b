"""All checks, in the order in which a person would mend them. What follows from a failure is told with it,
not as failures of its own."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from bot.cli.doctor import code, hosts, installed, kept, machine, remote
from bot.cli.doctor import service as running
from bot.cli.doctor.line import DoctorCheck, DoctorResult, line
from bot.config import Config, load_config
from bot.core.errors import ConfigError

OF_THE_APP = ("GitHub App", "installations", "code", "webhook")


async def examine(*, probes: bool = False) -> list[DoctorResult]:
    """Every check's line. Without a configuration that can be read the rest cannot be asked. `probes`: models
    of this network are asked how fast they are, which takes up to a minute."""
    before = [
        await line("python", machine.python),
        await line("git", machine.git),
        await line("ruff", machine.ruff),
    ]
    try:
        config = load_config()
    except ConfigError as wrong:
        return [*before, DoctorResult("configuration", False, str(wrong), wrong.hint)]
    own, github, models, private = await asyncio.gather(
        _all(_own(config)), _github(config), _hosts(config, probes), _all(_exposure(config))
    )
    return [*before, *own, *github, *models, *private]


async def _all(checks: Mapping[str, DoctorCheck]) -> list[DoctorResult]:
    return list(await asyncio.gather(*(line(name, check) for name, check in checks.items())))


async def _hosts(config: Config, probes: bool = False) -> list[DoctorResult]:
    """The report must be whole, whatever a host does. The pool bounds each host for itself."""
    found: list[DoctorResult] = []

    async def look() -> str:
        found.extend(await hosts.examine(config, probes))
        return ""

    failed = await line("model hosts", look, None)
    return found or [failed]


def _own(config: Config) -> dict[str, DoctorCheck]:
    return {
        "sandbox": partial(machine.sandbox, config),
        "checks": machine.checks,
        "tests": partial(machine.tests, config),
        "configuration": partial(machine.configuration, config),
        "service": partial(running.service, config),
        "data directory": partial(machine.data_dir, config),
        "intake": partial(machine.intake, config),
        "webhook secret": partial(machine.webhook_secret, config),
        "API token": partial(machine.api_token, config),
        "database": partial(machine.database, config),
        "queue": partial(machine.queue, config),
        "missed deliveries": partial(machine.missed, config),
        "handlers": partial(machine.handlers, config),
        "knowledge": partial(machine.knowledge, config),
        "kept": partial(kept.kept, config),
        "disk": partial(kept.disk, config),
    }


def _exposure(config: Config) -> dict[str, DoctorCheck]:
    return {
        f"host {host.name} exposure": partial(hosts.is_private, host)
        for host in config.pool_hosts()
        if host.kind == "ollama" and not host.online
    }


async def _github(config: Config) -> list[DoctorResult]:
    """Key, GitHub, App, webhook: each rests on those before it."""
    proxy, trusted, key = await _all(
        {
            "proxy": partial(machine.proxy, config),
            "certificates": partial(machine.certificates, config),
            "private key": partial(machine.private_key, config),
        }
    )
    way = [proxy, trusted]
    if stopped := next((one for one in way if not one.ok), None):
        told = _hiding(stopped, "GitHub", "clock", *OF_THE_APP)
        return [*(told if one is stopped else one for one in way), key]
    return [*way, *await _behind(config, key)]


async def _behind(config: Config, key: DoctorResult) -> list[DoctorResult]:
    there = await line("GitHub", partial(remote.reachable, config))
    if not there.ok:
        return [key, _hiding(there, "clock", *OF_THE_APP)]
    clock = await line("clock", partial(remote.clock, config))
    if not key.ok:
        return [_hiding(key, *OF_THE_APP), there, clock]
    app = await line("GitHub App", partial(remote.app, config))
    if not app.ok and not app.detail.startswith(remote.LACKS):
        return [key, there, clock, _hiding(app, *OF_THE_APP[1:])]
    more = await _all(
        {
            "installations": partial(installed.installations, config),
            "code": partial(code.permission, config),
            "webhook": partial(remote.webhook, config),
        }
    )
    return [key, there, clock, app, *more]


def _hiding(failed: DoctorResult, *others: str) -> DoctorResult:
    return replace(failed, detail=f"{failed.detail}; so these were not looked at: {', '.join(others)}")
