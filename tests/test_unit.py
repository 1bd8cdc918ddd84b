"""deploy/systemd under systemd itself: how little the service may do, and that Hob and its sandbox work."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bot.core.sandbox_types import SandboxedProgram
from bot.sandbox.bubblewrap import Bubblewrap
from tests import needs
from tests.booted import boot
from tests.cli.conftest import make_key

ROOT = Path(__file__).parents[1]
SYSTEMD = ROOT / "deploy" / "systemd"
UNIT = (SYSTEMD / "hob.service").read_text()
USER = """[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/useradd --system --home-dir /var/lib/hob --shell /usr/sbin/nologin hob
"""
TOML = """
[github]
app_id = 1
app_slug = "my-hob"
private_key_file = "/etc/hob/app.pem"
webhook_secret = "a-webhook-secret-of-this-test"
[api]
token_file = "/var/lib/hob/api.token"
"""


def score(unit: str, folder: Path) -> float:
    """What `systemd-analyze security` says of a unit alone, from 0 (nothing is open) to 10."""
    analyze = needs.program("systemd-analyze", "systemd")
    (folder / "hob.service").write_text(unit)
    said = subprocess.run(
        [analyze, "security", "--offline=true", str(folder / "hob.service")],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return float(re.findall(r"level for hob\.service: ([\d.]+)", said)[0])


def test_the_service_is_exposed_to_2_of_10_at_most(tmp_path: Path) -> None:
    assert score(UNIT, tmp_path) <= 2.0


@pytest.mark.parametrize("drop_in", sorted((SYSTEMD / "hob.service.d").iterdir()), ids=lambda path: path.stem)
def test_a_drop_in_opens_no_more_than_it_says(drop_in: Path, tmp_path: Path) -> None:
    more = drop_in.read_text().partition("[Service]")[2]
    assert score(UNIT.replace("[Install]", f"{more}\n[Install]"), tmp_path) <= 2.5


def bubblewrap_version() -> tuple[int, ...]:
    said = subprocess.run(["bwrap", "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(map(int, re.findall(r"\d+", said)[:2]))


def drop_ins() -> dict[str, str]:
    """As docs/operations.md says for this machine."""
    names = ["openat2.conf"] if bubblewrap_version() >= (0, 12) else []
    return {f"hob.service.d/{name}": (SYSTEMD / "hob.service.d" / name).read_text() for name in names}


def sandboxed(inside: str) -> list[str]:
    """A command in the sandbox, as Hob runs one."""
    held = Bubblewrap(*(str(shutil.which(name)) for name in ("bwrap", "prlimit")))
    return held.command(SandboxedProgram("/bin/sh", ("-c", inside)), Path("/var/lib/hob/work"))


def replaced(command: str, **settings: str) -> str:
    lines = "".join(f"{name}={value}\n" for name, value in settings.items())
    return f"[Service]\nType=oneshot\nRestart=no\nExecStart=\nExecStart={command}\n{lines}"


PRINTED = {"StandardOutput": "truncate:/run/out/said", "StandardError": "inherit"}
CHECK = "systemctl start hob-user; systemctl start hob; echo $? >/run/out/code; touch /run/out/done\n"


def test_the_sandbox_works_under_the_unit_and_each_can_see_what_it_may(tmp_path: Path) -> None:
    """The programs in it see a /proc of theirs; Hob reaches neither the one that lies open nor the kernel."""
    needs.sandbox()
    inside = shlex.join(sandboxed("echo /proc/[0-9]* | wc -w; cat /proc/1/comm; ls /run /etc/shadow"))
    script = f"mkdir -p work; {inside} 2>&1 | cat; echo\n"
    script += "ls /run/hob-proc; echo 3 >/proc/sys/vm/drop_caches; ls /root; true\n"
    units = {"hob.service": UNIT, "hob-user.service": USER, **drop_ins()}
    units["hob.service.d/test.conf"] = replaced("/bin/sh /etc/hob-script", **PRINTED)
    found = boot(units, {"/etc/hob-script": script}, CHECK, tmp_path)
    assert found["code"] == "0\n", found["said"]
    mine, _, outside = found["said"].partition("\n\n")
    assert int(mine.split()[0]) <= 4, "the machine's processes are seen"
    assert "cannot access '/run'" in mine and "/etc/shadow" in mine, mine
    for refused in (
        "/run/hob-proc': Permission denied",
        "drop_caches: Read-only",
        "/root': Permission denied",
    ):
        assert refused in outside, outside


@pytest.mark.parametrize("lacks", ["BindPaths=.*\n", "RestrictNamespaces=.*"])
def test_the_sandbox_would_not_work_without_what_the_unit_leaves_open(tmp_path: Path, lacks: str) -> None:
    needs.sandbox()
    unit = re.sub(
        f"^{lacks}", "RestrictNamespaces=yes" if "Namespaces" in lacks else "", UNIT, flags=re.MULTILINE
    )
    assert unit != UNIT
    script = f"mkdir -p work; exec {shlex.join(sandboxed('true'))}\n"
    units = {"hob.service": unit, "hob-user.service": USER, **drop_ins()}
    units["hob.service.d/test.conf"] = replaced("/bin/sh /etc/hob-script", **PRINTED)
    found = boot(units, {"/etc/hob-script": script}, CHECK, tmp_path)
    if "BindPaths" in lacks and systemd_version() < 254:
        assert found["code"] == "0\n", "before 254 the machine's own /proc stays in the service's namespace"
        return
    assert found["code"] != "0\n"
    assert re.search(r"namespace|mount proc", found["said"]), found["said"]


def systemd_version() -> int:
    said = subprocess.run(["systemctl", "--version"], capture_output=True, text=True, check=True).stdout
    return int(said.split()[1])


UP = """
systemctl start hob-user
chown -R hob: /etc/hob && chmod 700 /etc/hob && chmod 600 /etc/hob/*
systemctl start hob
for turn in $(seq 300); do
  {python} -c "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8700/healthz').status)" \
    >/run/out/health 2>/dev/null && [ -s /var/lib/hob/sandbox.json ] && break
  sleep 0.2
done
cp /var/lib/hob/sandbox.json /run/out/sandbox
ls -A /var/lib/hob >/run/out/data
for process in $(cat /sys/fs/cgroup/system.slice/hob.service/cgroup.procs); do
  grep -E 'NoNewPrivs|CapBnd|^Seccomp:' /proc/$process/status | tr '\\t\\n' '= '; echo
done >/run/out/denied
systemctl stop hob
systemctl show hob -p Result -p ExecMainStatus -p NRestarts >/run/out/end
touch /run/out/done
"""


@pytest.mark.kills
@pytest.mark.timeout(240)
def test_hob_up_runs_under_the_unit_with_its_sandbox_and_ends_when_it_is_stopped(tmp_path: Path) -> None:
    needs.sandbox()
    shown = any(each.startswith(("/root", "/home")) for each in (sys.prefix, sys.base_prefix))
    test = f"[Service]\nExecStart=\nExecStart={sys.prefix}/bin/hob up\n" + "ProtectHome=no\n" * shown
    if any(each.startswith(("/tmp/", "/var/tmp/")) for each in (sys.prefix, sys.base_prefix)):
        test += "PrivateTmp=no\n"  # Hob itself would be hidden
    test += "StandardOutput=truncate:/run/out/log\nStandardError=inherit\n"
    units = {"hob.service": UNIT, "hob-user.service": USER, **drop_ins(), "hob.service.d/test.conf": test}
    files = {"/etc/hob/hob.toml": TOML, "/etc/hob/app.pem": make_key()}
    found = boot(units, files, UP.replace("{python}", sys.executable), tmp_path)
    assert found["health"] == "200\n", found.get("log", "")[-2000:]
    assert json.loads(found["sandbox"])["name"] == "bubblewrap", found["sandbox"]
    assert {"hob.db", "api.token"} <= set(found["data"].split())
    assert len(found["denied"].splitlines()) >= 3
    assert set(found["denied"].splitlines()) == {"CapBnd:=0000000000000000 NoNewPrivs:=1 Seccomp:=2 "}
    assert set(found["end"].split()) == {"Result=success", "ExecMainStatus=0", "NRestarts=0"}, found["log"][
        -2000:
    ]
