"""The one place that starts `git`: to read what strangers wrote, and to fetch it. Nothing that a repository's
configuration names (a file-system monitor, hooks, a pager, filters, helpers) is run, no path is taken for a
pattern or an option, and nothing is fetched that was not asked for.

https://git-scm.com/docs/git-config https://git-scm.com/docs/git#_environment_variables
"""

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from bot.core.errors import UserError

if TYPE_CHECKING:
    import asyncio

SECONDS = 20.0
MOST_OUTPUT = 4 * 1024 * 1024
MOST_COMPLAINT = 4096
LAST_WORDS_SECONDS = 1.0

SAFE = (
    # nothing of ours or theirs is run beside it
    *("core.hooksPath=/dev/null", "core.fsmonitor=false", "core.pager=cat", "core.alternateRefsCommand=true"),
    *("core.askPass=", "credential.helper=", "log.showSignature=false"),
    *("gc.auto=0", "maintenance.auto=false", "fetch.writeCommitGraph=false"),
    # nothing is fetched by itself: whoever fetches says the one protocol in GIT_ALLOW_PROTOCOL
    *("protocol.allow=never", "submodule.recurse=false", "fetch.recurseSubmodules=false"),
    *("transfer.bundleURI=false", "http.followRedirects=false"),
    *("http.lowSpeedLimit=1000", "http.lowSpeedTime=60", "fetch.showForcedUpdates=false"),
    # the same words on every machine
    *("core.quotePath=false", "diff.ignoreSubmodules=none", "grep.fallbackToNoIndex=false"),
    "protocol.version=2",
)
"""Settings that every git of ours is given, before all that configures it otherwise."""
QUIET = {
    "LC_ALL": "C",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",  # also for a git too old to know the line above
}
"""The environment that every git of ours is given; one that fetches lifts the last two."""
DEAF = {
    "HOME": os.devnull,  # no .netrc, no .gitconfig
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
}
_PASSED = (
    *("PATH", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO"),
    *("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"),
)


def command(*arguments: str) -> list[str]:
    """The command line of `git …`; UserError where there is no git."""
    found = shutil.which("git")
    if found is None:
        raise UserError("git is not installed", "install it")
    return [found, "--no-pager", *(part for one in SAFE for part in ("-c", one)), *arguments]


def environment(*, own: bool = False) -> dict[str, str]:
    """What git finds in its environment: this process's variables without git's own. In a repository of a
    person this machine's configuration counts, for its `safe.directory` says whose repositories may be read;
    in one that Hob made (`own`) nothing counts but the way to the network."""
    if not own:
        return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | QUIET
    passed = {name: os.environ[name] for name in _PASSED if name in os.environ}
    if "SSL_CERT_FILE" in passed:  # a git with GnuTLS does not read it
        passed.setdefault("GIT_SSL_CAINFO", passed["SSL_CERT_FILE"])
    return passed | QUIET | DEAF


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of one command. `err` is what git said on standard error, on one line; `full` and `late`: it
    was killed at the cap, or at the deadline, and `out` is what it had said until then."""

    code: int
    out: bytes
    err: str = ""
    full: bool = False
    late: bool = False

    @property
    def why(self) -> str:
        """Why there is no whole answer, for a person; empty where there is one."""
        if self.full:
            return f"it says over {len(self.out) >> 20} MB"
        if self.late:
            return "it takes too long"
        return "" if self.code == 0 else self.err or f"it ends with {self.code}"


async def git(
    folder: Path,
    *arguments: str,
    stdin: bytes = b"",
    seconds: float = SECONDS,
    most: int = MOST_OUTPUT,
) -> tuple[int, bytes]:
    """(exit code, standard output). Past the deadline or the cap the process is killed and what it had said
    until then is given with code 0."""
    ran = await run(folder, *arguments, stdin=stdin, seconds=seconds, most=most)
    return (0 if ran.full or ran.late else ran.code), ran.out


async def run(
    folder: Path,
    *arguments: str,
    stdin: bytes = b"",
    seconds: float = SECONDS,
    most: int = MOST_OUTPUT,
    environ: Mapping[str, str] = MappingProxyType({}),
) -> Ran:
    """The same, with why. `environ` is added to git's environment."""
    import asyncio  # whoever awaits has it; `hob search` does not, and starts a tenth sooner

    process = await asyncio.create_subprocess_exec(
        *command("-C", str(folder), *arguments),
        env={**environment(), **environ},
        stdin=asyncio.subprocess.PIPE if stdin else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    feeding = asyncio.create_task(_feed(process, stdin))
    complaining = asyncio.create_task(_complaint(process))
    out = bytearray()
    full = late = False
    try:
        async with asyncio.timeout(seconds):
            while process.stdout and len(out) < most:
                part = await process.stdout.read(65_536)
                if not part:
                    break
                out += part
            else:
                process.kill()
            await process.wait()
            full = len(out) >= most
    except TimeoutError:
        late = True
    finally:
        feeding.cancel()
        if process.returncode is None:
            process.kill()
            await process.wait()
        with suppress(TimeoutError):
            await asyncio.wait_for(complaining, LAST_WORDS_SECONDS)
    said = b"" if complaining.cancelled() else complaining.result()
    return Ran(process.returncode or 0, bytes(out), one_line(said), full, late)


async def _complaint(process: "asyncio.subprocess.Process") -> bytes:
    """The beginning of what it says on standard error, all of which is taken."""
    said = b""
    while process.stderr and (part := await process.stderr.read(65_536)):
        said += part[: MOST_COMPLAINT - len(said)]
    return said


def one_line(said: bytes) -> str:
    """git's complaint without its marks, hints and line ends."""
    lines = said.decode("utf-8", "replace").splitlines()
    kept = [line.strip() for line in lines if not line.startswith(("hint:", "warning:"))]
    return " ".join(line.removeprefix("fatal: ").removeprefix("error: ") for line in kept if line)


async def _feed(process: "asyncio.subprocess.Process", data: bytes) -> None:
    if process.stdin is None:
        return
    with suppress(BrokenPipeError, ConnectionResetError):  # it had enough
        process.stdin.write(data)
        await process.stdin.drain()
    process.stdin.close()
