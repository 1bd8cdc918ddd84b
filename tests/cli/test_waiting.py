"""What a person sees while a command takes its time."""

import os
import pty
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

import bot.cli
from bot.cli import waiting
from bot.cli.command_names import HIDDEN, SUMMARIES, module_of
from tests.cli.conftest import Hob

PROGRESS = ("TellWaiting(", "ProgressBar()", "Asked()", "err.status(", "_shown(", "_Line(")
QUICK = {
    "completion": "prints a text",
    "hook": "writes a file",
    "import-config": "reads and writes some files",
    "mcp": "tells how far it is by its protocol",
    "memory": "reads or writes some rows",
    "prepare": "is started by others",
    "rotate": "writes a row",
    "schedule": "stays",
    "schema": "prints a text",
    "serve": "stays",
    "settings": "reads or writes a row",
    "setup": "tells each step as it goes",
    "up": "stays, and tells what it starts",
    "work": "stays",
}
"""Commands that show no progress, and why."""
SLOW_BACKUP = """
import time
from bot.cli import main, waiting
from bot.cli.backup import operations
from bot.cli.framework import tell
waiting.AFTER_SECONDS, waiting.EVERY_SECONDS = 0.2, 0.5
class Made:
    def as_json(self): return {"rows": 7}
    def told(self): return "7 rows"
def back_up(*_, **__):
    time.sleep(1); tell("half of it"); time.sleep(1)
    return Made()
operations.back_up = back_up
main()
"""


def test_nothing_is_said_within_two_seconds_and_then_every_ten() -> None:
    assert (waiting.AFTER_SECONDS, waiting.EVERY_SECONDS) == (2.0, 10.0)


@pytest.mark.parametrize("name", sorted({*SUMMARIES, *HIDDEN} - set(QUICK)))
def test_every_command_that_may_take_long_says_what_it_is_at(name: str) -> None:
    here = Path(bot.cli.__file__).parent
    files = [here / f"{module_of(name)}.py", *(here / module_of(name)).glob("*.py")]
    texts = [file.read_text() for file in files if file.exists()]
    assert any(one in text for text in texts for one in PROGRESS)


def _told(hob: Hob, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", SLOW_BACKUP, *arguments],
        cwd=hob.folder, env=hob.environ, capture_output=True, text=True, check=True,
    )  # fmt: skip


def test_a_pipe_is_told_now_and_then_and_standard_output_is_the_answer(hob: Hob) -> None:
    done = _told(hob, "backup", "hob.gz", "--json")
    assert done.stdout == '{"rows": 7}\n'
    lines = done.stderr.splitlines()
    assert "half of it" in lines
    told = [int(found[1]) for line in lines if (found := re.fullmatch(r"writing the backup: (\d) s", line))]
    assert len(told) >= 3 and told == sorted(told)
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize("columns", ["80", "24"])
def test_a_terminal_is_shown_one_line_that_is_gone_at_the_end(hob: Hob, columns: str) -> None:
    screen, inner = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW_BACKUP, "backup", "hob.gz"], cwd=hob.folder, stderr=inner, stdout=inner,
        stdin=inner, env={**hob.environ, "TERM": "xterm", "COLUMNS": columns},
    )  # fmt: skip
    os.close(inner)
    shown = b""
    with suppress(OSError):  # EIO once nobody has the other end open
        while said := os.read(screen, 65536):
            shown += said
    os.close(screen)
    assert process.wait(60) == 0, shown
    told = shown.decode()
    assert "writing the backup" in told
    plain = [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", part) for part in re.split(r"[\r\n]+", told)]
    assert "half of it" in plain, "what is said meanwhile has a line of its own"
    assert plain[-2:] == ["hob.gz: 7 rows", ""]
    assert max(map(len, plain)) <= int(columns)
    assert told.rstrip().rpartition("hob.gz: 7 rows")[0].endswith("\x1b[2K"), "the line that moved is gone"


def test_a_wait_ends_with_what_went_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="no"), waiting.TellWaiting("trying") as waits:
        raise ValueError("no")
    waits.over()
    assert capsys.readouterr().err == ""
