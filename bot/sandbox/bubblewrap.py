"""Linux: bubblewrap and prlimit. https://github.com/containers/bubblewrap/blob/main/bwrap.xml

The program gets namespaces of its own (no network, no other processes), the system's libraries read only,
an empty environment, and one folder. Nothing can be written anywhere, so there is no disk and no inode to
fill. All dies with bubblewrap: its child is the first process of the namespace.
"""

from dataclasses import dataclass
from pathlib import Path

from bot.core.sandbox_types import ProgramLimits, SandboxedProgram

WORK = "/work"
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "HOME": "/nonexistent",
    "NO_COLOR": "1",
    # threads count as processes, and each reserves memory
    "RAYON_NUM_THREADS": "2",
    "GOMAXPROCS": "2",
}
NOBODY = "65534"
_SYSTEM = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_LOADER = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives", "/nix/store")


@dataclass(frozen=True, slots=True)
class Bubblewrap:
    """`bwrap`, `prlimit` and `setpriv` are absolute paths. `as_root`: Hob itself is root, so the program is
    made nobody: the kernel counts no processes of root, and what only root may read stays so."""

    bwrap: str
    prlimit: str
    setpriv: str = ""
    as_root: bool = False

    name = "bubblewrap"

    def command(self, program: SandboxedProgram, folder: Path) -> list[str]:
        """The whole command line; `folder` holds the program's files."""
        inside = f"/hob/{Path(program.path).name}"
        return [
            self.bwrap,
            *self._namespaces(),
            *("--die-with-parent", "--new-session", "--clearenv"),
            *(part for name, value in ENVIRONMENT.items() for part in ("--setenv", name, value)),
            *_system(),
            *("--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev"),
            *("--perms", "0755", "--dir", "/hob", "--ro-bind", program.path, inside),
            *("--ro-bind", str(folder), WORK),
            *("--remount-ro", "/", "--chdir", WORK, "--"),
            *self._lowered(),
            self.prlimit,
            *_limits(program.limits),
            "--",
            inside,
            *program.arguments,
        ]

    def _namespaces(self) -> tuple[str, ...]:
        if not self.as_root:
            return ("--unshare-all", "--uid", NOBODY, "--gid", NOBODY)
        spaces = ("--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try")
        return (*spaces, "--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID")

    def _lowered(self) -> tuple[str, ...]:
        if not self.as_root:
            return ()
        return (self.setpriv, "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "--inh-caps=-all")


def _system() -> list[str]:
    """What programs are loaded from. On most systems /bin and its like are links into /usr."""
    parts = ["--ro-bind", "/usr", "/usr", "--perms", "0755", "--dir", "/etc"]
    for name in _SYSTEM:
        path = Path("/", name)
        if path.is_symlink():
            parts += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            parts += ["--ro-bind", str(path), str(path)]
    for found in _LOADER:
        parts += ["--ro-bind-try", found, found]
    return parts


def _limits(limits: ProgramLimits) -> tuple[str, ...]:
    return (
        f"--cpu={limits.cpu_seconds}",
        f"--as={limits.memory_mb * 1024 * 1024}",
        f"--nproc={limits.processes}",
        "--fsize=0",  # of files without a name (memfd) too
        "--nofile=256",
        "--core=0",
    )
