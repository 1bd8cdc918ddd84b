"""The GitHub Action and the pre-commit hooks around `hob review`: their steps, as those run them."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from bot.cli.framework import Commands, hob
from tests.agents.conftest import git
from tests.core.sarif import SCHEMA
from tests.fakes.models import FakeOllama
from tests.tea import BROKEN, finding

ROOT = Path(__file__).parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "action" / "action.yml").read_text())
STEPS = ACTION["runs"]["steps"]


@pytest.fixture
def ollama() -> Iterator[FakeOllama]:
    with FakeOllama() as host:
        host.answer = lambda _: {"findings": [finding()], "summary": ""}
        yield host


def test_the_action_has_what_github_asks_of_one() -> None:
    """https://docs.github.com/en/actions/reference/workflows-and-actions/metadata-syntax"""
    assert set(ACTION) == {"name", "description", "inputs", "outputs", "runs"}
    assert ACTION["runs"]["using"] == "composite"
    assert all(
        {"run", "shell", "name"} <= set(step) <= {"run", "shell", "name", "id", "env"} for step in STEPS
    )
    assert all(set(one) == {"description", "default"} for one in ACTION["inputs"].values())
    assert all(set(one) == {"description", "value"} for one in ACTION["outputs"].values())
    ids = {step.get("id") for step in STEPS}
    assert {re.findall(r"steps\.(\w+)\.", one["value"])[0] for one in ACTION["outputs"].values()} <= ids


def test_no_input_is_written_into_a_script_and_every_one_is_handed_over() -> None:
    assert not [step["name"] for step in STEPS if "${{" in step["run"]]
    said = [value for step in STEPS for value in step.get("env", {}).values()]
    assert sorted(re.findall(r"inputs\.([\w-]+)", " ".join(said))) == sorted(ACTION["inputs"])
    script = (ROOT / "deploy" / "action" / "review.sh").read_text()
    given = {name for step in STEPS for name in step.get("env", {})}
    (listed,) = re.findall(r'for name in \(("HOST".*?)\)', script)  # the part that Python reads
    used = set(re.findall(r"ACTION_[A-Z_]+\b", script))
    used |= {f"ACTION_{name}" for name in re.findall(r'"(\w+)"', listed)}
    assert given == used


def test_it_is_installed_by_the_makefile_of_its_own_clone(tmp_path: Path) -> None:
    (tmp_path / "make").write_text('#!/bin/sh\necho "$@"\n')
    (tmp_path / "make").chmod(0o755)
    environ = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "GITHUB_ACTION_PATH": f"{ROOT}/deploy/action"}
    command = ["bash", "-eo", "pipefail", "-c", STEPS[0]["run"]]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["--silent", "-C", f"{ROOT}/deploy/action/../..", "install"]


def play(folder: Path, runner: Path, **inputs: str) -> tuple[int, str, Mapping[str, str]]:
    """The step that reviews: its exit code, its log, its outputs."""
    given = {name: str(one["default"]) for name, one in ACTION["inputs"].items()}
    given |= {"base": "main", "head": "HEAD"} | {
        name.replace("_", "-"): value for name, value in inputs.items()
    }
    step = STEPS[1]

    def value(text: str) -> str:
        return re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda match: given[match[1]], text)

    runner.mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HOB_")}
    environ = {
        **kept,
        **{name: value(text) for name, text in step["env"].items()},
        "GITHUB_ACTION_PATH": str(ROOT / "deploy" / "action"),
        "GITHUB_OUTPUT": str(runner / "output"),
        "RUNNER_TEMP": str(runner),
    }
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    output = runner / "output"
    lines = output.read_text().splitlines() if output.exists() else []
    output.unlink(missing_ok=True)
    assert not list(runner.iterdir()), "something was left behind"
    return done.returncode, done.stdout + done.stderr, dict(line.split("=", 1) for line in lines)


@pytest.fixture
def cloned(brewing: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(brewing, tmp_path / "checkout"))


def test_a_pull_request_is_reviewed_by_the_host_that_was_named(
    cloned: Path, tmp_path: Path, ollama: FakeOllama
) -> None:
    (cloned / "hob.toml").write_text('[[hosts]]\nname = "evil"\nurl = "http://evil.example"\n')
    code, log, output = play(
        cloned, tmp_path / "runner", host=ollama.url, fail_on="never", sarif="out/hob.sarif"
    )
    assert code == 0, log
    assert ollama.chats and output["sarif"] == "out/hob.sarif"
    found = json.loads((cloned / "out" / "hob.sarif").read_text())
    jsonschema_rs.validator_for(SCHEMA).validate(found)
    assert int(output["findings"]) == len(found["runs"][0]["results"]) > 0
    code, log, again = play(cloned, tmp_path / "runner", host=ollama.url, fail_on="major")
    assert code == 3 and "::error title=Hob::a finding is major or worse" in log
    assert again["findings"] == output["findings"], "the findings are there too where the step fails"


