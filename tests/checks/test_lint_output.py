"""What linters print, as remarks: SARIF, JSON, lines, and what only looks like them."""

import json
import time

import pytest

from bot.checks import lint_output, linter
from bot.checks.lint_output import JsonPlaces, LintRemark, NoLintAnswer

SARIF_RESULT = {
    "ruleId": "lint/X1",
    "level": "error",
    "message": {"text": "It is wrong"},
    "locations": [
        {"physicalLocation": {"artifactLocation": {"uri": "file:///repo/0.txt"}, "region": {"startLine": 2}}}
    ],
}


def log(*results: object, **more: object) -> bytes:
    return json.dumps({"version": "2.1.0", "runs": [{"results": list(results), **more}]}).encode()


def test_sarif_is_read_as_tools_write_it() -> None:
    known = LintRemark("/repo/0.txt", 2, "lint/X1", "It is wrong", "error")
    assert list(lint_output.sarif(log(SARIF_RESULT))) == [known]
    by_index = {key: value for key, value in SARIF_RESULT.items() if key != "ruleId"} | {"ruleIndex": 1}
    driver = {"tool": {"driver": {"rules": [{"id": "other"}, {"id": "lint/X1"}]}}}
    assert list(lint_output.sarif(log(by_index, **driver))) == [known]
    place = {"physicalLocation": {"artifactLocation": {"uri": "0%2Etxt"}}}
    (whole,) = lint_output.sarif(log(SARIF_RESULT | {"locations": [place]}))
    assert whole == LintRemark("0.txt", None, "lint/X1", "It is wrong", "error")


@pytest.mark.parametrize(
    "output",
    [
        b"{}",
        b"[]",
        b'{"runs": []}',
        b'{"runs": [null]}',
        b'{"runs": [{"results": {}}]}',
        log(SARIF_RESULT, invocations=[{"executionSuccessful": False}]),
    ],
)
def test_sarif_that_is_none_or_tells_of_a_failure_is_no_answer(output: bytes) -> None:
    with pytest.raises(NoLintAnswer):
        list(lint_output.sarif(output))


@pytest.mark.parametrize(
    "wrong",
    [
        *(None, 1, "x", [], {}),
        {"locations": []},
        {"locations": {"0": 1}},
        {"locations": [{"physicalLocation": None}]},
        {"message": "x"},
        {"ruleId": {"id": 1}},
        {"ruleId": None, "ruleIndex": 10**20},
        {"ruleId": None, "ruleIndex": -1},
        {"ruleId": None, "ruleIndex": True},
    ],
)
def test_a_result_of_wrong_types_is_no_remark(wrong: object) -> None:
    result = SARIF_RESULT | wrong if isinstance(wrong, dict) and wrong else wrong
    assert list(lint_output.sarif(log(result))) == [None]


def test_a_part_that_a_remark_lacks_is_that_of_what_it_stands_in() -> None:
    places = JsonPlaces("files.*.found.*", "name", "at.line", "rule", "text")
    files = [{"name": "0.txt", "found": [{"at": {"line": 2}, "rule": 2086, "text": "x"}]}, {"found": []}]
    assert list(lint_output.by_places(json.dumps({"files": files}).encode(), places)) == [
        LintRemark("0.txt", 2, "2086", "x")
    ]


def test_lines_are_remarks_or_are_counted() -> None:
    pattern = linter.known("yamllint").pattern
    output = (
        b'0.yaml:2:1: [error] duplication of key "a:1:1: [x] (y)" in mapping (key-duplicates)\r\n'
        b"Traceback (most recent call last):\n\n"
        b"0.yaml:99999999999:1: [error] x (anchors)\n"
    )
    first, *rest = lint_output.by_lines(output, pattern)
    assert first == LintRemark(
        *("0.yaml", 2, "key-duplicates", 'duplication of key "a:1:1: [x] (y)" in mapping', "error")
    )
    assert rest == [None, None]
    with pytest.raises(NoLintAnswer):
        list(lint_output.by_lines(b"\xff\n", pattern))


def test_lines_without_end_take_no_longer_than_their_length() -> None:
    pattern = linter.known("yamllint").pattern
    output = b"0.yaml:1:1: [error] " + b" (a" * 1_000_000 + b"\n"
    since = time.process_time()
    assert list(lint_output.by_lines(output, pattern)) == [None]
    assert time.process_time() - since < 2
