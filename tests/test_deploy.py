"""What is given to run Hob with: each file is read by what will read it, as far as this machine has it."""

import json
import os
import plistlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from configparser import ConfigParser
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.cli.doctor.examine import OF_THE_APP, _exposure, _own
from bot.cli.framework import Commands, hob
from bot.config import Config
from bot.config.complaints import variables
from bot.core.sandbox_types import SandboxedProgram, TreeProgram
from bot.sandbox.boxes import box
from bot.sandbox.bubblewrap import Bubblewrap
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


UNDER = """
import ctypes, json, os, sys
names, families, command = json.loads(sys.argv[1])
seccomp = ctypes.CDLL("libseccomp.so.2")
seccomp.seccomp_init.restype = ctypes.c_void_p
class Arg(ctypes.Structure):
    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]
held = ctypes.c_void_p(seccomp.seccomp_init(ctypes.c_uint32(0x00050001)))  # else EPERM
allow = ctypes.c_uint32(0x7FFF0000)
for name in names:
    number = seccomp.seccomp_syscall_resolve_name(name.encode())
    if number >= 0 and name != "socket":
        assert seccomp.seccomp_rule_add(held, allow, number, 0) == 0, name
number = seccomp.seccomp_syscall_resolve_name(b"socket")
for family in families:
    arg = Arg(0, 4, family, 0)
    assert seccomp.seccomp_rule_add_array(held, allow, number, 1, ctypes.byref(arg)) == 0
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(12345); os.setuid(12345)
libc = ctypes.CDLL(None)
assert libc.prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
assert seccomp.seccomp_load(held) == 0
os.execv(command[0], command)
"""
"""Runs a command as a user under a list of system calls and families of sockets, as systemd does."""


def unit(name: str) -> list[str]:
    said = re.findall(rf"^{name}=(.*)$", UNIT.read_text(), re.MULTILINE)
    return " ".join(said).split()


def system_calls(names: list[str]) -> set[str]:
    """What systemd expands the sets of a SystemCallFilter to; those after a `~` are taken out again."""
    found: set[str] = set()
    for name in names:
        if name.startswith("~"):
            found -= system_calls([name[1:]])
            continue
        if not name.startswith("@"):
            found.add(name)
            continue
        analyze = needs.program("systemd-analyze", "systemd")
        said = subprocess.run(
            [analyze, "syscall-filter", name], capture_output=True, text=True, check=True
        ).stdout.splitlines()
        found |= system_calls([one.strip() for one in said[1:] if one.strip() and "#" not in one])
    return found


@pytest.mark.parametrize("writes", [False, True], ids=["reads", "tests"])
@pytest.mark.parametrize("lacks", ["", "AF_NETLINK", "@mount"])
def test_the_sandbox_works_under_the_units_calls_and_sockets(lacks: str, writes: bool) -> None:
    """And would not without any one of them."""
    needs.sandbox()
    ways = {"bwrap": shutil.which("bwrap"), "prlimit": shutil.which("prlimit")}
    held = Bubblewrap(str(ways["bwrap"]), str(ways["prlimit"]))
    families = [name for name in unit("RestrictAddressFamilies") if name != lacks]
    names = system_calls([name for name in unit("SystemCallFilter") if name != lacks])
    folder = Path(tempfile.mkdtemp(prefix="hob-unit-"))
    folder.chmod(0o755)
    true = str(Path("/bin/true").resolve())
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        command = held.command(SandboxedProgram(true), folder)
        if writes:
            made = stack.enter_context(box(folder))
            command = held.tree_command(TreeProgram((true,)), made)
            if os.geteuid() == 0:
                subprocess.run(["chown", "-R", "12345:12345", str(folder)], check=True)
        given = json.dumps([sorted(names), [getattr(socket, one) for one in families], command])
        done = subprocess.run(
            ["/usr/bin/env", "python3", "-c", UNDER, given], capture_output=True, text=True, check=False
        )
    if "libseccomp" in done.stderr:
        pytest.skip("libseccomp is not installed")
    assert (done.returncode == 0) == (lacks == ""), done.stderr


AGENTS = sorted((DEPLOY / "launchd").glob("*.plist"))
LAUNCHD = {
    "Label": str,
    "ProgramArguments": list,
    "WorkingDirectory": str,
    "EnvironmentVariables": dict,
    "RunAtLoad": bool,
    "KeepAlive": bool,
    "ProcessType": str,
    "ExitTimeOut": int,
    "Umask": int,
    "SoftResourceLimits": dict,
    "StandardOutPath": str,
    "StandardErrorPath": str,
}
"""Keys of launchd.plist(5) that are used here, and what each is."""


