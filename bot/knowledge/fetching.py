"""The git program for clones of what strangers wrote: nothing on this machine or in a repository configures
it, it speaks HTTPS to one address and follows no redirect, and what it may take is bounded.

The token is handed over in git's environment, which only this user can read, and only while git runs; the
command line, which everyone can read, and the clone's own configuration never hold it.
https://git-scm.com/docs/git-config#ENVIRONMENT
"""

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from bot.core.errors import GitHubError, HobError, UserError
from bot.log import redact

MOST_OUTPUT = 256 << 20
MOST_WORDS = 2_000
"""Of what git complained, characters."""
LOOK_SECONDS = 0.2
_PASSED = (
    *("PATH", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO"),
    *("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"),
)
_FIXED = {
    "LC_ALL": "C",
    "HOME": os.devnull,  # no .netrc, no .gitconfig
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
}
_SAFE = (
    *("core.hooksPath=/dev/null", "core.fsmonitor=false", "core.askPass=", "credential.helper="),
    *("fetch.recurseSubmodules=false", "submodule.recurse=false", "fetch.writeCommitGraph=false"),
    *("gc.auto=0", "maintenance.auto=false", "transfer.bundleURI=false", "fetch.showForcedUpdates=false"),
    *("http.followRedirects=false", "http.lowSpeedLimit=1000", "http.lowSpeedTime=60", "protocol.version=2"),
)


class GitFailed(HobError):
    """git ended with an error: `words` are its own, without secrets."""

    def __init__(self, step: str, words: str) -> None:
        self.words = redact(words.strip())[-MOST_WORDS:]
        super().__init__(f"git {step}: {self.words or 'it ended without a word'}")


class Stopped(HobError):
    """git was ended from here: it took too long, or too much."""


def remote(url: str, authorization: str) -> dict[str, str]:
    """The environment in which git may reach `url` and shows `authorization` there and nowhere else.
    `GitHubError` for an address that is neither HTTPS nor on this machine."""
    scheme = _scheme(url)
    settings = {
        "remote.origin.url": url,
        # Told here and not in the clone: there a reader's git would fetch what it misses, by itself.
        "remote.origin.promisor": "true",
        "remote.origin.partialCloneFilter": "blob:none",
        f"http.{url}.extraHeader": f"Authorization: {authorization}",
    }
    told = {"GIT_ALLOW_PROTOCOL": scheme, "GIT_NO_LAZY_FETCH": "0", "GIT_CONFIG_COUNT": str(len(settings))}
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
    environment: Mapping[str, str] | None = None,
    seconds: float = 120.0,
    watch: Callable[[], object] = bool,
    keep: tuple[int, ...] = (),
) -> bytes:
    """Stdout of `git …` on the bare repository `folder`. `watch` is called again and again, and what it
    raises ends git; `keep`: files that git and its children hold open (a lock). `GitFailed`, `Stopped`,
    `UserError`."""
    program = shutil.which("git")
    if program is None:
        raise UserError("git is not installed", "install it")
    process = await asyncio.create_subprocess_exec(
        *(program, f"--git-dir={folder}", *(part for one in _SAFE for part in ("-c", one)), *arguments),
        env=_environment() | {"GIT_ALLOW_PROTOCOL": "none", **(environment or {})},
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


def _environment() -> dict[str, str]:
    passed = {name: os.environ[name] for name in _PASSED if name in os.environ}
    if "SSL_CERT_FILE" in passed:  # a git with GnuTLS does not read it
        passed.setdefault("GIT_SSL_CAINFO", passed["SSL_CERT_FILE"])
    return passed | _FIXED


async def _talk(process: asyncio.subprocess.Process, data: bytes) -> tuple[bytes, bytes]:
    told = asyncio.ensure_future(_tail(process.stderr))
    fed = asyncio.ensure_future(_feed(process.stdin, data))
    out = bytearray()
    while process.stdout and (part := await process.stdout.read(1 << 16)):
        out += part
        if len(out) > MOST_OUTPUT:
            raise Stopped(f"git told more than {MOST_OUTPUT >> 20} MB")
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
        raise Stopped(f"git did not end within {seconds:g} s") from None


async def _end(process: asyncio.subprocess.Process, talk: asyncio.Future[tuple[bytes, bytes]]) -> None:
    """git and what it started are gone."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    talk.cancel()
    await asyncio.gather(talk, return_exceptions=True)
