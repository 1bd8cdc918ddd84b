"""What the service sees, where that is not what the person who asks sees."""

import asyncio
import os
import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bot.cli.doctor import fixes
from bot.cli.doctor.line import DoctorFix, Fixable, Wrong
from bot.config import Config
from bot.config.running import COMMANDS, RunningProcess, name_of_user, read_running
from bot.core.text import some_of
from bot.http import AsyncClient, HTTPError, InvalidURL, Timeout

ANSWER_SECONDS = 5.0
STARTING_SECONDS = 20.0
"""Until a receiver that was started has to answer."""
MOST_NAMED = 6
MOST_BYTES = 64 * 1024
"""Of a process's variables and arguments."""
SHOWN = ("HOB_CONFIG", "HOB_HOB__DATA_DIR")
"""The variables whose values are shown: they are paths."""


async def service(config: Config) -> str | Fixable:
    """That `hob up` (or `hob serve`, `hob work`) was started with what this command was."""
    data_dir = config.hob.data_dir
    if data_dir.exists() and not os.access(data_dir, os.R_OK | os.X_OK):
        return f"not known: {data_dir} is another user's"
    written = await asyncio.to_thread(read_running, data_dir)
    lives = [one for one in written if not one.is_gone]
    if not lives:
        return await asyncio.to_thread(_none, config, written)
    here, far = ([one for one in lives if one.is_here is near] for near in (True, False))
    for one in here:
        _compare(one, config, os.environ)
    for one in here:
        if one.command == "serve" and time.time() - one.at > STARTING_SECONDS:
            await _answers(data_dir / "hob.port")
    said: list[str] = []
    if here:
        names = [f"hob {one.command} (process {one.pid}, user {one.user})" for one in here]
        said.append(f"{', '.join(names)}: the settings, user and variables that this command has")
    if far:
        names = [f"hob {one.command} ({one.owner.partition('/')[0]}, started {_day(one.at)})" for one in far]
        said.append(f"{', '.join(names)} in another container or on another machine: ask there")
    return "; ".join(said)


def _compare(process: RunningProcess, config: Config, environ: Mapping[str, str]) -> None:
    """`Wrong` where the process has another file, user or setting, with how to ask as it."""
    who, ours = f"hob {process.command} (process {process.pid})", str(config.source or "")
    if process.source != ours:
        said = f"{who} reads {process.source or 'no hob.toml'}, this command {ours or 'none'}"
        raise Wrong(said, f"ask as it: {_as_it(process)}")
    if process.uid != os.geteuid():
        raise Wrong(
            f"{who} is user {process.user}'s: what it may read and run can differ from what is told here",
            f"ask as it: {_as_it(process)}",
        )
    differing = process.differing(config)
    if differing:
        said = f"{who} has other values of {some_of(differing, MOST_NAMED)}"
        if because := _because(process, environ):
            raise Wrong(
                f"{said}: {because}", f"ask as it: {_as_it(process)}; or give it those, and restart it"
            )
        if config.source is None or config.source.stat().st_mtime < process.at:
            both = sorted(one for one in process.variables if one.startswith("HOB_"))
            said = f"{said}: {' or '.join(both) or 'a path'} is another there"
            raise Wrong(said, f"ask as it: {_as_it(process)}")
        raise Wrong(f"{said}: hob.toml was changed after it started", "restart it")
    keys = {one.api_key_env for one in config.hosts if one.api_key_env and environ.get(one.api_key_env)}
    if lacking := sorted(keys - set(process.variables)):
        raise Wrong(
            f"{who} was not given {', '.join(lacking)}, which this shell has",
            "put it into the service's environment (docs/operations.md) and restart it",
        )


def _because(process: RunningProcess, environ: Mapping[str, str]) -> str:
    theirs = {one for one in process.variables if one.startswith("HOB_")} - {"HOB_CONFIG"}
    ours = {one for one in environ if one.startswith("HOB_")} - {"HOB_CONFIG"}
    said = [f"it was given {', '.join(sorted(theirs - ours))}"] if theirs - ours else []
    said += [f"this shell has {', '.join(sorted(ours - theirs))}"] if ours - theirs else []
    return " and ".join(said)


def _as_it(process: RunningProcess) -> str:
    """A command line for this doctor as the process's user, in its folder, with its hob.toml."""
    given = {"HOB_CONFIG": process.source} if process.source else {}
    more = [one for one in process.variables if one.startswith("HOB_") and one != "HOB_CONFIG"]
    said = _command(process.user if process.uid != os.geteuid() else "", process.folder, given)
    return f"{said}, with its {', '.join(more)}" if more else said


