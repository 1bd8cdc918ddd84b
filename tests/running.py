"""A real `hob up` (or one half of it) as processes, for fault tests and benchmarks: what people run, on
loopback."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.testing.github import GitHubStandIn
from tests.forked import ForkedHob

SLUG = "my-hob"
SECRET = "It's a Secret to Everybody"


@dataclass
class RunningHob:
    """One `hob up` and its children."""

    process: subprocess.Popen[bytes] | ForkedHob
    folder: Path
    url: str

    def children(self) -> dict[str, int]:
        """Name (`serve`, `work`, `redis`) -> process id, of all that live now."""
        return {name: pid for pid, name in _named(_descendants(self.process.pid))}

    def kill(self, name: str) -> None:
        """`kill -9` of one child; it may be gone in the same moment."""
        pid = self.children().get(name)
        if pid is not None:
            os.kill(pid, signal.SIGKILL)

    @property
    def log(self) -> str:
        return (self.folder / "hob.log").read_text(errors="replace")

    def pss(self) -> dict[str, float]:
        """Megabytes by process, shared pages counted in parts (PSS), the supervisor as `up`. Linux only."""
        return {name: _pss(pid) for name, pid in {"up": self.process.pid, **self.children()}.items()}


def environment(
    folder: Path, github: GitHubStandIn, model_url: str, model: str, **more: str
) -> dict[str, str]:
    """A whole configuration, by environment."""
    key = folder / "app.pem"
    key.touch(mode=0o600)
    key.write_text(github.private_key)
    (folder / "hob.toml").touch()
    assert github.app is not None
    settings = {
        "HOB_CONFIG": str(folder / "hob.toml"),
        "HOB_HOB__DATA_DIR": str(folder / "data"),
        "HOB_GITHUB__API_URL": github.api_url,
        "HOB_GITHUB__APP_ID": str(github.app.id),
        "HOB_GITHUB__APP_SLUG": SLUG,
        "HOB_GITHUB__PRIVATE_KEY_FILE": str(key),
        "HOB_GITHUB__WEBHOOK_SECRET": SECRET,
        "HOB_GITHUB__WRITE_GAP_SECONDS": "0",
        "HOB_GITHUB__SETTLE_SECONDS": "0.2",
        "HOB_SERVER__PORT": "0",
        "HOB_KNOWLEDGE__ENABLED": "false",
        "HOB_HOSTS": f'[{{"name": "mini", "kind": "ollama", "url": "{model_url}", "parallel": 64}}]',
        **dict.fromkeys(("HOB_MODELS__REVIEW", "HOB_MODELS__TRIAGE", "HOB_MODELS__CHAT"), model),
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HOB_")}
    return inherited | settings | more


@contextmanager
def running_hob(folder: Path, settings: dict[str, str], *arguments: str) -> Iterator[RunningHob]:
    """`hob up` until the block ends, ready to take deliveries."""
    with (folder / "hob.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "bot.cli", "up", *arguments],
            env=settings,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    with _until_the_end(RunningHob(process, folder, "")) as hob:
        yield hob


@contextmanager
def forked_hob(folder: Path, settings: dict[str, str], *arguments: str) -> Iterator[RunningHob]:
    """The same in processes that start at once (`tests.forked`)."""
    process = ForkedHob(["up", *arguments], settings, folder, folder / "hob.log")
    with _until_the_end(RunningHob(process, folder, "")) as hob:
        yield hob


@contextmanager
def _until_the_end(hob: RunningHob) -> Iterator[RunningHob]:
    process, folder = hob.process, hob.folder
    try:
        port = folder / "data" / "hob.port"
        wait_for(lambda: port.exists() and port.read_text().endswith("\n"), 60, hob)
        hob.url = port.read_text().strip()
        yield hob
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(done: Callable[[], object], seconds: float, hob: RunningHob | None = None) -> None:
    """TimeoutError with the log's end when it does not become true; RuntimeError when Hob has ended."""
    end = time.monotonic() + seconds
    while not done():
        if hob is not None and hob.process.poll() is not None:
            raise RuntimeError(f"hob up ended with {hob.process.returncode}: {hob.log[-3000:]}")
        if time.monotonic() > end:
            raise TimeoutError(hob.log[-3000:] if hob else "it did not happen")
        time.sleep(0.02)


def _descendants(pid: int) -> list[int]:
    found, todo = [], [pid]
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            parents.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(int(entry.name))
    while todo:
        children = parents.get(todo.pop(), [])
        found += children
        todo += children
    return found


def _named(pids: list[int]) -> Iterator[tuple[int, str]]:
    for pid in pids:
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if "valkey" in words[0] or "redis" in words[0]:
            yield pid, "redis"
        elif "bot.cli" in words:
            yield pid, words[words.index("bot.cli") + 1]
        elif words[0] == sys.executable:  # it was forked
            yield pid, Path(f"/proc/{pid}/comm").read_text().strip()


def _pss(pid: int) -> float:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) / 1024
