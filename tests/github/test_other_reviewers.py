"""Another reviewer's configuration: what Hob has too is honoured, the rest is named."""

from typing import Any

import pytest

from bot.core.settings import PathInstruction
from bot.github.other_reviewers import read

CODERABBIT = """
language: de
tone_instructions: Speak as a pirate.
reviews:
  profile: chill
  poem: true
  path_filters: ["!dist/**", "src/**"]
  path_instructions:
    - {path: "src/**", instructions: "No print."}
    - {path: "x"}
chat: {auto_reply: true}
"""
PR_AGENT = """
[config]
response_language = "pt-BR"
model = "gpt-5"
[ignore]
glob = ["vendor/**"]
[pr_reviewer]
extra_instructions = "Look at locks."
num_max_findings = 3
"""


def test_coderabbits_filters_instructions_and_language_count() -> None:
    values, note = read(".coderabbit.yaml", CODERABBIT)
    assert values == {
        "review.paths": ("!dist/**", "src/**"),
        "review.instructions": (PathInstruction("src/**", "No print."),),
        "language": "de",
    }
    assert "counts for `language`, `review.instructions`, `review.paths`" in note
    assert "`tone_instructions`, `reviews.profile`, `reviews.poem`, `chat.auto_reply`" in note
    assert "path_filters" not in note


def test_pr_agents_ignored_files_instructions_and_language_count() -> None:
    values, note = read(".pr_agent.toml", PR_AGENT)
    assert values == {
        "review.paths": ("!vendor/**",),
        "review.instructions": (PathInstruction("**", "Look at locks."),),
        "review.max_comments": 3,
        "language": "pt-BR",
    }
    assert "Hob does not use its `config.model`." in note


@pytest.mark.parametrize(
    ("path", "text", "values"),
    [
        (".coderabbit.yaml", "{enabled: false}", {"review.auto": False}),
        (".coderabbit.yaml", "{enabled: true, drafts: true, base_branches: ['.*']}", {}),
        (
            ".coderabbit.yaml",
            "{ignore_title_keywords: [WIP, 3]}",
            {"review.ignore_title_keywords": ("WIP", "3")},
        ),
        (
            ".coderabbit.yaml",
            "{ignore_usernames: ['dependabot[bot]']}",
            {"review.ignore_authors": ("dependabot[bot]",)},
        ),
        (".coderabbit.yaml", "{labels: [review-me]}", {"review.labels": ("review-me",)}),
        (".coderabbit.yaml", "{labels: [review-me, '!wip']}", {}),
        (
            ".pr_agent.toml",
            "ignore_pr_authors = ['ann', 'dependabot[bot]']",
            {"review.ignore_authors": ("ann", "dependabot[bot]")},
        ),
        (".pr_agent.toml", "ignore_pr_authors = ['.*bot$']", {}),
        (".pr_agent.toml", "[pr_reviewer]\nnum_max_findings = 9000", {}),
        (".pr_agent.toml", "[pr_reviewer]\nnum_max_findings = true", {}),
    ],
)
def test_what_they_leave_alone_is_left_alone_and_no_more_is_reviewed(
    path: str, text: str, values: dict[str, Any]
) -> None:
    whole = f"[config]\n{text}" if path.endswith(".toml") else f"reviews: {{auto_review: {text}}}"
    found, note = read(path, whole)
    assert found == values
    assert ("Hob does not use its" in note) == (not values)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (".coderabbit.yaml", "a: &x [1]\nb: *x"),
        (".coderabbit.yaml", "{" * 2_000),
        (".coderabbit.yaml", "x: " + "y" * 100_000),
        (".coderabbit.yaml", "- just\n- a list"),
        (".pr_agent.toml", "not toml"),
        (".pr_agent.toml", "a = " + "[" * 2_000),
        (".pr_agent.toml", "a = '" + "b" * 100_000 + "'"),
    ],
)
def test_C5_what_cannot_be_read_says_nothing_and_is_told_in_one_sentence(path: str, text: str) -> None:
    values, note = read(path, text)
    assert values == {}
    assert "it is ignored" in note
    assert len(note) < 200


@pytest.mark.parametrize(
    "text", ["language: 7x!", "reviews: {path_filters: 3}", "reviews: [1]", "reviews:", ""]
)
def test_values_that_cannot_be_are_left_out(text: str) -> None:
    assert read(".coderabbit.yaml", text)[0] == {}


def test_many_foreign_keys_are_named_briefly_and_safely() -> None:
    _, note = read(".pr_agent.toml", "\n".join(f'"k`{n}" = 1' for n in range(100)))
    assert "and 88 more" in note
    assert "k`" not in note
