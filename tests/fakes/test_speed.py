"""Tests wait for what they test, not for the servers they test against."""

import socket
from pathlib import Path

from bot.testing.github import GitHubStandIn
from tests.fakes.models import FakeOllama


def test_no_answer_waits_for_an_acknowledgement(tmp_path: Path) -> None:
    """asyncio sets TCP_NODELAY only where the listening socket was made with its protocol's number."""
    with GitHubStandIn(tmp_path) as github, FakeOllama() as host:
        for listening in (github._server._socket, host._socket):
            assert listening.proto == socket.IPPROTO_TCP
