"""A program that is to be run on files of Hob's writing, and what came of it. How it is held is
`bot.sandbox`'s to say."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from bot.core.errors import HobError


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


@dataclass(frozen=True, slots=True)
class Ended:
    """`output` is what it wrote to stdout; `killed` says past which limit, or is empty."""

    code: int
    output: bytes
    killed: str = ""


class SandboxUnusable(HobError):
    """No sandbox works here; says why, in words for a check run."""


RunProgram = Callable[[SandboxedProgram], Awaitable[Ended]]
"""Raises Unusable where the program may not be run."""
