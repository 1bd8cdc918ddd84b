"""`.github/hob.yml`, as people and attackers write it."""

import pytest

from bot.core.settings import CHECKS, CodeSettings, PathInstruction, RepoSettings
from bot.github.hobyml import MOST_COMPLAINTS, MOST_TEXT, read
from tests.spent import Spent

FULL = """\
review:
  auto: true
  drafts: yes
  paths: ["!**/vendor/**"]
  instructions: [{path: "src/**/*.py", text: "We use structlog, never print."}]
  min_severity: major
  max_comments: 3
  request_changes: false
  walkthrough: false
  guidelines: [AGENTS.md]
  checks: {ruff: false, secrets: true}
issues: {triage: true, comment: never, labels: [bug], label_hints: {area-api: "HTTP"}, duplicates: suggest}
code: {enabled: true, allow: maintain}
language: de
online: never
"""


def messages(text: str) -> list[str]:
    return [complaint.message for complaint in read(text)[1]]


def test_a_whole_file_is_read_without_complaint() -> None:
    settings, complaints = read(FULL)
    assert complaints == ()
    assert settings.review.drafts is True
    assert settings.review.paths == ("!**/vendor/**",)
    assert settings.review.instructions == (PathInstruction("src/**/*.py", "We use structlog, never print."),)
    assert (settings.review.min_severity, settings.review.max_comments) == ("major", 3)
    assert settings.review.checks == set(CHECKS) - {"ruff", "coverage", "sqlfluff"}
    assert settings.issues.label_hints == {"area-api": "HTTP"}
    assert settings.code == CodeSettings(enabled=True, allow="maintain")
    assert (settings.language, settings.online) == ("de", "never")


@pytest.mark.parametrize("text", [None, "", "# only a comment\n", "---\n"])
def test_no_file_or_an_empty_one_means_defaults(text: str | None) -> None:
    assert read(text) == (RepoSettings(), ())


def test_an_unknown_key_is_named_with_its_line_and_the_nearest_known_one() -> None:
    settings, complaints = read("review:\n  auto: false\n\n  max_coments: 3\n")
    assert settings.review.auto is False
    assert settings.review.max_comments == 8
    assert [c.line for c in complaints] == [4]
    assert complaints[0].message.startswith("line 4: `review.max_coments`")
    assert "did you mean `max_comments`?" in complaints[0].message


def test_each_wrong_value_is_ignored_by_itself() -> None:
    settings, complaints = read(
        "review:\n  auto: perhaps\n  max_comments: 5\n  min_severity: awful\n  labels: x\nlanguage: [en]\n"
    )
    assert settings.review.max_comments == 5
    assert [c.line for c in complaints] == [2, 4, 5, 6]
    assert settings.review.min_severity == "minor"
    assert settings.language == "en"


def test_one_wrong_entry_of_a_list_leaves_the_others() -> None:
    settings, complaints = read("review:\n  labels:\n    - good\n    - [bad]\n    - no\n    - 1.0\n")
    assert settings.review.labels == ("good", "no", "1.0")
    assert [c.line for c in complaints] == [4]


def test_the_first_of_two_equal_keys_counts() -> None:
    settings, complaints = read("language: de\nlanguage: fr\n")
    assert settings.language == "de"
    assert "twice" in complaints[0].message
    assert complaints[0].line == 2


def test_a_slip_of_the_pen_is_no_attack() -> None:
    assert "did you mean `ignore_title_keywords`?" in messages("review: {ignore_title_keyword: [wip]}")[0]


def test_an_instruction_needs_both_its_parts() -> None:
    settings, complaints = read("review:\n  instructions:\n    - path: a\n    - {path: b, text: c}\n")
    assert settings.review.instructions == (PathInstruction("b", "c"),)
    assert [c.line for c in complaints] == [3]


def test_a_long_instruction_is_cut_and_said_so() -> None:
    settings, complaints = read(f"review: {{instructions: [{{path: a, text: {'x' * (MOST_TEXT + 9)}}}]}}")
    assert len(settings.review.instructions[0].text) == MOST_TEXT
    assert "cut" in complaints[0].message


