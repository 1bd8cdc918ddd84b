"""What a process of the service was started with, as it wrote down itself: `hob doctor`, which may be run by
another user, in another folder and with other variables, compares it with what it has.

No value of a setting is written, only a digest of each: some hold passwords.
"""

import hashlib
import json
import os
import pwd
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bot.config.load import PROXIES
from bot.config.models import Config
from bot.paths import make_private
from bot.process import is_gone, this_machine, this_process

MOST_BYTES = 64 * 1024
COMMANDS = ("serve", "work", "schedule")


@dataclass(frozen=True, slots=True)
class RunningProcess:
    """`hob COMMAND` as it was when it started, at `at` (epoch seconds)."""

    command: str
    owner: str
    """`bot.process.this_process()`."""
    at: float
    user: str
    uid: int
    folder: str
    source: str
    """Its hob.toml; empty where it read none."""
    variables: tuple[str, ...] = ()
    """Names of those that it was given and Hob reads."""
    salt: str = ""
    digests: Mapping[str, str] = field(default_factory=dict)
    """Setting -> digest of its value and the salt."""

    @property
    def pid(self) -> str:
        return self.owner.split(":")[1] if self.owner.count(":") == 2 else "?"

    @property
    def is_here(self) -> bool:
        """Not on another machine that shares the folder, nor in another container."""
        return self.owner.startswith(f"{this_machine()}:")

    @property
    def is_gone(self) -> bool:
        """It was a process of this machine, and has ended."""
        return is_gone(self.owner)

    def differing(self, config: Config) -> tuple[str, ...]:
        """The settings that have another value there than in `config`."""
        ours = dict(_digests(config, self.salt))
        return tuple(sorted(key for key in {*ours, *self.digests} if ours.get(key) != self.digests.get(key)))


def file_of(data_dir: Path, command: str) -> Path:
    return data_dir / f"process-{command}.json"


def write_running(config: Config, command: str, environ: Mapping[str, str] = os.environ) -> None:
    """By the process itself, when it starts. A folder that cannot be written is not complained of here."""
    salt = secrets.token_hex(16)
    named = {one for one in environ if one.startswith("HOB_")} | _read_by(config) & set(environ)
    made = RunningProcess(
        command=command,
        owner=this_process(),
        at=time.time(),
        user=name_of_user(os.geteuid()),
        uid=os.geteuid(),
        folder=str(Path.cwd()),
        source=str(config.source or ""),
        variables=tuple(sorted(named)),
        salt=salt,
        digests=dict(_digests(config, salt)),
    )
    file = file_of(config.hob.data_dir, command)
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    with suppress(OSError):
        make_private(config.hob.data_dir)
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(asdict(made)))
        fresh.replace(file)


def read_running(data_dir: Path) -> tuple[RunningProcess, ...]:
    """What each command wrote last; those that did not, or cannot be read, are left out."""
    return tuple(found for name in COMMANDS if (found := _read(file_of(data_dir, name))) is not None)


def name_of_user(uid: int) -> str:
    """Not by LOGNAME, which a change of user may leave as it was."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _read(file: Path) -> RunningProcess | None:
    try:
        with file.open("rb") as opened:
            found: Any = json.loads(opened.read(MOST_BYTES))
        texts = {name: str(found[name])[:4096] for name in ("command", "owner", "user", "folder", "source")}
        return RunningProcess(
            **texts,
            at=float(found["at"]),
            uid=int(found["uid"]),
            variables=tuple(map(str, found["variables"])),
            salt=str(found["salt"]),
            digests={str(key): str(value) for key, value in found["digests"].items()},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _read_by(config: Config) -> set[str]:
    """Names of variables that hold no setting, and count."""
    return {host.api_key_env for host in config.hosts if host.api_key_env} | set(PROXIES)


def _digests(config: Config, salt: str) -> Iterator[tuple[str, str]]:
    """Short ones: enough to see a difference, too little to guess a password by."""
    for key, value in _leaves("", config.model_dump(mode="json")):
        said = f"{salt}\n{key}\n{json.dumps(value, sort_keys=True)}".encode()
        yield key, hashlib.blake2b(said, digest_size=4).hexdigest()


def _leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, dict) or not value:
        yield name, value
        return
    for key, below in value.items():
        yield from _leaves(f"{name}.{key}" if name else str(key), below)
