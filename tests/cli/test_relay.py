"""deploy/relay.py and a tunnel of ssh as docs/operations.md tells them: from GitHub to a Hob that it cannot
call."""

import asyncio
import os
import pwd
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx

from bot.testing.github import GitHubStandIn
from tests import needs
from tests.soak.machines import free_port
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


@contextmanager
def ssh_server(folder: Path) -> Iterator[tuple[int, Path]]:
    """An sshd that lets one key in; (its port, the key). What it writes lies in `folder`."""
    server, keygen = needs.sshd(), needs.program("ssh-keygen", "openssh-client")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where it locks itself in
    for name in ("host", "mine"):
        subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    port = free_port()
    (folder / "sshd.conf").write_text(
        f"ListenAddress 127.0.0.1\nPort {port}\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/mine.pub\n"
        f"PidFile {folder}/sshd.pid\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
    )
    with (folder / "sshd.log").open("wb") as log:
        process = subprocess.Popen([server, "-D", "-e", "-f", folder / "sshd.conf"], stderr=log)
        try:
            answers(port, process, folder / "sshd.log")
            yield port, folder / "mine"
        finally:
            process.kill()
            process.wait()


async def test_a_delivery_comes_through_a_tunnel_of_ssh_as_the_page_makes_it(
    front: Front, tmp_path: Path
) -> None:
    needs.program("ssh", "openssh-client")
    (told,) = re.findall(r"`(ssh -N [^`]+)`", (RELAY.parents[1] / "docs" / "operations.md").read_text())
    there, here = free_port(), front.url.rpartition(":")[2]
    assert told.count(":8701:") == told.count(":8700 ") == 1
    command = told.replace(":8701:", f":{there}:").replace(":8700 ", f":{here} ")
    with ExitStack() as stack:
        port, key = stack.enter_context(ssh_server(tmp_path))
        where = f"{pwd.getpwuid(os.geteuid()).pw_name}@127.0.0.1"
        line = shlex.split(command.replace("you@relay.example", where))
        trust = ["-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={tmp_path}/known"]
        tunnel = subprocess.Popen([*line, "-F", "none", "-p", f"{port}", "-i", key, *trust])
        stack.callback(tunnel.wait)
        stack.callback(tunnel.kill)
        github = stack.enter_context(GitHubStandIn(tmp_path / "github"))
        await asyncio.to_thread(answers, there, tunnel, tmp_path / "sshd.log")
        github.install_app("octo", webhook_url=f"http://127.0.0.1:{there}/webhook", secret="a-webhook-secret")
        github.repository("octo/tea", files={"tea.py": "x = 1\n"}).open_issue("Tea", author="ann")
        await asyncio.to_thread(github.flush)
        assert {one.status_code for one in github.deliveries} == {202}
        assert front.stored() == len(github.deliveries) > 0


def answers(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Waits until something listens there, which comes of a process that writes to `log`."""
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.05)
    raise AssertionError(log.read_text())
