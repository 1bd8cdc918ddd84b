"""deploy/Dockerfile and deploy/compose.yml: what they promise, and that Hob works as they start it: as a
plain user, with nothing to write to but /data and /tmp. (The image itself is built elsewhere.)"""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import needs
from tests.cli.conftest import make_key

DEPLOY = Path(__file__).parents[1] / "deploy"
DOCKERFILE = re.sub(r"\\\n\s*", " ", (DEPLOY / "Dockerfile").read_text())
BUILD, FINAL = re.split(r"^(?=FROM )", DOCKERFILE, flags=re.MULTILINE)[1:]
SERVICES: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yml").read_text())["services"]


def test_what_builds_stays_in_the_first_stage() -> None:
    assert re.findall(r"^COPY (.*)$", FINAL, re.MULTILINE) == ["--from=build /opt/hob /opt/hob"]
    assert "venv --without-pip /opt/hob" in BUILD and "/opt/build/bin/python -m hatchling" in BUILD
    (packages,) = re.findall(r"apt-get install -y --no-install-recommends ([^&]*) &&", FINAL)
    assert packages.split() == ["bubblewrap", "ca-certificates", "git", "shellcheck"]
    assert not re.search(r"apt-get|ADD |curl|wget", BUILD), "all else comes by hash"


