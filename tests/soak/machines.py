"""What a soak runs on: PostgreSQL, Redis, model hosts, a receiver and workers, each a process that may be
killed; what has ended is started again a second later, as systemd would."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

import redis

from bot.store import migrate
from bot.testing.github import GitHubStandIn
from tests import needs
from tests.databases import Cluster
from tests.running import environment
from tests.soak.host import MODELS

HOSTS, WORKERS = 2, 3
SLOTS = 4
"""Runs at once of each worker."""
AGAIN_SECONDS = 1.0
STARTS_SECONDS = 240.0
"""For Hob to be up: some seconds, on a machine that does other things too many."""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


class Kept:
    """One process, started again when it ends. `watched`: what it inherits."""

    def __init__(
        self, name: str, command: Sequence[str], env: dict[str, str], log: Path, watched: tuple[int, ...]
    ) -> None:
        self.name, self._command, self._env, self._log, self._watched = name, command, env, log, watched
        self.process: subprocess.Popen[bytes] | None = None
        self.starts = 0
        self.ended_by_itself = 0
        self._killed = False
        self._again_at = 0.0

    def start(self) -> None:
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=self._watched,
            )
        self.starts += 1
        self._killed = False

    def kill(self, number: int = signal.SIGKILL, down: float = AGAIN_SECONDS) -> None:
        """Starts again after `down` seconds."""
        if self.process is not None and self.process.poll() is None:
            self._killed = True
            self._again_at = time.monotonic() + down
            self.process.send_signal(number)

    def tend(self) -> None:
        """Starts it where its time has come."""
        if self.process is None or self.process.poll() is None:
            return
        if not self._killed:
            self._killed = True
            self.ended_by_itself += 1
            self._again_at = time.monotonic() + AGAIN_SECONDS
        if time.monotonic() >= self._again_at:
            self.start()

    @property
    def is_up(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def end(self) -> None:
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Machines:
    """All of them, around one GitHub. `with`: up, and all gone at the end."""

    def __init__(self, folder: Path, github: GitHubStandIn, host_seconds: float) -> None:
        self.folder = folder
        self.cluster = Cluster()
        self._parent_watch, self._held = os.pipe()
        """Hob's processes end with this one, however it ends."""
        self.redis_port, self.port = free_port(), free_port()
        self.redis_url = f"redis://127.0.0.1:{self.redis_port}"
        ports = [free_port() for _ in range(HOSTS)]
        python = [sys.executable, "-m"]
        plain = dict(os.environ)
        self.hosts = [
            self._kept(f"host-{n}", [*python, "tests.soak.host", str(port), str(host_seconds)], plain)
            for n, port in enumerate(ports, 1)
        ]
        chosen = ("port", str(self.redis_port), "bind", "127.0.0.1", "dir", str(folder), "save", "")
        chosen += ("appendonly", "yes", "appendfsync", "everysec", "loglevel", "warning")
        options = [f"--{word}" if n % 2 == 0 else word for n, word in enumerate(chosen)]
        self.redis = self._kept("redis", [str(needs.redis_server()), *options], plain)
        named = ", ".join(
            f'{{"name": "host-{n}", "kind": "ollama", "url": "http://127.0.0.1:{port}", "parallel": 4}}'
            for n, port in enumerate(ports, 1)
        )
        self._settings = environment(folder, github, "", MODELS[0]) | {
            "HOB_HOSTS": f"[{named}]",
            "HOB_QUEUE__REDIS_URL": self.redis_url,
            "HOB_QUEUE__COALESCE_SECONDS": "1",
            "HOB_SERVER__PORT": str(self.port),
            "HOB_GITHUB__WRITE_GAP_SECONDS": "0.05",
            "HOB_INTAKE__RECONCILE_MINUTES": "1",
            "HOB_KNOWLEDGE__ENABLED": "true",
        }
        self.database_url = ""
        self.receiver: Kept
        self.workers: list[Kept] = []
        self._stopping = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="keeper", daemon=True)

    def _kept(self, name: str, command: Sequence[str], env: dict[str, str]) -> Kept:
        return Kept(name, command, env, self.folder / f"{name}.log", (self._parent_watch,))

    @property
    def hob(self) -> list[Kept]:
        """The receiver and the workers."""
        return [self.receiver, *self.workers]

    @property
    def all(self) -> list[Kept]:
        return [*self.hosts, self.redis, *self.hob]

    @property
    def webhook(self) -> str:
        return f"http://127.0.0.1:{self.port}/webhook"

    def client(self) -> "redis.Redis":
        return redis.Redis(port=self.redis_port, socket_timeout=5)

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self) -> None:
        self.cluster.start()
        self.database_url = self.cluster.new_database()
        migrate(self.database_url)
        env = self._settings | {"HOB_STORE__DATABASE_URL": self.database_url}
        hob = [sys.executable, "-m", "bot.cli"]
        watch = ["--parent-watch", str(self._parent_watch)]
        self.receiver = self._kept("serve", [*hob, "serve", *watch], env)
        work = [*hob, "work", "-n", str(SLOTS), *watch]
        self.workers = [self._kept(f"work-{n}", work, env) for n in range(1, WORKERS + 1)]
        for one in self.all:
            one.start()
        self._keeper.start()
        wait(self._answers, STARTS_SECONDS, "the receiver does not answer")
        for worker in self.workers:
            wait(
                lambda worker=worker: "runs at once" in worker.log,
                STARTS_SECONDS,
                f"{worker.name} does not work",
            )

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def _keep(self) -> None:
        while not self._stopping.wait(0.1):
            for one in self.all:
                one.tend()

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        if self._keeper.is_alive():
            self._keeper.join(10)
        started = [*self.workers, *([self.receiver] if self.workers else []), self.redis, *self.hosts]
        for one in started:
            if one.process is not None:
                one.process.terminate()
        for one in started:
            one.end()
        self.cluster.remove()
        os.close(self._parent_watch)
        os.close(self._held)


def wait(done: Callable[[], object], seconds: float, why: str) -> None:
    """TimeoutError with those words."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise TimeoutError(why)
        time.sleep(0.05)
