"""Help as a terminal of any width shows it, and the words that are the same in all commands."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import bot.cli
from bot.cli.command_names import HIDDEN, SUMMARIES, module_of
from bot.cli.framework import FolderOption
from bot.cli.framework import hob as group
from bot.cli.help import NARROWEST, WIDEST
from tests.cli.conftest import Hob

SERVERS = {
    "up": "stays; its log is JSON",
    "mcp": "speaks a protocol of JSON",
    "serve": "stays; its log is JSON",
    "work": "stays; its log is JSON",
    "schedule": "stays; its log is JSON",
    "prepare": "is started by `hob up`, whose log is JSON",
    "completion": "what it prints is a script",
    "schema": "what it prints is JSON",
}
"""Commands without --json, and why."""


def _commands(command: click.Command, *names: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield names, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from _commands(inner, *names, name)


ALL = dict(_commands(group))
NAMED = {" ".join(names) or "hob": names for names in ALL}


def _help(names: tuple[str, ...], width: int) -> str:
    shown = CliRunner(env={"COLUMNS": str(width)}).invoke(group, [*names, "--help"], prog_name="hob")
    assert shown.exit_code == 0
    return shown.output


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("width", [NARROWEST, 55, 80, 200])
def test_help_is_never_wider_than_the_terminal_and_is_not_cut(name: str, width: int) -> None:
    shown = _help(NAMED[name], width)
    assert max(map(len, shown.splitlines())) <= min(width, WIDEST)
    said, examples = _words(shown)
    whole, whole_examples = _words(_help(NAMED[name], 80))
    assert said == whole
    assert sorted(examples) == sorted(whole_examples)
    assert "..." not in re.sub(
        r"\.\.\.[\s\]]|\[ARGS\]\.\.\.|main\.\.\.HEAD", "", shown.partition("Options:")[2]
    )


def _words(shown: str) -> tuple[str, str]:
    """All characters but spaces, of the help and of its example, in which a shell joins parted lines."""
    said, _, example = shown.partition("Example:\n")
    return re.sub(r"\s", "", said), re.sub(r"\s", "", example.replace(" \\\n", ""))


def test_an_example_that_is_parted_is_the_same_to_a_shell() -> None:
    example = _help(("settings",), 40).partition("Example:\n")[2]
    assert "\\\n" in example
    joined = re.sub(r" \\\n\s*", " ", example)
    assert "hob settings set models.review qwen2.5:7b,qwen2.5-coder:14b --org octo\n" in joined


def test_the_list_of_commands_is_what_there_is() -> None:
    folder = Path(bot.cli.__file__).parent
    files = {path.stem for path in folder.glob("*.py")} | {
        path.parent.name for path in folder.glob("*/__init__.py")
    }
    commands = {name for name in files if "command" in vars(__import__(f"bot.cli.{name}", fromlist=["_"]))}
    assert {module_of(name) for name in {*SUMMARIES, *HIDDEN}} == commands


def test_every_command_has_its_line_at_eighty_columns() -> None:
    shown = _help((), 80)
    for name, about in SUMMARIES.items():
        assert re.search(rf"^  {name} +{re.escape(about)}$", shown, re.MULTILINE)


@pytest.mark.parametrize("name", [name for name in NAMED if not isinstance(ALL[NAMED[name]], click.Group)])
def test_every_command_prints_json_or_says_why_not(name: str) -> None:
    options = {option for each in ALL[NAMED[name]].params for option in each.opts}
    assert ("--json" in options) != (name in SERVERS)


@pytest.mark.parametrize("name", NAMED)
def test_a_folder_of_a_repository_is_called_folder_everywhere(name: str) -> None:
    for each in ALL[NAMED[name]].params:
        assert not {"--repo", "--path", "--dir"}.intersection(each.opts) or each.metavar == "OWNER/NAME"
        if isinstance(each.type, click.Path) and each.default == ".":
            assert isinstance(each, FolderOption)
        if isinstance(each, FolderOption):
            assert (each.opts, each.metavar) == (["--folder"], "FOLDER")
            assert each.old not in _help(NAMED[name], 80)


@pytest.mark.parametrize(
    "name", [name for name in NAMED if any(isinstance(one, FolderOption) for one in ALL[NAMED[name]].params)]
)
def test_the_earlier_word_for_a_folder_is_understood(name: str) -> None:
    command = ALL[NAMED[name]]
    (option,) = (one for one in command.params if isinstance(one, FolderOption))
    for word in ("--folder", option.old):
        parser = command.make_parser(click.Context(command))
        given, _, _ = parser.parse_args(args=[word, "there", *(["x"] * 2)])
        assert given["folder"] == "there"


def test_a_folder_that_is_not_there_is_said_with_the_word_for_it(hob: Hob) -> None:
    for arguments in (["review"], ["hook", "remove"], ["implement", "Tea"]):
        ended = hob.run(*arguments, "--folder", "nowhere")
        assert (ended.returncode, ended.stdout) == (1, "")
        assert ended.stderr == "hob: there is no folder nowhere — name one with --folder\n"
