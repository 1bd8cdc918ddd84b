"""`hob doctor`: each failing line says how to mend it."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from bot.cli.doctor import code, examine, hosts, machine, remote
from bot.cli.doctor.line import DoctorResult, Wrong
from bot.cli.doctor.line import line as line_of
from bot.cli.doctor.machine import configuration
from bot.config import load_config
from bot.core.errors import UserError
from bot.core.hosts import Host
from bot.store import migrate, open_store
from bot.store.polling import PollingStatus
from bot.testing.github import GitHubStandIn
from tests import needs
from tests.cli.conftest import SECRET, Hob
from tests.databases import at_newest_schema
from tests.store.making import queued

MODELS = ("qwen2.5-coder:14b", "qwen2.5:7b", "nomic-embed-text:latest")


class Ollama(BaseHTTPRequestHandler):
    """As much of Ollama as is asked: version, tags, show."""

    def log_message(self, *_: Any) -> None:
        pass

    def _answer(self, body: object) -> None:
        raw = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def do_GET(self) -> None:
        models = [{"name": name, "model": name, "digest": name, "size": 1} for name in MODELS]
        self._answer({"version": "0.9"} if self.path == "/api/version" else {"models": models})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        details = {"family": "qwen2", "parameter_size": "14B", "quantization_level": "Q4"}
        info = {"general.architecture": "qwen2", "qwen2.context_length": 32768}
        self._answer({"details": details, "model_info": info, "capabilities": ["completion"], "template": ""})


@contextmanager
def ollama(address: str) -> Iterator[int]:
    server = ThreadingHTTPServer((address, 0), Ollama)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def checks(hob: Hob) -> dict[str, dict[str, Any]]:
    ended = hob.run("doctor", "--json")
    shown = json.loads(ended.stdout)
    assert ended.stderr == ""
    assert ended.returncode == (0 if shown["healthy"] else 1)
    assert SECRET not in ended.stdout
    return {each["check"]: each for each in shown["checks"]}


def test_each_failing_line_says_how_to_mend_it(hob: Hob) -> None:
    found = checks(hob)
    failing = {name for name, each in found.items() if not each["ok"]}
    assert failing >= {"GitHub", "host local"}
    for name in failing:
        assert found[name]["hint"]
    for name in (
        "python",
        "git",
        "ruff",
        "sandbox",
        "configuration",
        "webhook secret",
        "private key",
        "API token",
    ):
        assert found[name]["ok"], found[name]
    hob.run("migrate")
    assert checks(hob)["database"]["detail"].endswith("hob.db")


def test_for_a_person_it_is_a_line_a_check(hob: Hob) -> None:
    ended = hob.run("doctor")
    assert ended.returncode == 1
    *lines, blank, last = ended.stdout.splitlines()
    found = checks(hob)
    assert len(lines) == len(found)
    assert all(line.startswith(("ok   ", "FAIL ")) for line in lines)
    failing = ", ".join(name for name, one in found.items() if not one["ok"])
    assert (blank, last) == ("", f"to mend, of {len(found)} lines: {failing}")


def test_K1_the_doctor_names_what_others_can_read(hob: Hob) -> None:
    (hob.folder / "app.pem").chmod(0o644)
    (hob.folder / "hob.toml").chmod(0o644)
    (hob.folder / "data").mkdir(mode=0o755)
    (hob.folder / "data").chmod(0o755)
    found = checks(hob)
    assert found["private key"]["hint"] == f"chmod 600 {hob.folder}/app.pem"
    assert found["configuration"]["hint"] == f"chmod 600 {hob.folder}/hob.toml"
    assert found["data directory"]["hint"] == f"chmod 700 {hob.folder}/data"


@pytest.mark.parametrize(
    ("lines", "fine"),
    [
        ('[github]\nwebhook_secret = "x"', False),
        ('[store]\ndatabase_url = "postgresql+psycopg://hob:pass@127.0.0.1/hob"', False),
        ('[queue]\nredis_url = "redis://:pass@127.0.0.1:6379"', False),
        ('[queue]\nredis_url = "embedded"', True),
        ("", True),
    ],
)
def test_K1_a_file_that_others_can_read_is_wrong_where_a_secret_is_in_it(
    tmp_path: Path, lines: str, fine: bool
) -> None:
    source = tmp_path / "hob.toml"
    source.write_text(lines)
    source.chmod(0o644)
    config = load_config(source, {"HOB_GITHUB__WEBHOOK_SECRET": SECRET})
    with nullcontext() if fine else pytest.raises(Wrong, match="can be read by others"):
        assert asyncio.run(configuration(config)) == str(source)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("HOB_GITHUB__WEBHOOK_SECRET", "", "Hob does not start without a webhook secret"),
        ("HOB_QUEUE__REDIS_URL", "redis://10.0.0.1:6379", "can be reached by other machines"),
    ],
)
def test_K1_the_doctor_fails_without_secret_or_password(hob: Hob, name: str, value: str, says: str) -> None:
    hob.environ[name] = value
    found = checks(hob)
    assert any(says in each["detail"] + each["hint"] for each in found.values() if not each["ok"])


def test_a_host_with_its_models_is_healthy(hob: Hob) -> None:
    with ollama("127.0.0.1") as port:
        hob.environ["HOB_HOSTS"] = json.dumps([{"name": "mini", "url": f"http://127.0.0.1:{port}"}])
        found = checks(hob)
    assert found["host mini"]["ok"]
    assert "qwen2.5:7b (32768 tokens)" in found["host mini"]["detail"]
    assert found["models for review"]["ok"]
    assert found["models for triage"]["detail"].startswith("qwen2.5:7b on mini")


def test_a_missing_model_is_named(hob: Hob) -> None:
    with ollama("127.0.0.1") as port:
        hob.environ["HOB_HOSTS"] = json.dumps([{"name": "mini", "url": f"http://127.0.0.1:{port}"}])
        hob.environ["HOB_MODELS__REVIEW"] = "no-such-model"
        found = checks(hob)
    assert not found["models for review"]["ok"]
    assert "no-such-model" in found["models for review"]["detail"]


def test_vectors_are_told_of_and_nothing_fails_without_them(hob: Hob) -> None:
    with ollama("127.0.0.1") as port:
        hob.environ["HOB_HOSTS"] = json.dumps([{"name": "mini", "url": f"http://127.0.0.1:{port}"}])
        found = checks(hob)
        hob.environ["HOB_MODELS__EMBED"] = "no-such-model"
        without = checks(hob)
    assert found["models for embed"]["detail"].startswith("nomic-embed-text:latest on mini")
    assert without["models for embed"]["ok"]
    assert "go by words alone" in without["models for embed"]["detail"]
    assert "ollama pull no-such-model" in without["models for embed"]["detail"]


async def test_K1_ollama_on_all_interfaces_is_a_failing_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """127.0.0.2 stands in for this machine's address on a network, which a test machine may not have."""
    monkeypatch.setattr(hosts, "own_addresses", lambda: ["127.0.0.2"])
    with ollama("0.0.0.0") as port:
        with pytest.raises(UserError, match="listens on all interfaces") as caught:
            await hosts.is_private(Host("mini", "ollama", f"http://127.0.0.1:{port}"))
        assert caught.value.hint.startswith("set OLLAMA_HOST=127.0.0.1")
    with ollama("127.0.0.1") as port:
        assert (
            await hosts.is_private(Host("mini", "ollama", f"http://127.0.0.1:{port}")) == "this machine only"
        )


