"""A container of an image that the operator named, by the program that the operator named (podman, docker or
what takes the same words): no network, nothing of the machine but the work tree, nothing that can be written
but that, no rights. It is ended by its name.

https://docs.podman.io/en/latest/markdown/podman-run.1.html https://docs.docker.com/reference/cli/docker/container/run/
"""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bot.core.sandbox_types import WORK, TreeProgram
from bot.sandbox.boxes import CONTAINER, PREFIX, RunFolder, unheld
from bot.sandbox.bubblewrap import TREE_ENVIRONMENT

_PASSED = (
    *("PATH", "HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "DBUS_SESSION_BUS_ADDRESS"),
    *("DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CONTEXT", "CONTAINER_HOST"),
)
NOT_STARTED = 125
"""The exit code where the program itself could not."""


@dataclass(frozen=True, slots=True)
class Container:
    """`words` start one, up to its options: `podman run --rm`."""

    words: tuple[str, ...]

    name = "container"

    def tree_command(self, program: TreeProgram, box: RunFolder) -> list[str]:
        """The whole command line."""
        limits = program.limits
        user = os.getuid() if box.uid is None else box.uid
        places = ((box.tree, WORK), (box.tmp, "/tmp"), (box.shm, "/dev/shm"))  # noqa: S108
        return [
            *(_filled(word, program, box) for word in self.words),
            *("--name", box.name, "--network=none", "--read-only", "--pull=never", "--cap-drop=ALL"),
            *(
                "--security-opt=no-new-privileges",
                "--ipc=private",
                f"--user={user}:{user}",
                "--workdir",
                str(WORK),
            ),
            "--entrypoint=",  # the command is the operator's, not the image's
            *(f"--pids-limit={limits.processes}", f"--memory={limits.memory_mb}m"),
            *(f"--memory-swap={limits.memory_mb}m", f"--ulimit=fsize={limits.tree_mb << 20}"),
            *(f"--ulimit=cpu={limits.cpu_seconds}", "--ulimit=core=0", "--ulimit=nofile=4096"),
            *(f"--volume={source}:{place}:rw" for source, place in places),
            *(f"--volume={one.source}:{one.place}:ro" for one in program.mounts),
            *(f"--env={name}={value}" for name, value in TREE_ENVIRONMENT.items() if name != "PATH"),
            program.image,
            *program.command,
        ]

    @property
    def environment(self) -> dict[str, str]:
        """For the program itself, which has to find its service; nothing of it goes inside."""
        return {name: os.environ[name] for name in _PASSED if name in os.environ}

    def known(self, image: str) -> list[str]:
        """Succeeds where the image is on this machine: nothing is fetched for a run."""
        return [*self.words[: self.words.index("run")], "image", "inspect", image]

    def note(self, box: RunFolder) -> None:
        """For a Hob that comes after this one, should it be killed."""
        (box.folder / CONTAINER).write_text(json.dumps(self.words[: self.words.index("run")]))

    def ending(self, box: RunFolder) -> Sequence[list[str]]:
        """What ends it and takes it away; and what must fail then, for it says whether there is one."""
        program = list(self.words[: self.words.index("run")])
        return [*program, "rm", "--force", box.name], [*program, "container", "inspect", box.name]


def left_over(base: Path) -> Iterator[tuple[Path, "Container"]]:
    """Boxes in `base` whose containers may run still though nobody waits for them, with what ends them."""
    for left in base.glob(f"{PREFIX}*"):
        with suppress(OSError, ValueError), unheld(left):
            words = json.loads((left / CONTAINER).read_text())
            yield left, Container((*map(str, words), "run"))


def _filled(word: str, program: TreeProgram, box: RunFolder) -> str:
    for mark, value in (("{name}", box.name), ("{tree}", str(box.tree)), ("{image}", program.image)):
        word = word.replace(mark, value)
    return word
