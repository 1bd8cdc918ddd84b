"""Several machines of one Hob, each a process with a data directory of its own, and what stands before them:
a balancer over TCP, and a next version of Hob to upgrade to."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from bot.store.tables import SCHEMA
from tests.forked import ForkedHob

ROOT = Path(__file__).parent.parent
NEXT_SCHEMA = f"{int(SCHEMA) + 1:04d}"

MIGRATION = f'''"""What a next version may add."""

import sqlalchemy as sa
from alembic import op

revision = "{NEXT_SCHEMA}"
down_revision = "{SCHEMA}"


def upgrade() -> None:
    op.create_table("novelties", sa.Column("id", sa.Integer(), nullable=False), sa.PrimaryKeyConstraint("id"))
    for table in ("inbox", "runs", "outbox", "leases", "repositories"):
        op.add_column(table, sa.Column("novelty", sa.String(20), nullable=True))
        op.add_column(table, sa.Column("weight", sa.Integer(), nullable=False, server_default="1"))
    op.create_index(op.f("ix_runs_novelty"), "runs", ["novelty"])


def downgrade() -> None:
    raise NotImplementedError
'''


def next_version(folder: Path) -> Path:
    """A copy of this Hob with a schema of its own, on which it also insists; gives what to put on Python's
    path."""
    for name in ("bot", "handlers", "prompts"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy2(ROOT / "app.yml", folder)
    versions = folder / "bot" / "store" / "migrations" / "versions"
    (versions / f"{NEXT_SCHEMA}_novelties.py").write_text(MIGRATION)
    tables = folder / "bot" / "store" / "tables.py"
    tables.write_text(tables.read_text().replace(f'SCHEMA = "{SCHEMA}"', f'SCHEMA = "{NEXT_SCHEMA}"'))
    return folder


@dataclass
class Machine:
    """One process of a Hob that others belong to."""

    name: str
    folder: Path
    process: subprocess.Popen[bytes] | ForkedHob

    @property
    def log(self) -> str:
        return (self.folder / "hob.log").read_text(errors="replace")

    @property
    def port(self) -> int:
        """0: it does not listen yet."""
        with suppress(FileNotFoundError, ValueError):
            return int((self.folder / "data" / "hob.port").read_text().strip().rpartition(":")[2])
        return 0

    def kill(self) -> None:
        """`kill -9`."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """As whoever deploys does; gives its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(45)


@dataclass
class Machines:
    """`settings` is the configuration that all share."""

    folder: Path
    settings: dict[str, str]
    all: list[Machine] = field(default_factory=list)

    def start(self, *arguments: str, version: Path = ROOT, **more: str) -> Machine:
        """`hob …` of a version on another machine; the one that is tested is there at once."""
        name = f"{len(self.all)}-{arguments[0]}"
        folder = self.folder / name
        (folder / "data").mkdir(parents=True, mode=0o700)
        (folder / "data").chmod(0o700)
        own = {"HOB_HOB__DATA_DIR": str(folder / "data"), "PYTHONPATH": str(version)}
        environ, log = {**self.settings, **own, **more}, folder / "hob.log"
        log.touch()
        if version == ROOT:
            self.all.append(Machine(name, folder, ForkedHob(arguments, environ, folder, log)))
            return self.all[-1]
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "bot.cli", *arguments],
                cwd=folder,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        self.all.append(Machine(name, folder, process))
        return self.all[-1]

    def wait(self, done: Callable[[], object], seconds: float = 150) -> None:
        """TimeoutError with the logs' ends."""
        end = time.monotonic() + seconds
        while not done():
            if time.monotonic() > end:
                raise TimeoutError("\n".join(f"== {one.name}\n{one.log[-1500:]}" for one in self.all))
            time.sleep(0.05)


@contextmanager
def machines(folder: Path, settings: dict[str, str]) -> Iterator[Machines]:
    """They end with the block."""
    made = Machines(folder, settings)
    try:
        yield made
    finally:
        living = [one for one in made.all if one.process.poll() is None]
        for one in living:
            one.process.send_signal(signal.SIGTERM)
        for one in living:
            try:
                one.process.wait(45)
            except subprocess.TimeoutExpired:
                os.kill(one.process.pid, signal.SIGKILL)
                one.process.wait()


class Balancer:
    """Hands each connection to the next of `backends()` (ports on loopback) that takes it."""

    def __init__(self, backends: Callable[[], list[int]]) -> None:
        self.backends = backends
        self.taken: dict[int, int] = {}
        """Connections by port."""
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._turn = 0
        threading.Thread(target=self._accept_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self._listening.close()

    def _accept_forever(self) -> None:
        while True:
            try:
                caller, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(caller,), daemon=True).start()

    def _serve(self, caller: socket.socket) -> None:
        with caller:
            ports = self.backends()
            self._turn += 1
            for port in ports[self._turn % len(ports) :] + ports[: self._turn % len(ports)] if ports else ():
                try:
                    backend = socket.create_connection(("127.0.0.1", port), timeout=20)
                except OSError:
                    continue
                self.taken[port] = self.taken.get(port, 0) + 1
                with backend:
                    back = threading.Thread(target=_copy, args=(backend, caller), daemon=True)
                    back.start()
                    _copy(caller, backend)
                    back.join(20)
                return


def _copy(source: socket.socket, to: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            to.sendall(data)
    with suppress(OSError):
        to.shutdown(socket.SHUT_WR)
