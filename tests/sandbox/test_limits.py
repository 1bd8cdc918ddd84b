"""What a repository's tests can try to use up. Each run ends within its limits, with a reason that names the
limit where it was killed from outside, and leaves no process and no file."""

import asyncio
import os
import struct
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bot import sandbox
from bot.sandbox import seccomp
from bot.sandbox.seatbelt import tree_profile
from tests import needs
from tests.living import until
from tests.sandbox.test_ways_out import PYTHON, Came, run

BUDGET = 30.0
"""Seconds in which each must be over on a busy machine, killing and tidying included."""


@dataclass(frozen=True)
class Greed:
    """`killed`: how the reason begins; empty where the kernel says no and it ends by itself."""

    script: str
    killed: str = ""
    says: str = ""
    limits: dict[str, Any] = field(default_factory=dict)


GREEDY = {
    "a fork bomb": Greed(
        "import os\nwhile True:\n try: os.fork()\n except OSError: pass",
        "it took longer",
        limits={"seconds": 2},
    ),
    "a bomb of threads": Greed(
        "import threading, time\nmade = 0\ntry:\n"
        " while made < 5000:\n  threading.Thread(target=time.sleep, args=(60,)).start(); made += 1\n"
        "except RuntimeError: print('stopped at', made < 70, flush=True)\nimport os; os._exit(4)",
        says="stopped at True",
    ),
    "memory of one process": Greed(
        "try: x = bytearray(400 << 20)\nexcept MemoryError: print('none')",
        says="none",
        limits={"memory_mb": 200},
    ),
    "memory of many processes": Greed(
        "import os, time\nfor _ in range(8):\n"
        " if os.fork() == 0: x = bytearray(os.urandom(1 << 20) * 60); time.sleep(60)\ntime.sleep(60)",
        "it used more than 200 MB of memory",
        limits={"memory_mb": 200},
    ),
    "memory that processes share": Greed(
        "import mmap, time\nx = [mmap.mmap(-1, 50 << 20) for _ in range(8)]\n"
        "for one in x: one.write(b'x' * (50 << 20))\ntime.sleep(60)",
        "it used more than 200 MB of memory",
        limits={"memory_mb": 200},
    ),
    "processor time of many processes": Greed(
        "import os\nfor _ in range(3): os.fork()\nwhile True: pass",
        "it used more than 2 s of processor time",
        limits={"cpu_seconds": 2},
    ),
    "an hour of sleep": Greed(
        "import time; time.sleep(3600)", "it took longer than 1 s", limits={"seconds": 1}
    ),
    "a process that ignores signals": Greed(
        "import signal, time\nfor n in range(1, 64):\n"
        " try: signal.signal(n, signal.SIG_IGN)\n except (OSError, ValueError): pass\ntime.sleep(3600)",
        "it took longer than 1 s",
        limits={"seconds": 1},
    ),
    "a daemon that outlives it": Greed(
        "import os, time\n"
        "if os.fork() == 0:\n os.setsid()\n"
        " if os.fork() == 0:\n  os.closerange(0, 3); time.sleep(3600)\n os._exit(0)\n"
        "os.wait(); print('left one', flush=True)",
        says="left one",
    ),
    "one large file": Greed(
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\ntry:\n"
        " with open('x', 'wb') as file: file.seek(50 << 20); file.write(b'x')\n"
        "except OSError as error: print(error.errno)",
        says="27",
        limits={"tree_mb": 20},
    ),
    "many bytes": Greed(
        "import time\nfor n in range(40): open(f'x{n}', 'wb').write(bytes(5 << 20))\ntime.sleep(60)",
        "it wrote more than 20 MB",
        limits={"tree_mb": 20},
    ),
    "many bytes in /dev/shm": Greed(
        "import time\nfor n in range(40): open(f'/dev/shm/x{n}', 'wb').write(bytes(5 << 20))\ntime.sleep(60)",
        "it wrote more than 20 MB",
        limits={"tree_mb": 20},
    ),
    "many files": Greed(
        "n = 0\nwhile True: open(f'/tmp/{n}', 'w').close(); n += 1", "it made more than 2,000 files"
    ),
    "many files in a closed folder": Greed(
        "import os, time\nos.mkdir('a'); at = os.open('a', os.O_RDONLY)\n"
        "for n in range(3000): os.close(os.open(str(n), os.O_CREAT | os.O_WRONLY, dir_fd=at))\n"
        "os.chmod('a', 0); time.sleep(60)",
        "it made more than 2,000 files",
    ),
    "folders in each other": Greed(
        "import os, time\nfor _ in range(1100): os.mkdir('d'); os.chdir('d')\ntime.sleep(60)",
        "it made more than 128 folders",
    ),
    "talk without end": Greed("while True: print('tea' * 1000)", "it wrote more than 1,024 KB to its output"),
    "names of any bytes, closed folders and links out": Greed(
        "import os\nos.mkdir('a'); os.mkdir('a/b'); open('a/b/f', 'w'); os.symlink('/', 'a/root')\n"
        "os.symlink('/usr', 'usr'); os.mkfifo('pipe'); open(b'\\xff\\n\\x01', 'w')\n"
        "import socket; socket.socket(socket.AF_UNIX).bind('s')\nos.chmod('a/b', 0); os.chmod('a', 0)\n"
        "os.chmod('/tmp', 0); os.chmod('.', 0); print('made')",
        says="made",
    ),
}


