"""A life of Hob at a stand-in of its own, in processes that fork (`tests.faults.forked`)."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from bot.testing.github import GitHubStandIn
from tests.fakes.models import FakeOllama
from tests.faults import crash_points
from tests.faults.asked import World, answers
from tests.faults.forked import Forking
from tests.faults.tree import Tree, wait_until
from tests.running import SLUG, environment


@contextmanager
def world(folder: Path, forking: Forking, **more: str) -> Iterator[World]:
    """Hob is up, and people may ask."""
    with GitHubStandIn(folder / "github") as github, FakeOllama() as ollama:
        ollama.answer = answers
        installation = github.install_app("octo", slug=SLUG)
        installation.permissions = {**installation.permissions, "contents": "write"}
        port = _port()
        told = {
            "HOB_SERVER__PORT": str(port),
            "HOB_QUEUE__COALESCE_SECONDS": "0",
            "HOB_GITHUB__SETTLE_SECONDS": "0.05",
            "HOB_INTAKE__RECONCILE_MINUTES": "1",
            "HOB_CACHE__ENABLED": "false",
            **more,
        }
        settings = environment(folder, github, ollama.url, next(iter(ollama.models)), **told)
        tree = Tree(forking, settings, f"http://127.0.0.1:{port}", folder / "hob.log")
        tree.prepare()
        tree.tend()
        assert wait_until(lambda: _answers(tree.url), 60), tree.said()
        if more.get("HOB_INTAKE__MODE") != "poll":
            github.send_webhooks_to(f"{tree.url}/webhook")
        try:
            yield World(github, ollama, tree)
        finally:
            crash_points.disarm(tree.folder)
            tree.stop()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code > 0
    except httpx.HTTPError:
        return False


def _port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port
