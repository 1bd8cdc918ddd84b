"""The pool as a table, as JSON, or live."""

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import click
from rich.live import Live
from rich.table import Table

from bot.cli import tables
from bot.cli.waiting import TellWaiting
from bot.config import Config, load_config
from bot.core.host_slots import Totals, Traffic
from bot.core.text import for_terminal
from bot.inference.hosts.known_host import HostState
from bot.inference.hosts.pool import Pool
from bot.inference.hosts.slots import SharedHostSlots
from bot.local_egress import Outgoing
from bot.log import redact, setup
from bot.queue.redis_slots import RedisHostSlots

WATCH_SECONDS = 1.0
WIDE = 160
"""Enough for a line a host."""
HEADS = (
    "host",
    "kind",
    "models (context)",
    "in flight",
    "waiting",
    "latency",
    "first token",
    "tokens/s",
    "health",
)


@dataclass(frozen=True, slots=True)
class Shown:
    """One host."""

    state: HostState
    traffic: Traffic

    def json(self) -> dict[str, Any]:
        """Seconds and tokens a second are None where nothing was asked yet."""
        host, state, totals = self.state.host, self.state, self._totals
        return {
            "name": host.name,
            "kind": host.kind,
            "url": host.url,
            "online": host.online,
            "parallel": host.parallel,
            "models": [
                {
                    "name": model.name,
                    "context_length": model.context_length,
                    "loaded": model.name == self.traffic.loaded,
                }
                for model in state.models
            ],
            "in_flight": len(self.traffic.inside),
            "waiting": len(self.traffic.waiting),
            "requests": totals.requests,
            "failures": totals.failures,
            "latency_seconds": self._mean(totals.seconds),
            "first_token_seconds": self._mean(totals.first_token_seconds),
            "tokens_per_second": self._speed(),
            "up": state.up,
            "error": state.error,
        }

    @property
    def _totals(self) -> Totals:
        each = self.traffic.totals.values()
        names = ("requests", "failures", "seconds", "first_token_seconds", "tokens_in", "tokens_out")
        return Totals(*(sum(getattr(one, name) for one in each) for name in names))

    def _mean(self, seconds: float) -> float | None:
        requests = self._totals.requests
        return round(seconds / requests, 3) if requests else None

    def _speed(self) -> float | None:
        speed = self.traffic.speeds.get(self.traffic.model)
        return round(speed.answer, 1) if speed and speed.calls else None

    def line(self) -> str:
        """On one line, without what steers a terminal."""
        name, kind, models, *rest = self.row()
        busy, waiting, latency, first, speed, health = rest
        words = (
            f"{name} ({kind}): {health}; in flight {busy}, waiting {waiting}, latency {latency}, "
            f"first token {first}, tokens/s {speed}; {', '.join(models.splitlines())}"
        )
        return " ".join(for_terminal(redact(words)).split("\n"))

    def row(self) -> tuple[str, ...]:
        told = self.json()
        models = "\n".join(f"{each.shown} ({each.context_length:,})" for each in self.state.models) or "-"
        busy = f"{told['in_flight']}/{told['parallel']}"
        means = [_seconds(told[name]) for name in ("latency_seconds", "first_token_seconds")]
        speed = "-" if told["tokens_per_second"] is None else f"{told['tokens_per_second']:,.1f}"
        kind = f"{told['kind']}{' (online)' if told['online'] else ''}"
        url = "" if told["online"] else self.state.host.url
        wrong = f"{told['error']} ({url})" if told["error"] and url else told["error"]
        return (told["name"], kind, models, busy, str(told["waiting"]), *means, speed, wrong or "up")


def run(*, as_json: bool, watch: bool) -> None:
    """Until all is shown; with `watch` until it is interrupted."""
    config = load_config()
    setup("error")  # that Redis is away shows in the numbers
    asyncio.run(_watch(config) if watch and not as_json else _once(config, as_json))


async def look(pool: Pool, config: Config) -> list[Shown]:
    """Every host as it is now. One that may not be used is not asked."""
    outgoing = Outgoing(config)
    try:
        states = await pool.states(outgoing.operators(), anew=True)
    finally:
        outgoing.close()
    traffic = await pool.traffic()
    return [Shown(state, traffic[state.host.name]) for state in states]


def make_pool(config: Config) -> Pool:
    """As a worker has it."""
    return Pool(
        config.pool_hosts(),
        host_slots=SharedHostSlots(RedisHostSlots(config.redis_url)),
        routing=config.pool.routing,
    )


async def _once(config: Config, as_json: bool) -> None:
    pool = make_pool(config)
    try:
        with TellWaiting("asking the hosts"):
            shown = await look(pool, config)
    finally:
        await pool.aclose()
    if as_json:
        click.echo(json.dumps({"hosts": [each.json() for each in shown]}))
    else:
        tables.console(WIDE).print(table(shown))


async def _watch(config: Config) -> None:
    pool = make_pool(config)
    if not tables.console(WIDE).is_terminal:
        await _tell(pool, config)
        return
    try:
        with Live(table(await look(pool, config)), console=tables.console(WIDE), auto_refresh=False) as live:
            while True:
                await asyncio.sleep(WATCH_SECONDS)
                live.update(table(await look(pool, config)), refresh=True)
    finally:
        await pool.aclose()


async def _tell(pool: Pool, config: Config) -> None:
    """Into a pipe or a file: a line for each host, at first and whenever something of it has changed."""
    before: dict[str, str] = {}
    try:
        while True:
            for each in await look(pool, config):
                name, line = each.state.host.name, each.line()
                if before.get(name) != line:
                    before[name] = line
                    click.echo(f"{datetime.now().astimezone().isoformat(timespec='seconds')} {line}")
                    sys.stdout.flush()
            await asyncio.sleep(WATCH_SECONDS)
    finally:
        await pool.aclose()


def table(shown: Sequence[Shown]) -> Table:
    made = tables.table(*HEADS, title="" if shown else "no hosts are configured")
    for each in shown:
        tables.row(made, *each.row(), style="" if each.state.up else "red")
    return made


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} s"