@pytest.fixture
def base() -> Iterator[Path]:
    needs.sandbox()
    needs.program(PYTHON, "python3")
    with tempfile.TemporaryDirectory(prefix="hob-limits-") as folder:
        Path(folder).chmod(0o755)
        (Path(folder) / "mount").mkdir()
        made = Path(folder) / "suites"
        made.mkdir(mode=0o755)
        yield made


@pytest.mark.parametrize("name", GREEDY)
async def test_S5_a_run_ends_within_its_limits(name: str, base: Path) -> None:
    greed = GREEDY[name]
    since = time.monotonic()
    came = await run(base, {"x.py": greed.script}, PYTHON, "x.py", **greed.limits)
    assert time.monotonic() - since < BUDGET
    assert came.ended.killed.startswith(greed.killed), came
    assert bool(came.ended.killed) == bool(greed.killed), came
    assert greed.says in came.text
    assert came.processes == []
    assert list(base.iterdir()) == []


async def test_S5_two_runs_at_once_know_nothing_of_each_other(base: Path) -> None:
    script = (
        "import os, time, socket\nopen('/tmp/mine', 'x'); open('/dev/shm/mine', 'x')\n"
        "s = socket.create_server(('127.0.0.1', 4000)); t = socket.socket(socket.AF_UNIX); t.bind('\\0x')\n"
        "time.sleep(1); own = [n for n in os.listdir('/proc') if n.isdecimal()]\n"
        "print(len(own) < 6, os.listdir('/repo'))"
    )
    came: list[Came] = await asyncio.gather(
        *(run(base, {"x.py": script}, PYTHON, "x.py", processes=8) for _ in range(2))
    )
    assert [one.text for one in came] == ["True ['x.py']\n"] * 2
    assert list(base.iterdir()) == []


async def test_S5_cancelling_a_run_at_any_moment_leaves_nothing(base: Path) -> None:
    for moment in (0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.3):
        task = asyncio.create_task(run(base, {}, "/bin/sh", "-c", "setsid sleep 3599 & sleep 3599"))
        await asyncio.sleep(moment)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert list(base.iterdir()) == []
    assert not running(b"sleep\x003599")


def running(words: bytes) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdecimal() and words in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


async def test_S5_what_a_killed_hob_left_goes_with_the_next_run(base: Path) -> None:
    left = base / "suite-0123456789abcdef"
    (left / "written" / "work" / "a").mkdir(parents=True)
    (left / "written" / "out").symlink_to("/usr")
    (left / "written" / "work" / "a").chmod(0)
    async with sandbox.work_box(base) as box:
        assert list(base.iterdir()) == [box.folder]
        async with sandbox.work_box(base) as other:  # one that is held stays
            assert set(base.iterdir()) == {box.folder, other.folder}


async def test_S5_a_tree_that_is_removed_takes_nothing_else_with_it(base: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept" / "file"
    kept.parent.mkdir()
    kept.write_text("tea")
    async with sandbox.work_box(base) as box:
        (box.tree / "folder").symlink_to(kept.parent)
        (box.tree / "file").symlink_to(kept)
        deep = os.open(box.tree, os.O_RDONLY)
        for _ in range(60):  # over the longest path that there is
            os.mkdir("d" * 200, dir_fd=deep)
            below = os.open("d" * 200, os.O_RDONLY, dir_fd=deep)
            os.close(deep)
            deep = below
        os.close(deep)
    assert kept.read_text() == "tea"
    assert list(base.iterdir()) == []


KILLED = """
import asyncio, sys
from pathlib import Path
from bot import sandbox
from bot.core.sandbox_types import TreeProgram
async def main():
    async with sandbox.work_box(Path(sys.argv[1])) as box:
        program = TreeProgram(("/bin/sh", "-c", "setsid sleep 3581 & sleep 3581"))
        await sandbox.run_in_tree(program, box, sandbox.find())
asyncio.run(main())
"""


async def test_S5_a_hob_that_is_killed_takes_its_runs_with_it(base: Path) -> None:
    hob = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, str(base))
    await until(lambda: len(running(b"sleep\x003581")) >= 2)
    hob.kill()
    await hob.wait()
    await until(lambda: not running(b"sleep\x003581"), 5)


def test_the_filter_of_system_calls_is_made_for_machines_whose_numbers_are_known() -> None:
    for machine in ("x86_64", "aarch64"):
        made = seccomp.program(machine)
        jumps = [struct.unpack_from("<HBBI", made, at) for at in range(0, len(made), 8)]
        assert len(made) % 8 == 0 and 100 < len(jumps) < 4_096
        assert jumps[-1] == (6, 0, 0, 0x7FFF0000)
        assert all(
            at + 1 + max(one[1], one[2]) < len(jumps) for at, one in enumerate(jumps) if one[0] & 7 == 5
        )
    assert seccomp.program("riscv64") == b""


def test_the_profile_of_macos_lets_tests_write_in_their_folder_only() -> None:
    lines = tree_profile("/private/hob/suite-1/written", ["/opt/venvs/tea"]).splitlines()
    assert lines[:2] == ["(version 1)", "(deny default)"]
    assert [line for line in lines if "file-write*" in line] == [
        '(allow file-write* (subpath "/private/hob/suite-1/written"))'
    ]
    assert not any(never in line for line in lines for never in ("network", "mach", "/Users", "/private/etc"))
    execs = next(line for line in lines if "process-exec" in line)
    assert '(subpath "/opt/venvs/tea")' in execs and "/dev/null" not in execs
