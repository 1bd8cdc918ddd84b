"""Has Ollama hosts download a model, with a bar on a terminal and plain lines elsewhere."""

import asyncio
import sys
from collections.abc import Callable

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from bot.config import load_config
from bot.core.errors import UserError
from bot.core.hosts import Host
from bot.inference.runners import ModelMissing, RunnerError
from bot.inference.runners.ollama import OllamaRunner

AGAIN_SECONDS = 2.0
ReportPull = Callable[[str, int, int], None]
"""What is being done, and how much of it: bytes so far and altogether (0: not known)."""


def run(model: str, name: str, say: Callable[[str], None]) -> list[str]:
    """The hosts that have it now, each of which is said; UserError where a host cannot."""
    hosts = _hosts(name)
    asyncio.run(_pull(model, hosts, say))
    return [host.name for host in hosts]


def _hosts(name: str) -> list[Host]:
    hosts = load_config().pool_hosts()
    if name and name not in (known := [host.name for host in hosts]):
        raise UserError(f"there is no host {name}", f"hob.toml has {', '.join(known)}")
    chosen = [
        host for host in hosts if host.name == name or not (name or host.online or host.kind != "ollama")
    ]
    if not chosen or any(host.kind != "ollama" for host in chosen):
        raise UserError("only Ollama hosts pull models", "give another host its model by its own means")
    return chosen


async def _pull(model: str, hosts: list[Host], say: Callable[[str], None]) -> None:
    for host in hosts:
        await pull(model, host)
        say(f"{host.name} has {model}")


async def pull(model: str, host: Host, tries: int = 1) -> None:
    """With progress on stderr; what was broken off is gone on with: Ollama keeps what it has. UserError."""
    runner = OllamaRunner(host)
    try:
        while True:
            tries -= 1
            try:
                with _shown(f"{model} on {host.name}") as told:
                    async for at in runner.pull(model):
                        told(at.status, at.completed, at.total)
            except RunnerError as error:
                if tries > 0 and not isinstance(error, ModelMissing):
                    await asyncio.sleep(AGAIN_SECONDS)
                    continue
                hint = "see https://ollama.com/library"
                raise UserError(f"{host.name} did not pull {model}: {error}", hint) from None
            return
    finally:
        await runner.aclose()


class _shown:  # noqa: N801  reads as a phrase: with _shown(…) as told
    """Progress on stderr."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._said = ""
        bar = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
        )
        self._bar = Progress(*bar, console=Console(stderr=True), disable=not sys.stderr.isatty())

    def __enter__(self) -> ReportPull:
        self._bar.start()
        self._task = self._bar.add_task(self._title, total=None)
        return self._told

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def _told(self, what: str, done: int, total: int) -> None:
        self._bar.update(
            self._task, description=f"{self._title}: {what}", completed=done, total=total or None
        )
        tenth = f"{done * 10 // total}0 %" if total else ""
        if self._bar.disable and self._said != (said := f"{what} {tenth}".rstrip()):
            self._said = said
            click.echo(f"{self._title}: {said}", err=True)
