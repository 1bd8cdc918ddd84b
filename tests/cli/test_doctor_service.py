"""`hob doctor` says what the service sees, where the shell that asks sees something else."""

import json
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.cli.doctor import kept
from bot.cli.doctor import service as looked_at
from bot.config import load_config
from bot.config.running import file_of, read_running, write_running
from bot.sanitise.leaks import leaks
from tests.cli.conftest import SECRET, Hob


def told(hob: Hob) -> dict[str, Any]:
    """The line `service`."""
    ended = hob.run("doctor", "--json")
    assert not leaks(ended.stdout, [SECRET, "hunter2-of-redis"])
    found: dict[str, Any] = next(
        one for one in json.loads(ended.stdout)["checks"] if one["check"] == "service"
    )
    return found


def starts(hob: Hob, command: str = "work", **environ: str) -> None:
    """The test's own process, which lives, in the place of the service's."""
    given = hob.environ | environ
    write_running(load_config(hob.folder / "hob.toml", given), command, given)


def says(hob: Hob, command: str = "work", **fields: Any) -> None:
    """What the service wrote, with other words."""
    file = file_of(hob.folder / "data", command)
    file.write_text(json.dumps(json.loads(file.read_text()) | fields))


def later_file(hob: Hob) -> None:
    starts(hob)
    file = hob.folder / "hob.toml"
    file.write_text(file.read_text() + '[models]\nreview = ["other"]\n')
    os.utime(file, (time.time() + 5, time.time() + 5))


def own_variable(hob: Hob) -> None:
    starts(hob)
    hob.environ["HOB_SERVER__PUBLIC_URL"] = "http://127.0.0.1:9"


def its_variable(hob: Hob) -> None:
    starts(hob, HOB_QUEUE__REDIS_URL="redis://:hunter2-of-redis@127.0.0.1:6379")


def other_value(hob: Hob) -> None:
    os.utime(hob.folder / "hob.toml", (1, 1))
    hob.environ["HOB_MODELS__REVIEW"] = "one"
    starts(hob, HOB_MODELS__REVIEW="two")


def other_file(hob: Hob) -> None:
    starts(hob)
    says(hob, source="/etc/hob/hob.toml", folder="/var/lib/hob")


def other_user(hob: Hob) -> None:
    starts(hob)
    says(hob, uid=os.geteuid() + 1, user="hob", folder="/var/lib/hob")


def no_key(hob: Hob) -> None:
    host = {"name": "cloud", "kind": "openai", "url": "https://127.0.0.1:9", "api_key_env": "K"}
    hob.environ["HOB_HOSTS"] = json.dumps([host])
    starts(hob)
    hob.environ["K"] = "hunter2-of-redis"


def no_port(hob: Hob) -> None:
    starts(hob, "serve")
    assert told(hob)["ok"], "it is starting"
    os.utime(hob.folder / "hob.toml", (1, 1))
    says(hob, "serve", at=time.time() - 60)


def silent_receiver(hob: Hob) -> None:
    no_port(hob)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        (hob.folder / "data" / "hob.port").write_text(f"http://127.0.0.1:{free.getsockname()[1]}\n")


@pytest.mark.parametrize(
    ("happens", "detail", "hint"),
    [
        (later_file, "other values of models.review: hob.toml was changed after it started", "restart it"),
        (own_variable, "server.public_url: this shell has HOB_SERVER__PUBLIC_URL", "ask as it: cd "),
        (its_variable, "queue.redis_url: it was given HOB_QUEUE__REDIS_URL", "HOB_CONFIG="),
        (other_value, "models.review: HOB_MODELS__REVIEW is another there", "with its HOB_MODELS__REVIEW"),
        (other_file, "reads /etc/hob/hob.toml, this command /", "cd /var/lib/hob && env HOB_CONFIG=/etc/hob"),
        (other_user, "is user hob's", "cd /var/lib/hob && runuser -u hob -- env HOB_CONFIG=/"),
        (no_key, "was not given K, which this shell has", "service's environment"),
        (no_port, "did not say where it listens", "see its log"),
        (silent_receiver, "does not answer within 5 s", "restart it"),
    ],
    ids=["file", "shell", "service", "value", "other-file", "user", "key", "port", "silent"],
)
def test_where_the_service_sees_something_else_the_line_says_what_and_how_to_ask_as_it(
    hob: Hob, happens: Callable[[Hob], None], detail: str, hint: str
) -> None:
    happens(hob)
    line = told(hob)
    assert not line["ok"]
    assert detail in line["detail"], line
    assert hint in line["hint"], line


def test_a_service_with_the_same_settings_is_well(hob: Hob) -> None:
    assert told(hob)["detail"].startswith("does not run for this data directory")
    starts(hob)
    line = told(hob)
    assert line["ok"], line
    assert line["detail"].startswith(f"hob work (process {os.getpid()}, user ")


def test_X1_what_the_service_writes_down_holds_no_value(hob: Hob) -> None:
    starts(hob, HOB_QUEUE__REDIS_URL="redis://:hunter2-of-redis@127.0.0.1:6379")
    file = file_of(hob.folder / "data", "work")
    assert file.stat().st_mode & 0o777 == 0o600
    assert not leaks(file.read_text(), [SECRET, "hunter2-of-redis", SECRET[::-1]])
    first = json.loads(file.read_text())["digests"]
    starts(hob)
    second = json.loads(file.read_text())["digests"]
    assert first["hob.log_level"] != second["hob.log_level"]


