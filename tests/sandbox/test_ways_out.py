"""What a repository's tests can try against the machine that runs them. All are real and run in the real
sandbox, as the user that Hob is and as a plain one; each fails, and leaves no process and no file."""

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from bot import sandbox
from bot.core.sandbox_types import Mount, TreeLimits, TreeProgram
from bot.sandbox.boxes import RunFolder
from bot.sandbox.bubblewrap import Bubblewrap
from tests import needs
from tests.sandbox.attempts import ATTEMPTS

PYTHON = "/usr/bin/python3"
SOURCE = Path(__file__).with_name("attempts.py")
pytestmark = pytest.mark.xdist_group("ways out")
PLAIN = 54_321
"""A user whom no other test has, for its processes are counted."""
WORKS_OUTSIDE = (
    "tcp_to_a_port_of_this_machine",
    "tcp_to_the_model_host",
    "tcp_to_all_addresses_of_this_machine",
    "the_socket_of_redis",
    "an_abstract_socket",
    "the_environment_of_any_process",
    "the_command_line_of_any_process",
    "processes_of_others",
    "a_signal_to_hob",
    "the_key_of_the_app",
    "the_configuration",
    "homes",
    "passwords",
    "run_and_var",
    "other_runs",
    "a_symbolic_link_to_hobs_data",
    "memory_without_a_file",
    "control_groups",
)
"""Tried without a sandbox too, to see that they are ways at all; others are left alone there."""


@dataclass
class PlainTree:
    """The sandbox that a plain user gets, used by one, in a test that is root."""

    held: Bubblewrap
    name = "bubblewrap"
    environment: Mapping[str, str] = field(default_factory=dict)

    def tree_command(self, program: TreeProgram, box: RunFolder) -> list[str]:
        command = self.held.tree_command(program, box)
        subprocess.run(["chown", "-R", f"{PLAIN}:{PLAIN}", str(box.folder)], check=True)
        user = (f"--reuid={PLAIN}", f"--regid={PLAIN}", "--clear-groups", "--bounding-set=-all")
        return ["/usr/bin/setpriv", *user, "--", *command]


@dataclass
class Machine:
    """What Hob has on it, and what listens there."""

    folder: Path
    given: dict[str, Any]
    udp: list[bytes]
    leaking: int
    """A descriptor of a secret that children would inherit."""

    @property
    def base(self) -> Path:
        return self.folder / "suites"

    def untouched(self) -> bool:
        clone = sorted(path.name for path in (self.folder / "clone.git").iterdir())
        return clone == ["HEAD"] and list(self.base.iterdir()) == [] and self.udp == []


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    needs.sandbox()
    needs.program(PYTHON, "python3")
    secret = uuid.uuid4().hex
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="hob-ways-"))
        stack.callback(shutil.rmtree, folder)
        folder.chmod(0o755)
        clone, mount, key = folder / "clone.git", folder / "mount", folder / "app.pem"
        for each in (clone, mount, folder / "suites"):
            each.mkdir()
            each.chmod(0o777)
        (clone / "HEAD").write_text("ref: refs/heads/main\n")
        for each in (key, folder / "hob.toml"):
            each.write_text("-----BEGIN")
            each.chmod(0o666)

        def listening(family: int, address: Any) -> Any:
            server = stack.enter_context(socket.socket(family))
            server.bind(address)
            server.listen(64)
            return server.getsockname()

        abstract = uuid.uuid4().hex
        listening(socket.AF_UNIX, f"\0{abstract}")
        listening(socket.AF_UNIX, str(folder / "redis.sock"))
        (folder / "redis.sock").chmod(0o777)
        datagrams: list[bytes] = []
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", 0))
        udp.settimeout(0.2)
        heard = threading.Event()
        listener = threading.Thread(target=hear, args=(udp, heard, datagrams))
        listener.start()
        stack.callback(listener.join)
        stack.callback(heard.set)
        hob = subprocess.Popen(
            [sys.executable, "-c", "import time; time.sleep(600)", secret], env={"HOB_TOKEN": secret}
        )
        stack.callback(hob.wait)
        stack.callback(hob.kill)
        leaking = os.open(key, os.O_RDONLY)
        os.set_inheritable(leaking, True)
        stack.callback(os.close, leaking)
        given = {
            "port": listening(socket.AF_INET, ("127.0.0.1", 0))[1],
            "model_port": listening(socket.AF_INET, ("127.0.0.1", 0))[1],
            "port6": listening(socket.AF_INET6, ("::1", 0))[1] if has_ipv6() else 9,
            "any_port": listening(socket.AF_INET, ("0.0.0.0", 0))[1],
            "addresses": addresses(),
            "udp_port": udp.getsockname()[1],
            "redis": str(folder / "redis.sock"),
            "abstract": abstract,
            "secret": secret[::-1],  # so that what looks for it does not find itself
            "pid": hob.pid,
            "key": str(key),
            "config": str(folder / "hob.toml"),
            "clone": str(clone),
            "base": str(folder / "suites"),
            "mount": "/opt/needed",
            "home": str(Path.home()),
        }
        yield Machine(folder, given, datagrams, leaking)


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as one:
            one.bind(("::1", 0))
    except OSError:
        return False
    return True


