"""What the documentation names is what there is: every key with its default, and no other."""

import ast
import functools
import importlib.util
import json
import re
import shlex
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml

from bot.checks import linter
from bot.cli.framework import Commands
from bot.config import Config, load_config
from bot.core.settings import CHECKS, Complaint
from bot.core.settings_schema import BY_NAME, KEYS
from bot.github import hobyml
from bot.web.openapi import document
from handlers import router
from tests import pages
from tests.bench.__main__ import BENCHES

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "configuration.md").read_text()
ROW = re.compile(r"^\| `([\w.]+)` \| (.*)\|$", re.MULTILINE)


@pytest.mark.parametrize("table", pages.tables(), ids=lambda table: table.name)
def test_each_table_is_what_make_docs_would_write(table: pages.Table) -> None:
    text = (ROOT / "docs" / table.page).read_text()
    assert table.written(text) == text, "run: make docs"
    assert not table.wordless(text), f"say on docs/{table.page} what these are"


def test_no_table_between_markers_is_left_over() -> None:
    there = {(table.page, table.name) for table in pages.tables()}
    marked = {
        (page.name, name)
        for page in (ROOT / "docs").glob("*.md")
        for name in re.findall(r"^<!-- make docs: (.+) -->$", page.read_text(), re.MULTILINE)
    }
    assert marked == there


def test_a_row_keeps_its_words_and_a_new_one_asks_for_some() -> None:
    old = "| leaf | is | grams |\n| green | mild | 1 |\n| gone | strong | 9 |\n"
    page = f"Before\n<!-- make docs: tea -->\n{old}<!-- end -->\n"
    table = pages.Table("tea", "tea.md", ("leaf", "is", "grams"), [("black", "3"), ("green", "2")], words=1)
    assert table.written(page).splitlines()[2:-1] == [
        "| leaf | is | grams |",
        "|---|---|---|",
        "| black |  | 3 |",
        "| green | mild | 2 |",
    ]
    assert table.wordless(page) == ["black"]


NOTHING_TO_TEST_YET: set[str] = set()
"""Rows about what Hob does not do yet: no callback of the manifest flow is answered."""


def test_every_row_of_hardening_has_a_test_and_every_test_a_row_that_there_is() -> None:
    tested = pages.hardening()
    assert set(pages.ROWS) - set(tested) == NOTHING_TO_TEST_YET, "rows that no test carries in its name"
    assert not {row: tested[row] for row in set(tested) - set(pages.ROWS)}, (
        "rows that are not in hardening.toml"
    )
    for row, said in pages.ROWS.items():
        assert said[0] in {"critical", "high", "medium", "low"}, row
        assert len(said) == 3 and all(said) and not any("|" in one for one in said), row


def part(heading: str) -> str:
    """The text below a heading up to the next one."""
    match = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert match, f"docs/configuration.md has no part {heading}"
    return match[1]


def rows(text: str) -> Iterator[tuple[str, list[str]]]:
    for name, rest in ROW.findall(text):
        yield name, [cell.strip() for cell in rest.split(" | ")]


def test_no_section_is_described_that_does_not_exist() -> None:
    assert set(re.findall(r"^##+ `(\[+[^`\]]+\]+)`$", TEXT, re.MULTILINE)) == set(pages.hob_toml())


def test_every_check_is_a_module_or_a_linter_and_an_entry() -> None:
    modules = (ROOT / "bot" / "checks").glob("[!_]*.py")
    own = {path.stem for path in modules if "\nasync def run(change" in path.read_text()}
    assert own | set(linter.names()) == set(CHECKS)


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


def test_examples_take_rates_of_counters_alone() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    assert not re.search(r"(?:increase|rate)\(hob_\w+(?<!_total)[{\[]", page)
    assert {kind for name, kind in pages.metrics().items() if name.endswith("_total")} == {"counter"}


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
                if node.func.attr in WRITES | {"mutate"} and on == "to":
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
            asked = document()["paths"][f"/agents/{url.rpartition('/agents/')[2]}"]["post"]
            shape = asked["requestBody"]["content"]["application/json"]["schema"]
            shapes = shape.get("oneOf", [shape])
            assert any(set(one["required"]) <= set(sent) <= set(one["properties"]) for one in shapes)


def examples_of(text: str) -> list[tuple[str, str]]:
    return [
        (re.search(r"https?://\S+", command)[0], found[1])  # type: ignore[index]
        for command in re.findall(r"^curl .*?(?<!\\)$", text, re.MULTILINE | re.DOTALL)
        if (found := re.search(r"-d '(.*?)'", command, re.DOTALL))
    ]


