"""`hob` in this process, which has imported everything once: for tests of what a command prints and of its
exit code. As a process of its own each would first take a second of the processor to import. Where the
process is what is tested (signals, pipes, terminals, memory), and once for each command, `process` starts
one."""

import io
import logging
import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import Context
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any
from unittest.mock import patch

from bot import log
from bot.cli import main

PROGRAM = str(Path(sys.executable).with_name("hob"))


def run(
    *arguments: str, folder: Path, environ: Mapping[str, str], said: str = "", encoding: str = "utf-8"
) -> CompletedProcess[str]:
    """The command to its end, in `folder` and with this environment and no other; `said` is on its stdin."""
    out, err = io.BytesIO(), io.BytesIO()
    streams = {
        "stdin": io.TextIOWrapper(io.BytesIO(said.encode()), encoding),
        "stdout": io.TextIOWrapper(out, encoding, write_through=True),
        "stderr": io.TextIOWrapper(err, encoding, "backslashreplace", write_through=True),
    }
    with _as_process(folder, environ, {**streams, "argv": [PROGRAM, *arguments], "path": sys.path[:]}):
        code = _to_its_end(list(arguments))
    texts = (each.getvalue().decode(encoding) for each in (out, err))
    return CompletedProcess(["hob", *arguments], code, *texts)


def process(*arguments: str, folder: Path, environ: Mapping[str, str]) -> CompletedProcess[str]:
    """The same by the entry point that people type, as a process of its own."""
    command = [PROGRAM, *arguments]
    return subprocess.run(
        command, cwd=folder, env=environ, text=True, capture_output=True, timeout=100, check=False
    )


def _to_its_end(arguments: list[str]) -> int:
    """In a thread: the test's own may run an event loop, and holds context variables."""
    codes: list[int] = []

    def ends() -> None:
        try:
            Context().run(main, arguments)
        except SystemExit as end:
            codes.append(end.code if isinstance(end.code, int) else 1)
        except BaseException:  # as the interpreter does
            traceback.print_exc()
            codes.append(1)

    thread = threading.Thread(target=ends, name="hob")
    thread.start()
    thread.join()
    return codes[0]


@contextmanager
def _as_process(folder: Path, environ: Mapping[str, str], streams: Mapping[str, Any]) -> Iterator[None]:
    """What belongs to a process, and is put back: folder, environment, streams, logging, hidden secrets."""
    here, root = Path.cwd(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    hidden, passing, forms = dict(log._secrets), dict(log._passing), log._forms
    thread_hook, raises = threading.excepthook, logging.raiseExceptions
    shown = {name: getattr(logging, name) for name in ("logThreads", "logProcesses", "logMultiprocessing")}
    hooks = {"excepthook": sys.excepthook, "unraisablehook": sys.unraisablehook}
    with patch.dict(os.environ, environ, clear=True), patch.multiple(sys, **streams, **hooks):
        try:
            os.chdir(folder)
            root.handlers[:] = []  # without any, warnings go to stderr
            yield
        finally:
            os.chdir(here)
            logging.captureWarnings(False)
            root.handlers[:] = handlers
            root.setLevel(level)
            threading.excepthook, logging.raiseExceptions = thread_hook, raises
            for name, value in shown.items():
                setattr(logging, name, value)
            log._secrets.clear()
            log._secrets.update(hidden)
            log._passing.clear()
            log._passing.update(passing)
            log._forms = forms
