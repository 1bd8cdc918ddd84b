"""`hob doctor --fix` does what is safe, says so, and can be broken off and asked again."""

import fcntl
import json
import os
import pty
import sqlite3
import subprocess
import termios
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from bot.cli.doctor import fixes, machine
from bot.cli.doctor.line import line as line_of
from bot.cli.hosts import pull_models
from bot.config import load_config
from bot.core.errors import UserError
from bot.paths import socket_path
from bot.process import this_process
from bot.sanitise.leaks import leaks
from tests.cli.conftest import SECRET, Hob, make_key
from tests.commands import PROGRAM
from tests.fakes.models import FakeModel, FakeOllama, Stage, _Chat, pulled


def fixed(hob: Hob, *more: str) -> tuple[dict[str, bool], dict[str, Any]]:
    """What was done or not, and the lines after it."""
    ended = hob.run("doctor", "--fix", "--json", "--no-probe", *more)
    assert not leaks(ended.stdout + ended.stderr, [SECRET, make_key()])
    told = json.loads(ended.stdout)
    done = {one["what"]: one["done"] for one in told["fixed"]}
    assert ended.returncode == (0 if told["healthy"] and all(done.values()) else 1)
    return done, {one["check"]: one for one in told["checks"]}


def damage(hob: Hob) -> dict[str, Path]:
    """Whatever others may read that they must not."""
    (hob.folder / "hook.secret").write_text(f"{SECRET}-of-the-file")
    (hob.folder / "hob.toml").write_text(
        (hob.folder / "hob.toml")
        .read_text()
        .replace("[server]", 'webhook_secret_file = "hook.secret"\n[server]')
    )
    data = hob.folder / "data"
    data.mkdir()
    (hob.folder / "api.token").write_text("a-token-that-is-long-enough-for-an-api\n")
    found = {
        "private key": hob.folder / "app.pem",
        "configuration": hob.folder / "hob.toml",
        "webhook secret": hob.folder / "hook.secret",
        "API token": hob.folder / "api.token",
        "data directory": data,
    }
    for path in found.values():
        path.chmod(0o755 if path.is_dir() else 0o644)
    return found


def test_K1_what_others_can_read_is_taken_from_them_once(hob: Hob) -> None:
    damaged = damage(hob)
    done, lines = fixed(hob)
    assert all(done.values())
    for name, path in damaged.items():
        assert path.stat().st_mode & 0o077 == 0
        assert lines[name]["ok"], lines[name]
    assert lines["database"]["detail"].endswith("hob.db"), "which was made too"
    before = {path: path.stat().st_ctime_ns for path in damaged.values() if path.is_file()}
    assert fixed(hob)[0] == {}
    assert before == {path: path.stat().st_ctime_ns for path in before}


def test_without_fix_nothing_is_changed_and_each_line_says_what_would_be_done(hob: Hob) -> None:
    damaged = damage(hob)
    told = {one["check"]: one for one in json.loads(hob.run("doctor", "--json").stdout)["checks"]}
    for name, path in damaged.items():
        assert told[name]["fix"] == f"chmod {'700' if path.is_dir() else '600'} {path}"
        assert path.stat().st_mode & 0o044
    assert told["database"]["fix"].startswith("bring the database")
    assert not (hob.folder / "data" / "hob.db").exists()


def test_what_is_missing_is_made_and_said(hob: Hob) -> None:
    ended = hob.run("doctor", "--fix", "--no-probe")
    said = [one for one in ended.stdout.splitlines() if one.startswith("fix ")]
    data = hob.folder / "data"
    assert f"fix  make {data}: done" in said
    assert any("newest schema" in one and one.endswith(": done") for one in said)
    assert data.stat().st_mode & 0o777 == 0o700
    with sqlite3.connect(data / "hob.db") as database:
        assert database.execute("SELECT count(*) FROM runs").fetchone() == (0,)
    assert "fix  nothing that is safe to do" in hob.run("doctor", "--fix", "--no-probe").stdout


@pytest.mark.parametrize("last", [0, 1, 2, 3, 4, 5])
def test_what_was_broken_off_is_gone_on_with(hob: Hob, monkeypatch: pytest.MonkeyPatch, last: int) -> None:
    """Ctrl-C before each of the things in turn."""
    damaged, made = damage(hob), []
    real = fixes.apply

    def breaks(lines: Any, seen: set[str], agrees: Any) -> Any:
        for number, one in enumerate(real(lines, seen, agrees)):
            made.append(one)
            if number == last:
                raise KeyboardInterrupt
            yield one

    with monkeypatch.context() as patched:
        patched.setattr(fixes, "apply", breaks)
        ended = hob.run("doctor", "--fix", "--no-probe")
        assert ended.returncode not in (0, 1)
    done, lines = fixed(hob)
    assert len(done) + len(made) >= len(damaged)
    assert all(lines[name]["ok"] for name in damaged)


def test_a_file_of_another_user_is_left_as_it_is(hob: Hob, monkeypatch: pytest.MonkeyPatch) -> None:
    (hob.folder / "app.pem").chmod(0o644)
    owner = os.geteuid()
    monkeypatch.setattr("os.geteuid", lambda: owner + 7)
    with pytest.raises(UserError, match="belongs to another user"):
        fixes.close(hob.folder / "app.pem").act()
    assert (hob.folder / "app.pem").stat().st_mode & 0o777 == 0o644


