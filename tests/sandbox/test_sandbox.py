"""What a hostile program can do inside: nothing. The programs here are real and run in the real sandbox."""

import asyncio
import os
import shutil
import socket
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot import sandbox
from bot.core.sandbox_types import Ended, ProgramLimits, SandboxedProgram, SandboxUnusable
from bot.sandbox.bubblewrap import Bubblewrap
from bot.sandbox.seatbelt import profile
from tests import needs
from tests.living import until

SHELL = str(Path(shutil.which("bash") or "/bin/bash").resolve())
TEN = ProgramLimits(seconds=10)
BUDGET = 15.0
"""Seconds in which every attack must be over, killing included."""


@dataclass(frozen=True)
class PlainUser:
    """The sandbox that a plain user gets, used by one, in a test that is root."""

    held: Bubblewrap
    name = "bubblewrap"

    def command(self, program: SandboxedProgram, folder: Path) -> list[str]:
        folder.parent.chmod(0o755)
        user = ("--reuid=12345", "--regid=12345", "--clear-groups", "--bounding-set=-all")
        return ["setpriv", *user, "--", *self.held.command(program, folder)]


WAYS = ("of this user", "of a plain user") if os.geteuid() == 0 else ("of this user",)


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> sandbox.Way:
    """The sandbox of this machine; and, where Hob is root, the one that plain users get too."""
    needs.sandbox()
    found = sandbox.find()
    if request.param == "of this user":
        return found
    assert isinstance(found, Bubblewrap) and found.as_root
    return PlainUser(Bubblewrap(found.bwrap, found.prlimit))


async def shell(script: str, way: sandbox.Way, limits: ProgramLimits = TEN, **files: str) -> Ended:
    return await sandbox.run(SandboxedProgram(SHELL, ("-c", script), files, limits), way)


