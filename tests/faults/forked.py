"""Real processes of Hob (`hob serve`, `hob work`) that start at once: a process imports Hob, and forks one
for each that is asked for, so that a kill costs no start. In them the boundaries of
`tests.faults.crash_points` are watched, and the clock can be set.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

from tests.faults import crash_points

CLOCK = "clock"
"""A file: seconds by which the clock is wrong, when there is one."""
IMPORTED = (
    "bot.cli.framework",
    "bot.cli.serve",
    "bot.cli.work.worker",
    "bot.web.compose",
    "bot.runs.services",
    "handlers",
)


def shift_clock(folder: Path) -> None:
    """`time.time` is what Hob tells leases, delays and schedules by."""
    right, file = time.time, folder / CLOCK

    def shifted() -> float:
        try:
            return right() + float(file.read_text() or 0)
        except FileNotFoundError:
            return right()

    time.time = shifted


def main(folder: Path) -> None:
    """Reads lines with `argv`, `environment` and `log`; answers each with a process id."""
    crash_points.watch(folder)
    shift_clock(folder)
    for name in IMPORTED:
        __import__(name)
    held, watched = os.pipe()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them, so they leave nothing behind
    print("ready", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            os.close(watched)
            become(held, **asked)
        print(child, flush=True)


def become(held: int, argv: Sequence[str], environment: Mapping[str, str], log: str) -> NoReturn:
    """`hob …`, which ends with the process that forked it, as under `hob up`."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(environment)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    watch = ["--parent-watch", str(held)] if argv[0] in ("serve", "work") else []
    sys.argv = ["hob", *argv, *watch]
    from bot.cli.framework import main as hob

    try:
        hob()
    except SystemExit as ended:
        os._exit(ended.code if isinstance(ended.code, int) else 1)
    finally:
        os._exit(1)


class Forking:
    """The process that forks."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._errors = (folder / "forked.log").open("w+")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("HOB_")}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.forked", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env=inherited,
        )
        self._read()

    def start(self, argv: Sequence[str], environment: Mapping[str, str], log: Path) -> int:
        """The process id of a `hob …`."""
        assert self._process.stdin
        asked = {"argv": list(argv), "environment": dict(environment), "log": str(log)}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return int(self._read())

    def _read(self) -> str:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            self._errors.seek(0)
            raise RuntimeError(self._errors.read()[-3000:])
        return line

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()
        self._errors.close()


def lives(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


if __name__ == "__main__":
    main(Path(sys.argv[1]))
