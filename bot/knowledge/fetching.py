"""The git program for clones of what strangers wrote: it speaks HTTPS to one address, and what it may take is
bounded.

The token is handed over in git's environment, which only this user can read, and only while git runs; the
command line, which everyone can read, and the clone's own configuration never hold it.
https://git-scm.com/docs/git-config#ENVIRONMENT
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from bot.core.errors import GitHubError, HobError
from bot.core.network import DIRECT, Network
from bot.git import command, environment
from bot.log import redact

MOST_OUTPUT = 256 << 20
MOST_WORDS = 2_000
"""Of what git complained, characters."""
LOOK_SECONDS = 0.2


class GitFailed(HobError):
    """git ended with an error: `words` are its own, without secrets."""

    def __init__(self, step: str, words: str) -> None:
        self.words = redact(words.strip())[-MOST_WORDS:]
        super().__init__(f"git {step}: {self.words or 'it ended without a word'}")


class GitStopped(HobError):
    """git was ended from here: it took too long, or too much."""


def remote(url: str, authorization: str, network: Network = DIRECT) -> dict[str, str]:
    """The environment in which git may reach `url`, by the way of `network`, and shows `authorization` there
    and nowhere else. `GitHubError` for an address that is neither HTTPS nor on this machine."""
    scheme = _scheme(url)
    settings = {
        "remote.origin.url": url,
        # Told here and not in the clone: there a reader's git would fetch what it misses, by itself.
        "remote.origin.promisor": "true",
        "remote.origin.partialCloneFilter": "blob:none",
        f"http.{url}.extraHeader": f"Authorization: {authorization}",
    }
    if network.proxy:  # else one of the environment is git's too
        settings[f"http.{url}.proxy"] = network.proxy if network.proxied(urlsplit(url).hostname or "") else ""
    told = {"GIT_ALLOW_PROTOCOL": scheme, "GIT_NO_LAZY_FETCH": "0", "GIT_CONFIG_COUNT": str(len(settings))}
    if network.proxy:
        told |= {"NO_PROXY": "", "no_proxy": ""}
    if network.bundle:
        told["GIT_SSL_CAINFO"] = network.bundle
    for number, (name, value) in enumerate(settings.items()):
        told |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return told


def _scheme(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        host = ""
    here = host == "localhost" or host.startswith("127.") or host == "::1"
    if not host or "@" in url or not (parts.scheme == "https" or (parts.scheme == "http" and here)):
        raise GitHubError(200, "the repository's address is not one that is cloned from")
    return parts.scheme


async def git(
    folder: Path,
    *arguments: str,
    data: bytes = b"",
    environ: Mapping[str, str] = MappingProxyType({}),
    seconds: float = 120.0,
    watch: Callable[[], object] = bool,
    keep: tuple[int, ...] = (),
) -> bytes:
    """Stdout of `git …` on the bare repository `folder`. `watch` is called again and again, and what it
    raises ends git; `keep`: files that git and its children hold open (a lock). `GitFailed`, `Stopped`,
    `UserError`."""
    process = await asyncio.create_subprocess_exec(
        *command(f"--git-dir={folder}", *arguments),
        env=environment(own=True) | {**environ},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
        pass_fds=keep,
    )
    talk = asyncio.ensure_future(_talk(process, data))
    try:
        out, words = await _watched(talk, seconds, watch)
    finally:
        await _end(process, talk)
    if process.returncode:
        raise GitFailed(arguments[0], words.decode("utf-8", "replace"))
    return out


async def _talk(process: asyncio.subprocess.Process, data: bytes) -> tuple[bytes, bytes]:
    told = asyncio.ensure_future(_tail(process.stderr))
    fed = asyncio.ensure_future(_feed(process.stdin, data))
    out = bytearray()
    while process.stdout and (part := await process.stdout.read(1 << 16)):
        out += part
        if len(out) > MOST_OUTPUT:
            raise GitStopped(f"git told more than {MOST_OUTPUT >> 20} MB")
    await fed
    words = await told
    await process.wait()
    return bytes(out), words


async def _feed(pipe: asyncio.StreamWriter | None, data: bytes) -> None:
    if pipe is None:
        return
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        pipe.write(data)
        await pipe.drain()
    pipe.close()


async def _tail(pipe: asyncio.StreamReader | None) -> bytes:
    """The end of what is said: the other side may talk for ever."""
    words = b""
    while pipe and (part := await pipe.read(1 << 16)):
        words = (words + part)[-4 * MOST_WORDS :]
    return words


async def _watched(
    talk: asyncio.Future[tuple[bytes, bytes]], seconds: float, watch: Callable[[], object]
) -> tuple[bytes, bytes]:
    try:
        async with asyncio.timeout(seconds):
            while not (await asyncio.wait({talk}, timeout=LOOK_SECONDS))[0]:
                watch()
            return talk.result()
    except TimeoutError:
        raise GitStopped(f"git did not end within {seconds:g} s") from None


async def _end(process: asyncio.subprocess.Process, talk: asyncio.Future[tuple[bytes, bytes]]) -> None:
    """git and what it started are gone."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    talk.cancel()
    await asyncio.gather(talk, return_exceptions=True)
