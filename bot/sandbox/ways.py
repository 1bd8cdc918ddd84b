"""Which sandbox works on this machine: tried for real, once."""

import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Protocol

from bot.core.sandbox_types import SandboxedProgram, SandboxUnusable, TreeLimits, TreeProgram
from bot.sandbox.boxes import box, given
from bot.sandbox.bubblewrap import Bubblewrap
from bot.sandbox.container import Container
from bot.sandbox.seatbelt import SANDBOX_EXEC, Seatbelt

SECONDS = 10.0


class Way(Protocol):
    """One kind of sandbox."""

    @property
    def name(self) -> str: ...
    def command(self, program: SandboxedProgram, folder: Path) -> list[str]: ...


@cache
def for_trees(base: Path) -> Bubblewrap | Seatbelt | SandboxUnusable:
    """The sandbox of this machine for runs that write in a work tree of their own, in a folder of `base`;
    tried once in a process."""
    try:
        way = find()
        with box(base) as made:
            given(made)
            program = TreeProgram((_true(),), TreeLimits())
            _tried(way.name, way.tree_command(program, made))
    except SandboxUnusable as reason:
        return reason
    except OSError as error:
        return SandboxUnusable(f"{base} cannot be written ({error.strerror})")
    return way


def in_image(words: tuple[str, ...], image: str) -> Container | SandboxUnusable:
    """A container of an image that is on this machine."""
    if shutil.which(words[0]) is None:
        return SandboxUnusable(f"{words[0]} is not installed")
    way = Container(words)
    try:
        _tried(words[0], way.known(image), way.environment)
    except SandboxUnusable as reason:
        return reason
    return way


@cache
def here() -> Way | SandboxUnusable:
    """What `find` finds, looked for once in a process."""
    try:
        return find()
    except SandboxUnusable as reason:
        return reason


def find() -> Bubblewrap | Seatbelt:
    """The sandbox of this machine, after a program ran in it; Unusable says what is lacking."""
    way = _seatbelt() if platform.system() == "Darwin" else _bubblewrap()
    with tempfile.TemporaryDirectory(prefix="hob-probe-") as folder:
        inner = Path(folder).resolve() / "work"
        inner.mkdir(mode=0o755)
        _tried(way.name, way.command(SandboxedProgram(_true(), ("hob",)), inner))
    return way


def _true() -> str:
    found = next((path for path in ("/bin/true", "/usr/bin/true") if Path(path).exists()), "/bin/true")
    return str(Path(found).resolve())


def _tried(name: str, command: list[str], environment: Mapping[str, str] | None = None) -> None:
    try:
        tried = subprocess.run(  # noqa: S603
            command,
            env=dict(environment or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SandboxUnusable(f"{name} does not work here ({type(error).__name__})") from None
    if tried.returncode:
        said = tried.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise SandboxUnusable(f"{name} does not work here: {said[-1][:200]}")


def _bubblewrap() -> Bubblewrap:
    as_root = os.geteuid() == 0
    names = ("bwrap", "prlimit", "setpriv") if as_root else ("bwrap", "prlimit")
    found = {name: shutil.which(name, path=os.environ.get("PATH", os.defpath)) for name in names}
    if lacking := [name for name, path in found.items() if path is None]:
        packages = sorted({"bubblewrap" if name == "bwrap" else "util-linux" for name in lacking})
        raise SandboxUnusable(f"{' and '.join(packages)} is not installed")
    paths = {name: str(path) for name, path in found.items()}
    return Bubblewrap(paths["bwrap"], paths["prlimit"], paths.get("setpriv", ""), as_root)


def _seatbelt() -> Seatbelt:
    if not Path(SANDBOX_EXEC).exists():
        raise SandboxUnusable("sandbox-exec is not there")
    return Seatbelt()
