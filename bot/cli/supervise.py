"""Starts processes, starts again what dies, ends them all together. It stays for as long as Hob runs and its
memory is counted, so it imports little more than the standard library."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

FIRST_DELAY = 0.5
LONGEST_DELAY = 30.0
STEADY_SECONDS = 30.0
"""What lived so long and died is not in a loop: it is started again soon."""
GRACE_SECONDS = 30.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(slots=True)
class Child:
    """One process that should always run; times are monotonic seconds."""

    name: str
    arguments: list[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    start_at: float = 0.0
    delay: float = 0.0


@dataclass(slots=True)
class Supervisor:
    """Runs `hob` commands by name until a signal. Each child watches a pipe whose other end only this process
    holds; when this one ends, however it ends, they end too."""

    commands: Mapping[str, list[str]]
    _children: list[Child] = field(default_factory=list)
    _stopping: bool = False

    def run(self) -> int:
        """Gives the exit code."""
        lifeline, held = os.pipe()
        woken, wakes = os.pipe()
        os.set_blocking(wakes, False)
        signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # without a handler it would not wake us
        for number in SIGNALS:
            signal.signal(number, self._stop)
        self._children = [
            Child(name, [*arguments, "--lifeline", str(lifeline)])
            for name, arguments in self.commands.items()
        ]
        try:
            while not self._stopping:
                self._tend(lifeline)
                self._wait(woken)
        finally:
            self._end()
            signal.set_wakeup_fd(-1)
            for descriptor in (lifeline, held, woken, wakes):
                os.close(descriptor)
        return 0

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _tend(self, lifeline: int) -> None:
        """Notes what died, starts what is due."""
        now = time.monotonic()
        for child in self._children:
            if child.process is not None and (code := child.process.poll()) is not None:
                looping = now - child.started < STEADY_SECONDS
                child.delay = (
                    min(max(child.delay * 2, FIRST_DELAY), LONGEST_DELAY) if looping else FIRST_DELAY
                )
                child.start_at = now + child.delay
                child.process = None
                say("warning", f"{child.name} ended with {code}; starting it again in {child.delay:g} s")
            if child.process is None and child.start_at <= now:
                child.process = hob(*child.arguments, keep=(lifeline,))
                child.started = now

    def _wait(self, woken: int) -> None:
        """Until a signal (a child's end is one) or the next start."""
        starts = [child.start_at - time.monotonic() for child in self._children if child.process is None]
        timeout = max(0.0, min(starts)) if starts else None
        if select.select([woken], [], [], timeout)[0]:
            os.read(woken, 1024)

    def _end(self) -> None:
        """Asks all to end, and after a while makes them."""
        running = [child.process for child in self._children if child.process is not None]
        for process in running:
            process.terminate()
        give_up = time.monotonic() + GRACE_SECONDS
        for process in running:
            try:
                process.wait(max(0.1, give_up - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def hob(*arguments: str, keep: tuple[int, ...] = ()) -> "subprocess.Popen[bytes]":
    """Another `hob` in a process of its own, in its own group: Ctrl-C reaches us, and we tell it."""
    command = [sys.executable, "-m", "bot.cli", *arguments]
    return subprocess.Popen(command, pass_fds=keep, stdin=subprocess.DEVNULL, process_group=0)  # noqa: S603


def say(level: str, message: str) -> None:
    """A log line like the children's."""
    time_ = datetime.now(UTC).isoformat(timespec="milliseconds")
    line = {"time": time_, "level": level, "logger": "bot.cli.supervise", "message": message}
    print(json.dumps(line), file=sys.stderr, flush=True)
