"""What the documentation names is what there is: every key with its default, and no other."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic_core import PydanticUndefined

from bot.config import Config, HostTable, load_config
from bot.core.keys import KEYS
from bot.core.layers import merge, plain
from bot.core.settings import Complaint
from bot.github import hobyml
from handlers import router

TEXT = (Path(__file__).parent.parent / "docs" / "configuration.md").read_text()
ROW = re.compile(r"^\| `([\w.]+)` \| (.*)\|$", re.MULTILINE)


def part(heading: str) -> str:
    """The text below a heading up to the next one."""
    match = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert match, f"docs/configuration.md has no part {heading}"
    return match[1]


def rows(text: str) -> Iterator[tuple[str, list[str]]]:
    for name, rest in ROW.findall(text):
        yield name, [cell.strip() for cell in rest.split(" | ")]


def shown(value: Any) -> str:
    """A default as the tables write it."""
    if value is None:
        return "none"
    if isinstance(value, Path):
        value = str(value)
    return f"`{json.dumps(plain(value))}`"


def tables() -> dict[str, Any]:
    found = {f"`[{name}]`": type(getattr(Config(), name)) for name in Config.model_fields if name != "hosts"}
    return {**found, "`[[hosts]]`": HostTable}


@pytest.mark.parametrize("heading", tables())
def test_every_key_of_hob_toml_is_described_with_its_default(heading: str) -> None:
    fields = tables()[heading].model_fields
    defaults = {name: field.get_default(call_default_factory=True) for name, field in fields.items()}
    wanted = {
        name: "required" if default is PydanticUndefined else shown(default)
        for name, default in defaults.items()
    }
    assert {name: cells[0] for name, cells in rows(part(heading))} == wanted


def test_no_section_is_described_that_does_not_exist() -> None:
    assert set(re.findall(r"^## (`\[+\w+\]+`)$", TEXT, re.MULTILINE)) == set(tables())


def test_every_key_of_a_repository_is_described_with_its_default_and_place() -> None:
    defaults = merge(())
    wanted = {
        key.name: [shown(defaults[key.name].value), "both" if key.in_file else "stored only"] for key in KEYS
    }
    assert {name: cells[:2] for name, cells in rows(part("Settings of a repository"))} == wanted


def test_every_choice_is_named_where_its_key_is_described() -> None:
    described = dict(rows(part("Settings of a repository")))
    for key in KEYS:
        missing = [choice for choice in key.choices if f"`{choice}`" not in " ".join(described[key.name])]
        assert not missing, f"{key.name}: {missing}"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def test_the_examples_can_be_used_as_they_stand(tmp_path: Path) -> None:
    (toml,), (yaml,) = blocks("toml"), blocks("yaml")
    assert tomllib.loads(toml)
    (tmp_path / "hob.toml").write_text(toml)
    config = load_config(tmp_path / "hob.toml", {"HOB_HOB__DATA_DIR": str(tmp_path)})
    assert config.models.share == {"review": 0.2}
    complaints: tuple[Complaint, ...]
    values, complaints = hobyml.said(yaml)
    assert complaints == ()
    assert values["review.checks.shellcheck"] is False


def test_every_command_of_a_comment_is_documented() -> None:
    page = (Path(__file__).parents[1] / "docs" / "commands.md").read_text()
    table = page.partition("|---|---|---|")[2].partition("##")[0]
    for name in router.commands:
        assert re.search(rf"`{name}[` ]", table), f"docs/commands.md does not know {name}"


def test_the_security_page_says_who_may_give_each_command() -> None:
    page = (Path(__file__).parent.parent / "docs" / "security.md").read_text()
    said = page.partition("| | who |")[2].partition("\n\n")[0].splitlines()[2:]
    told = {frozenset(re.findall(r"`([a-z]+)`", line.split("|")[1])) for line in said}
    by_who: dict[str, set[str]] = {}
    for name, route in router.commands.items():
        by_who.setdefault(route.who, set()).add(name)
    assert told == {frozenset(names) for names in by_who.values()}
