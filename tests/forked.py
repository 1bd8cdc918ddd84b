"""`hob up` and other commands as real processes that start at once: each is forked from one that has imported
Hob, where a start costs a second of the processor. `tests.cli.test_up` starts them as people do."""

import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from multiprocessing import get_context
from multiprocessing.context import ForkServerContext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

IMPORTED = (
    "bot.cli.framework",
    "bot.cli.prepare",
    "bot.cli.schedule",
    "bot.cli.serve",
    "bot.cli.up.supervise",
    "bot.cli.work.worker",
    "bot.runs.services",
    "bot.store.migration",
    "bot.web.compose",
    "handlers",
    "tests.forked",
    "tests.queue.jobs",
)


@cache
def context() -> ForkServerContext:
    """One for all: this process has one server that forks."""
    made = get_context("forkserver")
    made.set_forkserver_preload(list(IMPORTED))
    return made


class ForkedHob:
    """`hob …` in `folder`; what it says is added to `log`. As much of `subprocess.Popen` as tests ask for."""

    def __init__(self, argv: Sequence[str], environ: Mapping[str, str], folder: Path, log: Path) -> None:
        given = list(argv), dict(environ), str(folder), str(log)
        self._process = context().Process(target=_begin, args=given)
        self._process.start()
        assert self._process.pid
        self.pid = self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self._process.kill()

    def wait(self, seconds: float | None = None) -> int:
        """Its exit code; `subprocess.TimeoutExpired`."""
        self._process.join(seconds)
        if (code := self.poll()) is None:
            raise subprocess.TimeoutExpired("hob", seconds or 0.0)
        return code


def _begin(argv: list[str], environ: dict[str, str], folder: str, log: str) -> NoReturn:
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(folder)
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for stream in (1, 2):
        os.dup2(output, stream)
    _become(argv)


def _become(argv: list[str]) -> NoReturn:
    with suppress(OSError):
        Path("/proc/self/comm").write_text(argv[0])
    if argv[0] == "up":
        _start_by_forks()
    sys.argv = ["hob", *argv]
    from bot.cli.framework import main

    code = 1
    try:
        main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # as the interpreter does
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _start_by_forks() -> None:
    """What `hob up` starts from now on in this process, and what it becomes itself."""
    from bot.cli import up
    from bot.cli.up import supervise

    def run(command: list[str], **_: Any) -> Any:
        return SimpleNamespace(returncode=_Child(command).wait())

    def execv(_: str, arguments: list[str]) -> NoReturn:
        code = supervise.Supervisor(json.loads(arguments[-1])).run()
        os._exit(code)

    up.subprocess = SimpleNamespace(run=run)  # type: ignore[assignment]
    up.os = SimpleNamespace(**{**vars(os), "execv": execv})  # type: ignore[assignment]
    expired = subprocess.TimeoutExpired
    supervise.subprocess = SimpleNamespace(  # type: ignore[assignment]
        Popen=_Child, DEVNULL=subprocess.DEVNULL, TimeoutExpired=expired
    )


class _Child:
    """A `hob …` of `hob up`, for which it uses `subprocess.Popen`."""

    def __init__(self, command: list[str], *, pass_fds: Sequence[int] = (), **_: Any) -> None:
        self._code: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            os.setpgid(0, 0)
            free = 3
            for kept in (*sorted(pass_fds), 4096):
                os.closerange(free, kept)
                free = kept + 1
            _become(command[command.index("bot.cli") + 1 :])

    def poll(self) -> int | None:
        if self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self._code = os.waitstatus_to_exitcode(status) if pid else None
        return self._code

    def wait(self, seconds: float = float("inf")) -> int:
        give_up = time.monotonic() + seconds
        while (code := self.poll()) is None:
            if time.monotonic() > give_up:
                raise subprocess.TimeoutExpired("hob", seconds)
            time.sleep(0.01)
        return code

    def terminate(self) -> None:
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        self._send(signal.SIGKILL)

    def _send(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)
