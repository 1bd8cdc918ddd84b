"""Starts processes, starts again what dies, ends them all together.

Run as a script by `hob up`. It stays for as long as Hob runs and its memory is counted, so it imports little,
and nothing from outside the standard library.
"""

import json
import os
import select
import signal
import subprocess
import sys
import time

FIRST_DELAY = 0.5
LONGEST_DELAY = 30.0
STEADY_SECONDS = 30.0
"""What lived so long and died is not in a loop: it is started again soon."""
GRACE_SECONDS = 30.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Child:
    """One process that should always run; times are monotonic seconds."""

    def __init__(self, name: str, arguments: list[str], parent_watch: int) -> None:
        self.name = name
        self.command = [sys.executable, "-m", "bot.cli", *arguments, "--parent-watch", str(parent_watch)]
        self.parent_watch = parent_watch
        self.process: subprocess.Popen[bytes] | None = None
        self.started = 0.0
        self.start_at = 0.0
        self.delay = 0.0
        self.unusable = False

    def tend(self, now: float) -> None:
        """Notes that it died; starts it when that is due."""
        if self.process is not None and (code := self.process.poll()) is not None:
            # Killed from outside (code < 0) it may well live this time, and its runs wait; what ends
            # by itself soon after its start will end again.
            looping = code >= 0 and now - self.started < STEADY_SECONDS
            self.delay = min(max(self.delay * 2, FIRST_DELAY), LONGEST_DELAY) if looping else FIRST_DELAY
            self.start_at = now + self.delay
            self.process = None
            # It said what a person has to mend first (`bot.cli.framework`), and would end again and again.
            self.unusable = code == os.EX_CONFIG
            if self.unusable:
                return
            say("warning", f"hob {self.name} ended with {code}; starting it again in {self.delay:g} s")
        if self.process is None and self.start_at <= now:
            # A group of its own: Ctrl-C at the terminal reaches this process only, which then tells it.
            self.process = subprocess.Popen(  # noqa: S603
                self.command, pass_fds=(self.parent_watch,), stdin=subprocess.DEVNULL, process_group=0
            )
            self.started = now


class Supervisor:
    """Runs `hob` commands until a signal. Each child watches a pipe whose other end only this process holds:
    when this one ends, however it ends, they end too."""

    def __init__(self, commands: dict[str, list[str]]) -> None:
        self.parent_watch, self.held = os.pipe()
        self.woken, self.wakes = os.pipe()
        self.stopping = False
        self.children = [Child(name, arguments, self.parent_watch) for name, arguments in commands.items()]

    def run(self) -> int:
        """Until SIGINT, SIGTERM or SIGHUP: 0; or 1 where a child cannot be run as things are."""
        os.set_blocking(self.wakes, False)
        signal.set_wakeup_fd(self.wakes, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # without a handler it would not wake us
        for number in SIGNALS:
            signal.signal(number, self.stop)
        try:
            while not self.stopping:
                for child in self.children:
                    child.tend(time.monotonic())
                if any(child.unusable for child in self.children):
                    return 1
                self.wait()
        finally:
            self.end()
        return 0

    def stop(self, *_: object) -> None:
        self.stopping = True

    def wait(self) -> None:
        """Until a signal (a child's end is one) or the next start."""
        starts = [child.start_at - time.monotonic() for child in self.children if child.process is None]
        timeout = max(0.0, min(starts)) if starts else None
        if select.select([self.woken], [], [], timeout)[0]:
            os.read(self.woken, 1024)

    def end(self) -> None:
        """Asks all to end, and after a while makes them."""
        running = [child.process for child in self.children if child.process is not None]
        for process in running:
            process.terminate()
        give_up = time.monotonic() + GRACE_SECONDS
        for process in running:
            try:
                process.wait(max(0.1, give_up - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def say(level: str, message: str) -> None:
    """A log line like the children's (`bot.log`)."""
    now = time.time()
    if sys.stderr.isatty():
        sys.stderr.write(f"{time.strftime('%H:%M:%S', time.localtime(now))} {level}: {message}\n")
        sys.stderr.flush()
        return
    shown = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now * 1000) % 1000:03d}+00:00"
    line = {"time": shown, "level": level, "logger": "bot.cli.up", "message": message}
    sys.stderr.write(json.dumps(line) + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(Supervisor(json.loads(sys.argv[1])).run())
