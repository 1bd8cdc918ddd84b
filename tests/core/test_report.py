"""A judgement as JSON, Markdown and SARIF."""

import json
from typing import Any
from urllib.parse import unquote

import jsonschema_rs
import pytest

from bot.core.facts import Skipped
from bot.core.findings import Finding, choose
from bot.core.report import as_json, as_markdown, as_sarif
from bot.core.review_result import Coverage, Judgement
from tests.agents.facts import pull_request
from tests.core.sarif import SCHEMA

FINDINGS = (
    Finding("a b/tea%ü.py", "major", "bug", "Division by zero", "Always.", "x / 0", "x / 2", line=3),
    Finding("tea.py", "minor", "F401", "Unused", "ruff F401", source="ruff", start_line=1, line=2),
    Finding("tea.py", "nit", "style or so", "Loose", "No line.", "gone"),
)


def judged(*findings: Finding, failure: str = "", cap: int = 8) -> Judgement:
    coverage = Coverage(("tea.py",), (Skipped("uv.lock", "lock file"),), 2, ("ruff",), failure)
    chosen = choose(findings, min_severity="nit", max_comments=cap)
    return Judgement(pull_request({"tea.py": "x = 1\n"}), chosen, coverage, "neutral")


@pytest.mark.parametrize("findings", [(), FINDINGS], ids=["none", "some"])
@pytest.mark.parametrize("failure", ["", "the host is away"])
def test_sarif_is_what_its_schema_says(findings: tuple[Finding, ...], failure: str) -> None:
    told = as_sarif(judged(*findings, failure=failure), "0.1.0")
    jsonschema_rs.validator_for(SCHEMA).validate(json.loads(json.dumps(told)))


def test_sarif_says_where_how_bad_and_what_instead() -> None:
    (run,) = as_sarif(judged(*FINDINGS, failure="the host is away"), "0.1.0")["runs"]
    first, second, third = run["results"]
    place = first["locations"][0]["physicalLocation"]
    assert unquote(place["artifactLocation"]["uri"]) == FINDINGS[0].path
    assert "%25" in place["artifactLocation"]["uri"]
    assert place["region"] == {"startLine": 3, "endLine": 3}
    assert [one["level"] for one in run["results"]] == ["error", "warning", "note"]
    assert second["locations"][0]["physicalLocation"]["region"] == {"startLine": 1, "endLine": 2}
    assert "region" not in third["locations"][0]["physicalLocation"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert [rules[one["ruleIndex"]] for one in run["results"]] == [one["ruleId"] for one in run["results"]]
    assert run["invocations"][0]["executionSuccessful"] is False
    texts = [note["message"]["text"] for note in run["invocations"][0]["toolExecutionNotifications"]]
    assert texts == ["no model read more: the host is away", "uv.lock: not read: lock file"]


def test_a_fix_in_sarif_gives_the_text_that_a_suggestion_gives() -> None:
    (run,) = as_sarif(judged(FINDINGS[0]), "0.1.0")["runs"]
    (replacement,) = run["results"][0]["fixes"][0]["artifactChanges"][0]["replacements"]
    assert applied(["1\n", "2\n", "x / 0\n", "4\n"], replacement) == "1\n2\nx / 2\n4\n"


def applied(lines: list[str], replacement: dict[str, Any]) -> str:
    """As the specification says (3.57): the region goes, the text comes."""
    region, text = replacement["deletedRegion"], "".join(lines)
    starts = [sum(map(len, lines[:number])) for number in range(len(lines) + 1)]
    begin = starts[region["startLine"] - 1] + region["startColumn"] - 1
    end = starts[region["endLine"] - 1] + region["endColumn"] - 1
    return text[:begin] + str(replacement["insertedContent"]["text"]) + text[end:]


def test_json_counts_what_is_not_shown() -> None:
    told = as_json(judged(*FINDINGS, cap=1))
    assert [one["title"] for one in told["findings"]] == ["Division by zero", "Unused", "Loose"]
    assert told["counts"] == {
        "shown": 1,
        "over review.max_comments": 2,
        "below review.min_severity": 0,
        "about the same lines as others": 0,
    }
    assert told["files"] == {
        "total": 2,
        "read": ["tea.py"],
        "unread": [{"path": "uv.lock", "why": "lock file"}],
    }
    assert (told["findings"][0]["start"], told["findings"][0]["end"]) == (3, 3)


def test_markdown_cannot_be_broken_out_of_by_a_replacement() -> None:
    text = as_markdown(judged(Finding("t.py", "major", "bug", "T", "B", "q", "```\n@all\n```", line=1)))
    assert "\n````\n```\n@all\n```\n````\n" in text
    assert "### `t.py:1`: major: T" in text
    assert "Not read: lock file" in text
