"""`hob hosts` as a person runs it."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

import pytest
from starlette.responses import Response

from bot.cli.hosts import discovery
from tests.cli.conftest import Hob
from tests.fakes.models import FakeModel, FakeOllama


def configured(hob: Hob, *hosts: tuple[str, str]) -> None:
    tables = [f'[[hosts]]\nname = "{name}"\nkind = "ollama"\nurl = "{url}"\n' for name, url in hosts]
    with (hob.folder / "hob.toml").open("a") as file:
        file.write("\n" + "\n".join(tables))
        file.write(
            '[[hosts]]\nname = "cloud"\nkind = "openai"\nurl = "https://api.example.com/v1"\nonline = true\n'
        )


def test_the_pool_is_shown_with_what_each_host_has(hob: Hob) -> None:
    with FakeOllama(models={"qwen2.5-coder:14b": FakeModel()}) as ollama:
        configured(hob, ("mini", ollama.url), ("gone", "http://127.0.0.1:9"))
        told = hob.run("hosts", "--json")
        assert told.returncode == 0
        assert told.stderr == ""
        mini, gone, cloud = json.loads(told.stdout)["hosts"]
        assert (mini["name"], mini["up"], mini["in_flight"]) == ("mini", True, 0)
        assert mini["models"] == [{"name": "qwen2.5-coder:14b", "context_length": 32768, "loaded": False}]
        assert (gone["up"], gone["error"]) == (False, "connection refused")
        assert (cloud["up"], cloud["error"]) == (False, "it is online, and [privacy] online is never")
        shown = hob.run("hosts").stdout
    assert "qwen2.5-coder:14b (32,768)" in shown
    assert "connection refused" in shown


def test_a_host_pulls_a_model_and_says_how_far_it_is(hob: Hob) -> None:
    with FakeOllama() as ollama:
        configured(hob, ("mini", ollama.url))
        told = hob.run("hosts", "pull", "qwen2.5:7b", "--host", "mini")
        assert (told.returncode, told.stdout) == (0, "mini has qwen2.5:7b\n"), told.stderr
        assert "qwen2.5:7b on mini: " in told.stderr
        assert "\x1b" not in told.stderr
        told = hob.run("hosts", "pull", "qwen2.5:7b", "--host", "mini", "--json")
        assert json.loads(told.stdout) == {"model": "qwen2.5:7b", "hosts": ["mini"]}
    for host, sentence in (("nobody", "there is no host nobody"), ("cloud", "only Ollama hosts pull models")):
        told = hob.run("hosts", "pull", "qwen2.5:7b", "--host", host)
        assert (told.returncode, told.stdout) == (1, "")
        assert sentence in told.stderr


def test_hosts_are_looked_for_only_where_it_was_asked(hob: Hob) -> None:
    with FakeOllama(models={"qwen2.5:7b": FakeModel()}) as ollama:
        port = ollama.url.rpartition(":")[2]
        told = hob.run("hosts", "discover", "--network", "127.0.0.0/29", "--port", port, "--json")
        found = json.loads(told.stdout)["hosts"]
        assert found == [{"name": "ollama-127-0-0-1", "url": ollama.url, "models": ["qwen2.5:7b"]}]
        shown = hob.run("hosts", "discover", "--port", port).stdout
        assert shown.startswith('[[hosts]]\nname = "ollama-127-0-0-1"\nkind = "ollama"\n')
    for network in ("8.8.8.0/24", "10.0.0.0/8", "nonsense"):
        told = hob.run("hosts", "discover", "--network", network)
        assert told.returncode == 1
        assert network in told.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8")
def test_a_network_is_looked_through_and_only_what_speaks_as_ollama_is_a_host(hob: Hob) -> None:
    with (
        FakeOllama(models={"qwen2.5:7b": FakeModel()}, address="127.5.6.1") as first,
        FakeOllama(models={}, address="127.5.6.6", port=int(first.url.rpartition(":")[2])) as last,
        FakeOllama(address="127.5.6.3", port=int(first.url.rpartition(":")[2])) as other,
        FakeOllama(address="127.5.6.9", port=int(first.url.rpartition(":")[2])) as beyond,
    ):
        other.missing.add("/api/tags")
        port = first.url.rpartition(":")[2]
        told = hob.run("hosts", "discover", "--lan", "--network", "127.5.6.0/29", "--port", port)
        assert (told.returncode, told.stderr) == (0, "")
        assert [line for line in told.stdout.splitlines() if line.startswith(("url", "#"))] == [
            f'url = "{first.url}"', "# has: qwen2.5:7b", f'url = "{last.url}"', "# has: no models"
        ]  # fmt: skip
        assert beyond.requests == []
    told = hob.run("hosts", "discover", "--network", "127.5.6.0/29", "--port", port)
    assert (told.returncode, told.stdout, told.stderr) == (
        0,
        "",
        f"no Ollama answered on port {port}: start one\n",
    )


def test_the_networks_of_this_machine_are_private_ones_of_256() -> None:
    own = ["192.168.1.7", "192.168.1.250", "10.9.8.7", "8.8.8.8", "fd00::1", "2001:db8::1%eth0"]
    assert discovery.networks(own) == ["192.168.1.0/24", "10.9.8.0/24"]
    assert discovery.networks([]) == []


def test_who_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "own_addresses", lambda: ["192.168.1.7", "8.8.8.8"])
    assert discovery.addresses(lan=False, network="") == ["127.0.0.1"]
    asked = discovery.addresses(lan=True, network="")
    assert (asked[:2], asked[-1], len(asked)) == (["127.0.0.1", "192.168.1.1"], "192.168.1.254", 255)
    assert discovery.addresses(lan=True, network="127.5.6.0/30") == ["127.5.6.1", "127.5.6.2"]


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, hob: Hob, *arguments: str) -> None:
        self._screen, inner = pty.openpty()
        self.shown = ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bot.cli", *arguments], cwd=hob.folder, stdin=inner, stdout=inner,
            env={**hob.environ, "TERM": "xterm", "COLUMNS": "200", "LINES": "40"}, stderr=subprocess.PIPE,
        )  # fmt: skip
        os.close(inner)

    def until(self, seen: Callable[[str], bool], seconds: float = 60) -> str:
        """What was newly shown when it was seen."""
        start, give_up = len(self.shown), time.monotonic() + seconds
        while not seen(self.shown[start:]):
            assert time.monotonic() < give_up, self.shown
            if select.select([self._screen], [], [], 1)[0]:
                with suppress(OSError):
                    self.shown += os.read(self._screen, 65536).decode()
        return self.shown[start:]

    def interrupt(self) -> tuple[int, bytes]:
        """(exit code, what it said on stderr). The screen is read on: nobody stops looking when they press
        Ctrl-C, and some press it again."""
        give_up = time.monotonic() + 60
        while self.process.poll() is None and time.monotonic() < give_up:
            self.process.send_signal(signal.SIGINT)
            again = time.monotonic() + 10
            while self.process.poll() is None and time.monotonic() < again:
                if select.select([self._screen], [], [], 0.1)[0]:
                    with suppress(OSError):
                        os.read(self._screen, 65536)
        self.process.kill()
        _, said = self.process.communicate(timeout=30)
        os.close(self._screen)
        return self.process.returncode, said


def test_watched_hosts_are_shown_as_they_come_and_go(hob: Hob) -> None:
    with FakeOllama(models={"qwen2.5:7b": FakeModel()}) as ollama:
        configured(hob, ("mini", ollama.url))
        watched = Terminal(hob, "hosts", "--watch")
        try:
            watched.until(lambda text: "qwen2.5:7b (32,768)" in text)
            ollama.models["devstral:24b"] = FakeModel(131_072)
            watched.until(lambda text: "devstral:24b (131,072)" in text)
            ollama.broken["/api/tags"] = Response("gone", 500)
            watched.until(lambda text: "it answered 500" in text and "devstral" not in text[-500:])
            del ollama.broken["/api/tags"]
            watched.until(lambda text: "devstral:24b" in text)
        finally:
            ended = watched.interrupt()
    assert (ended[0], ended[1].strip()) == (130, b"")


def test_watched_hosts_in_a_pipe_are_lines_of_what_has_changed(hob: Hob) -> None:
    with FakeOllama(models={"qwen2.5:7b": FakeModel()}) as ollama:
        configured(hob, ("mini", ollama.url))
        watched = subprocess.Popen(
            [sys.executable, "-m", "bot.cli", "hosts", "--watch"], cwd=hob.folder, env=hob.environ,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert watched.stdout is not None
        try:
            first = [watched.stdout.readline() for _ in range(2)]
            ollama.models["devstral:24b"] = FakeModel(131_072)
            second = watched.stdout.readline()
        finally:
            watched.send_signal(signal.SIGINT)
            rest, said = watched.communicate(timeout=60)
    assert "mini (ollama): up; in flight 0/1, waiting 0, " in first[0]
    assert first[0].endswith("; qwen2.5:7b (32,768)\n")
    assert "cloud (openai (online)): it is online, and [privacy] online is never; " in first[1]
    assert "mini (ollama): up" in second and "devstral:24b (131,072)" in second
    for line in (*first, second):
        assert datetime.fromisoformat(line.split(" ")[0]).tzinfo is not None
        assert "\x1b" not in line
    assert (watched.returncode, rest, said.strip()) == (130, "", "")