MAKE = r"(?:^|`|&& )make(?: -C \S+)?((?: [a-z-]+)+)(?: ARGS=(\"[^\"]*\"|[^\s`]+))?"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_file_of_hob_that_a_page_names_is_there(page: Path) -> None:
    named = re.findall(r"`((?:bot|handlers|prompts|tests|deploy|docs|\.ci)/[\w./-]*)`", page.read_text())
    named += re.findall(r"(?<=[ \"])((?:tests)/[\w/]+\.py)", page.read_text())
    named += re.findall(r"(?:/opt/hob/|(?<=[ =]))(deploy/[\w./-]*\w)", page.read_text())
    examples = {
        "handlers/x.py",
        "bot/agents/x.py",
        "prompts/x.md",
        "bot/checks/x.py",
        "bot/checks/linters/x.toml",
        "bot/web/pages/x.py",
        "prompts/chains/NAME.toml",
    }
    assert not [name for name in named if name not in examples and not (ROOT / name).exists()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_target_test_and_bench_that_a_page_names_is_there(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([\w.-]+):", makefile, re.MULTILINE))
    for names, arguments in re.findall(MAKE, page.read_text(), re.MULTILINE):
        assert not set(names.split()) - targets, f"make{names}"
        words = arguments.strip('"').split()
        if "bench" in names.split():
            assert set(words) <= set(BENCHES)
        assert all((ROOT / word).exists() for word in words if word.startswith("tests/")), arguments
        if rows := set(re.findall(r"test_([A-Z]\d+)_", arguments)):
            assert rows <= set(pages.hardening()), arguments


FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
PROGRAM = re.compile(r"(?:\S*/)?hob")
ENDS = re.compile(r"&&|\|\|?|;|\d?>>?|<|&")


def typed(text: str) -> list[list[str]]:
    """The words of each `hob …` in the shell blocks and the code spans of a page."""
    shell = [block for language, block in FENCE.findall(text) if language in ("", "sh", "shell", "console")]
    spans = re.findall(r"`((?:\.venv/bin/)?hob [^`]+)`", FENCE.sub("", text))
    lines = [line for block in shell for line in block.replace("\\\n", " ").splitlines()]
    found = []
    for line in [*lines, *(" ".join(span.split()) for span in spans)]:
        try:
            words = shlex.split(re.sub(r"\$\([^)]*\)", "X", line), comments=True)
        except ValueError:
            continue  # a sentence of an answer
        while words:
            end = next((place for place, word in enumerate(words) if ENDS.fullmatch(word)), len(words))
            command, words = words[:end], words[end + 1 :]
            start = next((place for place, word in enumerate(command) if not re.match(r"\w+=", word)), 0)
            if command[start:] and PROGRAM.fullmatch(command[start]):
                found.append(command[start + 1 :])
    return found


def refused(group: click.Command, words: list[str]) -> str:
    """Why the command line would not take these words; empty where it does."""
    context = click.Context(group, info_name="hob")
    if isinstance(group, click.Group):
        first = next((place for place, word in enumerate(words) if not word.startswith("-")), None)
        if first is None:
            return ""
        inner = group.get_command(context, words[first])
        return refused(inner, words[first + 1 :]) if inner else f"there is no command {words[first]}"
    try:
        values, left, _ = group.make_parser(context).parse_args(list(words))
        for one in group.params:
            said = values.get(one.name or "")
            if isinstance(one.type, click.Choice) and isinstance(said, str):
                one.type.convert(said, one, context)
    except click.UsageError as wrong:
        return wrong.format_message()
    missing = [
        one.name
        for one in group.params
        if isinstance(one, click.Argument) and one.required and values.get(one.name or "") in (None, ())
    ]
    named_alone = len(words) == 0  # `hob purge`: the command, not a call of it
    return f"too many words: {left}" if left else f"lacks {missing}" if missing and not named_alone else ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_of_hob_that_a_page_types_is_taken_with_its_options(page: Path) -> None:
    group = click.Group("hob", commands=every_command())
    wrong = {" ".join(words): why for words in typed(page.read_text()) if (why := refused(group, words))}
    assert not wrong


@pytest.mark.parametrize(
    "line",
    ["hob revue", "hob review --nope", "hob settings fetch", "x=1 /opt/hob/.venv/bin/hob up a b"],
)
def test_a_page_that_types_what_there_is_not_is_found(line: str) -> None:
    (words,) = typed(f"Text\n```\necho a && {line}   # says\n```\n")
    assert refused(click.Group("hob", commands=every_command()), words)


@functools.cache
def every_command() -> dict[str, click.Command]:
    commands = Commands()
    context = click.Context(commands)
    return {
        name: one for name in commands.list_commands(context) if (one := commands.get_command(context, name))
    }


def anchors_of(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text()), re.MULTILINE):
        plain_words = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", plain_words).strip().replace(" ", "-")
        same = sum(one == slug or re.fullmatch(rf"{re.escape(slug)}-\d+", one) is not None for one in found)
        found.add(f"{slug}-{same}" if same else slug)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    text = re.sub(r"`[^`\n]*`", "", FENCE.sub("", page.read_text()))
    wrong = []
    for path, anchor in re.findall(r"\]\(([^)#\s]*)(#[^)\s]*)?\)", text):
        if re.match(r"[a-z]+:", path):
            continue
        to = (page.parent / path) if path else page
        if not to.exists() or (anchor and to.suffix == ".md" and anchor[1:] not in anchors_of(to)):
            wrong.append(path + anchor)
    assert not wrong


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_key_that_a_page_names_is_one(page: Path) -> None:
    spans = re.findall(r"`([^`\n]+)`", FENCE.sub("", page.read_text()))
    fields = {heading.strip("[]"): set(model.model_fields) for heading, model in pages.hob_toml().items()}
    wrong = []
    for span in spans:
        if (named := re.match(r"\[{1,2}([a-z]+)\]{1,2}(?: ([a-z_]+))?(?= |$)", span)) and (
            named[1] not in fields or (named[2] and named[2] not in fields[named[1]])
        ):
            wrong.append(span)
        known = re.fullmatch(r"(?:review|issues|models|code)\.[a-z_.]*[a-z]", span)
        sections = {name.rpartition(".")[0] for name in BY_NAME}
        if known and span not in BY_NAME and span not in sections:
            wrong.append(span)
    assert not set(wrong) - NO_SETTINGS


NO_SETTINGS = {"[hidden]"}
"""Names on pages that look like a setting's."""


@pytest.mark.parametrize("name", ["moving", "privacy", "setup"])
def test_every_command_in_a_comment_that_a_guide_names_is_one(name: str) -> None:
    text = (ROOT / "docs" / f"{name}.md").read_text()
    said = re.findall(r"`@my-hob ([a-z]+)", text)
    assert set(said) <= set(router.commands)


def test_contributing_lists_the_benches() -> None:
    said = (ROOT / "CONTRIBUTING.md").read_text().partition("# one of: ")[2].partition("\n")[0]
    assert said.split() == list(BENCHES)


def test_hooks_of_the_project_are_local_and_type_what_there_is() -> None:
    (repo,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert repo["repo"] == "local"
    lint = (ROOT / "Makefile").read_text()
    for hook in repo["hooks"]:
        program, *words = hook["entry"].split()
        assert hook["language"] == "system", "an environment of its own would be fetched from a registry"
        assert (Path(sys.executable).parent / Path(program).name).exists(), program
        assert f"\t{program} {words[0] if words else ''}".rstrip() in lint, (
            f"{hook['entry']} is not what make types"
        )
        assert words[:1] != ["-m"] or importlib.util.find_spec(words[1])


def test_every_class_and_module_that_a_docstring_names_is_there() -> None:
    """In back-ticks, as `Plan` or `bot.core.effects.Plan`: a name that went stays in words otherwise."""
    sources = {path: path.read_text() for path in PRODUCT}
    apart = re.compile(r'"""(.*?)"""|#[^\n]*', re.DOTALL)
    there = {word for text in sources.values() for word in re.findall(r"[A-Za-z_]\w*", apart.sub("", text))}
    there |= {part for path in PRODUCT for part in path.relative_to(ROOT).with_suffix("").parts}
    there |= set(re.findall(r"\w+", (ROOT / "pyproject.toml").read_text()))
    gone = {
        f"{path.relative_to(ROOT)}: {name}"
        for path, text in sources.items()
        for words in apart.finditer(text)
        for name in re.findall(r"`((?:bot|handlers)(?:\.\w+)+|[A-Z][a-z]\w+(?:\.\w+)*)`", words[0])
        if not set(name.split(".")) <= there
    }
    no_names = {"bot/core/file_kinds.py: TeaTest.java", "bot/knowledge/storage/index_store.py: HobI"}
    assert gone <= no_names