def _command(user: str, folder: str, given: Mapping[str, str]) -> str:
    words = [*(("runuser", "-u", user, "--") if user else ())]
    words += ["env", *(f"{name}={value}" for name, value in given.items())] if given else []
    return f"cd {shlex.quote(folder)} && {shlex.join([*words, 'hob', 'doctor'])}"


async def _answers(port_file: Path) -> None:
    try:
        url = (await asyncio.to_thread(port_file.read_text)).strip()
    except OSError:
        raise Wrong(
            "hob serve lives, and did not say where it listens", "see its log; is the disk full?"
        ) from None
    try:
        async with AsyncClient(timeout=Timeout(ANSWER_SECONDS), trust_env=False) as client:
            status = (await client.get(f"{url}/healthz")).status_code
    except (HTTPError, InvalidURL):
        status = 0
    if status != 200:
        said = f"answers {status}" if status else f"does not answer within {ANSWER_SECONDS:g} s"
        raise Wrong(f"hob serve lives, and {url} {said}", "see its log, and restart it")


def _none(config: Config, written: Sequence[RunningProcess]) -> str | Fixable:
    """Nobody runs for this data directory: what was left over, and who runs for another."""
    latest = max((one.at for one in written), default=0.0)
    said = "does not run for this data directory"
    said += f"; it was started last {_day(latest)}" if latest else ""
    there = {one.ask: one for one in running_here() if one.data_dir != config.hob.data_dir}
    if others := list(there.values()):
        hint = f"one does for another ({'; '.join(one.said for one in others[:2])})"
        if config.source is None:
            raise Wrong(f"{said}, of which no hob.toml was found; {hint}", f"ask as it: {others[0].ask}")
        said += f"; {hint}"
    left = config.hob.data_dir / "hob.port"
    if (fix := _left_over(config, left, written)) is not None:
        return Fixable(f"{said}; {left} is left over from it", fix)
    return said


def _day(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def _left_over(config: Config, port: Path, written: Sequence[RunningProcess]) -> DoctorFix | None:
    """The port file of a receiver that was killed."""

    def still() -> bool:
        told = [one for one in read_running(config.hob.data_dir) if one.command == "serve"]
        return bool(told) and all(one.is_gone for one in told)

    return fixes.remove(port, still) if port.exists() and still() else None


@dataclass(frozen=True, slots=True)
class OtherHob:
    """A process of Hob's on this machine, as far as its variables may be read."""

    pid: int
    said: str
    ask: str
    data_dir: Path | None


def running_here(proc: Path = Path("/proc")) -> list[OtherHob]:
    """`hob serve` and `hob work` on this machine; none where the system does not list processes in /proc."""
    return [found for number in _numbers(proc) if (found := _look(proc / number)) is not None]


def _numbers(proc: Path) -> Iterator[str]:
    with suppress(OSError):
        yield from sorted((one.name for one in proc.iterdir() if one.name.isdecimal()), key=int)


def _look(folder: Path) -> OtherHob | None:
    try:
        arguments = _words(folder / "cmdline")
        uid = folder.stat().st_uid
    except OSError:
        return None
    at = next((n for n, word in enumerate(arguments) if word == "bot.cli"), 0)
    if not at or arguments[at - 1] != "-m" or not set(arguments[at + 1 : at + 2]) & set(COMMANDS):
        return None
    user = name_of_user(uid)
    try:
        environ = dict(word.partition("=")[::2] for word in _words(folder / "environ"))
        cwd = str((folder / "cwd").readlink())
    except OSError:
        said = f"process {folder.name} of user {user}, whose variables are its own"
        return OtherHob(int(folder.name), said, _command(user, "/", {}), None)
    given = {name: environ[name] for name in SHOWN if environ.get(name)}
    told = "".join(f", {name}={value}" for name, value in given.items())
    data = environ.get("HOB_HOB__DATA_DIR")
    return OtherHob(
        int(folder.name),
        f"process {folder.name} of user {user} in {cwd}{told}",
        _command(user if uid != os.geteuid() else "", cwd, given),
        Path(cwd) / data if data else None,
    )


def _words(file: Path) -> list[str]:
    with file.open("rb") as opened:
        return opened.read(MOST_BYTES).decode(errors="replace").split("\0")
