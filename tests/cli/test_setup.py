"""`hob setup` at a terminal without a browser, again and again, and broken off anywhere."""

import fcntl
import html
import json
import os
import plistlib
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.cli.setup import keep
from bot.cli.setup.by_paste import PendingPaste, code_and_state
from bot.cli.setup.service import service_for
from bot.config import load_config, private_key
from bot.core.errors import ConfigError
from bot.core.model_choice import SIZES
from bot.github.registration import AppRequest, RegisteredApp
from bot.testing.github import GitHubStandIn
from bot.web.setup import SetupRequest
from tests import commands, needs
from tests.fakes import models
from tests.fakes.models import FakeModel, FakeOllama, Stage

MODEL = "qwen2.5-coder:1.5b"
"""Which every machine holds."""
NOBODY = "http://127.0.0.1:9"


@dataclass
class Operator:
    """Who sets a Hob up by commands, with a browser somewhere else."""

    folder: Path
    github: GitHubStandIn
    ollama: FakeOllama
    environ: dict[str, str]

    def types(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        words = ("setup", *arguments, "--github", self.github.origin, "--minutes", "0")
        return commands.run(*words, folder=self.folder, environ=self.environ)

    def json(self, *arguments: str, code: int | None = None) -> dict[str, Any]:
        ended = self.types("--json", *arguments)
        assert code in (None, ended.returncode), ended.stderr
        told: dict[str, Any] = json.loads(ended.stdout)
        return told

    def creates(self, name: str = "") -> str:
        """Opens the printed page elsewhere; gives the address at which the browser ends."""
        page = (self.folder / "hob-setup.html").read_text()
        action, manifest = (
            html.unescape(re.findall(f'{key}="([^"]+)"', page)[0]) for key in ("action", "value")
        )
        with httpx.Client(trust_env=False) as browser:
            shown = browser.post(action, data={"manifest": manifest}).text
            pairs = re.findall(r'name="(\w+)" value="([^"]*)"', shown)
            fields = {key: html.unescape(value) for key, value in pairs} | ({"name": name} if name else {})
            made = browser.post(self.github.origin + re.findall(r'action="([^"]+)"', shown)[0], data=fields)
        return str(made.headers["location"])

    def written(self) -> dict[str, bytes]:
        return {each.name: each.read_bytes() for each in self.folder.iterdir() if each.is_file()}

    def registers(self, name: str = "") -> None:
        self.json("--print", code=0)
        self.json("--paste", self.creates(name), code=1)


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Operator]:
    folder = tmp_path / "hob"
    folder.mkdir()
    with GitHubStandIn(tmp_path / "github") as github, FakeOllama({MODEL: FakeModel()}) as ollama:
        github.html_url = github.origin
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HOB_")}
        environ = {
            **kept,
            "HOME": str(folder),
            "HOB_CONFIG": str(folder / "hob.toml"),
            "HOB_HOB__DATA_DIR": str(folder / "data"),
            "OLLAMA_HOST": ollama.url,
            "PYTHONPATH": str(Path(__file__).parents[2]),
        }
        yield Operator(folder, github, ollama, environ)


def test_without_a_browser_a_page_is_opened_elsewhere_and_its_end_is_brought_back(operator: Operator) -> None:
    told = operator.json("--print", "--name", "hob-ann", code=0)
    assert told["waits_for"] == "hob setup --paste 'ADDRESS'"
    assert told["app"] is None
    assert (operator.folder / "hob-setup.html").stat().st_mode & 0o777 == 0o600
    told = operator.json("--paste", operator.creates(), code=1)
    assert told["app"]["slug"] == "hob-ann"
    assert told["waits_for"] == f"{operator.github.origin}/apps/hob-ann/installations/new"
    assert not (operator.folder / "hob-setup.html").exists()
    operator.github.install_app("octo")
    told = operator.json(code=0)
    assert (told["healthy"], told["installed_on"], told["waits_for"]) == (True, ["octo"], None)
    assert told["model"] == MODEL
    config = load_config(operator.folder / "hob.toml", {})
    assert (config.intake.mode, config.models.triage) == ("poll", (MODEL,))
    assert config.hosts[0].url == operator.ollama.url


def test_again_it_says_what_is_there_and_changes_nothing(operator: Operator) -> None:
    operator.registers()
    operator.github.install_app("octo")
    operator.json(code=0)
    before = operator.written()
    ended = operator.types("--no-start")
    assert ended.returncode == 0, ended.stderr
    assert "the App is there: @hob-" in ended.stdout
    assert "all is ready: hob up" in ended.stdout
    program = Path(sys.executable).with_name("hob")
    for path, told in ((f"{program.parent}:/usr/bin:/bin", False), ("/usr/bin:/bin", True)):
        operator.environ["PATH"] = path
        assert (f"ln -s {program} ~/.local/bin/hob" in operator.types("--no-start").stdout) == told
    assert "FAIL" not in ended.stdout
    assert operator.written() == before