def test_without_a_host_the_checks_speak(cloned: Path, tmp_path: Path) -> None:
    (cloned / "tea.py").write_text("import os\n" + BROKEN)
    git(cloned, "-c", "user.name=Ann", "-c", "user.email=ann@tea.example", "commit", "-qam", "Import")
    code, log, output = play(cloned, tmp_path / "runner", fail_on="never")
    assert code == 0 and int(output["findings"]) > 0, log


def test_models_and_key_go_to_the_host_and_nowhere_else(
    cloned: Path, tmp_path: Path, ollama: FakeOllama
) -> None:
    model = next(iter(ollama.models))
    given = {"models": f"absent, also-absent:7b\n{model}", "api_key": "the-key-of-ours", "fail_on": "never"}
    code, log, _ = play(cloned, tmp_path / "runner", host=ollama.url, **given)
    assert code == 0 and "the-key-of-ours" not in log, log
    assert {chat["model"] for chat in ollama.chats} == {model}
    assert "Bearer the-key-of-ours" in {one.headers.get("authorization") for one in ollama.requests}


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"base": ""}, "give the input base"),
        ({"base": "a" * 40}, "check out with fetch-depth: 0"),
        ({"base": "--output=/tmp/x"}, "base and head are commits"),
        ({"head": "$(touch ran)"}, "base and head are commits"),
        ({"head": "main\n::set-env name=X::y"}, "base and head are commits"),
        ({"kind": 'evil"\n[hob]\nx = 1', "host": "http://127.0.0.1:9"}, "ended with"),
        ({"config": "absent.toml"}, "ended with"),
    ],
)
def test_what_cannot_be_reviewed_is_an_error_that_says_what_to_do(
    inputs: dict[str, str], said: str, cloned: Path, tmp_path: Path
) -> None:
    code, log, output = play(cloned, tmp_path / "runner", **inputs)
    errors = [line for line in log.splitlines() if line.startswith("::error title=Hob::")]
    assert code == 1 and len(errors) == 1 and said in errors[0], log
    assert not output and not (cloned / "ran").exists()


def test_words_of_a_change_are_no_commands_of_the_runner(cloned: Path, tmp_path: Path) -> None:
    """All that hob says stands where the runner listens to nobody."""
    name = "::add-mask::x\n::set-output name=a::b.py"
    (cloned / name).write_text("def f(x=[]):\n    return x\n")
    git(cloned, "add", "-A")
    git(cloned, "-c", "user.name=Ann", "-c", "user.email=ann@tea.example", "commit", "-qm", "::error::x")
    _, log, _ = play(cloned, tmp_path / "runner")
    (token,) = re.findall(r"^::stop-commands::([0-9a-f]{32})$", log, re.MULTILINE)
    before, _, rest = log.partition(f"::stop-commands::{token}\n")
    after = rest.partition(f"::{token}::\n")[2]
    assert "add-mask" not in before and not re.search(
        r"^::(?!error title=Hob::a finding)", after, re.MULTILINE
    )


def test_hooks_for_pre_commit_install_by_hash_and_type_what_hob_has(tmp_path: Path) -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    (tmp_path / "deploy").mkdir()
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    shutil.copy(ROOT / "deploy" / "pre-commit.sh", tmp_path / "deploy")
    for name, text in {"make": 'echo "make $*" >&2', ".venv/bin/hob": 'printf "%s\\n" "$@"'}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    environ = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "GIT_DIR": "/elsewhere"}
    review = Commands.get_command(hob, None, "review")  # type: ignore[arg-type]
    assert review
    for hook in hooks:
        assert hook["language"] == "script", "pre-commit itself would install without hashes"
        done = subprocess.run(
            [tmp_path / hook["entry"].split()[0], *hook["entry"].split()[1:]],
            env=environ, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stderr == f"make --silent -C {tmp_path} install\n"
        command, *words = done.stdout.split()
        assert command == "review"
        review.make_context("review", list(words), resilient_parsing=False)