def test_K1_hob_doctor_fails_while_others_reach_ollama(hob: Hob) -> None:
    if not (own := [address for address in hosts.own_addresses() if ":" not in address]):
        needs.missing("an address on a network", "a network interface")
    for address, private in (("0.0.0.0", False), ("127.0.0.1", True)):
        with ollama(address) as port:
            hob.environ["HOB_HOSTS"] = json.dumps([{"name": "mini", "url": f"http://127.0.0.1:{port}"}])
            line = checks(hob)["host mini exposure"]
        assert line["ok"] is private, line
        if not private:
            assert line["detail"] == f"listens on all interfaces ({own[0]} answers)"
            assert line["hint"].startswith("set OLLAMA_HOST=127.0.0.1")


def test_own_addresses_are_not_loopback_ones() -> None:
    assert not [address for address in hosts.own_addresses() if address.startswith("127.")]


def test_a_clock_that_is_wrong_and_an_app_of_another_name(hob: Hob) -> None:
    """GitHub, as far as the doctor asks it, by a server that tells a time long past."""

    class Past(Ollama):
        def date_time_string(self, timestamp: float | None = None) -> str:
            return "Sat, 01 Nov 2025 00:00:00 GMT"

        def do_GET(self) -> None:
            self._answer({"slug": "another-hob", "permissions": {}, "events": []})

    server = ThreadingHTTPServer(("127.0.0.1", 0), Past)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        hob.environ["HOB_GITHUB__API_URL"] = f"http://127.0.0.1:{server.server_address[1]}"
        found = checks(hob)
        assert "ahead of GitHub's" in found["clock"]["detail"]
        assert "another-hob" in found["GitHub App"]["detail"]
        hob.environ["HOB_GITHUB__APP_SLUG"] = "another-hob"
        assert "permissions are missing" in checks(hob)["GitHub App"]["detail"]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_one_cause_is_one_failure_that_names_what_follows(hob: Hob) -> None:
    found = checks(hob)
    assert {"GitHub", "host local"} == {name for name, each in found.items() if not each["ok"]}
    assert "clock, GitHub App, installations, code, webhook" in found["GitHub"]["detail"]
    assert "no model for review, no model for code" in found["host local"]["detail"]


