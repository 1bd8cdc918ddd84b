"""Parts that a machine may lack. A test that needs one is skipped, and says what to install; under
HOB_TEST_STRICT=1, as in CI, a skip is a failure (tests/conftest.py)."""

import os
import pwd
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import pytest

NOT_TO_BE_HAD = "no registry that tests install from has it"
"""In the reason of a skip that stays one where nothing may be missing."""
NOT_IN_REGISTRIES = frozenset({"actionlint"})
"""Linters that come as a release, or as source that downloads one; nothing else is let off."""
ROOT = Path(__file__).parents[1]


def missing(what: str, install: str) -> NoReturn:
    """Skips the test."""
    pytest.skip(f"{what} is not here; install {install}")


def mlx() -> None:
    """mlx-lm and what makes models for it."""
    if find_spec("mlx_lm") is None:
        missing("MLX", "it with `make .venv/.mlx`")


def mcp() -> None:
    """The Model Context Protocol's SDK."""
    if find_spec("mcp") is None:
        missing("the package mcp", "it with `make .venv/.mcp`")


def schemathesis() -> Path:
    """Its program, which has an environment of its own."""
    found = ROOT / ".venv" / "schemathesis" / "bin" / "schemathesis"
    return found if found.exists() else missing("schemathesis", "it with `make .venv/.schemathesis`")


def program(name: str, install: str) -> Path:
    """The path of a program on PATH."""
    found = shutil.which(name)
    return Path(found) if found else missing(name, install)


def linter(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that checks may run: from the environment of `make .venv/.linters`, which is put on PATH, or
    as this machine has it. What it says is recorded, too."""
    from bot.checks import linter, programs

    ours = ROOT / ".venv" / "linters"
    folders = map(str, (ours / "bin", ours / "node_modules" / ".bin"))
    monkeypatch.setenv("PATH", os.pathsep.join([*folders, os.environ.get("PATH", os.defpath)]))
    known = linter.known(name)
    if programs.find(known.program):
        return
    if name in NOT_IN_REGISTRIES:
        pytest.skip(f"{known.program} is not here, and {NOT_TO_BE_HAD}; install it: {known.install}")
    missing(known.program, "it with `make .venv/.linters`, where npm is installed")


def sshd() -> Path:
    """It wants to be called by its whole path, which for most users is not on PATH."""
    found = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    return Path(found) if found else missing("sshd", "openssh-server")


def postgres_user() -> None:
    """As whom PostgreSQL runs where we are root."""
    try:
        pwd.getpwnam("postgres")
    except KeyError:
        if os.geteuid() == 0:
            missing("the user postgres", "postgresql")


def postgres_programs() -> Path:
    """The folder of initdb and pg_ctl: Debian keeps them off PATH."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).parent
    versions = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3])
    )
    return versions[-1].parent if versions else missing("PostgreSQL", "postgresql")


def sandbox() -> None:
    """A sandbox that works: on Linux bubblewrap, and a kernel that lets it make namespaces."""
    from bot.core.sandbox_types import SandboxUnusable
    from bot.sandbox import here

    if isinstance(reason := here(), SandboxUnusable):
        missing(f"a sandbox ({reason})", "bubblewrap and allow user namespaces")


def redis_server() -> Path:
    """Valkey's or Redis's server, from the package or from PATH."""
    from bot.queue.embedded import EmbeddedFailed, binary

    try:
        return binary()
    except EmbeddedFailed:
        missing("Redis", "valkey or redis")


def proc() -> None:
    """What Linux tells of processes."""
    if not Path("/proc/self/statm").exists():
        missing("/proc", "Linux")
