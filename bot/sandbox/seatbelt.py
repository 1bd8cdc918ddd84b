"""macOS: sandbox-exec with a profile that denies by default. https://www.manpagez.com/man/1/sandbox-exec/

The program may be loaded, read its folder and answer; it can start no other process, so that killing it
leaves none, reach no network, and write nowhere. A repository's tests may start others and write in their
folder; of those only the process group is ended, for macOS has no namespace of processes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from bot.core.sandbox_types import ProgramLimits, SandboxedProgram, TreeProgram
from bot.sandbox.boxes import RunFolder

SANDBOX_EXEC = "/usr/bin/sandbox-exec"
_LIBRARIES = (
    "/usr/lib",
    "/usr/share",
    "/System/Library",
    "/System/Volumes/Preboot/Cryptexes",
    "/private/var/db/dyld",
)
_PROGRAMS = ("/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/libexec", "/usr/local", "/opt/homebrew")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")


@dataclass(frozen=True, slots=True)
class Seatbelt:
    """`sandbox_exec` is an absolute path."""

    sandbox_exec: str = SANDBOX_EXEC

    name = "sandbox-exec"
    environment: ClassVar[Mapping[str, str]] = {}

    def command(self, program: SandboxedProgram, folder: Path) -> list[str]:
        """The whole command line; `folder` holds the program's files."""
        held = [
            self.sandbox_exec,
            "-p",
            profile(program.path, str(folder), program.reads),
            program.path,
            *program.arguments,
        ]
        return limited(held, program.limits)

    def tree_command(self, program: TreeProgram, box: RunFolder) -> list[str]:
        """The same for a run in a work tree of its own, which lies at its own path."""
        limits = program.limits
        sources = [str(Path(one.source).resolve()) for one in program.mounts]
        held = [self.sandbox_exec, "-p", tree_profile(str(box.written.resolve()), sources), *program.command]
        tmp = str(box.tmp.resolve())
        told = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": f"{tmp}/home", "TMPDIR": tmp, "CI": "true"}
        rules = (
            f"ulimit -c 0 && ulimit -t {limits.cpu_seconds} && ulimit -n 4096 && ulimit -u {limits.processes}"
        )
        rules += f" && ulimit -f {limits.tree_mb * 2048} && cd {_shell(str(box.tree.resolve()))}"
        start = ["/usr/bin/env", "-i", *(f"{name}={value}" for name, value in told.items())]
        return [*start, "/bin/sh", "-c", f'{rules} && exec "$@"', "sh", *held]


def tree_profile(folder: str, mounts: Sequence[str]) -> str:
    """May write below `folder`, and read and start what the system and the operator have."""
    read = [f"(subpath {_quoted(path)})" for path in (*_LIBRARIES, *_PROGRAMS, folder, *mounts)]
    read += [f"(literal {_quoted(path)})" for path in ("/", *_DEVICES)]
    return "\n".join(
        [
            "(version 1)",
            "(deny default)",
            "(allow process-fork)",
            f"(allow process-exec {' '.join(read[: -1 - len(_DEVICES)])})",
            f"(allow file-read* {' '.join(read)})",
            f"(allow file-write* (subpath {_quoted(folder)}))",
            '(allow file-write-data (literal "/dev/null"))',
            "(allow signal (target same-sandbox))",
            "(allow sysctl-read)",
        ]
    )


def profile(program: str, folder: str, reads: Sequence[str] = ()) -> str:
    """In the profile language (a Scheme). Links must be resolved: the kernel compares real paths. An
    interpreter may start what lies in `reads`: on macOS Python is an application that it starts itself."""
    read = [f"(subpath {_quoted(path)})" for path in (*_LIBRARIES, *reads, folder)]
    started = [f"(literal {_quoted(program)})", *(f"(subpath {_quoted(path)})" for path in reads)]
    read += [f"(literal {_quoted(path)})" for path in ("/", program, *_DEVICES)]
    return "\n".join(
        [
            "(version 1)",
            "(deny default)",
            f"(allow process-exec {' '.join(started)})",
            f"(allow file-read* {' '.join(read)})",
            '(allow file-write-data (literal "/dev/null"))',
            "(allow sysctl-read)",
        ]
    )


def limited(command: list[str], limits: ProgramLimits) -> list[str]:
    """The command under a shell's own limits, for systems without prlimit. It can write no file."""
    rules = f"ulimit -c 0 && ulimit -f 0 && ulimit -t {limits.cpu_seconds} && ulimit -n 256"
    return ["/bin/sh", "-c", f'{rules} && exec "$@"', "sh", *command]


def _shell(path: str) -> str:
    return "'" + path.replace("'", "'\\''") + "'"


def _quoted(path: str) -> str:
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
