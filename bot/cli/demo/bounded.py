"""Runs a command for as long as this process's standard input is open, then ends it and deletes a folder.

Run as a script by `hob demo`, which alone holds the other end: however that one ends, also by `kill -9`, the
system closes it, and nothing of the demonstration stays. Nothing from outside the standard library.
"""

import os
import select
import shutil
import signal
import subprocess
import sys

GRACE_SECONDS = 40.0
POLL_SECONDS = 0.2


def run(folder: str, command: list[str]) -> int:
    """The command's code."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it ends with its holder, and by nothing else
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603
    try:
        while process.poll() is None:
            if select.select([0], [], [], POLL_SECONDS)[0] and not os.read(0, 1):
                process.terminate()
                break
        return _ended(process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _ended(process: "subprocess.Popen[bytes]") -> int:
    try:
        return process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


if __name__ == "__main__":
    sys.exit(run(sys.argv[1], sys.argv[2:]))