@pytest.mark.parametrize(
    "key",
    [
        "base_url",
        "api_key",
        "model",
        "models",
        "hosts",
        "provider",
        "openai_api_base",
        "webhook_secret",
        "command",
        "OLLAMA_HOST",
        "endpoint",
        "prompt",
        "extends",
        "budget",
        "token_file",
    ],
)
@pytest.mark.parametrize("section", ["", "review"])
def test_C2_a_repository_sets_no_host_model_key_or_command(key: str, section: str) -> None:
    text = f"{key}: http://evil.example\n" if not section else f"review:\n  {key}: http://evil.example\n"
    settings, complaints = read(text)
    assert settings == RepoSettings()
    assert len(complaints) == 1
    assert "cannot be set by a repository" in complaints[0].message


def bomb() -> str:
    lines = ["a: &a [x,x,x,x,x,x,x,x,x]"]
    for n in range(1, 9):
        this, last = chr(97 + n), chr(96 + n)
        lines.append(f"{this}: &{this} [{','.join([f'*{last}'] * 9)}]")
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (bomb(), 1),
        ("review: &r {auto: false}\nissues: *r\n", 1),
        ("language: en\n" + "[" * 60_000, 2),
        ("\n".join(" " * n + "a:" for n in range(300)), 12),
        ("x" * 1_000_000, 1),
        ("€" * 30_000, 1),
        ("language: 'en\n", 2),
        ("review:\n\t- x\n", 2),
        ("language: de\nonline: \0\n", 2),
        ("language: en\n---\nlanguage: de\n", 2),
    ],
    ids=[
        "bomb",
        "alias",
        "deep",
        "deep maps",
        "1 MB",
        "64 KB of bytes",
        "quote",
        "tab",
        "NUL",
        "two documents",
    ],
)
def test_C5_a_file_that_cannot_be_read_means_defaults_and_one_complaint(text: str, line: int) -> None:
    with Spent() as spent:
        settings, complaints = read(text)
    assert spent.seconds < 1.0
    assert settings == RepoSettings()
    assert [c.line for c in complaints] == [line]
    assert complaints[0].message.startswith(f"line {line}: ")


def test_C5_an_alias_bomb_is_refused_at_once() -> None:
    best = min(_seconds(bomb()) for _ in range(5))
    assert best < 0.1


@pytest.mark.parametrize(
    "unit", ["{", "[", "{a: ", "[a, ", "? ", "- ", "{? ", "!!a ", "&a [", "[{", "[[a]: "]
)
def test_C5_what_is_nested_without_end_is_refused_at_once(unit: str) -> None:
    for size in (1_000, 60_000):
        assert min(_seconds(unit * (size // len(unit))) for _ in range(3)) < 0.1
        assert min(_seconds("review: " + unit * (size // len(unit))) for _ in range(3)) < 0.1


def _seconds(text: str) -> float:
    with Spent() as spent:
        read(text)
    return spent.seconds


def test_merge_keys_and_tags_build_nothing() -> None:
    assert "merge keys" in messages("review:\n  <<: {auto: false}\n")[0]
    settings, complaints = read("review: !!python/object/apply:os.system ['true']\nlanguage: !!binary ZGU=\n")
    assert settings == RepoSettings()
    assert [c.line for c in complaints] == [1, 2]


def test_complaints_are_few_and_show_no_markup() -> None:
    many = "".join(f"'x`{n}\\n@someone': 1\n" for n in range(100))
    complaints = read(many)[1]
    assert len(complaints) == MOST_COMPLAINTS
    assert "more complaints" in complaints[-1].message
    assert all(c.message.count("`") == 2 for c in complaints[:-1])


@pytest.mark.parametrize("text", ["- a\n- b\n", "hello", "42"])
def test_a_file_that_is_no_mapping_is_ignored(text: str) -> None:
    settings, complaints = read(text)
    assert settings == RepoSettings()
    assert len(complaints) == 1


def test_a_number_of_5000_digits_is_only_a_wrong_value() -> None:
    assert "whole number" in messages("review: {max_comments: " + "9" * 5_000 + "}")[0]
