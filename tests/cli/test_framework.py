"""How every command behaves towards a person and towards a script."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from bot import cli
from bot.cli.command_names import module_of
from bot.cli.framework import hob as group
from tests.agents.conftest import git, make_repository
from tests.cli.conftest import Hob

CLI = Path(cli.__file__).parent
COMMANDS = group.list_commands(click.Context(group))


def test_the_commands_of_this_version_are_there() -> None:
    assert {"up", "serve", "work", "migrate", "doctor", "receive"} <= set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str) -> None:
    shown = CliRunner().invoke(group, [name, "--help"])
    assert shown.exit_code == 0
    assert f"Usage: hob {name}" in shown.output
    assert "Example" in shown.output
    assert f"hob {name}" in shown.output.split("Example")[1]


@pytest.mark.parametrize(
    "line",
    ["learn", "backtest", "tune export", "tune run", "tune use", "tune off", "standup", "triage"],
)
@pytest.mark.parametrize(
    "name", ["", "../..", "octo", "octo/tea/", "octo/tea\n", "https://github.com/octo/tea"]
)
def test_a_repository_is_named_as_github_names_it(line: str, name: str, hob: Hob) -> None:
    ended = hob.run(*line.split(), name)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "write owner/name" in ended.stderr or (line, name) == ("standup", "")


def test_json_that_is_printed_can_steer_no_terminal(hob: Hob) -> None:
    """Others wrote what is in it: direction marks, and control characters that JSON leaves as they are."""
    folder = hob.folder / "kitchen"
    folder.mkdir()
    make_repository(folder, {"boil\u009b2J\u202e.py": "def boil(water):\n    return water\n"})
    found = hob.run("search", "boil", "--folder", "kitchen", "--json")
    assert found.stdout.isascii()
    assert json.loads(found.stdout)["results"][0]["path"] == "boil\u009b2J\u202e.py"
    raw = {
        str(file.relative_to(CLI)) for file in CLI.rglob("*.py") if "ensure_ascii=False" in file.read_text()
    }
    assert raw == {"mcp/answers.py", "mcp/server.py", "settings.py"}  # programs' own, and one that is cleaned


@pytest.mark.parametrize(
    "line", ["tune run octo/tea --learning-rate", "eval cases --threshold", "setup --minutes"]
)
def test_a_number_is_one(line: str) -> None:
    ended = CliRunner().invoke(group, [*line.split(), "nan"])
    assert "nan is no number" in f"{ended.output}{ended.exception}"
    assert ended.exit_code == 2


@pytest.mark.parametrize("name", COMMANDS)
def test_an_unknown_option_is_wrong_usage(name: str, hob: Hob) -> None:
    ended = hob.run(name, "--no-such-option")
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.startswith("hob: ")
    assert ended.stderr.count("\n") == 1


def test_hob_alone_and_its_help_list_what_there_is(hob: Hob) -> None:
    shown = hob.run("--help")
    assert shown.returncode == 0
    for name in COMMANDS:
        assert f"  {name} " in shown.stdout or name == "prepare"
    assert hob.run().returncode == 2
    assert hob.run("--version").stdout.startswith("hob, version ")


def test_a_misspelt_command_is_named_with_the_nearest(hob: Hob) -> None:
    ended = hob.run("doctr")
    assert (ended.returncode, ended.stderr) == (
        2,
        "hob: there is no command doctr — did you mean doctor? (see `hob --help`)\n",
    )


@pytest.mark.parametrize("line", ["", "review", "hosts", "hosts pull", "memory list", "tune run"])
def test_help_is_found_by_its_name_too(line: str) -> None:
    """`hob help hosts pull` and `hob hosts help pull`."""
    shown, *others = (
        CliRunner().invoke(group, words, prog_name="hob").output
        for words in (
            [*line.split(), "--help"],
            ["help", *line.split()],
            *([[*line.split()[:-1], "help", line.split()[-1]]] if line else ()),
        )
    )
    assert shown.startswith(f"Usage: hob {line}".rstrip())
    assert all(other == shown for other in others)


@pytest.mark.parametrize("arguments", [["x" * 100_000], ["migrate", "x" * 100_000]])
def test_what_was_given_by_mistake_is_not_told_at_length(arguments: list[str], hob: Hob) -> None:
    ended = hob.run(*arguments)
    assert ended.returncode == 2
    assert ended.stderr.startswith("hob: ")
    assert len(ended.stderr) < 1100


@pytest.mark.parametrize("name", ["serve", "work", "migrate", "up", "doctor"])
def test_a_wrong_configuration_is_one_line_and_no_traceback(name: str, hob: Hob) -> None:
    (hob.folder / "hob.toml").write_text("[server]\nprot = 1\n")
    ended = hob.process(name)
    assert ended.returncode == 1
    assert "Traceback" not in ended.stdout + ended.stderr
    assert "hob.toml line 2: unknown key server.prot — did you mean port?" in ended.stdout + ended.stderr


def test_debug_shows_the_rest(hob: Hob) -> None:
    (hob.folder / "hob.toml").write_text("[server]\nprot = 1\n")
    for arguments in (["migrate", "--debug"], ["--debug", "migrate"]):
        ended = hob.run(*arguments)
        assert "Traceback" in ended.stderr
        assert ended.stderr.splitlines()[-1].startswith("hob: ")


def test_what_nobody_foresaw_is_one_line_too(hob: Hob) -> None:
    program = (
        "import bot.cli.framework as manners, bot.cli.migrate as migrate; "
        "migrate.command.callback = lambda **_: 1 / 0; manners.main(['migrate'])"
    )
    broken = subprocess.run(
        [sys.executable, "-c", program], cwd=hob.folder, env=hob.environ, capture_output=True, text=True
    )
    assert broken.returncode == 1
    assert broken.stderr.startswith(
        "hob: unexpected ZeroDivisionError: division by zero — run it again with --debug"
    )
    assert broken.stderr.count("\n") == 1


def test_json_is_all_that_is_printed(hob: Hob) -> None:
    first, second = hob.run("migrate", "--json"), hob.run("migrate", "--json")
    assert json.loads(first.stdout)["changed"] is True
    assert json.loads(second.stdout)["changed"] is False
    assert first.stderr == second.stderr == ""


def test_a_reader_who_leaves_is_no_error(hob: Hob) -> None:
    line = f"{sys.executable} -m bot.cli doctor | true; exit ${{PIPESTATUS[0]}}"
    ended = subprocess.run(
        ["bash", "-c", line], cwd=hob.folder, env=hob.environ, capture_output=True, text=True
    )
    assert ended.stderr == ""


@pytest.mark.parametrize(
    ("way", "code", "says"),
    [
        (">&-", 0, ""),
        ("<&- >&-", 0, ""),
        (
            ">/dev/full",
            1,
            "hob: No space left on device: make room where Hob's data lie, or where what it says goes\n",
        ),
    ],
)
def test_words_that_cannot_be_written_end_without_a_traceback(
    way: str, code: int, says: str, hob: Hob
) -> None:
    if "/dev/full" in way and not Path("/dev/full").exists():
        pytest.skip("/dev/full is there on Linux only")
    line = f"{sys.executable} -m bot.cli chain list {way}"
    ended = subprocess.run(
        ["bash", "-c", line], cwd=hob.folder, env=hob.environ, capture_output=True, text=True
    )
    assert (ended.returncode, ended.stderr) == (code, says)


def test_a_character_that_the_terminal_lacks_is_no_error(hob: Hob) -> None:
    hob.environ["PYTHONIOENCODING"] = "latin-1"
    (hob.folder / "hob.toml").write_text("[server]\nprot = 1\n")
    ended = hob.process("doctor")
    assert "unknown key server.prot ? did you mean port?" in ended.stdout
    assert ended.stderr == ""


def loaded_by(hob: Hob, *modules: str) -> dict[str, set[str]]:
    """What each has loaded, and those before it."""
    program = (
        "import importlib, json, sys\n"
        "def load(name):\n    importlib.import_module(name)\n    return list(sys.modules)\n"
        "print(json.dumps({name: load(name) for name in sys.argv[1:]}))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program, *modules],
        env=hob.environ, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return {name: set(loaded) for name, loaded in json.loads(shown.stdout).items()}


def test_heavy_libraries_wait_until_a_command_needs_them(hob: Hob) -> None:
    """Completion may load every command; `up` and `serve` stay in memory."""
    staying = ("bot.cli.framework", "bot.cli.up", "bot.cli.serve")
    found = loaded_by(hob, *dict.fromkeys([*staying, *(f"bot.cli.{module_of(name)}" for name in COMMANDS)]))
    heavy = {"sqlalchemy", "pydantic", "httpx", "rq", "redis", "alembic", "rich"}
    told = {
        name: loaded & (heavy | {"asyncio"} if name in staying else heavy) for name, loaded in found.items()
    }
    assert {name: early for name, early in told.items() if early} == {}


QUICK = {
    "asyncio",
    "logging",
    "tempfile",
    "traceback",
    "importlib.metadata",
    "json",
    "bot.core.text",
    "bot.log",
}
SLOW = {
    "sqlalchemy", "pydantic", "httpx", "rq", "redis", "alembic", "rich", "jinja2", "re2",
    "bot.agents", "bot.checks", "bot.config", "bot.context", "bot.prompting", "bot.core.review_result",
}  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "never"),
    [(["--help"], QUICK | SLOW), (["review", "--help"], SLOW), (["review"], SLOW)],
)
def test_what_is_asked_often_loads_little(arguments: list[str], never: set[str], hob: Hob) -> None:
    """What makes `hob --help`, and `hob review` with nothing to do, quick."""
    make_repository(hob.folder, {"tea.py": "a = 1\n"})
    git(hob.folder, "branch", "-M", "main")
    program = (
        "import sys; from bot.cli import main\n"
        "try:\n    main(sys.argv[1:])\nfinally:\n    print(*sys.modules, sep='\\n', file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=hob.folder, env=hob.environ, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert ("there is nothing to review" in done.stderr) == (arguments == ["review"])
    assert never.isdisjoint(done.stderr.splitlines())


def test_a_migration_loads_no_lexers(hob: Hob) -> None:
    (loaded,) = loaded_by(hob, "bot.store.migration").values()
    assert "pygments" not in loaded


def test_a_local_review_loads_no_database_and_no_queue(hob: Hob) -> None:
    (loaded,) = loaded_by(hob, "bot.local.judge").values()
    assert loaded.isdisjoint(
        {"sqlalchemy", "redis", "rq", "alembic", "rich", "ollama", "bot.runs", "bot.store"}
    )


def test_a_search_loads_what_searches(hob: Hob) -> None:
    (loaded,) = loaded_by(hob, "bot.knowledge.local").values()
    assert loaded.isdisjoint(
        {
            "asyncio",
            "multiprocessing",
            "msgspec",
            "pydantic",
            "bot.core.effects",
            "bot.core.github_reader",
            "bot.core.scan",
            "bot.knowledge.graph",
        }
    )


def test_a_configuration_loads_no_plugins_and_nothing_of_training(hob: Hob) -> None:
    (loaded,) = loaded_by(hob, "bot.config").values()
    late = {
        "importlib.metadata",
        "email",
        "bot.config.tuned",
        "bot.core.sandbox_types",
        "bot.core.scoring",
        "bot.core.settings",
        "bot.core.work_budget",
    }
    assert "pydantic" in loaded
    assert loaded.isdisjoint(late)


def test_a_worker_that_asks_no_model_loads_no_client_of_a_host(hob: Hob) -> None:
    (loaded,) = loaded_by(hob, "bot.inference.runners.ollama").values()
    assert "ollama" not in loaded


def test_what_a_process_has_loaded_is_not_looked_through_again(hob: Hob) -> None:
    program = (
        "import gc\nfrom bot.garbage import keep_what_is_loaded, seldom_look\n"
        "seldom_look()\nseldom = gc.get_threshold()\nkeep_what_is_loaded()\n"
        "print(seldom[0] > gc.get_threshold()[0], gc.get_freeze_count() > 1_000, len(gc.get_objects()) < 500)"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], env=hob.environ, capture_output=True, text=True, check=True
    )
    assert told.stdout.split() == ["True", "True", "True"]


def test_the_receiver_imports_no_agent_no_model_code_and_no_git(hob: Hob) -> None:
    (loaded,) = loaded_by(hob, "bot.web.compose").values()
    rooms = (
        "bot.agents",
        "bot.inference",
        "bot.checks",
        "bot.runs",
        "bot.prompting",
        "bot.testing.github",
        "bot.router",
        "handlers",
    )
    assert [name for name in loaded if name.startswith(rooms)] == []
    libraries = {
        "ollama",
        "httpx",
        "gidgethub",
        "alembic",
        "rich",
        "jinja2",
        "markdown_it",
        "yaml",
        "git",
        "ruff",
    }
    assert libraries.isdisjoint(loaded)


@pytest.mark.parametrize("full", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_under_the_data_is_nothing_to_report(
    full: int, hob: Hob, monkeypatch: pytest.MonkeyPatch
) -> None:
    def writes(*_: object) -> None:
        raise OSError(full, os.strerror(full))  # as `write` says it, which knows no name

    monkeypatch.setattr("bot.runs.tuning_folder.every_record", writes)
    ended = hob.run("tune", "list")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(f"hob: {os.strerror(full)}: make room where Hob's data lie")
