"""How soon a command is there: the processor's time of a process, from its start to its end."""

import os
import statistics
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.agents.conftest import git, make_repository
from tests.bench.figure import Figure
from tests.commands import PROGRAM

TIMES = 9


def figures(folder: Path) -> Iterator[Figure]:
    make_repository(folder)
    git(folder, "branch", "-M", "main")
    for arguments, bar in ((("--help",), 0.3), (("review",), 0.5), (("search", "tea"), 0.3)):
        _seconds(folder, *arguments)  # compiles what was not compiled, and builds the index
        measured = statistics.median(_seconds(folder, *arguments) for _ in range(TIMES))
        name = f"hob {' '.join(arguments)}{' with nothing to do' if arguments == ('review',) else ''}"
        yield Figure(name, f"{measured:.2f} s", f"< {bar} s of the processor", measured < bar)


def _seconds(folder: Path, *arguments: str) -> float:
    """User and system time, of what it starts too."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("HOB_")}
    environ["HOB_HOB__DATA_DIR"] = str(folder / ".git" / "hob")
    process = subprocess.Popen(
        [PROGRAM, *arguments], cwd=folder, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return used.ru_utime + used.ru_stime
