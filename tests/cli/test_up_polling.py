"""`hob up` behind a router that lets nothing in: no webhook secret, no port, and people are answered."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.testing.github import GitHubStandIn
from bot.testing.github.issues import Issue
from tests.fakes.models import FakeOllama
from tests.living import by_schema
from tests.running import SLUG, environment, running_hob, wait_for

pytestmark = [pytest.mark.kills, pytest.mark.xdist_group("kills"), pytest.mark.timeout(240)]
NOWHERE = "http://127.0.0.1:9/webhook"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[tuple[GitHubStandIn, FakeOllama]]:
    with GitHubStandIn(tmp_path / "github") as github, FakeOllama() as ollama:
        ollama.answer = by_schema()
        github.install_app("octo", slug=SLUG, webhook_url=NOWHERE)
        yield github, ollama


def settings(folder: Path, world: tuple[GitHubStandIn, FakeOllama], **more: str) -> dict[str, str]:
    github, ollama = world
    told = environment(folder, github, ollama.url, next(iter(ollama.models)))
    del told["HOB_GITHUB__WEBHOOK_SECRET"]
    return told | {"HOB_INTAKE__MODE": "poll", "HOB_SERVER__HOST": "0.0.0.0"} | more


def listening(port: int) -> list[str]:
    """Addresses on which this machine listens at a port, as /proc has them: 0100007F is 127.0.0.1."""
    files = [Path(f"/proc/net/{name}").read_text() for name in ("tcp", "tcp6")]
    rows = [line.split() for file in files for line in file.splitlines()]
    return [row[1].split(":")[0] for row in rows if row[3] == "0A" and row[1].endswith(f":{port:04X}")]


def asked(github: GitHubStandIn) -> int:
    return sum(one.path == "/app/hook/deliveries" for one in list(github.requests))


def answers(issue: Issue) -> int:
    return sum(one.author.login == f"{SLUG}[bot]" for one in list(issue.comments))


@contextmanager
def second_worker(told: dict[str, str], folder: Path) -> Iterator[None]:
    with (folder / "second.log").open("ab") as log:
        command = [sys.executable, "-m", "bot.cli", "work", "-n", "1"]
        process = subprocess.Popen(command, env=told, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        wait_for(lambda: '"working' in (folder / "second.log").read_text(), 60)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(40)


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="reads /proc")
def test_a_Hob_without_a_port_reviews_a_pull_request_also_after_its_worker_was_killed(
    tmp_path: Path, world: tuple[GitHubStandIn, FakeOllama]
) -> None:
    github, _ = world
    repo = github.repository("octo/tea", files={"tea.py": "x = 1\n"})
    told = settings(tmp_path, world)
    with running_hob(tmp_path, told) as hob:
        pull = repo.open_pull_request("Hotter", {"tea.py": "x = 2\n"}, author="ann")
        wait_for(lambda: [one.status for one in pull.check_runs] == ["completed"], 90, hob)
        token = (tmp_path / "api.token").read_text().strip()
        with httpx.Client(base_url=hob.url, trust_env=False, timeout=10) as client:
            client.headers["authorization"] = f"Bearer {token}"
            refused = client.post("/webhook", content=b"{}")
            assert (refused.status_code, refused.headers["content-type"]) == (404, "application/problem+json")
            assert "deliveries are read from GitHub" in refused.json()["detail"]
            ready: dict[str, Any] = client.get("/readyz").json()
            assert (
                ready["ready"]
                and "calls in the last hour, of 1000" in ready["components"]["polling"]["detail"]
            )
            assert 'hob_polling_delivery_seconds_bucket{le="+Inf"}' in client.get("/metrics").text
            assert "polling" in client.get("/").text
        assert listening(int(hob.url.rpartition(":")[2])) == ["0100007F"]
        with second_worker(told, tmp_path):
            before, begun = asked(github), time.monotonic()
            issue = repo.open_issue("Cold", author="ann")
            issue.comment("ann", f"@{SLUG} help")
            wait_for(lambda: answers(issue) >= 1, 90, hob)
            pace = (asked(github) - before) / (time.monotonic() - begun)
            assert pace < 0.5, "one process asks for both"
            os.kill(hob.children()["work"], signal.SIGKILL)
            issue.comment("ann", f"@{SLUG} help")
            wait_for(lambda: answers(issue) >= 2, 120, hob)
    assert (answers(issue), len(pull.check_runs)) == (2, 1)
