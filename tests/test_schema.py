"""The JSON Schemas of hob.yml and hob.toml say what Hob's own readers say."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.cli import schema
from bot.config import Config, HostTable
from bot.config.code import SuiteTable
from bot.config.schema import hobtoml_schema
from bot.core.errors import ConfigError
from bot.core.hobyml_schema import hobyml_schema
from bot.core.settings_schema import KEYS, SettingKey
from bot.github import hobyml
from tests import pages

ROOT = Path(__file__).parents[1]
HOB_YML, HOB_TOML = hobyml_schema(), hobtoml_schema()
YML = jsonschema_rs.Draft7Validator(HOB_YML)
TOML = jsonschema_rs.Draft7Validator(HOB_TOML)
TABLES = pages.hob_toml()
IN_FILE = [key for key in KEYS if key.in_file]
VALUES: list[Any] = [
    True, False, -1, 0, 1, 2, 3, 4, 8, 29, 30, 51, 101, 201, 70_000, 10**6, 10**9, -0.5, 0.5, 1.5, "",
    "x", "de", "pt-BR", "nit", "never", "author", "write", "draft", "suggest", "debug", "both",
    "allowed", "10m", "UTC", "round_robin", "http://127.0.0.1:1", "https://hob.example", "ftp://x",
    "HTTPS://hob.example/Hob", "http://me:pw@hob.example", "http://me@hob.example", "http://hob.example/@me",
    "embedded", "redis://127.0.0.1", "sqlite:///t.db", "sqlite:///", "postgresql+psycopg://me@db/hob",
    "/opt/venvs/tea", "//opt", "report.xml", "/report.xml", "registry/tea:1", "-x", "a b", [], ["a"],
    ["a", "b"], [1], [""], ["x" * 256], ["/opt/tea"], ["run"], ["a"] * 101, [["a"]], {}, {"a": "b"},
    {"a": 1}, {"a": ["b"]}, {"a": {}}, {"review": 0.5}, {"review": 2}, {"me/tea": {"command":
    ["make"]}}, {"me/tea": {"command": []}}, {"me/tea": {}}, {"tea": {"command": ["make"]}}, {"a":
    [{"b": 1}]}, {".a": "b"}, [{"path": "a", "text": "b"}], [{"path": "a"}], [{"path": "a", "text": "b",
    "c": 1}], [{"path": "a", "text": "b" * 2001}],
]  # fmt: skip
"""Put under every key: what one takes the next refuses."""


def said(value: Any) -> str:
    return json.dumps(value)[:60]


def nested(name: str, value: Any) -> dict[str, Any]:
    for part in reversed(name.split(".")):
        value = {part: value}
    return dict(value)


@pytest.mark.parametrize("key", IN_FILE, ids=lambda key: key.name)
def test_an_editor_marks_in_hob_yml_what_hob_would_complain_of(key: SettingKey) -> None:
    for value in VALUES:
        tree = nested(key.name, value)
        _, complaints = hobyml.said(yaml.safe_dump(tree))
        assert YML.is_valid(tree) is (not complaints), (said(value), complaints)


def keys_of_toml() -> list[tuple[str, str]]:
    return [(heading, key) for heading, model in TABLES.items() for key in model.model_fields]


UNSAYABLE = {("[schedule]", "time_zone"), ("[code]", "container"), ('[code.tests."owner/name"]', "command")}
"""No schema knows all time zones, or which words belong together: there the reader refuses more."""


@pytest.mark.parametrize(("heading", "key"), keys_of_toml(), ids=lambda one: one)
def test_an_editor_marks_in_hob_toml_what_hob_would_not_start_with(heading: str, key: str) -> None:
    for value in VALUES:
        tree = in_toml(heading, key, value)
        taken = reads(tree)
        if (heading, key) in UNSAYABLE:
            assert TOML.is_valid(tree) or not taken, said(value)
        else:
            assert TOML.is_valid(tree) is taken, (said(value), "taken" if taken else "refused")


def in_toml(heading: str, key: str, value: Any) -> dict[str, Any]:
    if TABLES[heading] is HostTable:
        return {"hosts": [{"name": "mini", "url": "http://127.0.0.1:1", key: value}]}
    if TABLES[heading] is SuiteTable:
        container = {"container": ["podman", "run"]}
        return {"code": {**container, "tests": {"me/tea": {"command": ["make"], key: value}}}}
    return {heading.strip("[]"): {key: value}}


def reads(tree: dict[str, Any]) -> bool:
    try:
        Config.model_validate(tree)
    except (ValidationError, ConfigError):
        return False
    return True


@given(
    values=st.dictionaries(
        st.sampled_from([key.name for key in IN_FILE]), st.sampled_from(VALUES), min_size=1, max_size=6
    ),
    unknown=st.from_regex(r"[a-z]{3,12}", fullmatch=True),
)
def test_any_settings_that_hob_takes_are_valid_and_no_unknown_key_is(
    values: dict[str, Any], unknown: str
) -> None:
    tree: dict[str, Any] = {}
    for name, value in values.items():
        _put(tree, name, value)
    _, complaints = hobyml.said(yaml.safe_dump(tree))
    assert YML.is_valid(tree) is (not complaints)
    for section in (tree, *(one for name, one in tree.items() if name in ("review", "issues", "code"))):
        if isinstance(section, dict) and unknown not in HOB_YML["properties"]:
            assert not YML.is_valid(tree | {unknown: 1})
            if section is not tree and not any(key.name.endswith(f".{unknown}") for key in IN_FILE):
                section[unknown] = 1
                assert not YML.is_valid(tree)


def _put(tree: dict[str, Any], name: str, value: Any) -> None:
    *sections, last = name.split(".")
    for section in sections:
        tree = tree.setdefault(section, {})
    tree[last] = value


@pytest.mark.parametrize(
    "tree",
    [
        {"hobb": {}},
        {"hob": {"colour": "red"}},
        {"hosts": [{"name": "mini"}]},
        {"hosts": [{"url": "http://127.0.0.1:1"}]},
        {"hosts": {"name": "mini"}},
        {"models": {"Review": ["a"]}},
        {"hosts": [{"name": "m", "url": "x", "models": {"a": {"temperature": 1}}}]},
    ],
    ids=str,
)
def test_tables_and_keys_that_there_are_not_are_marked(tree: dict[str, Any]) -> None:
    assert not reads(tree)
    assert not TOML.is_valid(tree)


@pytest.mark.parametrize("name", ["hob.yml", "hob.toml"])
def test_the_command_prints_what_the_docs_hold(name: str) -> None:
    printed = json.loads(CliRunner().invoke(schema.command, [name]).output)
    assert printed == (HOB_YML if name == "hob.yml" else HOB_TOML)
    jsonschema_rs.meta.validate(printed)


@pytest.mark.parametrize("path", pages.files(), ids=lambda path: path.name)
def test_each_made_file_is_what_make_docs_would_write(path: Path) -> None:
    assert path.read_text() == pages.files()[path], "run: make docs"


def test_every_key_is_described() -> None:
    for whole in (HOB_YML, HOB_TOML):
        assert not list(wordless(whole, ""))


def wordless(part: dict[str, Any], where: str) -> list[str]:
    found = []
    for name, one in part.get("properties", {}).items():
        inside = [one, one.get("items", {}), *one.get("patternProperties", {}).values()]
        deeper = [
            path for each in inside if isinstance(each, dict) for path in wordless(each, f"{where}{name}.")
        ]
        leaf = not one.get("properties") and where != "review.instructions."
        described = one.get("description") or one.get("items", {}).get("description")
        found += deeper + ([where + name] if leaf and not described else [])
    return found


def fenced(language: str) -> list[tuple[str, str]]:
    """(where, text) of every block of a language on the pages."""
    files = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    block = re.compile(rf"^( *)```{language}\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
    return [
        (f"{path.name}:{path.read_text()[: match.start()].count(chr(10)) + 1}", _dedent(match[2], match[1]))
        for path in files
        for match in block.finditer(path.read_text())
    ]


def _dedent(text: str, indent: str) -> str:
    return "".join(line.removeprefix(indent) for line in text.splitlines(keepends=True))


@pytest.mark.parametrize(("where", "text"), fenced("toml"), ids=lambda one: one if len(one) < 40 else "")
def test_every_hob_toml_on_a_page_can_be_used(where: str, text: str) -> None:
    tree = tomllib.loads(text)
    if {"steps", "project"} & set(tree):
        return  # a chain, a package
    errors = [error.message for error in TOML.iter_errors(tree)]
    assert not errors, where
    assert reads(tree)


@pytest.mark.parametrize(("where", "text"), fenced("yaml"), ids=lambda one: one if len(one) < 40 else "")
def test_every_hob_yml_on_a_page_is_valid(where: str, text: str) -> None:
    tree = yaml.safe_load(text)
    known = set(HOB_YML["properties"])
    if not isinstance(tree, dict) or not set(tree) & known:
        return  # a workflow, compose, rules of alerts
    assert not [error.message for error in YML.iter_errors(tree)], where
    assert hobyml.said(text)[1] == ()