@pytest.mark.parametrize("path", AGENTS, ids=lambda path: path.stem)
def test_the_agent_for_a_mac_starts_with_the_session_and_again_when_it_ends(path: Path) -> None:
    agent = plistlib.loads(path.read_bytes())
    assert {name: LAUNCHD.get(name) for name in agent} == {name: type(value) for name, value in agent.items()}
    assert agent["RunAtLoad"] and agent["KeepAlive"]
    assert agent["Umask"] == 0o077
    assert agent["Label"] == path.stem and f"gui/$(id -u)/{agent['Label']}" in OPERATIONS
    assert f"deploy/launchd/{path.name}" in OPERATIONS


@pytest.mark.parametrize("path", AGENTS, ids=lambda path: path.stem)
def test_the_agent_names_one_clone_of_one_user_and_ends_as_the_unit_does(path: Path) -> None:
    agent = plistlib.loads(path.read_bytes())
    program, command = agent["ProgramArguments"]
    home, clone = "/Users/YOU", agent["WorkingDirectory"]
    assert clone == f"{home}/hob" and program == f"{clone}/.venv/bin/hob", "where `make install` puts it"
    assert command in Commands.list_commands(hob, None)  # type: ignore[arg-type]
    environ = agent["EnvironmentVariables"]
    assert environ["HOB_CONFIG"] == f"{clone}/hob.toml"
    assert environ["PATH"].split(":")[0] == "/opt/homebrew/bin", (
        "git and programs of Homebrew before the system's"
    )
    assert all(part.startswith("/") and part != "/" for part in environ["PATH"].split(":"))
    assert agent["StandardOutPath"] == agent["StandardErrorPath"] and agent["StandardOutPath"].startswith(
        home
    )
    assert agent["ExitTimeOut"] == int(unit("TimeoutStopSec")[0])
    assert agent["SoftResourceLimits"] == {"NumberOfFiles": int(unit("LimitNOFILE")[0])}
    assert path.read_text().count(home) >= 5 and "/Users/YOU" in OPERATIONS, "all is replaced by one word"


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
    assert re.findall(r"^USER (\S+)$", text, re.MULTILINE) == ["10001:10001"]
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE)
    named = [name for names in copied for name in names.split()]
    assert all((ROOT / name).exists() for name in named)
    assert {"*.pem", "hob.toml", "api.token"} <= set((ROOT / ".dockerignore").read_text().split())


def test_whatever_the_image_installs_is_pinned() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    assert re.findall(r"^FROM (\S+)", text, re.MULTILINE) == ["python:3.11-slim@${PYTHON_DIGEST}"] * 2
    assert re.findall(r"^ARG (.+)$", text, re.MULTILINE) == ["PYTHON_DIGEST"]  # none is the default
    locked = (ROOT / "requirements-postgres.txt").read_text()
    for name in ("psycopg[binary]", "psycopg-binary"):
        assert re.search(rf"^{re.escape(name)}==\S+.*\n    --hash=sha256:", locked, re.MULTILINE)
    images = [one["image"] for one in compose()["services"].values() if one["image"] != "hobbot"]
    assert images and all(re.search(r"@\$\{[A-Z]+_DIGEST:\?", one) for one in images)


@pytest.mark.parametrize("lock", sorted(ROOT.glob("requirements*.txt")), ids=lambda lock: lock.stem)
def test_a_lock_file_holds_hashes_and_no_address(lock: Path) -> None:
    text = lock.read_text()
    pinned = re.findall(r"^[\w.\[\]-]+==", text, re.MULTILINE)
    assert len(pinned) == len(re.findall(r"(?<!\\)\n(?=[\w])|\A(?=\w)", text))
    assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}", text)) >= len(pinned)
    assert "://" not in text


def test_every_line_of_the_doctor_is_explained() -> None:
    remote = ("proxy", "certificates", "private key", "GitHub", "clock", *OF_THE_APP)
    names = {
        "models for chat",
        "host local",
        "host local speed",
        "python",
        "git",
        "ruff",
        *remote,
        *_own(Config()),
        *_exposure(Config()),
    }
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
