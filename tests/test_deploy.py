"""What is given to run Hob with: each file is read by what will read it, as far as this machine has it."""

import plistlib
import re
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.cli.doctor.examine import _checks
from bot.cli.manners import Commands, hob
from bot.config import Config
from bot.config.complaints import variables
from tests import needs

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
UNIT = DEPLOY / "systemd" / "hob.service"


def known_variables(text: str) -> set[str]:
    return set(re.findall(r"\bHOB_[A-Z_]+\b", text)) - set(variables())


@pytest.mark.parametrize(
    "path", [path for path in sorted(DEPLOY.rglob("*")) if path.is_file()], ids=lambda path: path.name
)
def test_every_variable_that_is_set_exists(path: Path) -> None:
    assert known_variables(path.read_text()) == set()


def compose() -> Any:
    return yaml.safe_load((DEPLOY / "compose.yml").read_text())


def commands() -> list[list[str]]:
    plist = plistlib.loads((DEPLOY / "launchd" / "hob.plist").read_bytes())
    unit = re.findall(r"^ExecStart=(.*)$", UNIT.read_text(), re.MULTILINE)
    image = re.findall(r"^CMD \[(.*)\]$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    services = [one["command"] for one in compose()["services"].values() if one.get("image") == "hobbot"]
    return [plist["ProgramArguments"], unit[0].split(), image[0].replace('"', "").split(", "), *services]


def test_what_is_started_is_a_command_that_hob_has() -> None:
    known = Commands.list_commands(hob, None)  # type: ignore[arg-type]
    assert [Path(words[0]).name for words in commands()] == ["hob"] * 6
    assert {words[1] for words in commands()} == {"up", "migrate", "serve", "work"} & set(known)


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    parser = ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(UNIT.read_text())
    assert set(parser) == {"DEFAULT", "Unit", "Service", "Install"}
    verify = needs.program("systemd-analyze", "systemd")
    text = UNIT.read_text().replace("/opt/hob/.venv/bin/hob", sys.executable)
    text = text.replace("User=hob", "User=root").replace("Group=hob", "Group=root")
    unit = tmp_path / "hob.service"
    unit.write_text(text)
    done = subprocess.run(
        [verify, "verify", "--man=no", "--recursive-errors=no", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    said = [line for line in done.stderr.splitlines() if "hob.service" in line]
    assert said == []


def test_the_agent_for_a_mac_starts_with_the_session_and_again_when_it_ends() -> None:
    agent = plistlib.loads((DEPLOY / "launchd" / "hob.plist").read_bytes())
    assert agent["RunAtLoad"] and agent["KeepAlive"]
    assert agent["Umask"] == 0o077


def test_compose_migrates_before_it_serves_and_opens_loopback_only() -> None:
    services = compose()["services"]
    for name in ("serve", "work"):
        assert services[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    ports = [port for one in services.values() for port in one.get("ports", ())]
    assert ports and all(port.startswith("127.0.0.1:") for port in ports)
    command = services["valkey"]["command"]
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"


def test_the_image_copies_only_what_exists_and_is_not_root() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    assert re.findall(r"^USER (\w+)$", text, re.MULTILINE) == ["hob"]
    named = re.findall(r"^COPY (?!--from)(\S+)", text, re.MULTILINE)
    assert all((ROOT / name).exists() for name in named)
    assert {"*.pem", "hob.toml", "api.token"} <= set((ROOT / ".dockerignore").read_text().split())


def test_every_line_of_the_doctor_is_explained() -> None:
    names = {"python", "git", "ruff", "sandbox", *_checks(Config())}
    general = {
        re.sub(r"^host local", "host NAME", re.sub(r"^models for \w+", "models for ROLE", one))
        for one in names
    }
    table = OPERATIONS.partition("# What each failing line")[2]
    assert set(re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)) == general


def test_every_link_of_the_documentation_leads_somewhere() -> None:
    for page in (ROOT / "docs").glob("*.md"):
        links = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text())
        missing = [link for link in links if not (page.parent / link).exists()]
        assert not missing, f"{page.name}: {missing}"
