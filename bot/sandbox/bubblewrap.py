"""Linux: bubblewrap and prlimit. https://github.com/containers/bubblewrap/blob/main/bwrap.xml

The program gets namespaces of its own (no network, no other processes), the system's libraries read only,
an empty environment, and one folder. Nothing can be written anywhere, so there is no disk and no inode to
fill; a repository's tests may write in their work tree, /tmp and /dev/shm, which lie in one folder of Hob's.
All dies with bubblewrap: its child is the first process of the namespace.
"""

import resource
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import ClassVar

from bot.core.sandbox_types import WORK, Mount, ProgramLimits, SandboxedProgram, TreeLimits, TreeProgram
from bot.sandbox import seccomp
from bot.sandbox.boxes import RunFolder

ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "HOME": "/nonexistent",
    "NO_COLOR": "1",
    # threads count as processes, and each reserves memory
    "RAYON_NUM_THREADS": "2",
    "GOMAXPROCS": "2",
}
TREE_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "HOME": "/tmp/home",  # noqa: S108  the run's own
    "TMPDIR": "/tmp",  # noqa: S108
    "USER": "nobody",
    "LOGNAME": "nobody",
    "CI": "true",
    "NO_COLOR": "1",
}
INFO, FILTER = "started.json", "calls.bpf"
"""Files of the box: what bubblewrap says of the first process, and which system calls are refused."""
NOBODY = "65534"
NAMESPACES = ("user", "pid", "net", "ipc", "uts")
"""Beside that of mounts; what deploy/systemd/hob.service allows. Control groups cannot be seen inside."""
_SYSTEM = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_ETC = (
    *("localtime", "timezone", "mime.types", "protocols", "services", "os-release", "fonts"),
    *("ssl/certs", "ssl/openssl.cnf"),
)
"""What says something of no person and no machine."""
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
    environment: ClassVar[Mapping[str, str]] = {}

    def command(self, program: SandboxedProgram, folder: Path) -> list[str]:
        """The whole command line; `folder` holds the program's files."""
        seen = any(Path(program.path).is_relative_to(one) for one in program.reads)
        inside = program.path if seen else f"/hob/{Path(program.path).name}"
        own = () if seen else ("--perms", "0755", "--dir", "/hob", "--ro-bind", program.path, inside)
        places = [PurePosixPath(one) for one in program.reads]
        read = [part for one in places for part in _mounted(Mount(one, one))]
        return [
            self.bwrap,
            *self._namespaces(),
            *("--die-with-parent", "--new-session", "--clearenv"),
            *(part for name, value in ENVIRONMENT.items() for part in ("--setenv", name, value)),
            *_system(),
            *("--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev"),
            *read,
            *own,
            *("--ro-bind", str(folder), str(WORK)),
            *("--remount-ro", "/", "--chdir", str(WORK), "--"),
            *self._lowered(NOBODY),
            self.prlimit,
            *_limits(program.limits),
            "--",
            inside,
            *program.arguments,
        ]

    def tree_command(self, program: TreeProgram, box: RunFolder) -> list[str]:
        """The same for a run in a work tree of its own; its first process is named in the box's `INFO`."""
        filtered = seccomp.program()
        (box.folder / FILTER).write_bytes(filtered)
        redirected = 'exec "$@" 8>"$0/started.json" 9<"$0/calls.bpf"'
        return [
            *("/bin/sh", "-c", redirected, str(box.folder), self.bwrap, "--info-fd", "8"),
            *(("--seccomp", "9") if filtered else ()),
            *self._namespaces(),
            *(() if self.as_root else ("--as-pid-1",)),
            *("--die-with-parent", "--new-session", "--clearenv"),
            *(part for name, value in TREE_ENVIRONMENT.items() for part in ("--setenv", name, value)),
            *_system(),
            *("--perms", "0755", "--dir", "/etc/ssl"),
            *(part for name in _ETC for part in ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")),
            *(
                part
                for one in sorted(box.etc.iterdir())
                for part in ("--ro-bind", str(one), f"/etc/{one.name}")
            ),
            *("--proc", "/proc", "--dev", "/dev", "--bind", str(box.shm), "/dev/shm"),  # noqa: S108
            *("--remount-ro", "/dev", "--bind", str(box.tmp), "/tmp", "--bind", str(box.tree), str(WORK)),  # noqa: S108
            *(part for one in program.mounts for part in _mounted(one)),
            *("--remount-ro", "/", "--chdir", str(WORK), "--"),
            *self._lowered(str(box.uid)),
            *(self.prlimit, *_tree_limits(program.limits), "--", *self._first(), *program.command),
        ]

    def _first(self) -> tuple[str, ...]:
        """What waits for the command. bubblewrap's own first process is under no filter of system calls, and
        whoever has its user's rights may trace it: a shell takes its place. As root it stays, for it keeps
        root's rights, and with them the signal that ends it with its parent."""
        return () if self.as_root else ("/bin/sh", "-c", '"$@"; exit "$?"', "sh")

    def _namespaces(self) -> tuple[str, ...]:
        if not self.as_root:
            return (*(f"--unshare-{one}" for one in NAMESPACES), "--uid", NOBODY, "--gid", NOBODY)
        spaces = ("--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try")
        return (*spaces, "--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID")

    def _lowered(self, uid: str) -> tuple[str, ...]:
        if not self.as_root:
            return ()
        return (self.setpriv, "--reuid", uid, "--regid", uid, "--clear-groups", "--inh-caps=-all")


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


def _mounted(mount: Mount) -> list[str]:
    """Folders above its place can be passed by everybody; those below the work tree are there already."""
    place = Path(mount.place)
    above = (
        [] if place.is_relative_to(WORK) else [one for one in reversed(place.parents) if one != one.parent]
    )
    made = [part for one in above for part in ("--perms", "0755", "--dir", str(one))]
    return [*made, "--ro-bind", str(mount.source), str(place)]


def _tree_limits(limits: TreeLimits) -> tuple[str, ...]:
    """Of each process; how much all use together is looked at from outside. Programs reserve far more address
    space than they use, so that only what they may write counts."""
    return (
        f"--cpu={_at_most(resource.RLIMIT_CPU, limits.cpu_seconds)}",
        f"--data={_at_most(resource.RLIMIT_DATA, limits.memory_mb << 20)}",
        f"--nproc={_at_most(resource.RLIMIT_NPROC, limits.processes)}",
        f"--fsize={_at_most(resource.RLIMIT_FSIZE, limits.tree_mb << 20)}",
        f"--nofile={_at_most(resource.RLIMIT_NOFILE, 4096)}",
        "--core=0",
    )


def _at_most(kind: int, wanted: int) -> int:
    """As far as this process may go itself: a higher limit would be refused."""
    hard = resource.getrlimit(kind)[1]
    return wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
