"""Sloppy answers whose meaning is plain are understood; what has none costs itself only, and is counted."""

import json
from typing import Any

import pytest

from bot.agents.review.answers import ReviewAnswer, VerifyAnswer
from bot.inference.structured_output import understood
from tests.spent import Spent

FINDING: dict[str, Any] = {"path": "a.py", "quote": "x = 1", "severity": "major", "category": "bug"}
FINDING |= {"title": "Wrong", "body": "It is wrong.", "replacement": None, "confidence": 0.9}
ANSWER: dict[str, Any] = {"findings": [FINDING], "summary": "One."}


@pytest.mark.parametrize(
    "change",
    [
        *({"severity": word} for word in ("Major", "high", "MAJOR.", "error", "severity: major")),
        *({"confidence": sure} for sure in (90, "0.9", "90%", "9/10", "high", 9)),
        {"Title": "Wrong", "more": [1]},
    ],
)
def test_a_finding_in_sloppy_words_is_the_finding(change: dict[str, Any]) -> None:
    value, dropped = understood(ReviewAnswer, json.dumps({**ANSWER, "findings": [{**FINDING, **change}]}))
    assert (value, dropped) == (ReviewAnswer(**ANSWER), 0)


@pytest.mark.parametrize("change", [{"confidence": None}, {"confidence": float("nan")}, {"category": None}])
def test_what_a_finding_can_do_without_costs_nothing(change: dict[str, Any]) -> None:
    value, dropped = understood(ReviewAnswer, json.dumps({**ANSWER, "findings": [{**FINDING, **change}]}))
    assert (len(value.findings), dropped) == (1, 0)


@pytest.mark.parametrize("bad", ["words", 7, None, {**FINDING, "severity": "purple"}, {"path": "a.py"}])
def test_one_bad_finding_costs_itself_and_is_counted(bad: object) -> None:
    value, dropped = understood(ReviewAnswer, json.dumps({**ANSWER, "findings": [bad, FINDING]}))
    assert (value, dropped) == (ReviewAnswer(**ANSWER), 1)


def test_one_verdict_with_null_costs_itself() -> None:
    said = {"verdicts": [{"index": 0, "keep": None}, {"index": "1", "keep": "yes"}]}
    value, dropped = understood(VerifyAnswer, json.dumps(said))
    assert ([(one.index, one.keep) for one in value.verdicts], dropped) == ([(1, True)], 1)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([FINDING]),
        json.dumps(FINDING),
        json.dumps({"answer": ANSWER}),
        json.dumps({"result": {"data": ANSWER}}),
        json.dumps(ReviewAnswer.model_json_schema()) + "\n" + json.dumps(ANSWER),
        'Like {"example": {"long": "' + "x" * 2000 + '"}}: ' + json.dumps(ANSWER),
        "\ufeff```json\n" + json.dumps([FINDING], indent=2) + "\n```",
    ],
)
def test_the_part_that_fits_is_taken_not_the_longest(text: str) -> None:
    value, dropped = understood(ReviewAnswer, text)
    assert (value.findings, dropped) == (ReviewAnswer(**ANSWER).findings, 0)


@pytest.mark.parametrize("at", range(20, len(json.dumps(ANSWER)), 7))
@pytest.mark.parametrize("before", ["", "Here: "])
def test_a_cut_off_answer_is_never_mended_or_taken_in_part(at: int, before: str) -> None:
    with pytest.raises(ValueError):
        understood(ReviewAnswer, before + json.dumps(ANSWER)[:at], whole=False)


@pytest.mark.parametrize("piece", ['{"a":', "[{", '{"findings": [', '{"x": "y"} ', "{x} "])
def test_hostile_answers_never_raise_otherwise_and_end_soon(piece: str) -> None:
    with Spent() as spent, pytest.raises(ValueError):
        understood(ReviewAnswer, piece * (60_000 // len(piece)))
    assert spent.seconds < 5
