"""`hob checks`: what there is to check with on this machine, and how to get the rest."""

import json
import os
import shutil
from pathlib import Path

import pytest

from bot.checks import linter, programs
from bot.core.settings import CHECKS
from tests import needs
from tests.cli.conftest import Hob


@pytest.fixture
def with_hadolint(hob: Hob, tmp_path: Path) -> Hob:
    """A machine that has hadolint, a biome that does not run, and no other linter on PATH."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name, script in {"hadolint": "echo 'Haskell Dockerfile Linter 2.15.1'", "biome": "exit 127"}.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    for name in ("bwrap", "prlimit", "setpriv", "git", "sh"):
        if found := shutil.which(name):
            (folder / name).symlink_to(found)
    hob.environ["PATH"] = str(folder)
    return hob


def test_it_says_what_is_there_in_which_version_and_how_to_get_the_rest(with_hadolint: Hob) -> None:
    needs.sandbox()
    shown = json.loads(with_hadolint.run("checks", "--json").stdout)["checks"]
    found = {each["check"]: each for each in shown}
    assert list(found) == list(CHECKS)
    assert (found["hadolint"]["version"], found["hadolint"]["trouble"]) == ("2.15.1", "")
    assert found["biome"]["version"] == ""
    assert found["biome"]["trouble"].startswith("it did not say its version (exit code 127; what it starts")
    assert found["yamllint"]["path"] == ""
    assert "yamllint" in found["yamllint"]["install"]
    assert found["ruff"]["version"]
    assert found["secrets"] == {"check": "secrets", "on": True, "program": ""}
    table = with_hadolint.run("checks").stdout
    assert "hadolint 2.15.1" in table
    assert "sqlfluff is not installed: `brew install sqlfluff`" in table
    doctor = json.loads(with_hadolint.run("doctor", "--json").stdout)["checks"]
    (line,) = [each for each in doctor if each["check"] == "checks"]
    assert line["ok"]
    assert "hadolint" in line["detail"].partition("not installed")[0]
    assert "sqlfluff (hob checks says how to get them)" in line["detail"].partition("not installed")[2]


def test_of_one_check_each_rule_is_shown_with_its_reason(with_hadolint: Hob) -> None:
    said = with_hadolint.run("checks", "sqlfluff").stdout
    for name, rule in linter.known("sqlfluff").rules.items():
        assert f"{name}: {rule.why}\n  let through because: {rule.precision}" in said
    assert f"Measured: {linter.known('sqlfluff').measured}" in said


def test_a_check_that_there_is_not_is_said_with_those_there_are(hob: Hob) -> None:
    ended = hob.run("checks", "eslint")
    assert ended.returncode == 1
    assert "there is no check 'eslint'" in ended.stderr
    assert "biome" in ended.stderr


def test_a_folder_on_PATH_steers_no_terminal_and_a_pipe_is_no_program(
    hob: Hob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "pro\x1b[31m\u202e\x9bgrams"
    folder.mkdir()
    (folder / "yamllint").write_text("#!/bin/sh\necho 1.2\n")
    (folder / "yamllint").chmod(0o755)
    hob.environ["PATH"] = f"{folder}:{hob.environ['PATH']}"
    for given in (["checks", "yamllint"], ["checks"], ["checks", "yamllint", "--json"]):
        shown = hob.run(*given).stdout
        assert "yamllint" in shown
        assert not {"\x1b", "\u202e", "\x9b"} & set(shown), given
    os.mkfifo(folder / "hadolint", 0o755)
    (folder / "hadolint").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    assert programs.find("hadolint") is None
