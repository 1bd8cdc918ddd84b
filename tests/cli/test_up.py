"""`hob up` as operators meet it: its log, a port that is taken, a database that is taken away."""

import json
import os
import pty
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.cli.conftest import Hob
from tests.cli.test_serve import children, send


@pytest.fixture
def taken() -> Iterator[str]:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        yield str(listening.getsockname()[1])


def log_lines(text: str) -> list[dict[str, str]]:
    assert "\x1b" not in text
    return [json.loads(line) for line in text.splitlines()]


def test_a_taken_port_ends_it_with_1_and_says_which_and_what_to_do(hob: Hob, taken: str) -> None:
    ended = hob.process("up", "--port", taken)
    assert ended.returncode == 1
    last = log_lines(ended.stderr)[-1]
    assert (last["level"], last["message"]) == (
        "error",
        f"cannot listen on 127.0.0.1:{taken}: Address already in use — "
        "set server.port to a free one, or stop what listens there",
    )


@pytest.mark.kills
@pytest.mark.timeout(240)
def test_its_log_in_a_pipe_is_json_from_the_first_line_to_the_last(hob: Hob) -> None:
    process = hob.start("up", FORCE_COLOR="1")
    send(hob.url())
    hob.eventually(lambda: "yes" if '"working' in hob.log() else "")
    first = hob.eventually(lambda: children(process.pid, "serve"))
    os.kill(int(first), signal.SIGKILL)
    hob.eventually(lambda: "yes" if hob.log().count('"listening on ') == 2 else "")
    hob.stop()
    said = [line["message"] for line in log_lines(hob.log())]
    assert said[0].startswith("data in ")
    assert any(line.startswith("hob serve ended with -9") for line in said)
    assert {"time", "level", "logger", "message"} <= set(log_lines(hob.log())[-1])


@pytest.mark.kills
@pytest.mark.timeout(240)
@pytest.mark.parametrize("lose", ["delete", "empty", "move"])
def test_a_database_that_is_lost_is_no_202_and_ends_it_when_it_cannot_start_again(
    hob: Hob, lose: str
) -> None:
    process = hob.start("up")
    url = hob.url()
    assert send(url).status_code == 202
    database = hob.folder / "data" / "hob.db"
    if lose == "empty":
        os.truncate(database, 0)
    elif lose == "move":
        database.rename(hob.folder / "away.db")
    else:
        database.unlink()
    for _ in range(3):
        assert send(url).status_code == 503
    assert not database.exists() or database.stat().st_size == 0
    os.kill(int(hob.eventually(lambda: children(process.pid, "serve"))), signal.SIGKILL)
    assert process.wait(60) == 1
    last = [line["message"] for line in log_lines(hob.log()) if line["level"] == "error"]
    assert any("there is nothing in the database — run hob migrate" in line for line in last)


def test_on_a_terminal_it_speaks_to_people_and_names_the_address(hob: Hob) -> None:
    hob.run("migrate")
    outer, inner = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "bot.cli", "serve"],
        cwd=hob.folder, env=hob.environ, stdin=inner, stdout=inner, stderr=inner,
    )  # fmt: skip
    os.close(inner)
    said, give_up = b"", time.monotonic() + 60
    try:
        while b"listening" not in said and time.monotonic() < give_up:
            with suppress(OSError):
                said += os.read(outer, 4096)
    finally:
        process.terminate()
        process.wait(30)
        os.close(outer)
    (line,) = [one for one in said.decode().splitlines() if "listening" in one]
    assert not line.startswith("{")
    assert "listening on http://127.0.0.1:" in line


BROKEN = {
    "no database": "",
    "a folder that is a file": "hob.data_dir",
    "a damaged database": "is damaged, or no database",
    "a newer database": "made by a newer Hob",
    "no psycopg": "psycopg is not installed",
}