@pytest.fixture
def listener() -> Iterator[int]:
    """A port of this machine that answers: a model host's, say."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


async def test_a_program_reads_its_files_and_answers(way: sandbox.Way) -> None:
    ended = await shell("cat tea.txt; exit 3", way, **{"tea.txt": "green\n"})
    assert (ended.output, ended.code, ended.killed) == (b"green\n", 3, "")


async def test_S3_no_environment_of_any_process_holds_a_secret(
    way: sandbox.Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = uuid.uuid4().hex
    monkeypatch.setenv("HOB_GITHUB__WEBHOOK_SECRET", secret)
    ended = await shell("cat /proc/*/environ /proc/*/cmdline; env; ls -d /proc/[0-9]* | wc -l", way)
    assert secret.encode() not in ended.output
    assert str(Path.home()).encode() not in ended.output
    assert int(ended.output.split()[-1]) < 8  # only its own


async def test_S3_keys_sockets_and_homes_are_not_there(way: sandbox.Way, tmp_path: Path) -> None:
    key = tmp_path / "app.pem"
    key.write_text("-----BEGIN")
    key.chmod(0o644)
    redis = str(tmp_path / "r.sock")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(redis)
        server.listen()
        paths = [
            str(key),
            redis,
            "/var/run/docker.sock",
            "/run",
            "/root",
            "/home",
            "/etc/shadow",
            "/etc/passwd",
            str(Path.home()),
            str(Path.cwd()),
            "/sys",
            "/var",
            "/proc/1/root/etc/passwd",
        ]
        ended = await shell("\n".join(f"[ -e {path} ] && echo {path}" for path in paths) + "\ntrue", way)
    assert ended.output == b""


async def test_S3_nothing_answers_on_any_network(way: sandbox.Way, listener: int) -> None:
    tries = [("127.0.0.1", listener), ("169.254.169.254", 80), ("1.1.1.1", 53), ("127.0.0.1", 11434)]
    script = "\n".join(f"(exec 3<>/dev/tcp/{host}/{port}) 2>/dev/null && echo {port}" for host, port in tries)
    ended = await shell(
        script + "\n(exec 3<>/dev/udp/8.8.8.8/53 && echo x >&3) 2>/dev/null && echo dns\ntrue", way
    )
    assert ended.output == b""
    assert ended.killed == ""


async def test_S3_it_is_nobody_and_gains_nothing(way: sandbox.Way) -> None:
    ended = await shell("id -u; grep -E 'CapEff|NoNewPrivs' /proc/self/status", way)
    assert ended.output.split() == [b"65534", b"CapEff:", b"0000000000000000", b"NoNewPrivs:", b"1"]


async def test_S5_a_fork_bomb_is_ended_and_leaves_nothing(way: sandbox.Way) -> None:
    mark = uuid.uuid4().hex
    await within_budget(f": {mark}; b() {{ b | b & b; }}; b", way, mark)


async def test_S5_what_ignores_the_signal_and_hides_in_a_session_is_ended(way: sandbox.Way) -> None:
    mark = uuid.uuid4().hex
    script = (
        f"trap '' TERM INT HUP; setsid {SHELL} -c 'trap \"\" TERM; : {mark}; sleep 3600 & wait' & sleep 3600"
    )
    ended = await within_budget(script, way, mark)
    assert ended.killed == "it took longer than 2 s"


async def test_S5_what_fills_memory_is_ended(way: sandbox.Way) -> None:
    ended = await shell("x=tea; while :; do x=$x$x; done", way, ProgramLimits(seconds=BUDGET, memory_mb=256))
    assert ended.code != 0
    assert ended.killed == ""


async def test_S5_no_large_file_and_no_million_files_can_be_written(way: sandbox.Way) -> None:
    places = "/ /tmp /repo /dev /dev/shm /hob /usr /proc /var/tmp"
    script = f"for at in {places}; do (echo tea > $at/x) 2>/dev/null && echo $at; done; true"
    assert (await shell(script, way)).output == b""


async def test_S5_what_talks_without_end_is_ended(way: sandbox.Way) -> None:
    ended = await shell(
        "while :; do echo tea; done", way, ProgramLimits(seconds=BUDGET, output_bytes=100_000)
    )
    assert ended.killed == "it wrote more than 97 KB"
    assert len(ended.output) < 300_000


async def test_S5_cancelling_at_any_moment_leaves_nothing(way: sandbox.Way) -> None:
    """While the sandbox is being set up too."""
    mark = uuid.uuid4().hex
    for moment in range(25):
        task = asyncio.create_task(shell(f": {mark}; sleep 3600", way))
        await until(lambda: alive(mark))
        await asyncio.sleep(moment / 1000)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await until(lambda: not alive(mark), 5)


async def within_budget(script: str, way: sandbox.Way, mark: str) -> Ended:
    async with asyncio.timeout(BUDGET):
        ended = await shell(script, way, ProgramLimits(seconds=2, cpu_seconds=2))
        await until(lambda: not alive(mark), 5)
    return ended


def alive(mark: str) -> list[int]:
    """Processes of this machine that bear the mark in their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdecimal() and mark.encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


async def test_S4_without_a_sandbox_a_program_is_refused_and_nothing_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxUnusable, match=r"^bubblewrap(?: and util-linux)? is not installed$"):
        sandbox.find()
    canary = tmp_path / "canary"
    with pytest.raises(SandboxUnusable, match="no room"):
        await sandbox.run(SandboxedProgram(SHELL, ("-c", f": > {canary}")), SandboxUnusable("no room"))
    assert not canary.exists()


