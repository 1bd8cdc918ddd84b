"""A program that is to be run on files of Hob's writing or in a work tree of its own, and what came of it.
How it is held is `bot.sandbox`'s to say."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from bot.core.errors import HobError

WORK = PurePosixPath("/repo")
"""Where whatever is run finds its folder, and a repository's tests their work tree."""


@dataclass(frozen=True, slots=True)
class ProgramLimits:
    """What a program may use; past one of them it and all that it started are killed. It can write no
    file."""

    seconds: float = 30.0
    """On the clock."""
    cpu_seconds: int = 20
    memory_mb: int = 2048
    """Address space of each process: programs reserve more than they use."""
    processes: int = 64
    """Threads count too."""
    output_bytes: int = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class SandboxedProgram:
    """`path` is absolute, on the machine; `files` are all that it sees besides the system, in its working
    folder under names of Hob's: never a name or a path of a repository."""

    path: str
    arguments: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    limits: ProgramLimits = ProgramLimits()
    only_reads: bool = False
    """It parses and never runs, loads or follows what it reads, and comes with Hob: may be run with limits
    alone where no sandbox works (docs/security.md)."""
    reads: tuple[str, ...] = ()
    """Folders of the machine, absolute, from which it is loaded: an interpreter's, its packages'. Seen at
    their own places; where `path` lies in one of them, it is started there."""


@dataclass(frozen=True, slots=True)
class Ended:
    """`output` is what it wrote to stdout; `killed` says past which limit, or is empty."""

    code: int
    output: bytes
    killed: str = ""


@dataclass(frozen=True, slots=True)
class TreeLimits:
    """What a run in a work tree of its own may use, with all that it starts; past one of them everything is
    killed."""

    seconds: float = 600.0
    """On the clock."""
    cpu_seconds: int = 1_200
    memory_mb: int = 2_048
    """Resident and not read from files."""
    processes: int = 256
    """Threads count too."""
    tree_mb: int = 1_024
    """The work tree, /tmp and /dev/shm; also the largest file."""
    files: int = 100_000
    """Files and folders there."""
    output_bytes: int = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Mount:
    """A folder or file of the machine that a run may read; `place` is where it finds it."""

    source: PurePosixPath
    place: PurePosixPath


@dataclass(frozen=True, slots=True)
class TreeProgram:
    """What is run in a work tree of its own, all that it may write. `image`: in a container of it."""

    command: tuple[str, ...]
    limits: TreeLimits = TreeLimits()
    mounts: tuple[Mount, ...] = ()
    image: str = ""


class SandboxUnusable(HobError):
    """No sandbox works here; says why, in words for a check run."""


RunProgram = Callable[[SandboxedProgram], Awaitable[Ended]]
"""Raises Unusable where the program may not be run."""
