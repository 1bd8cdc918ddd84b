"""`hob settings` as a person runs it."""

import json
import os
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.cli.framework import HobCommand
from bot.cli.settings import command
from bot.store import migrate
from tests import commands

Run = Callable[..., subprocess.CompletedProcess[str]]
BY_ITSELF = [("set", "language", "de", "--org", "octo")]
"""As a process of its own."""


@pytest.fixture(name="hob")
def settings(tmp_path: Path) -> Run:
    migrate(f"sqlite:///{tmp_path}/hob.db")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HOB_")}
    environment = {**inherited, "HOB_HOB__DATA_DIR": str(tmp_path), "HOB_MODELS__REVIEW": "big:14b,small:1b"}

    def hob(*arguments: str, **environ: str | None) -> subprocess.CompletedProcess[str]:
        run = commands.process if arguments in BY_ITSELF else commands.run
        given = {key: value for key, value in {**environment, **environ}.items() if value is not None}
        return run("settings", *arguments, folder=tmp_path, environ=given)

    return hob


def test_set_get_and_unset_with_the_layer_of_each_value(hob: Run) -> None:
    assert hob("set", "language", "de", "--org", "octo").stdout == 'language = "de"  (org octo)\n'
    hob("set", "models.review", "small:1b,big:14b", "--repo", "octo/tea")
    shown = json.loads(hob("get", "--repo", "octo/tea", "--json").stdout)
    assert shown["language"] == {"value": "de", "layer": "organisation octo"}
    assert shown["models.review"] == {"value": ["small:1b", "big:14b"], "layer": "repository octo/tea"}
    assert hob("unset", "language", "--org", "octo").stdout == "nothing is stored there\n"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("set", "reviw.auto", "true", "--user", "ann"), 1, "did you mean review.auto?"),
        (("set", "review.auto", "maybe", "--user", "ann"), 1, "true or false is expected"),
        (("set", "models.review", "gpt-9", "--repo", "octo/tea"), 1, "gpt-9 is not named in [models]"),
        (("set", "online", "allowed", "--repo", "octo/tea"), 1, "a setting cannot widen it"),
        (("set", "language", "de"), 2, "name one of --user, --org and --repo"),
        (("set", "language", "de", "--repo", "tea"), 2, "OWNER/NAME"),
        (("set", "language", "de", "--repo", "octo/"), 2, "no name on GitHub looks like this"),
        (("set", "language", "de", "--user", ""), 2, "no name on GitHub looks like this"),
        (("set", "language", "de", "--user", "ünï"), 2, "no name on GitHub looks like this"),
        (("set", "language", "de", "--user", "x" * 1000), 2, "no name on GitHub looks like this"),
        (("set", "language", "--user", "ann"), 2, "set KEY VALUE"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    hob: Run, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = hob(*arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr and done.stderr.count("\n") == 1


def documented() -> list[str]:
    """The examples of the page and of `--help`."""
    page = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text()
    assert isinstance(command, HobCommand)
    return re.findall(r"^hob settings (.+)$", f"{page}\n{command.example}", re.MULTILINE)


@pytest.mark.parametrize("example", documented())
def test_what_is_documented_runs_on_a_hob_as_it_comes(hob: Run, example: str) -> None:
    done = hob(*shlex.split(example), HOB_MODELS__REVIEW=None)
    assert (done.returncode, done.stderr) == (0, "")
    words = shlex.split(example)
    if words[0] == "set":
        assert done.stdout.startswith(f"{words[1]} = ")
    assert done.stdout


def test_the_documentation_has_an_example_of_each_action() -> None:
    assert {example.split()[0] for example in documented()} == {"get", "set", "unset"}