@pytest.mark.parametrize("text", ["", "[]", "null", '{"owner": 1}', "[" * 60_000, '{"digests": []}'])
def test_a_damaged_word_of_the_service_is_none(tmp_path: Path, text: str) -> None:
    file_of(tmp_path, "work").write_text(text)
    assert read_running(tmp_path) == ()


def test_a_service_that_cannot_write_it_down_starts_all_the_same(hob: Hob) -> None:
    (hob.folder / "data").write_text("a file where the folder should be")
    starts(hob)


def test_a_service_that_ended_is_not_one_that_runs(hob: Hob) -> None:
    starts(hob)
    owner = read_running(hob.folder / "data")[0].owner
    says(hob, owner=f"{owner.rpartition(':')[0]}:1")
    line = told(hob)
    assert line["ok"]
    assert "it was started last 20" in line["detail"]


def test_a_service_in_another_container_is_named_and_not_judged_from_here(hob: Hob) -> None:
    """Its settings, its user and the address that it listens at are its own."""
    starts(hob, "serve", HOB_SERVER__PUBLIC_URL="http://127.0.0.1:9")
    says(hob, "serve", owner="serve-1/0badcafe:7:123", at=time.time() - 60, uid=10_001)
    line = told(hob)
    assert line["ok"], line
    assert "hob serve (serve-1, started 20" in line["detail"] and "ask there" in line["detail"]
    starts(hob)
    assert "hob work (process " in told(hob)["detail"]


def make_process(proc: Path, pid: int, *words: str, **environ: str) -> None:
    folder = proc / str(pid)
    folder.mkdir(parents=True)
    (folder / "cmdline").write_bytes(b"\0".join(one.encode() for one in words) + b"\0")
    (folder / "environ").write_bytes(b"".join(f"{k}={v}\0".encode() for k, v in environ.items()))
    (folder / "cwd").symlink_to("/var/lib/hob")


def test_other_hobs_of_this_machine_are_found_by_their_processes(tmp_path: Path) -> None:
    make_process(tmp_path, 9, "/opt/hob/python", "-m", "bot.cli", "work", HOB_HOB__DATA_DIR="/var/lib/hob",
                 HOB_CONFIG="/etc/hob/hob.toml", HOB_GITHUB__WEBHOOK_SECRET=SECRET)  # fmt: skip
    make_process(tmp_path, 10, "/usr/bin/vim", "-m", "bot.cli", "notes")
    make_process(tmp_path, 11, "grep", "bot.cli", "work")
    make_process(tmp_path, 12, "")
    (tmp_path / "self").mkdir()
    (found,) = looked_at.running_here(tmp_path)
    assert (found.pid, found.data_dir) == (9, Path("/var/lib/hob"))
    assert "HOB_CONFIG=/etc/hob/hob.toml" in found.said
    assert not leaks(found.said + found.ask, [SECRET])
    assert looked_at.running_here(tmp_path / "nowhere") == []


async def test_a_shell_without_hob_toml_is_led_to_the_hob_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_process(tmp_path / "proc", 9, "python", "-m", "bot.cli", "work", HOB_CONFIG="/etc/hob/hob.toml")
    there = looked_at.running_here(tmp_path / "proc")
    monkeypatch.setattr(looked_at, "running_here", lambda: there)
    monkeypatch.chdir(tmp_path)
    config = load_config(None, {"HOB_HOB__DATA_DIR": str(tmp_path / "data")})
    with pytest.raises(looked_at.Wrong, match=r"no hob\.toml was found; one does for another") as caught:
        await looked_at.service(config)
    assert "env HOB_CONFIG=/etc/hob/hob.toml hob doctor" in caught.value.hint


def test_a_hob_that_runs_is_seen_and_what_it_left_when_it_was_killed_is_removed(hob: Hob) -> None:
    up = hob.start("up")
    hob.url()
    port = hob.folder / "data" / "hob.port"
    hob.eventually(lambda: "there" if len(read_running(hob.folder / "data")) == 2 else "")
    line = told(hob)
    assert line["ok"], line
    assert "hob serve (process " in line["detail"] and "hob work (process " in line["detail"]
    pids = [int(one.pid) for one in read_running(hob.folder / "data")]
    for pid in (up.pid, *pids):
        os.kill(pid, signal.SIGKILL)
    up.wait()
    hob.eventually(lambda: "gone" if all(one.is_gone for one in read_running(hob.folder / "data")) else "")
    assert port.exists()
    line = told(hob)
    assert line["ok"] and line["fix"] == f"remove {port}"
    hob.run("doctor", "--fix")
    assert not port.exists()
    assert told(hob)["fix"] == ""


@pytest.mark.parametrize(
    ("free", "a_day", "ok", "says"),
    [
        (50 << 30, 0.0, True, "50.0 GB free"),
        (50 << 30, 1 << 30, True, "enough for 50 days at 1.0 GB a day"),
        (50 << 30, 1 << 20, True, "enough for years"),
        (10 << 30, 1 << 30, False, "enough for 10 days"),
        (1 << 29, 0.0, False, "512.0 MB free"),
    ],
)
async def test_how_long_there_is_room_is_told(
    hob: Hob, monkeypatch: pytest.MonkeyPatch, free: int, a_day: float, ok: bool, says: str
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": free}))
    monkeypatch.setattr(kept, "_grows", lambda _: a_day)
    line = await looked_at_line(hob)
    assert line.ok is ok
    assert says in line.detail
    assert ok or "[retention]" in line.hint


async def looked_at_line(hob: Hob) -> Any:
    from functools import partial

    from bot.cli.doctor.line import line

    config = load_config(hob.folder / "hob.toml", hob.environ)
    return await line("disk", partial(kept.disk, config))