def test_the_image_is_of_a_user_by_number_without_setuid_programs_and_says_how_it_is() -> None:
    assert re.findall(r"^USER (.*)$", DOCKERFILE, re.MULTILINE) == ["10001:10001"]
    assert FINAL.index("USER") > FINAL.index("RUN"), "what is made before belongs to root"
    assert "-perm /6000 -exec chmod a-s {} +" in FINAL
    assert json.loads(*re.findall(r"^VOLUME (.*)$", FINAL, re.MULTILINE)) == ["/data", "/tmp"]
    assert re.search(r"^HEALTHCHECK ", FINAL, re.MULTILINE) and "org.opencontainers.image.licenses" in FINAL
    assert "# syntax=" not in DOCKERFILE, "a frontend would be fetched by its tag"


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_can_write_only_where_it_must_and_gains_no_rights(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True and service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "/tmp" in " ".join(service["tmpfs"])
    assert not {"privileged", "cap_add", "pid", "ipc", "network_mode", "devices"} & set(service)
    sources = [volume.partition(":")[0] for volume in service["volumes"]]
    assert all(not source.startswith("/") and "docker.sock" not in source for source in sources)


def test_models_run_beside_it_on_the_processor_or_a_graphics_card_where_they_are_wanted() -> None:
    profiles = {name: one["profiles"] for name, one in SERVICES.items() if "profiles" in one}
    assert profiles == {"ollama": ["cpu"], "ollama-gpu": ["gpu"]}
    cpu, gpu = SERVICES["ollama"], SERVICES["ollama-gpu"]
    assert gpu["deploy"]["resources"]["reservations"]["devices"][0]["capabilities"] == ["gpu"]
    assert gpu["networks"]["default"]["aliases"] == ["ollama"], "hob.toml names one host for both"
    assert {key: cpu[key] for key in ("image", "volumes")} == {key: gpu[key] for key in ("image", "volumes")}
    assert "ports" not in cpu and "ports" not in gpu, "an Ollama has no password"


def environment() -> dict[str, str]:
    """What ENV of the last stage says."""
    (said,) = re.findall(r"^ENV (.*)$", FINAL, re.MULTILINE)
    return dict(word.split("=", 1) for word in shlex.split(said))


TOML = """
[github]
app_id = 1
app_slug = "my-hob"
private_key_file = "app.pem"
webhook_secret = "a-secret-of-a-test"
"""
SCRIPT = """
set -eu
test "$(id -u)" = 10001
for place in / /usr /etc "$PROJECT" "$PROJECT/bot"; do
  if touch "$place/written" 2>/dev/null; then echo "$place can be written"; exit 9; fi
done
hob up & up=$!
for turn in $(seq 200); do "$@" >/dev/null 2>&1 && break; sleep 0.2; done
"$@" && echo healthy
kill $up; wait $up && echo ended
hob demo
"""


@pytest.mark.kills
@pytest.mark.timeout(300)
def test_hob_up_and_its_demo_work_where_only_data_and_tmp_can_be_written(tmp_path: Path) -> None:
    """/mnt stands for /data, which cannot be made where nothing can be written."""
    needs.sandbox()
    kept = {name: value for name, value in environment().items() if name.startswith(("HOB_", "PYTHON"))}
    assert kept["HOB_CONFIG"].startswith("/data/") and kept["HOB_HOB__DATA_DIR"] == "/data"
    kept = {name: value.replace("/data", "/mnt") for name, value in kept.items()}
    kept |= {"HOB_SERVER__HOST": "127.0.0.1", "PATH": f"{sys.prefix}/bin:{os.environ['PATH']}"}
    kept |= {"HOME": "/mnt", "PROJECT": str(DEPLOY.parent), "LANG": "C.UTF-8"}
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    for name, text in {"hob.toml": TOML, "app.pem": make_key()}.items():
        (data / name).write_text(text)
        (data / name).chmod(0o600)
    places = (str(DEPLOY.parent), sys.prefix, sys.base_prefix)
    hidden = [place for place in places if place.startswith("/tmp/")]
    command = [
        *("bwrap", "--unshare-user", "--uid", "10001", "--gid", "10001", "--unshare-pid", "--unshare-net"),
        *("--unshare-ipc", "--die-with-parent", "--cap-drop", "ALL", "--ro-bind", "/", "/", "--dev", "/dev"),
        *("--proc", "/proc", "--tmpfs", "/tmp", "--bind", str(data), "/mnt", "--chdir", "/mnt", "--clearenv"),
        *(part for place in hidden for part in ("--ro-bind", place, place)),
        *(part for name, value in kept.items() for part in ("--setenv", name, value)),
        *(
            "--",
            "/bin/sh",
            "-c",
            SCRIPT,
            "sh",
            *json.loads(DOCKERFILE.partition("HEALTHCHECK")[2].split("CMD", 1)[1].splitlines()[0]),
        ),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert {"healthy", "ended"} <= set(done.stdout.split())
    assert "3 findings by" in done.stdout, done.stdout[-2000:]


DOCKER = """#!/bin/sh
echo "$*" >>"$CALLS"
case "$*" in *"$REFUSED") echo "not found" >&2; exit 1;; esac
printf sha256:%064d "$(wc -l <"$CALLS")"
"""


def make_env(folder: Path, refused: str) -> subprocess.CompletedProcess[str]:
    (folder / "make-env.sh").write_bytes((DEPLOY / "make-env.sh").read_bytes())
    (folder / "docker").write_text(DOCKER)
    (folder / "docker").chmod(0o755)
    environ = {"PATH": os.environ["PATH"], "DOCKER": str(folder / "docker")}
    environ |= {"CALLS": str(folder / "calls"), "REFUSED": refused}
    return subprocess.run(
        ["sh", str(folder / "make-env.sh")], env=environ, capture_output=True, text=True, check=False
    )


def test_one_command_writes_passwords_and_a_digest_of_every_image(tmp_path: Path) -> None:
    assert make_env(tmp_path, "?").returncode == 0
    text = (tmp_path / ".env").read_text()
    values = dict(line.split("=", 1) for line in text.splitlines())
    assert set(values) == set(re.findall(r"\$\{(\w+):\?", (DEPLOY / "compose.yml").read_text()))
    assert len({*values.values()}) == len(values)
    assert all(re.fullmatch(r"sha256:[0-9a-f]{64}|[0-9a-f]{48}", value) for value in values.values())
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
    asked = {line.rpartition(" ")[2] for line in (tmp_path / "calls").read_text().splitlines()}
    images = {one["image"].partition("@")[0] for one in SERVICES.values() if one["image"] != "hobbot"}
    assert asked == images | {"python:3.11-slim"}
    assert make_env(tmp_path, "?").returncode == 1 and (tmp_path / ".env").read_text() == text


def test_no_secret_that_a_page_has_one_make_in_the_clone_is_committed_or_sent_to_the_image() -> None:
    """As `git add .` and the image's build take files."""
    made = (".env", "data/app.pem", "data/hob.toml")
    secrets = (*(f"deploy/{one}" for one in made), "webhook.secret", "api.token", "app.pem", "hob.toml")
    for one in secrets:
        asked = ["git", "check-ignore", "-q", "--no-index", one]
        assert subprocess.run(asked, cwd=DEPLOY.parent, check=False).returncode == 0, one
    left_out = (DEPLOY.parent / ".dockerignore").read_text().splitlines()
    assert {"deploy/.env", "deploy/data", "*.secret", "*.pem", "hob.toml", "api.token"} <= {*left_out}


def test_without_the_digest_of_one_image_nothing_is_written(tmp_path: Path) -> None:
    said = make_env(tmp_path, "ollama/ollama:latest")
    assert said.returncode == 1
    assert "no digest of ollama/ollama:latest: that takes docker with buildx" in said.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"make-env.sh", "docker", "calls"}
