"""deploy/relay.py as docs/operations.md tells it: from GitHub to a Hob that it cannot call."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from bot.testing.github import GitHubStandIn
from tests.web.conftest import Front, front, store

__all__ = ["front", "store"]

RELAY = Path(__file__).parents[2] / "deploy" / "relay.py"
TOKEN = "0123456789abcdef"


@contextmanager
def relay(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-u", str(RELAY), *arguments],
        env={**os.environ, "RELAY_TOKEN": TOKEN}, text=True, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


async def test_a_delivery_comes_through_a_relay_as_it_was_signed_and_Hob_answers_it(
    front: Front, tmp_path: Path
) -> None:
    import asyncio

    with ExitStack() as stack:
        github = stack.enter_context(GitHubStandIn(tmp_path / "github"))
        held = stack.enter_context(relay("hold", "--port", "0"))
        assert held.stdout is not None
        url = (await asyncio.to_thread(held.stdout.readline)).split()[-1]
        github.install_app("octo", webhook_url=f"{url}/webhook", secret="a-webhook-secret")
        stack.enter_context(relay("pass", url, f"{front.url}/webhook"))
        repo = github.repository("octo/tea", files={"tea.py": "x = 1\n"})
        repo.open_issue("Übergroß \ud83d\ude00 <&>", "\u2028 text", author="ann")
        await asyncio.to_thread(github.flush)
        assert {one.status_code for one in github.deliveries} == {202}
        assert front.stored() == len(github.deliveries)
        guid = github.deliveries[-1].guid
        assert front.store.inbox.get(guid).body == github.deliveries[-1].body
        async with httpx.AsyncClient(base_url=url, trust_env=False) as stranger:
            assert (await stranger.get("/next")).status_code == 404
            assert (await stranger.post("/answer", content=b"{}")).status_code == 404
        github.send_webhooks_to(f"{url}/webhook", "another secret")
        repo.open_issue("Forged", author="ann")
        await asyncio.to_thread(github.flush)
        assert github.deliveries[-1].status_code == 401
