"""What `hob setup` finds on this machine: model hosts, memory, room on the disk."""

import asyncio
import os
import shutil
import sys
from pathlib import Path

from bot.cli.hosts.discovery import AnsweringHost, answering
from bot.config.addresses import host_url, local_ollama
from bot.core.errors import UserError
from bot.core.model_choice import MachineMemory, gigabytes

PORTS = (1234, 8080, 8000)
"""LM Studio; mlx_lm.server and llama.cpp; vLLM."""
SECONDS = 5.0


async def model_hosts(asked: str = "") -> list[AnsweringHost]:
    """Those that answer on this machine, an Ollama first; with `asked`, the one at that address. UserError
    where nothing answers there."""
    if asked:
        try:
            urls = [host_url(asked, "openai")]
        except ValueError as wrong:
            raise UserError(
                f"--host {asked[:80]!r} is not {wrong}", "write it like http://127.0.0.1:11434"
            ) from None
    else:
        urls = [local_ollama()]
    others = [urls[0].removesuffix("/v1")] if asked else [f"http://127.0.0.1:{port}" for port in PORTS]
    ollama, openai = await asyncio.gather(
        answering([url.removesuffix("/v1") for url in urls]), answering(others, "openai")
    )
    found = [*ollama, *(each for each in openai if not ollama or each.url != ollama[0].url)]
    if asked and not found:
        raise UserError(f"no model host answers at {urls[0]}", "start it, or leave out --host")
    return found


def how_to_get_one() -> str:
    """What to type for a model host where there is none."""
    if sys.platform == "darwin":
        return "brew install ollama && brew services start ollama"
    return "ollama serve  (after its archive from https://ollama.com/download/linux is unpacked)"


async def memory() -> MachineMemory:
    """Of this machine; zeros where it does not tell."""
    if sys.platform == "darwin":
        return MachineMemory(
            gigabytes("sysctl", await _said("sysctl", "-n", "hw.memsize")),
            unified=os.uname().machine == "arm64",
        )
    try:
        told = await asyncio.to_thread(Path("/proc/meminfo").read_text)
    except OSError:
        told = ""
    card = await _said("nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits")
    return MachineMemory(gigabytes("meminfo", told), gigabytes("nvidia", card))


def room_for_models() -> float:
    """GB on the disk on which Ollama keeps its models, as far as this user sees it."""
    asked = os.environ.get("OLLAMA_MODELS", "")
    for folder in (Path(asked) if asked else Path.home() / ".ollama", Path.home(), Path("/")):
        try:
            return shutil.disk_usage(folder).free / 1e9
        except OSError:
            continue
    return 0.0


async def _said(*command: str) -> str:
    """What a program prints; nothing where it is not there, fails or takes long."""
    try:
        running = await asyncio.create_subprocess_exec(
            *command,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            stdin=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        return ""
    try:
        async with asyncio.timeout(SECONDS):
            said, _ = await running.communicate()
    except TimeoutError:
        running.kill()
        await running.wait()
        return ""
    return said.decode(errors="replace") if running.returncode == 0 else ""
