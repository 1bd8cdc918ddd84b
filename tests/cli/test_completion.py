"""Completion as the shells ask for it."""

import subprocess
import sys
from pathlib import Path

import pytest

from bot.cli.command_names import SUMMARIES
from tests import needs
from tests.cli.conftest import Hob
from tests.commands import PROGRAM

LINES = {
    "hob re": {"receive", "restore", "review"},
    "hob hosts p": {"pull"},
    "hob review --fo": {"--folder", "--format"},
    "hob review --rep": set(),
    "hob review --format s": {"sarif"},
    "hob settings g": {"get"},
}


@pytest.fixture
def environ(hob: Hob, tmp_path: Path) -> dict[str, str]:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "hob").symlink_to(PROGRAM)
    return {**hob.environ, "PATH": f"{tmp_path / 'bin'}:{hob.environ['PATH']}", "HOME": str(tmp_path)}


def _ran(command: list[str | Path], environ: dict[str, str], folder: Path) -> str:
    done = subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, timeout=100, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_bash_completes_commands_options_and_values(environ: dict[str, str], tmp_path: Path) -> None:
    asked = "\n".join(
        f"COMP_WORDS=({line}{' ' + chr(39) * 2 if line.endswith(' ') else ''}); "
        "COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMPREPLY=(); "
        '_hob_completion hob; echo "${COMPREPLY[*]}"'
        for line in LINES
    )
    script = f'eval "$(hob completion bash)"\ncomplete -p hob >/dev/null || exit 9\n{asked}\n'
    told = _ran([needs.program("bash", "bash"), "-c", script], environ, tmp_path).splitlines()
    found = dict(zip(LINES, (set(line.split()) for line in told), strict=True))
    assert found == LINES


def test_zsh_takes_the_script(environ: dict[str, str], tmp_path: Path) -> None:
    loads = 'autoload -Uz compinit; compinit -u -D; eval "$(hob completion zsh)"'
    script = f"{loads}; (( $+functions[_hob_completion] ))"
    _ran([needs.program("zsh", "zsh"), "-f", "-c", script], environ, tmp_path)


def test_fish_completes_commands(environ: dict[str, str], tmp_path: Path) -> None:
    script = "hob completion fish | source; complete --do-complete 'hob re'"
    told = _ran([needs.program("fish", "fish"), "--no-config", "-c", script], environ, tmp_path)
    assert dict(line.split("\t") for line in told.splitlines()) == {
        name: SUMMARIES[name] for name in LINES["hob re"]
    }


def test_what_is_said_about_a_command_may_have_commas_in_fish(hob: Hob) -> None:
    assert 'string split -m 1 "," $completion' in hob.run("completion", "fish").stdout


def test_completion_asks_no_command_that_is_not_named(hob: Hob) -> None:
    program = (
        "import os, sys\n"
        "os.environ.update(_HOB_COMPLETE='bash_complete', COMP_WORDS='hob ', COMP_CWORD='1')\n"
        "from bot.cli import main\n"
        "try:\n    main([])\nfinally:\n"
        "    print([name for name in sys.modules if name.startswith('bot.cli.')], file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=hob.folder, env=hob.environ, capture_output=True, text=True
    )
    assert {line.split(",")[1] for line in done.stdout.splitlines()} >= set(SUMMARIES)
    assert done.stderr.strip() == "['bot.cli.command_names', 'bot.cli.help', 'bot.cli.framework']"
