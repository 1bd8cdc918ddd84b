"""macOS: sandbox-exec with a profile that denies by default. https://www.manpagez.com/man/1/sandbox-exec/

The program may be loaded, read its folder and answer; it can start no other process, so that killing it
leaves none, reach no network, and write nowhere.
"""

from dataclasses import dataclass
from pathlib import Path

from bot.core.sandbox_types import ProgramLimits, SandboxedProgram

SANDBOX_EXEC = "/usr/bin/sandbox-exec"
_LIBRARIES = (
    "/usr/lib",
    "/usr/share",
    "/System/Library",
    "/System/Volumes/Preboot/Cryptexes",
    "/private/var/db/dyld",
)
_DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")


@dataclass(frozen=True, slots=True)
class Seatbelt:
    """`sandbox_exec` is an absolute path."""

    sandbox_exec: str = SANDBOX_EXEC

    name = "sandbox-exec"

    def command(self, program: SandboxedProgram, folder: Path) -> list[str]:
        """The whole command line; `folder` holds the program's files."""
        held = [self.sandbox_exec, "-p", profile(program.path, str(folder)), program.path, *program.arguments]
        return limited(held, program.limits)


def profile(program: str, folder: str) -> str:
    """In the profile language (a Scheme). Links must be resolved: the kernel compares real paths."""
    read = [f"(subpath {_quoted(path)})" for path in (*_LIBRARIES, folder)]
    read += [f"(literal {_quoted(path)})" for path in ("/", program, *_DEVICES)]
    return "\n".join(
        [
            "(version 1)",
            "(deny default)",
            f"(allow process-exec (literal {_quoted(program)}))",
            f"(allow file-read* {' '.join(read)})",
            '(allow file-write-data (literal "/dev/null"))',
            "(allow sysctl-read)",
        ]
    )


def limited(command: list[str], limits: ProgramLimits) -> list[str]:
    """The command under a shell's own limits, for systems without prlimit. It can write no file."""
    rules = f"ulimit -c 0 && ulimit -f 0 && ulimit -t {limits.cpu_seconds} && ulimit -n 256"
    return ["/bin/sh", "-c", f'{rules} && exec "$@"', "sh", *command]


def _quoted(path: str) -> str:
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