def test_what_cannot_be_done_is_said_and_the_rest_is_done(hob: Hob, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    (hob.folder / "app.pem").chmod(0o644)
    monkeypatch.setattr("bot.store.migration.run", full)
    ended = hob.run("doctor", "--fix", "--no-probe")
    assert ended.returncode == 1
    assert (
        "FAIL bring the database to the newest schema (hob migrate): not done: No space left" in ended.stdout
    )
    assert (hob.folder / "app.pem").stat().st_mode & 0o777 == 0o600


def test_a_link_is_not_closed_but_what_it_names(hob: Hob) -> None:
    key = hob.folder / "app.pem"
    key.rename(hob.folder / "real.pem")
    key.symlink_to("real.pem")
    (hob.folder / "real.pem").chmod(0o644)
    done, lines = fixed(hob)
    assert done[f"chmod 600 {hob.folder / 'real.pem'}"]
    assert lines["private key"]["ok"]


async def test_a_socket_that_a_killed_redis_left_is_removed_and_one_that_answers_is_not(hob: Hob) -> None:
    config = load_config(hob.folder / "hob.toml", hob.environ)
    socket = socket_path(config.hob.data_dir)
    socket.parent.mkdir(parents=True)
    socket.touch()
    owner = config.hob.data_dir / "redis" / "owner"
    owner.write_text(this_process())
    assert (await line_of("queue", lambda: machine.queue(config))).fix is None, "who made it lives"
    owner.write_text(f"{this_process().rpartition(':')[0]}:1")
    line = await line_of("queue", lambda: machine.queue(config))
    assert line.ok and line.fix and "left over" in line.detail
    line.fix.act()
    line.fix.act()
    assert not socket.exists()
    assert (await line_of("queue", lambda: machine.queue(config))).fix is None


async def test_a_database_of_a_newer_version_is_a_failure_and_left_alone(hob: Hob) -> None:
    hob.run("migrate")
    config = load_config(hob.folder / "hob.toml", hob.environ)
    file = hob.folder / "data" / "hob.db"
    with sqlite3.connect(file) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.execute("UPDATE meta SET value = CAST('9999' AS BLOB) WHERE key = 'oldest_schema'")
    line = await line_of("database", lambda: machine.database(config))
    assert not line.ok and line.fix is None
    assert "a newer version's schema" in line.detail


class PullingOllama(FakeOllama):
    """Has a model once it was pulled; `breaks`: so many downloads end in the middle."""

    breaks = 0

    def routes(self) -> list[Any]:
        found = super().routes()
        next(one for one in found if one.path == "/api/pull").app = _Chat(self, self._pulled)
        return found

    async def _pulled(self, stage: Stage) -> None:
        if self.breaks:
            self.breaks -= 1
            await stage.line(status="pulling 8eeb52dfb3bb", total=4_000, completed=1_000)
            await stage.end()
            return
        self.models[stage.request["model"]] = FakeModel()
        await pulled(stage)

    @property
    def pulls(self) -> list[str]:
        return [one.json["model"] for one in self.requests if one.path == "/api/pull"]


@pytest.fixture
def pulling(hob: Hob, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(pull_models, "AGAIN_SECONDS", 0.0)
    with PullingOllama() as ollama:
        hob.environ["HOB_HOSTS"] = json.dumps([{"name": "mini", "url": ollama.url}])
        hob.environ |= dict.fromkeys(
            ("HOB_MODELS__REVIEW", "HOB_MODELS__CODE", "HOB_MODELS__TRIAGE", "HOB_MODELS__CHAT"), "tiny:1b"
        )
        yield hob, ollama


def test_a_missing_model_is_downloaded_only_where_somebody_agreed(pulling: tuple[Hob, PullingOllama]) -> None:
    hob, ollama = pulling
    done, lines = fixed(hob)
    assert done["have host mini download tiny:1b"] is False
    assert not ollama.pulls
    assert not next(one for name, one in lines.items() if name.startswith("models for review"))["ok"]
    ollama.breaks = 1
    done, lines = fixed(hob, "--yes")
    assert done["have host mini download tiny:1b"]
    assert ollama.pulls == ["tiny:1b"] * 2, "it was gone on with after it broke off"
    assert lines["models for review"]["ok"]
    assert fixed(hob, "--yes")[0] == {}


def test_a_download_that_fails_is_said_and_fails_the_command(pulling: tuple[Hob, PullingOllama]) -> None:
    hob, ollama = pulling
    ollama.breaks = 99
    done, _ = fixed(hob, "--yes")
    assert done["have host mini download tiny:1b"] is False


def test_yes_without_fix_is_wrong_usage(hob: Hob) -> None:
    ended = hob.run("doctor", "--yes")
    assert ended.returncode == 2
    assert "--yes goes with --fix" in ended.stderr


@pytest.mark.parametrize(("typed", "pulls"), [(b"y\n", 1), (b"\n", 1), (b"n\n", 0)])
def test_at_a_terminal_somebody_is_asked_before_a_download(
    pulling: tuple[Hob, PullingOllama], typed: bytes, pulls: int
) -> None:
    hob, ollama = pulling
    ours, theirs = pty.openpty()
    command = [PROGRAM, "doctor", "--fix", "--no-probe"]
    with subprocess.Popen(
        command, cwd=hob.folder, env=hob.environ, stdin=theirs, stdout=theirs, stderr=theirs,
        preexec_fn=lambda: (os.setsid(), fcntl.ioctl(0, termios.TIOCSCTTY, 0)),
    ) as running:  # fmt: skip
        os.close(theirs)
        said = b""
        while b"download tiny:1b? [Y/n]" not in said:
            said += os.read(ours, 4096)
        os.write(ours, typed)
        with suppress(OSError):
            while more := os.read(ours, 4096):
                said += more
        code = running.wait(60)
    os.close(ours)
    assert len(ollama.pulls) == pulls
    assert code == 1, said.decode()
