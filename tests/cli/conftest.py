"""`hob` as a person runs it, in a folder of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests import commands
from tests.agents.conftest import git, make_repository
from tests.forked import ForkedHob
from tests.tea import BROKEN, TEA

SECRET = "the-webhook-secret-of-this-test"


@dataclass
class Hob:
    """A folder with a hob.toml, and the processes started in it."""

    folder: Path
    environ: dict[str, str]
    running: list[subprocess.Popen[str] | ForkedHob] = field(default_factory=list)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command to its end: what it prints, and its exit code."""
        return commands.run(*arguments, folder=self.folder, environ=self.environ)

    def process(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The same by the entry point that people type, as a process of its own."""
        return commands.process(*arguments, folder=self.folder, environ=self.environ)

    def start(self, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        """A command that stays; what it says goes to hob.log."""
        with (self.folder / "hob.log").open("a") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "bot.cli", *arguments], cwd=self.folder,
                env={**self.environ, **environ}, text=True, stdout=log, stderr=log,
            )  # fmt: skip
        self.running.append(process)
        return process

    def fork(self, *arguments: str) -> ForkedHob:
        """The same for tests of what it does once it is there."""
        process = ForkedHob(arguments, self.environ, self.folder, self.folder / "hob.log")
        self.running.append(process)
        return process

    def log(self) -> str:
        return (self.folder / "hob.log").read_text()

    def url(self) -> str:
        """Where the receiver listens, once it answers."""
        return self.eventually(self._answering)

    def _answering(self) -> str:
        url = (self.folder / "data" / "hob.port").read_text().strip()
        with urlopen(f"{url}/healthz", timeout=5) as answer:
            return url if answer.status == 200 else ""

    def eventually(self, found: Callable[[], str], seconds: float = 60, every: float = 0.05) -> str:
        give_up = time.monotonic() + seconds
        while True:
            try:
                if value := found():
                    return value
            except (OSError, URLError, ValueError, IndexError):
                pass
            assert time.monotonic() < give_up, self.log()
            time.sleep(every)

    def stop(self) -> None:
        for process in self.running:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.running:
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@cache
def make_key() -> str:
    """One for all: it takes a quarter of a second to find."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


@pytest.fixture(scope="session")
def brewing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with `main`, and `brew` checked out, whose one commit has a defect; to be copied."""
    folder = make_repository(tmp_path_factory.mktemp("brewing"), {"tea.py": TEA})
    git(folder, "branch", "-M", "main")
    git(folder, "switch", "-qc", "brew")
    (folder / "tea.py").write_text(BROKEN)
    git(folder, "-c", "user.name=Ann", "-c", "user.email=ann@tea.example", "commit", "-qam", "Brew more")
    return folder


@pytest.fixture
def hob(tmp_path: Path) -> Iterator[Hob]:
    (tmp_path / "app.pem").write_text(make_key())
    (tmp_path / "app.pem").chmod(0o600)
    (tmp_path / "hob.toml").write_text(
        f"""
[hob]
data_dir = "data"
[github]
api_url = "http://127.0.0.1:9"
app_id = 1
app_slug = "my-hob"
private_key_file = "app.pem"
webhook_secret = {json.dumps(SECRET)}
[server]
port = 0
"""
    )
    (tmp_path / "hob.toml").chmod(0o600)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HOB_")}
    made = Hob(tmp_path, {**kept, "PYTHONPATH": str(Path(__file__).parents[2])})
    yield made
    made.stop()
