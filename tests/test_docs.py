"""What the documentation names is what there is: every key with its default, and no other."""

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic_core import PydanticUndefined

from bot.config import Config, HostTable, load_config
from bot.core.settings import CHECKS, Complaint
from bot.core.settings_merge import merge, plain
from bot.core.settings_schema import BY_NAME, KEYS
from bot.github import hobyml
from bot.knowledge.search.ranking import WEIGHTS
from bot.web import model_stats
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


def test_every_check_is_in_one_table_with_its_line_of_documentation() -> None:
    """A new check is its module and its entry; this says which line docs/configuration.md lacks."""
    modules = (ROOT / "bot" / "checks").glob("[!_]*.py")
    assert {path.stem for path in modules if "\nasync def run(" in path.read_text()} == set(CHECKS)
    described = [line for line in part("Settings of a repository").splitlines() if "`review.checks." in line]
    assert described == [
        f"| `review.checks.{name}` | {shown(check.on)} | both | {check.about} |"
        for name, check in CHECKS.items()
    ]


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


ROOT = Path(__file__).parents[1]
PRODUCT = [*ROOT.glob("bot/**/*.py"), *ROOT.glob("handlers/*.py")]


def attributes() -> set[tuple[str, str]]:
    """(what, name) of each `….what.name` in the product, but for where keys are only described and merged."""
    apart = {"settings_schema.py", "settings_merge.py", "hobyml.py"}
    found = set()
    for path in PRODUCT:
        if path.name in apart or "testing" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute | ast.Name):
                of = node.value.attr if isinstance(node.value, ast.Attribute) else node.value.id
                found.add((of, node.attr))
    return found


def test_every_setting_of_a_repository_is_read_or_said_to_be_planned() -> None:
    read = attributes()
    described = dict(rows(part("Settings of a repository")))
    for key in KEYS:
        section, _, name = key.name.partition(".")
        owners = {section, "settings", "known"} if name else {"settings", "known", "process", "context"}
        read_as = "models" if section == "models" else (name or section).partition(".")[0]
        is_read = any((of, read_as) in read for of in owners)
        assert is_read is not key.planned, f"{key.name} is {'read by now' if is_read else 'read by nobody'}"
        assert described[key.name][-1].startswith("Not yet") is key.planned, key.name
        assert key.about.startswith("Not yet") is key.planned, key.name


def test_the_metrics_on_the_page_are_those_that_there_are() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    told = re.findall(r"^\| `(hob_\w+)` \|", page, re.MULTILINE)
    there = set(re.findall(r"^# TYPE (\w+)", "\n".join(model_stats.lines({})), re.MULTILINE))
    for path in ROOT.glob("bot/web/*.py"):
        there |= set(re.findall(r"\"(hob_(?!session|writes|id\b|model_)\w+)\"", path.read_text()))
    assert sorted(told) == sorted(there)
    assert not re.search(r"(?:increase|rate)\(hob_\w+(?<!_total)[{\[]", page), "that is for counters"


def test_the_weights_on_the_page_are_those_of_the_search() -> None:
    page = (ROOT / "docs" / "knowledge.md").read_text()
    table = page.partition("| part | is | weight |")[2].partition("\n\n")[0]
    told = {
        name: float(weight)
        for name, weight in re.findall(r"^\| (\w+) \|.*\| ([\d.]+) \|$", table, re.MULTILINE)
    }
    assert told == dict(WEIGHTS)


WRITES = {"post", "patch", "put", "delete"}


def test_the_modules_that_write_to_github_are_the_named_ones() -> None:
    page = (ROOT / "docs" / "design.md").read_text()
    sentence = page.partition("One module")[2].partition(" Effects are")[0]
    named = set(re.findall(r"`(bot/effects/\w+\.py)`", sentence))
    writers, users = set(), set()
    folders = ("bot/effects", "bot/github", "bot/runs", "bot/cli", "bot/web", "handlers")
    for path in [path for folder in folders for path in (ROOT / folder).rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and str(node.value).lstrip().startswith("mutation("):
                users.add(path.parent.name)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                on = ast.unparse(node.func.value)
                tokens = any(word.arg == "idempotent" for word in node.keywords)  # nothing of a repository
                if node.func.attr in WRITES and on in {"api", "self.api", "to.api", "app", "self.app()"}:
                    writers |= set() if tokens else {str(path.relative_to(ROOT))}
                if node.func.attr in WRITES and on == "to":
                    users.add(path.parent.name)
    assert writers == named
    assert users == {"effects"}


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.stem)
def test_what_the_examples_send_is_taken(page: Path) -> None:
    """Bodies of `curl` on pages: settings that may be stored with the defaults, and questions."""
    for url, body in examples_of(page.read_text()):
        sent = json.loads(body)
        if "/settings/" in url:
            wrong = {name: value for name, value in sent.items() if value is not None and name not in BY_NAME}
            models = [model for name, value in sent.items() if name.startswith("models.") for model in value]
            assert not wrong
            assert all(model in Config().models.review for model in models), f"{models} would be refused"
        else:
            assert url.endswith("/agents/chat")
            assert set(sent) == {"repo", "message", "use_knowledge_graph"}


def examples_of(text: str) -> list[tuple[str, str]]:
    return [
        (re.search(r"https?://\S+", command)[0], found[1])  # type: ignore[index]
        for command in re.findall(r"^curl .*?(?<!\\)$", text, re.MULTILINE | re.DOTALL)
        if (found := re.search(r"-d '(.*?)'", command, re.DOTALL))
    ]