def test_no_secret_is_said(operator: Operator) -> None:
    operator.registers()
    operator.github.install_app("octo")
    said = operator.types("--no-start")
    secrets = [operator.github.post.secret, *operator.github.private_key.splitlines()[1:-1]]
    assert not [secret for secret in secrets if secret in said.stdout + said.stderr]
    toml = (operator.folder / "hob.toml").read_text()
    assert not [secret for secret in secrets if secret in toml]


def test_K4_a_pasted_address_of_another_setup_is_refused(operator: Operator) -> None:
    operator.json("--print", code=0)
    address = operator.creates()
    before = operator.written()
    for wrong in (re.sub(r"state=[^&]+", "state=foreign", address), re.sub(r"&state=[^&]+", "", address)):
        ended = operator.types("--paste", wrong)
        assert ended.returncode == 1
        assert "does not come from this setup" in ended.stderr
    assert operator.written() == before
    code = re.findall(r"code=(\w+)", address)[0]
    assert operator.json("--paste", code)["app"], "a code that the person at the terminal gives"
    ended = operator.types("--paste", address, "--new")
    assert (ended.returncode, "run `hob setup --print` first" in ended.stderr) == (1, True)


ADDRESS = "http://127.0.0.1:8699/setup/created?code=abc123&state=s-1_x"


@pytest.mark.parametrize(
    ("pasted", "found"),
    [
        (ADDRESS, ("abc123", "s-1_x")),
        (f"  <{ADDRESS}>\n", ("abc123", "s-1_x")),
        (ADDRESS.replace("c12", "c\n  12").replace("s-1", "s- 1"), ("abc123", "s-1_x")),
        (ADDRESS.replace("&", "&amp;"), ("abc123", "s-1_x")),
        (ADDRESS.replace(":8699", "\uff1a8699"), ("abc123", "s-1_x")),
        (ADDRESS.replace("127.0.0.1", "["), ("abc123", "s-1_x")),
        (f"{ADDRESS}#top", ("abc123", "s-1_x")),
        ("code=abc123&state=s-1_x", ("abc123", "s-1_x")),
        (" abc\t123\n", ("abc123", "waited")),
        ("http://127.0.0.1:8699/?code=abc123&state=", ("abc123", "")),
        ("http://127.0.0.1:8699/?code=&state=x", ("", "x")),
        ("", ("", "waited")),
        ("?code=" + "a" * 1_000_000, ("a" * 4090, "")),
    ],
    ids=lambda one: str(one)[:30],
)
def test_K4_an_address_is_read_however_it_was_broken_on_its_way(pasted: str, found: tuple[str, str]) -> None:
    waited = PendingPaste("waited", 0.0, SetupRequest(AppRequest("x"), "https://api.github.com"))
    assert code_and_state(pasted, waited) == found


def test_K4_of_two_setups_at_once_the_slower_one_changes_nothing(operator: Operator) -> None:
    """Both began before there was an App."""
    path = keep.config_file(operator.environ)
    asked = SetupRequest(AppRequest("x"), operator.github.api_url)
    first, second = (
        RegisteredApp(number, f"hob-{number}", "", f"key of {number}", f"secret of {number}")
        for number in (1, 2)
    )
    keep.keep_app(path, first, asked)
    before = operator.written()
    with pytest.raises(ConfigError, match="names the App 1 by now"):
        keep.keep_app(path, second, asked)
    after = operator.written()
    assert {name: after[name] for name in before} == before
    assert after["app-2.pem"] == b"key of 2", "the only copy that there is"
    keep.keep_app(path, first, asked)
    assert operator.written() == after, "the same once more is no harm"


def test_K4_a_new_App_keeps_the_old_ones_key_and_hob_toml_beside_it(operator: Operator) -> None:
    operator.registers("hob-one")
    old = load_config(operator.folder / "hob.toml", {}).github
    with (operator.folder / "hob.toml").open("a") as toml:
        toml.write("[server]\nport = 9000  # my own\n")
    before = operator.written()
    operator.json("--print", "--new", code=0)
    operator.json("--new", "--paste", operator.creates("hob-two"), code=1)
    new = load_config(operator.folder / "hob.toml", {})
    assert (new.github.app_slug, new.server.port) == ("hob-two", 9000)
    assert "port = 9000  # my own" in (operator.folder / "hob.toml").read_text()
    after = operator.written()
    assert new.github.app_id != old.app_id
    for name in (f"app-{old.app_id}.pem", f"webhook-secret-{old.app_id}"):
        assert after[name] == before[name]
    assert after[f"hob.toml.app-{old.app_id}"] == before["hob.toml"]
    assert private_key(new)


