"""Agents' prompt files."""

from pathlib import Path

import pytest

from bot.core.errors import UserError
from bot.core.inference import PromptFile
from bot.prompting import load_persona, names, parse


@pytest.mark.parametrize("name", names("agents", ".md"))
def test_every_persona_of_the_house_can_be_used(name: str) -> None:
    persona = load_persona(name)
    assert persona.name == name
    assert len(persona.system) > 100
    assert "---" not in persona.system
    assert persona.role in {"chat", "code", "review"}


def test_a_plain_text_is_a_persona() -> None:
    assert parse("pirate", "Arr, you answer as a pirate.\n", "p.md") == PromptFile(
        "pirate", "Arr, you answer as a pirate."
    )


def test_what_stands_before_the_words_says_how_they_are_asked() -> None:
    text = "---\nrole: code\ntemperature: 1\nmax_tokens: 99\n---\nArr.\n--- a line of dashes\n"
    assert parse("pirate", text.replace("\n", "\r\n"), "p.md") == PromptFile(
        "pirate", "Arr.\n--- a line of dashes", "code", 1, 99
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "says nothing"),
        ("---\nrole: chat\n---\n \n", "says nothing"),
        ("---\nrol: chat\n---\nArr.", "unknown key rol"),
        ("---\nrole: a king!\n---\nArr.", "role is 'a king!'"),
        ("---\nrole: []\n---\nArr.", "role is"),
        ("---\ntemperature: hot\n---\nArr.", "temperature is 'hot'"),
        ("---\nmax_tokens: .nan\n---\nArr.", "max_tokens is"),
        ("---\nmax_tokens: .inf\n---\nArr.", "max_tokens is"),
        ("---\n- role\n---\nArr.", "no keys"),
        ("---\n{\n---\nArr.", "not YAML"),
    ],
)
def test_what_is_wrong_is_said(text: str, said: str) -> None:
    with pytest.raises(UserError, match=said) as error:
        parse("pirate", text, "p.md")
    assert str(error.value).startswith("p.md")
    assert error.value.hint


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("cht", "no agent named 'cht'"),
        ("../../nowhere/persona.md", "no agent at"),
        ("/etc/passwd/x.md", "no agent at"),
        ("..", "no agent named"),
        ("", "no agent named"),
    ],
)
def test_an_agent_that_there_is_not(name: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        load_persona(name)


def test_a_file_by_its_path(tmp_path: Path) -> None:
    file = tmp_path / "pirate.md"
    file.write_text("Arr.")
    assert load_persona(str(file)).system == "Arr."
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match="not UTF-8"):
        load_persona(str(file))
    file.write_text("a" * 100_000)
    with pytest.raises(UserError, match="over 64 KB"):
        load_persona(str(file))
