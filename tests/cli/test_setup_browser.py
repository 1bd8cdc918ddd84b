"""From nothing to the first review on one's own repository, as a person does it: one command, a few clicks,
and a pull request. Every act of the person is counted."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.testing.github import GitHubStandIn
from tests.browser import Page, browser
from tests.fakes.models import FakeModel, FakeOllama
from tests.living import by_schema

pytestmark = [pytest.mark.kills, pytest.mark.xdist_group("browser"), pytest.mark.timeout(300)]
MOST_ACTIONS = 6
FINDING = {
    "path": "tea.py",
    "quote": "x = 1 / 0",
    "severity": "major",
    "category": "bug",
    "title": "Divides by zero",
    "body": "This always raises.",
    "replacement": None,
    "confidence": 0.9,
}


@dataclass
class Person:
    """Who sets Hob up on a machine of their own; `acts` are what they had to do."""

    folder: Path
    github: GitHubStandIn
    ollama: FakeOllama
    page: Page
    acts: list[str] = field(default_factory=list)
    process: subprocess.Popen[bytes] | None = None

    def types(self, *command: str) -> None:
        """One command line."""
        self.acts.append("$ " + " ".join(command))
        opener = self.folder / "browser"
        opener.write_text(f'#!/bin/sh\nprintf "%s" "$1" > "{self.folder}/opened"\n')
        opener.chmod(0o755)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("HOB_", "SSH_"))}
        environ = {
            **kept,
            "HOME": str(self.folder),
            "OLLAMA_HOST": self.ollama.url,
            "BROWSER": str(opener),
            "HOB_GITHUB__WRITE_GAP_SECONDS": "0",
            "HOB_KNOWLEDGE__ENABLED": "false",
            "HOB_QUEUE__COALESCE_SECONDS": "0",
            "HOB_SERVER__PORT": "0",
        }
        with (self.folder / "said").open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "bot.cli", *command[1:]],
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                cwd=self.folder,
            )

    def clicks(self, name: str) -> None:
        self.acts.append(f"click {name}")
        self.page.clicks(name)

    def opens_pull_request(self) -> None:
        self.acts.append("open a pull request")
        repo = self.github.repositories["octo/tea"]
        repo.open_pull_request("Brew hotter", {"tea.py": "x = 1 / 0\n"}, author="octo")

    @property
    def said(self) -> str:
        return (self.folder / "said").read_text(errors="replace")

    def waits(self, happened: Callable[[], object], seconds: float = 120) -> None:
        end = time.monotonic() + seconds
        while not happened():
            assert self.process
            assert self.process.poll() is None, self.said
            assert time.monotonic() < end, self.said[-4000:]
            time.sleep(0.1)


@pytest.fixture
def person(tmp_path: Path) -> Iterator[Person]:
    home = tmp_path / "home"
    home.mkdir()
    with (
        browser(tmp_path / "chromium") as chromium,
        GitHubStandIn(tmp_path / "github") as github,
        FakeOllama() as ollama,
    ):
        github.html_url = github.origin
        github.repository("octo/tea", files={"tea.py": "x = 1\n"})
        made = Person(home, github, ollama, chromium.page())
        try:
            yield made
        finally:
            if made.process and made.process.poll() is None:
                made.process.send_signal(signal.SIGTERM)
                made.process.wait(60)


def listening_elsewhere(pids: set[int]) -> list[str]:
    """Addresses other than loopback on which these processes listen, as /proc has them."""
    inodes = set()
    for pid in pids:
        for link in Path(f"/proc/{pid}/fd").glob("*"):
            try:
                inodes.add(str(link.readlink()).removeprefix("socket:[").removesuffix("]"))
            except OSError:
                continue
    rows = [
        line.split()
        for name in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{name}").read_text().splitlines()
    ]
    return [
        row[1] for row in rows if row[3] == "0A" and row[9] in inodes and not row[1].startswith("0100007F")
    ]


def family(pid: int) -> set[int]:
    found = {pid}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(entry.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent in found:
            found.add(int(entry.parent.name))
    return found


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="reads /proc")
def test_from_nothing_to_the_first_review_takes_at_most_six_acts_and_no_open_port(person: Person) -> None:
    person.ollama.models = {"nomic-embed-text:latest": FakeModel(capabilities=("embedding",))}
    person.ollama.answer = by_schema(review={"findings": [FINDING], "summary": "It divides."})
    person.types("hob", "setup", "--github", person.github.origin)
    opened = person.folder / "opened"
    person.waits(lambda: opened.exists() and "token=" in opened.read_text())
    page, github = person.page, person.github
    page.opens(opened.read_text())  # what the command did, not the person
    assert page.address.endswith("/setup"), "the token is not in the address any more"
    assert "This machine fetches qwen2.5-coder" in page.text
    for words in ("Pull requests", "reviews, suggestions", "needs no open port"):
        assert words in page.text
    person.clicks("Create the App on GitHub")
    assert "Create GitHub App" in page.text
    person.clicks("Create GitHub App")
    assert github.app
    assert page.address == f"{github.origin}/apps/{github.app.slug}/installations/new"
    person.waits(lambda: [one for one in person.ollama.requests if one.path == "/api/pull"])
    (pulled,) = {one.json["model"] for one in person.ollama.requests if one.path == "/api/pull"}
    person.ollama.models[pulled] = FakeModel()
    person.clicks("Install")
    person.waits(lambda: "all is ready" in person.said)
    assert "FAIL" not in person.said
    folder = person.folder / ".local/share/hob"
    person.waits(lambda: (folder / "hob.port").exists())
    person.opens_pull_request()
    (pull,) = (one for one in github.repositories["octo/tea"].issues.values())
    person.waits(lambda: getattr(pull, "reviews", None))
    assert [one.body for one in pull.review_comments if "Divides by zero" in one.body]
    assert person.process
    assert listening_elsewhere(family(person.process.pid)) == []
    assert len(person.acts) <= MOST_ACTIONS, person.acts
    no_secret_is_told(person, pulled)


def no_secret_is_told(person: Person, model: str) -> None:
    folder = person.folder / ".local/share/hob"
    toml = (folder / "hob.toml").read_text()
    assert 'mode = "poll"' in toml
    assert model in toml
    secret_files = [*folder.glob("app-*.pem"), *folder.glob("webhook-secret-*")]
    assert {each.stat().st_mode & 0o777 for each in [*secret_files, folder / "hob.toml"]} == {0o600}
    assert len(secret_files) == 2
    for each in secret_files:
        for line in each.read_text().splitlines():
            if "-----" not in line:
                assert line not in person.said + toml
                for pid in family(person.process.pid if person.process else 0):
                    assert line not in Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