def test_what_was_broken_off_before_hob_toml_named_it_is_taken_up(operator: Operator) -> None:
    operator.registers("hob-ann")
    whole = load_config(operator.folder / "hob.toml", {}).github
    (operator.folder / "hob.toml").write_text("# nothing yet\n")
    told = operator.json(code=1)
    assert told["app"] == {
        "id": whole.app_id,
        "slug": "hob-ann",
        "page": f"{operator.github.origin}/apps/hob-ann",
    }
    again = load_config(operator.folder / "hob.toml", {}).github
    assert (again.app_id, again.app_slug, again.webhook_secret_file) == (
        whole.app_id,
        "hob-ann",
        whole.webhook_secret_file,
    )
    assert (operator.folder / "hob.toml").read_text().startswith("# nothing yet\n")


@pytest.mark.parametrize("spoil", ["missing", "readable", "none"])
def test_a_key_that_cannot_be_used_is_never_replaced_unasked(operator: Operator, spoil: str) -> None:
    operator.registers()
    (pem,) = operator.folder.glob("app-*.pem")
    if spoil == "missing":
        pem.rename(pem.with_suffix(".away"))
    elif spoil == "readable":
        pem.chmod(0o644)
    else:
        pem.write_text("nothing")
    before = operator.written()
    ended = operator.types()
    assert ended.returncode == 1
    assert "hob setup --new" in ended.stderr
    assert operator.written() == before


def test_without_a_model_host_it_says_what_to_type_and_goes_on(operator: Operator) -> None:
    operator.environ["OLLAMA_HOST"] = NOBODY
    operator.registers()
    operator.github.install_app("octo")
    ended = operator.types()
    assert ended.returncode == 1
    assert "ollama" in ended.stdout.partition("To get one: ")[2].partition("\n")[0]
    assert [line for line in ended.stdout.splitlines() if line.startswith("FAIL")] != []
    assert "hosts" not in (operator.folder / "hob.toml").read_text()
    operator.environ["OLLAMA_HOST"] = operator.ollama.url
    assert operator.json(code=0)["healthy"], "started meanwhile"


def test_a_host_that_was_named_has_to_answer(operator: Operator) -> None:
    ended = operator.types("--print", "--host", NOBODY)
    assert ended.returncode == 1
    assert f"no model host answers at {NOBODY}" in ended.stderr
    ended = operator.types("--print", "--host", "::::")
    assert (ended.returncode, "Traceback" in ended.stderr) == (1, False)


def test_a_model_is_fetched_where_that_was_agreed_to(operator: Operator) -> None:
    operator.ollama.models = {"nomic-embed-text:latest": FakeModel(capabilities=("embedding",))}
    operator.json("--print", code=0)
    page_agreed = operator.types("--paste", operator.creates())
    assert page_agreed.returncode == 1
    pulls = [one.json["model"] for one in operator.ollama.requests if one.path == "/api/pull"]
    assert len(pulls) == 1
    assert pulls[0].startswith("qwen2.5-coder:")
    operator.types()
    assert len([one for one in operator.ollama.requests if one.path == "/api/pull"]) == 1, (
        "nobody agreed again"
    )
    operator.types("--yes")
    assert len([one for one in operator.ollama.requests if one.path == "/api/pull"]) == 2
    operator.ollama.models[pulls[0]] = FakeModel()
    operator.types("--yes")
    assert len([one for one in operator.ollama.requests if one.path == "/api/pull"]) == 2, "it is there"