def test_what_hob_up_makes_is_no_failure(hob: Hob) -> None:
    found = checks(hob)
    for name in ("data directory", "database"):
        assert found[name]["ok"]
        assert "hob up makes it" in found[name]["detail"]
    assert not (hob.folder / "data" / "hob.db").exists()


def test_one_missing_model_is_one_failure(hob: Hob) -> None:
    with ollama("127.0.0.1") as port:
        hob.environ["HOB_HOSTS"] = json.dumps([{"name": "mini", "url": f"http://127.0.0.1:{port}"}])
        hob.environ |= dict.fromkeys(("HOB_MODELS__REVIEW", "HOB_MODELS__CODE"), "no-such-model")
        found = checks(hob)
    assert found["models for review, code"]["hint"].startswith("pull one (ollama pull no-such-model)")


async def test_a_silent_host_costs_no_other_host_its_line(hob: Hob, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.inference.hosts.known_host.ASK_SECONDS", 3.0)
    monkeypatch.setattr("bot.cli.doctor.line.SECONDS", 1.0)
    with ollama("127.0.0.1") as port, socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        urls = {"mini": port, "silent": silent.getsockname()[1]}
        hob.environ["HOB_HOSTS"] = json.dumps(
            [{"name": name, "url": f"http://127.0.0.1:{number}"} for name, number in urls.items()]
        )
        lines = await examine._hosts(load_config(hob.folder / "hob.toml", hob.environ))
    found = {line.name: line for line in lines}
    assert found["host mini"].ok
    assert MODELS[0] in found["host mini"].detail
    assert not found["host silent"].ok
    assert "within 3 s" in found["host silent"].detail


def test_a_heavy_host_is_not_started(hob: Hob) -> None:
    heavy = {"name": "heavy", "url": "http://127.0.0.1:9", "start": ["touch", str(hob.folder / "started")]}
    hob.environ["HOB_HOSTS"] = json.dumps([heavy])
    found = checks(hob)
    assert found["host heavy"]["ok"]
    assert "Hob starts it when it is needed" in found["host heavy"]["detail"]
    assert found["models for review"]["detail"] == "told once heavy is started"
    assert not (hob.folder / "started").exists()


@pytest.fixture
def at_github(hob: Hob, tmp_path: Path) -> Iterator[tuple[Hob, GitHubStandIn]]:
    """The App exists, with a webhook to a port where nobody listens."""
    with GitHubStandIn(tmp_path / "github") as github:
        github.install_app("octo", slug="my-hob")
        assert github.app is not None
        (hob.folder / "app.pem").write_text(github.private_key)
        hob.environ |= {
            "HOB_GITHUB__API_URL": github.api_url,
            "HOB_GITHUB__APP_ID": str(github.app.id),
            "HOB_SERVER__PUBLIC_URL": "http://127.0.0.1:9",
        }
        yield hob, github


async def webhook(hob: Hob) -> DoctorResult:
    config = load_config(hob.folder / "hob.toml", hob.environ)
    return await line_of("webhook", partial(remote.webhook, config))


async def test_the_webhook_is_looked_at_too(at_github: tuple[Hob, GitHubStandIn]) -> None:
    hob, github = at_github
    line = await webhook(hob)
    assert (line.ok, line.detail) == (False, "the App has no webhook address")
    github.send_webhooks_to("http://127.0.0.1:9/elsewhere")
    assert "server.public_url makes it http://127.0.0.1:9/webhook" in (await webhook(hob)).detail
    github.send_webhooks_to("http://127.0.0.1:9/webhook", secret="")
    assert (await webhook(hob)).detail == "the App's webhook has no secret"
    github.send_webhooks_to("http://127.0.0.1:9/webhook")
    assert "nothing was delivered yet" in (await webhook(hob)).detail
    github.repository("octo/tea", files={"a.py": "x"}).open_issue("Cold", "", author="ann")
    github.deliveries[-1].wait()
    line = await webhook(hob)
    assert "(502, no connection)" in line.detail
    assert "GitHub reaches the address" in line.hint


async def test_where_deliveries_are_read_the_webhook_needs_an_address_and_nobody_there(
    at_github: tuple[Hob, GitHubStandIn],
) -> None:
    hob, github = at_github
    hob.environ["HOB_INTAKE__MODE"] = "poll"
    assert "GitHub keeps only what it tries to send" in (await webhook(hob)).detail
    github.send_webhooks_to("http://127.0.0.1:9/webhook", secret="")
    github.repository("octo/tea", files={"a.py": "x"}).open_issue("Cold", "", author="ann")
    github.deliveries[-1].wait()
    line = await webhook(hob)
    assert line.ok and "1 of the latest deliveries are kept" in line.detail
    github.deliveries[-1].status_code = 200
    line = await webhook(hob)
    assert not line.ok and "took 1 of the latest 1 deliveries" in line.detail


async def test_how_deliveries_come_and_that_polling_fails_is_a_line(hob: Hob) -> None:
    async def intake(mode: str) -> DoctorResult:
        config = load_config(hob.folder / "hob.toml", hob.environ | {"HOB_INTAKE__MODE": mode})
        return await line_of("intake", partial(machine.intake, config))

    assert (await intake("webhook")).detail == "webhook: GitHub calls POST /webhook"
    assert (await intake("poll")).detail == "poll; nobody has asked yet (hob up does)"
    url = f"sqlite:///{hob.folder / 'data' / 'hob.db'}"
    (hob.folder / "data").mkdir(mode=0o700)
    at_newest_schema(url)
    store = open_store(url)
    store.polling.save(PollingStatus(looked_at=time.time() - 5, next_at=time.time() + 50))
    assert "both: asked 5 s ago" in (await intake("both")).detail
    store.polling.save(PollingStatus(failing_since=time.time() - 500, error="GitHub answered 502"))
    store.close()
    line = await intake("poll")
    assert not line.ok and "poll: polling fails since 2" in line.detail and "502" in line.detail


@pytest.mark.parametrize(
    ("status", "says"), [(401, "secret is not github.webhook_secret"), (404, "/webhook"), (202, "")]
)
def test_how_the_latest_deliveries_were_answered_is_told(
    at_github: tuple[Hob, GitHubStandIn], status: int, says: str
) -> None:
    class Receiver(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(status)
            self.end_headers()

    hob, github = at_github
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        hob.environ["HOB_SERVER__PUBLIC_URL"] = f"http://127.0.0.1:{server.server_address[1]}"
        github.send_webhooks_to(f"http://127.0.0.1:{server.server_address[1]}/webhook")
        github.repository("octo/tea", files={"a.py": "x"}).open_issue("Cold", "", author="ann")
        github.deliveries[-1].wait()
        line = checks(hob)["webhook"]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert line["ok"] is (status == 202), line
    assert says in line["hint"]


async def test_a_permission_that_code_needs_is_a_failure_only_where_code_is_wanted(
    at_github: tuple[Hob, GitHubStandIn],
) -> None:
    hob, github = at_github

    async def told() -> DoctorResult:
        config = load_config(hob.folder / "hob.toml", hob.environ)
        return await line_of("code", partial(code.permission, config))

    line = await told()
    assert line.ok
    assert "`changelog`, " in line.detail
    assert "answer with words only" in line.detail
    hob.run("migrate")
    stored = hob.run("settings", "set", "code.enabled", "true", "--org", "octo")
    assert stored.returncode == 0, stored.stderr
    line = await told()
    assert not line.ok
    assert "code is wanted (stored settings of octo), and the App has not contents: write" in line.detail
    assert "Contents: read and write" in line.hint
    assert checks(hob)["code"]["hint"] == line.hint
    assert github.app is not None
    github.app.permissions = {**github.app.permissions, "contents": "write"}
    line = await told()
    assert not line.ok
    assert "contents: write is not accepted by octo" in line.detail
    for one in github.installations.values():
        one.permissions = {**one.permissions, "contents": "write"}
    assert (await told()).detail == "may be written in 1 installations (contents: write)"


def test_the_sizes_of_what_is_kept_are_shown_with_how_they_grow(hob: Hob) -> None:
    assert "nothing yet" in _line(hob, "kept")
    url = f"sqlite:///{hob.folder / 'data' / 'hob.db'}"
    migrate(url)
    store = open_store(url)
    queued(store, body=b"x" * 70_000)
    store.close()
    (hob.folder / "data" / "clones" / "12.git").mkdir(parents=True)
    (hob.folder / "data" / "clones" / "12.git" / "HEAD").write_bytes(b"x" * 3_000)
    said = _line(hob, "kept")
    assert "1 deliveries" in said
    assert "a day)" in said
    assert "1 clones 2.9 KB" in said
    assert "in 7 days" in said


def _line(hob: Hob, name: str) -> str:
    told = json.loads(hob.run("doctor", "--json").stdout)["checks"]
    return next(f"{one['detail']}" for one in told if one["check"] == name)
