"""What others wrote, in a table: every character of it, as text."""

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from bot.cli import tables
from bot.cli.hosts.table import Shown, table
from bot.core.host_slots import Traffic
from bot.core.hosts import Host, HostModel
from bot.inference.hosts.known_host import HostState

HOSTILE = (
    "[budget] allows none",
    "[/b]",
    "[red]x",
    "[link=http://evil]y[/link]",
    "a[/]b",
    ":smile:",
    "\\[b]",
)


def shown(made: object, width: int) -> str:
    out = Console(file=io.StringIO(), width=width, markup=False)
    out.print(made)
    return out.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize("words", HOSTILE)
@pytest.mark.parametrize("width", [30, 160])
def test_a_cell_is_shown_whole_whatever_it_holds(words: str, width: int) -> None:
    made = tables.table("name", "why", title=words)
    tables.row(made, words, words * 3, style="red")
    said = re.sub(r"[^\w\[\]/:=\\.]", "", shown(made, width))
    assert all(character in said for character in words if character != " ")
    if width == 160:
        assert said.count(words.replace(" ", "")) == 5


@pytest.mark.parametrize("words", HOSTILE)
def test_a_host_of_any_name_is_in_the_pools_table(words: str) -> None:
    host = Host(words, "ollama", "http://127.0.0.1:9")
    state = HostState(host, (HostModel(words, 4096),), f"it is online, and {words}")
    said = shown(table([Shown(state, Traffic())]), 400)
    assert said.count(words) == 3


def test_a_narrow_terminal_folds_the_reason_and_cuts_nothing() -> None:
    host = Host("mini", "ollama", "http://127.0.0.1:9")
    reason = "the day's 5.00 US dollars are spent; it opens again at midnight UTC"
    said = shown(table([Shown(HostState(host, (), reason), Traffic())]), 100)
    assert "…" not in said
    last = "".join(line.split("│")[-2].strip() for line in said.splitlines() if line.count("│") > 1)
    assert reason.replace(" ", "") in last.replace(" ", "")


def test_every_table_and_every_print_goes_through_the_one_place() -> None:
    bot = Path(tables.__file__).parent
    for file in bot.rglob("*.py"):
        text = file.read_text()
        if file.name != "tables.py":
            assert ".add_row(" not in text, file
            assert not re.search(r"(?<!\w)Table\((?!\))", text), file