def test_a_download_that_breaks_off_is_gone_on_with(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.cli.hosts.pull_models.AGAIN_SECONDS", 0.01)
    tries: list[str] = []

    async def breaks(stage: Stage) -> None:
        tries.append(stage.request["model"])
        await stage.line(status="pulling 8eeb52dfb3bb", total=4_000, completed=1_000)
        if len(tries) % 3:
            raise models.Dropped
        await stage.line(status="success")
        await stage.end()

    monkeypatch.setattr(models, "pulled", breaks)
    with FakeOllama(models={}) as ollama:
        operator.environ["OLLAMA_HOST"] = ollama.url
        operator.registers()
    assert len(tries) == 3


def test_a_model_that_runs_elsewhere_is_never_chosen(operator: Operator) -> None:
    """Ollama lists models of its own servers beside those that are here."""
    operator.ollama.models = {"gpt-oss:120b-cloud": FakeModel(), "far:1b": FakeModel(remote_host="https://x")}
    assert operator.json("--print", code=0)["model"] in (None, *(size.name for size in SIZES))
    assert "far" not in json.dumps(operator.json("--print", "--host", operator.ollama.url))


def at_a_terminal(operator: Operator, *arguments: str) -> tuple[subprocess.Popen[bytes], int]:
    """`hob setup` whose streams are a terminal, and our end of it."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "bot.cli", "setup", "--github", operator.github.origin, *arguments]
    process = subprocess.Popen(
        command, cwd=operator.folder, env=operator.environ, stdin=theirs, stdout=theirs, stderr=theirs,
        start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(theirs)
    return process, ours


def shown(ours: int, until: str, seconds: float = 90) -> str:
    """What the terminal shows, up to some words."""
    said, end = "", time.monotonic() + seconds
    while until not in said:
        ready = select.select([ours], [], [], max(0.0, end - time.monotonic()))[0]
        assert ready, said
        try:
            said += os.read(ours, 4096).decode(errors="replace")
        except OSError:  # closed
            raise AssertionError(said) from None
    return said


@pytest.mark.kills
def test_at_a_terminal_the_address_is_asked_for_and_ctrl_c_ends_it(operator: Operator) -> None:
    process, ours = at_a_terminal(operator, "--print", "--minutes", "0")
    shown(ours, "The address: ")
    os.write(ours, b"\x03")
    assert process.wait(30) == 130
    os.close(ours)
    operator.ollama.models = {}
    process, ours = at_a_terminal(operator, "--print", "--minutes", "0")
    shown(ours, "The address: ")
    os.write(ours, operator.creates("hob-ann").encode() + b"\n")
    shown(ours, "waits for you: ")
    assert process.wait(60) == 1
    os.close(ours)
    process, ours = at_a_terminal(operator, "--minutes", "0")
    shown(ours, "[Y/n] ")
    os.write(ours, b"n\n")
    shown(ours, "not fetched")
    assert process.wait(60) == 1
    os.close(ours)
    assert [one.json["model"] for one in operator.ollama.requests if one.path == "/api/pull"] == [
        load_config(operator.folder / "hob.toml", {}).models.review[0]
    ], "the page's button had agreed once"


def test_a_model_that_does_not_exist_is_said_and_the_setup_goes_on_later(operator: Operator) -> None:
    operator.json("--print", code=0)
    ended = operator.types("--paste", operator.creates(), "--model", "nosuch:1b")
    assert ended.returncode == 1
    assert "did not pull nosuch:1b" in ended.stderr
    assert "--model" in ended.stderr
    assert load_config(operator.folder / "hob.toml", {}).github.app_id


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--name", "x" * 40),
        ("--name", "🍵"),
        ("--org", "no/slash"),
        ("--github", "a b"),
        ("--public-url", "x"),
        ("--webhook-url", "ftp://x"),
        ("--port", "70000"),
    ],
)
def test_a_wrong_choice_is_wrong_usage(operator: Operator, option: str, value: str) -> None:
    ended = commands.run("setup", option, value, folder=operator.folder, environ=operator.environ)
    assert (ended.returncode, option in ended.stderr) == (2, True)
    assert operator.written() == {}


def test_a_folder_that_cannot_be_written_is_known_before_anybody_goes_to_GitHub(operator: Operator) -> None:
    (operator.folder / "file").touch()
    operator.environ["HOB_CONFIG"] = str(operator.folder / "file" / "hob.toml")
    ended = operator.types("--print")
    assert ended.returncode == 1
    assert "hob.toml" in ended.stderr
    assert "unexpected" not in ended.stderr
    assert operator.github.requests == []


@pytest.mark.parametrize(
    "text",
    [b"[github\n", b"\xff\xfe", b"[github]\napp_id = 'x'\n", b"[github]\nap_id = 1\n", b"github = 1\n"],
)
def test_a_hob_toml_with_a_mistake_is_said_and_left(operator: Operator, text: bytes) -> None:
    (operator.folder / "hob.toml").write_bytes(text)
    for arguments in ((), ("--print",), ("--new", "--print")):
        ended = operator.types(*arguments)
        assert (ended.returncode, "unexpected" in ended.stderr) == (1, False), ended.stderr
        assert "hob.toml" in ended.stderr
    assert (operator.folder / "hob.toml").read_bytes() == text
    assert operator.github.requests == []


def test_a_hob_toml_that_a_program_should_not_change_is_left_and_said(operator: Operator) -> None:
    (operator.folder / "hob.toml").write_text("github.settle_seconds = 1.0\n")
    operator.json("--print", code=0)
    ended = operator.types("--paste", operator.creates("hob-ann"))
    assert ended.returncode == 1
    assert "write there by hand" in ended.stderr
    assert "app_slug" in ended.stderr
    (operator.folder / "hob.toml").write_text("[github]\nsettle_seconds = 1.0\n")
    assert operator.json()["app"]["slug"] == "hob-ann", "the key was kept"


def start(operator: Operator, *arguments: str, **environ: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "bot.cli", "setup", "--github", operator.github.origin, *arguments]
    return subprocess.Popen(
        command, cwd=operator.folder, env={**operator.environ, **environ}, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def test_a_port_that_is_taken_is_said(operator: Operator) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = operator.types("--port", str(taken.getsockname()[1]))
    assert ended.returncode == 1
    assert "name another --port" in ended.stderr


@pytest.mark.kills
def test_stopped_while_it_waits_for_a_browser_it_ends_quietly_and_begins_again(operator: Operator) -> None:
    for _ in range(2):
        waiting = start(operator, "--no-browser")
        assert waiting.stdout
        said = ""
        end = time.monotonic() + 100
        while "token=" not in said and time.monotonic() < end:
            said += waiting.stdout.readline()
        assert re.search(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{20,}\n", said)
        waiting.send_signal(signal.SIGINT)
        rest, _ = waiting.communicate(timeout=60)
        assert waiting.returncode == 130
        assert "Traceback" not in rest + said
        assert "app_id" not in (operator.folder / "hob.toml").read_text()


def test_a_service_is_written_started_and_said_how_to_undo(operator: Operator) -> None:
    operator.registers()
    operator.github.install_app("octo")
    tools, log = operator.folder / "tools", operator.folder / "systemctl.log"
    tools.mkdir()
    fake = tools / "systemctl"
    fake.write_text(f'#!/bin/sh\necho "$@" >> {log}\n')
    fake.chmod(0o755)
    operator.environ["PATH"] = f"{tools}:{operator.environ['PATH']}"
    if sys.platform == "darwin":
        pytest.skip("launchd is there")
    ended = operator.types("--service")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert log.read_text().splitlines() == ["--user daemon-reload", "--user enable hob", "--user restart hob"]
    assert "systemctl --user disable --now hob; rm " in ended.stdout
    unit = operator.folder / ".config/systemd/user/hob.service"
    assert f'"HOB_CONFIG={operator.folder}/hob.toml"' in unit.read_text()
    unit.write_text("# my own\n")
    operator.types("--service")
    assert unit.with_name("hob.service.before").read_text() == "# my own\n"
    fake.write_text("#!/bin/sh\necho 'Failed to connect to bus' >&2\nexit 1\n")
    ended = operator.types("--service")
    assert (ended.returncode, "Failed to connect to bus" in ended.stderr) == (1, True)


def test_systemd_takes_the_unit_that_is_written_for_a_person(tmp_path: Path) -> None:
    odd = tmp_path / 'a "b" 50% \\ c'
    made = service_for("linux", tmp_path, odd / "hob.toml", sys.executable, "/usr/bin:/bin")
    assert "@" not in made.text.partition("[Unit]")[2]
    verify = needs.program("systemd-analyze", "systemd")
    unit = tmp_path / "hob.service"
    unit.write_text(made.text)
    ran = subprocess.run(
        [verify, "--user", "verify", "--man=no", "--recursive-errors=no", str(unit)],
        capture_output=True, text=True, check=False, env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
    )  # fmt: skip
    assert [line for line in ran.stderr.splitlines() if "hob.service" in line] == []


def test_launchd_gets_a_property_list_of_this_persons_paths(tmp_path: Path) -> None:
    made = service_for(
        "darwin", tmp_path, tmp_path / "hob.toml", "/opt/hob/python", "/opt/homebrew/bin:/usr/bin"
    )
    told = plistlib.loads(made.text.encode())
    assert told["ProgramArguments"] == ["/opt/hob/python", "-m", "bot.cli", "up"]
    assert told["EnvironmentVariables"]["HOB_CONFIG"] == str(tmp_path / "hob.toml")
    assert "/Users/YOU" not in made.text
    assert (made.file.parent, told["KeepAlive"], told["Umask"]) == (
        tmp_path / "Library/LaunchAgents",
        True,
        0o077,
    )
