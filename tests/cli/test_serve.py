"""The receiver as processes: many at once, large bodies, a parent that is killed."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import httpx
import pytest

from bot.store import Store
from tests.cli.conftest import SECRET, Hob
from tests.web.conftest import BODY, headers


def send(url: str, body: bytes = b"", guid: str = "") -> httpx.Response:
    raw = body or json.dumps(BODY).encode()
    named = headers(raw, SECRET.encode(), x_github_delivery=guid or str(uuid.uuid4()))
    return httpx.post(f"{url}/webhook", content=raw, headers=named, timeout=30, trust_env=False)


def store_of(hob: Hob) -> Store:
    return Store(f"sqlite:///{hob.folder}/data/hob.db")


def four(hob: Hob, tmp_path: Path) -> list[str]:
    """Four receivers on one database; each says its address in its own log line."""
    assert hob.run("migrate").returncode == 0
    for _ in range(4):
        hob.fork("serve")
    hob.eventually(lambda: "yes" if hob.log().count('"listening on ') == 4 else "")
    lines = [json.loads(line) for line in hob.log().splitlines() if '"url"' in line]
    return [line["url"] for line in lines]


def test_W4_one_guid_100_times_over_4_receivers_is_one_row(hob: Hob, tmp_path: Path) -> None:
    urls = four(hob, tmp_path)
    guid = str(uuid.uuid4())
    raw = json.dumps(BODY).encode()

    async def all_at_once() -> list[httpx.Response]:
        async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
            named = headers(raw, SECRET.encode(), x_github_delivery=guid)
            sends = (client.post(f"{urls[n % 4]}/webhook", content=raw, headers=named) for n in range(100))
            return await asyncio.gather(*sends)

    answers = asyncio.run(all_at_once())
    assert {answer.status_code for answer in answers} == {202}
    assert [answer.json()["duplicate"] for answer in answers].count(False) == 1
    store = store_of(hob)
    assert sum(store.inbox.counts().values()) == 1
    store.close()


def test_a_receiver_needs_a_migrated_database(hob: Hob) -> None:
    ended = hob.process("serve")
    assert ended.returncode == 1
    assert ended.stderr == (
        "hob: there is nothing in the database — run hob migrate, as hob up does; "
        "or another hob.toml is meant: `hob doctor` names this one\n"
    )


def test_K1_a_receiver_does_not_start_without_a_secret(hob: Hob) -> None:
    hob.environ["HOB_GITHUB__WEBHOOK_SECRET"] = ""
    for ended in (hob.run("serve"), hob.process("up")):
        assert ended.returncode == 1
        assert "Hob does not start without a webhook secret" in ended.stderr
    assert not (hob.folder / "data" / "hob.db").exists()


def test_a_port_that_is_taken_is_said(hob: Hob) -> None:
    hob.run("migrate")
    hob.fork("serve")
    port = hob.url().rpartition(":")[2]
    ended = hob.process("serve", "--port", port)
    assert ended.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use — set server.port" in ended.stderr


def memory(pid: int) -> int:
    """Bytes of its own, at the highest so far."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in text.splitlines() if line.startswith("VmHWM"))) * 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc to measure")
def test_W7_large_bodies_cost_less_than_60_mb(hob: Hob) -> None:
    hob.run("migrate")
    process = hob.start("serve")
    url = hob.url()
    assert send(url).status_code == 202
    before = memory(process.pid)
    commit = {
        "id": "%040x",
        "message": "Say hello to %d",
        "author": {"name": "mona", "email": "mona@example"},
    }
    commits = ",".join(json.dumps(commit) % (n * 7919**9, n) for n in range(200_000))
    body = b'{"action": "x", "commits": [' + commits.encode()[: (24 << 20)].rpartition(b",{")[0] + b"]}"
    assert len(body) > 23 << 20
    assert send(url, body).status_code == 202
    assert send(url, b"x" * (26 << 20)).status_code == 413
    assert memory(process.pid) - before < 60 << 20


def test_sigterm_ends_it_quietly(hob: Hob) -> None:
    hob.run("migrate")
    process = hob.start("serve")
    hob.url()
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert "Traceback" not in hob.log()
    assert not (hob.folder / "data" / "hob.port").exists()


def test_it_ends_with_whoever_holds_its_pipe(hob: Hob) -> None:
    hob.run("migrate")
    program = (
        "import os, subprocess, sys, time; r, w = os.pipe(); "
        "serve = [sys.executable, '-m', 'bot.cli', 'serve', '--parent-watch', str(r)]; "
        "subprocess.Popen(serve, pass_fds=(r,)); "
        "time.sleep(600)"
    )
    with (hob.folder / "hob.log").open("a") as log:
        parent = subprocess.Popen(
            [sys.executable, "-c", program], cwd=hob.folder, env=hob.environ, stdout=log, stderr=log
        )
    url = hob.url()
    parent.kill()
    parent.wait()
    hob.eventually(lambda: gone(url))


def gone(url: str) -> str:
    try:
        httpx.get(f"{url}/healthz", trust_env=False)
    except httpx.ConnectError:
        return "gone"
    except httpx.ReadError:  # cut off while it goes
        return ""
    return ""


def test_K5_the_logs_of_a_receiver_at_debug_show_no_secret(hob: Hob) -> None:
    hob.run("migrate")
    hob.fork("serve", "--debug")
    url = hob.url()
    token = (hob.folder / "api.token").read_text().strip()
    send(url)
    httpx.get(f"{url}/runs", headers={"authorization": f"Bearer {token}"}, trust_env=False)
    httpx.post(f"{url}/login", data={"token": token}, trust_env=False)
    hob.stop()
    shown = hob.log()
    key = (hob.folder / "app.pem").read_text().splitlines()[3]
    for secret in (SECRET, token, key):
        assert secret not in shown


@pytest.mark.kills
def test_up_starts_again_what_is_killed_and_leaves_nothing_behind(hob: Hob) -> None:
    process = hob.start("up")
    hob.url()
    assert hob.eventually(lambda: children(process.pid, "serve"))
    assert (hob.folder / "data").stat().st_mode & 0o777 == 0o700
    first = hob.eventually(lambda: children(process.pid, "serve"))
    os.kill(int(first), signal.SIGKILL)
    second = hob.eventually(lambda: found if (found := children(process.pid, "serve")) != first else "")
    assert send(hob.url()).status_code == 202
    worker = hob.eventually(lambda: children(process.pid, "work"))
    process.kill()
    process.wait()
    hob.eventually(lambda: "" if any(Path(f"/proc/{pid}").exists() for pid in (second, worker)) else "gone")


def children(pid: int, name: str) -> str:
    """The id of a process's child that runs `hob NAME`."""
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        forked = Path(f"/proc/{child}/comm").read_text() == f"{name}\n"
        if forked or f"\0{name}\0" in Path(f"/proc/{child}/cmdline").read_text():
            return child
    return ""