def broken(hob: Hob, how: str) -> None:
    database = hob.folder / "data" / "hob.db"
    match how:
        case "a folder that is a file":
            (hob.folder / "data").write_text("")
        case "a damaged database":
            database.parent.mkdir(mode=0o700)
            database.write_bytes(b"only words" * 900)
        case "a newer database":
            assert hob.run("migrate").returncode == 0
            import sqlite3

            with closing(sqlite3.connect(database)) as connection, connection:
                connection.execute("UPDATE alembic_version SET version_num = '9999'")
                connection.execute("UPDATE meta SET value = X'39393939' WHERE key = 'oldest_schema'")
        case "no psycopg":
            hob.environ["HOB_STORE__DATABASE_URL"] = "postgresql+psycopg://hob@127.0.0.1:9/none"
            program = "import sys; sys.modules['psycopg'] = None"
            (hob.folder / "sitecustomize.py").write_text(program)
            hob.environ["PYTHONPATH"] = f"{hob.folder}:{hob.environ['PYTHONPATH']}"


COMMANDS = (
    ("up",),
    ("serve",),
    ("work",),
    ("migrate",),
    ("receive", "pull_request", "opened.json"),
    ("settings", "get", "--repo", "octo/tea"),
    ("memory", "list", "--repo", "octo/tea"),
    ("backtest", "octo/tea"),
)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("how", BROKEN)
def test_no_command_calls_a_broken_environment_unexpected(
    hob: Hob, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(hob, how)
    if how == "no psycopg":
        monkeypatch.setitem(sys.modules, "psycopg", None)  # as in the processes
    (hob.folder / "opened.json").write_text("{}")
    for command in COMMANDS:
        if how == "no database" and command[0] in ("up", "migrate"):
            continue
        ended = (hob.process if command == ("up",) else hob.run)(*command)  # it starts others
        said = ended.stdout + ended.stderr
        assert ended.returncode == 1, (command, said)
        assert "unexpected" not in said, (command, said)
        assert "Traceback" not in said, (command, said)
        assert BROKEN[how] in said or "data" in said, (command, said)
        assert len(ended.stderr.splitlines()) == 1, (command, said)


@pytest.mark.parametrize("name", ["missing/demo.svg", "file/demo.svg", "."])
def test_a_picture_that_cannot_be_written_is_said_before_the_work(hob: Hob, name: str) -> None:
    (hob.folder / "file").write_text("")
    began = time.monotonic()
    for command in (("demo", "--svg", name), ("graph", "export", "-o", name)):
        ended = hob.run(*command)
        assert ended.returncode == 2
        assert "unexpected" not in ended.stderr
        assert name in ended.stderr
    assert time.monotonic() - began < 60
    assert sorted(one.name for one in hob.folder.iterdir() if "demo" in one.name) == []


def demo_leftovers(folder: Path) -> list[str]:
    """Processes and files of a demonstration whose temporary folder is this."""
    left = [str(one) for one in folder.glob("hob-demo-*")]
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if not entry.name.isdigit():
                continue
            line = (entry / "cmdline").read_bytes()
            words = (entry / "environ").read_bytes() + line  # valkey writes its title over its environment
            inside = (entry / "cwd").readlink().is_relative_to(folder)
            if line and (inside or str(folder).encode() in words):
                left.append(f"{entry.name} {(entry / 'exe').readlink().name} {line!r}")
    return left


@pytest.mark.kills
@pytest.mark.timeout(300)
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL, "parent"])
def test_a_demonstration_that_is_killed_leaves_nothing_behind(
    hob: Hob, how: signal.Signals | str, tmp_path: Path
) -> None:
    temporary = tmp_path / "t"
    temporary.mkdir()
    told = tmp_path / "told.txt"
    line = f"{sys.executable} -m bot.cli demo --keep > {told} 2>&1 & echo $! > {tmp_path}/pid; wait"
    environ = {**hob.environ, "TMPDIR": str(temporary), "OLLAMA_HOST": "127.0.0.1:9"}
    parent = subprocess.Popen(["bash", "-c", line], cwd=hob.folder, env=environ)
    try:
        hob.eventually(lambda: "yes" if "Staying up" in told.read_text() else "", 150)
        assert any("valkey" in one or "redis" in one for one in demo_leftovers(temporary))
        pid = int((tmp_path / "pid").read_text())
        if how == "parent":
            parent.kill()
        else:
            os.kill(pid, how)
        hob.eventually(lambda: "" if demo_leftovers(temporary) else "gone", 60, every=0.5)
    finally:
        parent.kill()
        parent.wait()