def addresses() -> list[str]:
    """Of this machine, as far as one asks for them without sending anything."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        try:
            one.connect(("192.0.2.1", 9))
        except OSError:
            return ["127.0.0.2"]
        return [str(one.getsockname()[0]), "127.0.0.2"]


def hear(udp: socket.socket, end: threading.Event, heard: list[bytes]) -> None:
    while not end.is_set():
        try:
            heard.append(udp.recv(100))
        except TimeoutError:
            continue


def users_processes(*users: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if not entry.name.isdecimal() or entry.stat().st_uid not in users:
                continue
            if b") Z " not in (entry / "stat").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


@dataclass(frozen=True)
class Came:
    """What came of one run."""

    ended: sandbox.TreeEnded
    processes: list[int]
    """Those that are left."""

    @property
    def text(self) -> str:
        return self.ended.output.decode(errors="replace")


LIMITS = TreeLimits(
    seconds=60, cpu_seconds=60, memory_mb=512, processes=64, tree_mb=64, files=2_000, output_bytes=1 << 20
)


async def run(
    base: Path, files: Mapping[str, str], *command: str, way: sandbox.TreeWay | None = None, **limits: Any
) -> Came:
    found = way or sandbox.find()
    async with sandbox.work_box(base) as box:
        for name, text in files.items():
            (box.tree / name).write_text(text)
        told = TreeLimits(**{name: getattr(LIMITS, name) for name in TreeLimits.__slots__} | limits)
        mounts = (Mount(PurePosixPath(base.parent / "mount"), PurePosixPath("/opt/needed")),)
        ended = await sandbox.run_in_tree(TreeProgram(command, told, mounts), box, found)
        user = PLAIN if isinstance(found, PlainTree) else box.uid
        left = users_processes(*([user] if user is not None else []))
    return Came(ended, left)


WAYS = ("as Hob's user", "as a plain user") if os.geteuid() == 0 else ("as Hob's user",)


def way_of(name: str) -> sandbox.TreeWay:
    found = sandbox.find()
    if name == "as Hob's user":
        return found
    assert isinstance(found, Bubblewrap) and found.as_root
    return PlainTree(Bubblewrap(found.bwrap, found.prlimit))


@pytest.fixture(scope="module", params=WAYS)
def tried(request: pytest.FixtureRequest, machine: Machine) -> Mapping[str, str]:
    """All attempts in one run: name -> what came of it."""
    way = way_of(request.param)
    files = {"attempts.py": SOURCE.read_text(), "given.json": json.dumps(machine.given)}
    came = asyncio.run(run(machine.base, files, PYTHON, "attempts.py", way=way, seconds=100))
    assert came.ended.killed == "", came.text
    assert came.processes == []
    assert machine.untouched()
    said: dict[str, str] = json.loads(came.text.strip().splitlines()[-1])
    return said


@pytest.mark.parametrize("name", ATTEMPTS)
def test_S3_a_way_out_leads_nowhere(name: str, tried: Mapping[str, str]) -> None:
    assert tried[name].startswith("held"), tried[name]


def test_S3_these_are_ways_where_nothing_holds_them(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "attempts.py").write_text(SOURCE.read_text())
    (tmp_path / "given.json").write_text(json.dumps(machine.given))
    text = SOURCE.read_text().replace('"/repo/way"', f'"{tmp_path}/way"')
    (tmp_path / "attempts.py").write_text(text)
    done = subprocess.run(
        [PYTHON, str(tmp_path / "attempts.py"), *WORKS_OUTSIDE], capture_output=True, text=True, check=True
    )
    said = json.loads(done.stdout)
    root_only = {"passwords"} if os.geteuid() else set()
    held = {name: told for name, told in said.items() if not told.startswith("OUT") and name not in root_only}
    assert held == {}
