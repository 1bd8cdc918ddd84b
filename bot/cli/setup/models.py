"""`hob setup`: which host and which model, written down and fetched."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from bot.cli.hosts.discovery import AnsweringHost, answering
from bot.cli.hosts.pull_models import pull
from bot.cli.setup import keep, machine
from bot.cli.setup.about import SetupOptions, ask_line
from bot.config import load_config
from bot.config.models import is_loopback
from bot.core.errors import UserError
from bot.core.hosts import Host
from bot.core.model_choice import MachineMemory, ModelChoice, suggested

PULL_TRIES = 3


class ModelSetup:
    """The first model host that answers here, and its model to be. `agreed`: that may be fetched."""

    def __init__(self, path: Path, options: SetupOptions) -> None:
        self.path, self.options = path, options
        self.agreed = options.yes
        self.host: AnsweringHost | None = None
        self.choice: ModelChoice | None = None
        self._chosen = False

    async def choose(self) -> None:
        """Before anything is said of them; once. UserError for a --host where nothing answers."""
        if self._chosen:
            return
        self._chosen = True
        if "hosts" in keep.tree_of(self.path) or os.environ.get("HOB_HOSTS"):
            await self._as_configured()
            return
        found = await machine.model_hosts(self.options.host)
        if not found:
            return
        self.host = found[0]
        if self.options.model:
            self.choice = _named(self.options.model, self.host, "you said so")
            return
        if not is_loopback(urlsplit(self.host.url).hostname or ""):  # nobody here knows its memory
            self.choice = suggested(MachineMemory(1e6), self.host.models, room_gb=0.0)
            return
        room = await asyncio.to_thread(machine.room_for_models) if self.host.kind == "ollama" else 0.0
        self.choice = suggested(await machine.memory(), self.host.models, room_gb=room)

    async def _as_configured(self) -> None:
        """What hob.toml says is not changed: only what it lacks is fetched."""
        config = load_config(self.path)
        host = next((one for one in config.pool_hosts() if not one.online and one.kind == "ollama"), None)
        found = await answering([host.url]) if host else []
        if found and (wanted := self.options.model or next(iter(config.models.review), "")):
            self.host, self.choice = found[0], _named(wanted, found[0], "hob.toml says so")

    @property
    def fetched(self) -> str:
        """What would be downloaded, in words; empty where nothing is."""
        if self.host is None or self.choice is None or self.choice.name in self.host.models:
            return ""
        size = f" ({self.choice.download_gb:g} GB)" if self.choice.download_gb else ""
        return f"{self.choice.name}{size}" if self.host.kind == "ollama" else ""

    @property
    def words(self) -> str:
        if self.host is None:
            more = "Reviews are made by static checks alone until there is one."
            return f"No model host answers on this machine. To get one: {machine.how_to_get_one()}. {more}"
        if self.choice is None:
            return (
                f"{self.host.url} answers, and has no model that could be used or fetched unnamed: "
                "free some room on the disk, or name one with --model."
            )
        return f"{self.choice.name} on {self.host.url}: {self.choice.why}."

    async def settle(self, news: Callable[[str], None]) -> None:
        """Written down, and fetched where that was agreed to. UserError."""
        await self.choose()
        news(self.words)
        if self.host is None or self.choice is None:
            return
        keep.keep_host(self.path, self.host.kind, self.host.url, self.choice.name)
        if not self.fetched:
            return
        if not self.agreed and self.options.asks:
            answer = await ask_line(f"Fetch {self.fetched}? [Y/n] ")
            self.agreed = answer.lower() in ("", "y", "yes")
        if not self.agreed:
            news(f"not fetched; when you like: hob hosts pull {self.choice.name}")
            return
        news(f"fetching {self.fetched}")
        try:
            await pull(self.choice.name, Host("local", self.host.kind, self.host.url), tries=PULL_TRIES)
        except UserError as wrong:
            hint = "run `hob setup` again: it goes on where this stopped; or name another with --model"
            raise UserError(str(wrong), hint) from None
        news(f"{self.choice.name} is there")


def _named(name: str, host: AnsweringHost, why: str) -> ModelChoice:
    full = name if ":" in name or host.kind != "ollama" else f"{name}:latest"
    return ModelChoice(full if full in host.models else name, why)