BLOCKED = """
from bot.core.sandbox_types import SandboxUnusable
from bot.sandbox import here
print(type(here()).__name__, here())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="user namespaces are Linux's")
async def test_S4_blocked_namespaces_are_noticed_at_the_first_try() -> None:
    """The kernel's own switch, thrown in a namespace of the test's: `max_user_namespaces` counts there."""
    needs.sandbox()
    script = (
        "echo 0 > /proc/sys/user/max_user_namespaces && "
        'exec setpriv --bounding-set=-all --no-new-privs -- "$@"'
    )
    process = await asyncio.create_subprocess_exec(
        *("unshare", "--user", "--map-root-user", "sh", "-c", script, "sh", sys.executable, "-c", BLOCKED),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert out.startswith(b"SandboxUnusable bubblewrap does not work here: ")


async def test_what_only_reads_may_run_without_but_with_limits_and_no_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOB_SECRET", "earl grey")
    program = SandboxedProgram(
        SHELL,
        ("-c", "env; cat 0.txt; pwd; ulimit -t; (echo tea > x) 2>/dev/null && echo wrote"),
        {"0.txt": "green\n"},
        ProgramLimits(cpu_seconds=7),
        only_reads=True,
    )
    ended = await sandbox.run(program, SandboxUnusable("none"))
    assert b"earl grey" not in ended.output
    lines = ended.output.split()
    assert b"green" in lines
    assert b"7" in lines
    assert b"wrote" not in lines


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/b", ""])
async def test_files_lie_in_the_folder_and_nowhere_else(name: str) -> None:
    with pytest.raises((ValueError, OSError)):
        await sandbox.run(
            SandboxedProgram(SHELL, (), {name: "tea"}, only_reads=True), SandboxUnusable("none")
        )


def test_the_profile_of_macos_denies_what_it_does_not_name() -> None:
    text = profile("/opt/hob/bin/ruff", '/private/tmp/a "b"')
    lines = text.splitlines()
    assert lines[:2] == ["(version 1)", "(deny default)"]
    assert '(allow process-exec (literal "/opt/hob/bin/ruff"))' in lines
    assert '(subpath "/private/tmp/a \\"b\\"")' in text
    for never in ("network", "process-fork", "mach-lookup", "file-write*", "/Users", "(allow default)"):
        assert never not in text


def test_what_a_program_is_loaded_from_is_read_at_its_place_and_nothing_beside_it() -> None:
    reads = ("/opt/py/bin/python3.11", "/opt/py/lib")
    program = SandboxedProgram("/opt/py/bin/python3.11", ("-I",), reads=reads)
    command = Bubblewrap("/usr/bin/bwrap", "/usr/bin/prlimit").command(program, Path("/tmp/x"))
    bound = [tuple(command[at + 1 : at + 3]) for at, part in enumerate(command) if part == "--ro-bind"]
    assert [pair for pair in bound if "/opt" in pair[0]] == [(one, one) for one in reads]
    assert command[-2:] == ["/opt/py/bin/python3.11", "-I"]
    assert not any(part == "/hob" for part in command)
    lines = profile("/opt/py/bin/python3.11", "/private/tmp/a", reads).splitlines()
    started = '(allow process-exec (literal "/opt/py/bin/python3.11") (subpath "/opt/py/bin/python3.11")'
    assert f'{started} (subpath "/opt/py/lib"))' in lines
    assert '(subpath "/opt/py")' not in "\n".join(lines)


def test_a_plain_user_gets_all_namespaces_and_root_becomes_nobody() -> None:
    program = SandboxedProgram("/opt/hob/bin/ruff", ("check",))
    plain = Bubblewrap("/usr/bin/bwrap", "/usr/bin/prlimit").command(program, Path("/tmp/x"))
    spaces = {f"--unshare-{one}" for one in ("user", "pid", "net", "ipc", "uts")}
    assert {*spaces, "--die-with-parent", "--new-session", "--clearenv"} <= set(plain)
    root = Bubblewrap("/usr/bin/bwrap", "/usr/bin/prlimit", "/usr/bin/setpriv", as_root=True)
    command = root.command(program, Path("/tmp/x"))
    assert {"--unshare-net", "--unshare-pid", "--die-with-parent", "--reuid"} <= set(command)
    assert not any(os.environ.get("HOME", "/root") == part for part in command + plain)
