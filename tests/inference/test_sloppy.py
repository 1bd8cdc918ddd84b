"""The same answer in a thousand sloppy forms: the value is one, however it is wrapped and spelt."""

import contextlib
import json
import random
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest
from pydantic import BaseModel, Field, field_validator

from bot.agents import review
from bot.agents.chain import PlanAnswer
from bot.agents.citing import CitedAnswer
from bot.agents.fix import PatchAnswer
from bot.agents.issue import TriageAnswer
from bot.agents.review.answers import ReviewAnswer, VerifyAnswer
from bot.core.effects import SetCheck
from bot.core.hosts import Host
from bot.inference.hosts.pool import Pool
from bot.inference.infer import make_infer
from bot.inference.structured_output import understood
from bot.prompting import rendered
from tests.agents.facts import pull_request
from tests.fakes.models import FakeOllama
from tests.spent import Spent
from tests.tea import finding

Object = dict[str, Any]

FINDING: Object = {
    "path": "src/a {b}.py",
    "quote": 'x = "1" # ```',
    "severity": "major",
    "category": "bug",
    "title": "Wrong",
    "body": "It is <b>wrong</b>:\n- {\n- [",
    "replacement": None,
    "confidence": 0.9,
}
ANSWERS: dict[str, tuple[type[BaseModel], Object]] = {
    "review": (
        ReviewAnswer,
        {"findings": [FINDING, {**FINDING, "severity": "nit", "replacement": "x = 2"}], "summary": "Two."},
    ),
    "verify": (
        VerifyAnswer,
        {
            "verdicts": [
                {"index": 0, "keep": True, "reason": "It is so."},
                {"index": 1, "keep": False, "reason": ""},
            ]
        },
    ),
    "triage": (
        TriageAnswer,
        {
            "kind": "feature",
            "labels": ["good first issue", "ui"],
            "priority": "high",
            "summary": "Wants tea.",
            "missing": [],
            "reply": "Which tea?",
        },
    ),
    "patch": (
        PatchAnswer,
        {
            "summary": "Divides less.",
            "edits": [
                {"path": "a.py", "search": "x = {1}\n", "replace": ""},
                {"path": "b.py", "search": '"', "replace": "'"},
            ],
        },
    ),
    "answer": (
        CitedAnswer,
        {
            "answer": 'In `{"a": 1}`, see below.',
            "citations": [
                {"path": "a.py", "start": 3, "end": 9, "quote": ""},
                {"path": "b.py", "start": 1, "end": 1, "quote": "b"},
            ],
        },
    ),
    "plan": (
        PlanAnswer,
        {
            "steps": [
                {"title": "Look", "detail": "Around.", "role": "researcher"},
                {"title": "Write", "detail": "", "role": "coder"},
            ]
        },
    ),
}


def each(value: Any, change: Callable[[str, Any], Any]) -> Any:
    """The value with each field changed."""
    if isinstance(value, list):
        return [each(item, change) for item in value]
    if isinstance(value, dict):
        return {name: each(change(name, item), change) for name, item in value.items()}
    return value


def named(value: Any, spelt: Callable[[str], str]) -> Any:
    if isinstance(value, list):
        return [named(item, spelt) for item in value]
    if isinstance(value, dict):
        return {spelt(name): named(item, spelt) for name, item in value.items()}
    return value


WORDS = {"severity", "kind", "priority"}
SPELT: dict[str, Callable[[Object], Any]] = {
    "as it is": lambda value: value,
    "fields in capitals": lambda value: named(value, str.upper),
    "Fields like titles": lambda value: named(value, str.title),
    "fields with spaces": lambda value: named(value, lambda name: f" {name} "),
    "fields in another order": lambda value: dict(reversed(value.items())),
    "words in capitals": lambda value: each(
        value, lambda name, item: item.upper() if name in WORDS else item
    ),
    "words like titles": lambda value: each(
        value, lambda name, item: item.title() + "." if name in WORDS else item
    ),
    "words that name their field": lambda value: each(
        value, lambda name, item: f"{name}: {item}" if name in WORDS else item
    ),
    "numbers as text": lambda value: each(
        value, lambda name, item: str(item) if isinstance(item, int | float) else item
    ),
    "truth in words": lambda value: each(
        value, lambda name, item: ("no", "Yes")[item] if isinstance(item, bool) else item
    ),
    "shares in per cent": lambda value: each(
        value, lambda name, item: f"{item:.0%}" if name == "confidence" else item
    ),
    "shares of a hundred": lambda value: each(
        value, lambda name, item: int(item * 100) if name == "confidence" else item
    ),
    "more fields": lambda value: {"thought": "Hm.", **value, "extra": [1, {"a": None}]},
    "items as text": lambda value: each(
        value,
        lambda name, item: (
            [json.dumps(one) if isinstance(one, dict) else one for one in item]
            if isinstance(item, list)
            else item
        ),
    ),
    "lists as text": lambda value: each(
        value, lambda name, item: json.dumps(item) if isinstance(item, list) else item
    ),
    "null in words": lambda value: each(
        value, lambda name, item: "null" if name == "replacement" and item is None else item
    ),
}
SCHEMA_OF: dict[str, str] = {
    name: json.dumps(model.model_json_schema()) for name, (model, _) in ANSWERS.items()
}
Wrap = Callable[[Any, str], str]
WRAPPED: dict[str, Wrap] = {
    "bare": lambda value, _: json.dumps(value),
    "pretty": lambda value, _: json.dumps(value, indent=4),
    "fenced": lambda value, _: f"```json\n{json.dumps(value, indent=1)}\n```",
    "in words": lambda value, _: f"Sure! Here is what I found:\n\n{json.dumps(value)}\n\nI hope it helps.",
    "words and a fence": lambda value, _: f"Here [you] are:\n```\n{json.dumps(value)}\n```\nDone {{:",
    "after thoughts": lambda value, _: f'<think>Is it {{"a": 1}}? No.</think>\n{json.dumps(value)}',
    "byte order mark": lambda value, _: "\ufeff" + json.dumps(value),
    "in an answer": lambda value, _: json.dumps({"answer": value}),
    "in wrappers": lambda value, _: json.dumps({"status": "ok", "result": {"data": value, "n": 1}}),
    "in a list": lambda value, _: json.dumps([value]),
    "as a text": lambda value, _: json.dumps(json.dumps(value)),
    "as a text in a wrapper": lambda value, _: json.dumps({"output": json.dumps(value)}),
    "after its schema": lambda value, name: f"{SCHEMA_OF[name]}\n{json.dumps(value)}",
    "after longer JSON": lambda value, _: json.dumps({"note": {"text": "y" * 5000}}) + json.dumps(value),
    "with tabs": lambda value, _: json.dumps(value, indent="\t").replace("\n", "\r\n"),
    "after the end of thoughts": lambda value, _: "Is it?\n</think>\n\n" + json.dumps(value),
    "twice": lambda value, _: f"{json.dumps(value)}\n{json.dumps(value)}",
    "after nothing": lambda value, _: "{}\n" + json.dumps(value),
    "in a tag": lambda value, _: f"<answer>{json.dumps(value)}</answer>",
    "in a list of lists": lambda value, _: json.dumps([[value]]),
    "a comma too many": lambda value, _: json.dumps(value)[:-1] + ",}",
}


def variants(name: str) -> Iterator[tuple[str, str]]:
    for spelt, wrapped in product(SPELT, WRAPPED):
        yield f"{spelt}, {wrapped}", WRAPPED[wrapped](SPELT[spelt](ANSWERS[name][1]), name)


def test_there_are_over_a_thousand_variants() -> None:
    assert len({text for name in ANSWERS for _, text in variants(name)}) >= 1_000


@pytest.mark.parametrize("name", ANSWERS)
def test_a_sloppy_answer_is_the_answer(name: str) -> None:
    model, said = ANSWERS[name]
    expected = model.model_validate(said)
    wrong = [why for why, text in variants(name) if understood(model, text) != (expected, 0)]
    assert wrong == []


LISTS = {"review": "findings", "verify": "verdicts", "patch": "edits", "answer": "citations", "plan": "steps"}
NONSENSE: list[Any] = [{}, None, 7, "words", [], {"start": "one"}, {"index": "one"}, [[]]]


@pytest.mark.parametrize("name", LISTS)
def test_nonsense_among_the_items_costs_itself_only(name: str) -> None:
    model, said = ANSWERS[name]
    chosen = random.Random(9)
    for spelt in SPELT.values():
        items = [*said[LISTS[name]]]
        for _ in range(added := chosen.randint(1, 5)):
            items.insert(chosen.randint(0, len(items)), chosen.choice(NONSENSE))
        text = json.dumps(spelt({**said, LISTS[name]: items}))
        assert understood(model, text) == (model.model_validate(said), added)


@pytest.mark.parametrize("name", ["review", "verify", "patch", "plan"])
@pytest.mark.parametrize("form", ["one a line", "fences", "list", "lists"])
def test_items_by_themselves_are_the_answer(name: str, form: str) -> None:
    model, said = ANSWERS[name]
    items = said[LISTS[name]]
    text = {
        "one a line": "\n".join(map(json.dumps, items)),
        "fences": "\n\n".join(f"Next:\n```json\n{json.dumps(item)}\n```" for item in items),
        "list": json.dumps(items),
        "lists": json.dumps([[item] for item in items]),
    }[form]
    value, dropped = understood(model, text)
    assert (getattr(value, LISTS[name]), dropped) == (getattr(model.model_validate(said), LISTS[name]), 0)


@pytest.mark.parametrize("form", ["{}\n{}", "```json\n{}\n```\nand\n```json\n{}\n```", "[{}, {}]"])
@pytest.mark.parametrize("name", ["review", "verify", "patch", "plan"])
def test_the_items_of_several_whole_answers_are_joined(name: str, form: str) -> None:
    model, said = ANSWERS[name]
    first, second = said[LISTS[name]]
    halves = [json.dumps({**said, LISTS[name]: items}) for items in ([first], [first, second])]
    value, dropped = understood(model, form.replace("{}", "%s") % tuple(halves))
    assert (value, dropped) == (model.model_validate(said), 0)


def test_of_several_answers_that_are_no_list_the_last_is_meant() -> None:
    drafts = [{**ANSWERS["triage"][1], "summary": text} for text in ("Draft.", "Final.")]
    value, _ = understood(TriageAnswer, "\n".join(map(json.dumps, drafts)))
    assert value.summary == "Final."


def test_many_findings_one_a_line_are_all_read() -> None:
    many = [{**FINDING, "title": f"Point {number}"} for number in range(500)]
    for text in ("\n".join(map(json.dumps, many)), json.dumps(many)):
        value, dropped = understood(ReviewAnswer, text)
        assert ([one.title for one in value.findings], dropped) == ([one["title"] for one in many], 0)


@pytest.mark.parametrize(
    "text",
    [
        *("", "{}", "null", "No findings.", "I looked at x[] and found []", "[1]", "[{}]"),
        *("[]", " [ ]\n", "```json\n[]\n```", "<think>None.</think>[]", '"[]"'),
    ],
)
def test_what_says_nothing_of_findings_is_no_review(text: str) -> None:
    """An empty list by itself is what a model that read nothing says: it is asked again."""
    with pytest.raises(ValueError):
        understood(ReviewAnswer, text)


@pytest.mark.parametrize(
    ("name", "field"),
    [
        *(("triage", field) for field in ("labels", "priority", "summary", "missing", "reply")),
        *(("review", "summary"), ("patch", "summary"), ("answer", "citations")),
    ],
)
@pytest.mark.parametrize("as_null", [True, False])
def test_what_an_answer_can_do_without_may_be_missing(name: str, field: str, as_null: bool) -> None:
    model, said = ANSWERS[name]
    lacking = {**said, field: None} if as_null else {key: said[key] for key in said if key != field}
    value, dropped = understood(model, json.dumps(lacking))
    kept = {key: item for key, item in model.model_validate(said).model_dump().items() if key != field}
    assert dropped == 0
    assert {**value.model_dump(), **kept} == value.model_dump()
    assert not getattr(value, field) or getattr(value, field) == "normal"


class Even(BaseModel):
    number: int = Field(ge=0)

    @field_validator("number")
    @classmethod
    def _even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("odd")
        return value


class Evens(BaseModel):
    evens: list[Even]
    more: list[Even] = []


def test_a_rule_that_the_schema_does_not_tell_costs_its_item_only() -> None:
    said = {
        "evens": [{"number": number} for number in (2, 3, 4, -2)],
        "more": [{"number": 5}, {"number": "6"}],
    }
    value, dropped = understood(Evens, json.dumps(said))
    assert ([one.number for one in value.evens], [one.number for one in value.more]) == ([2, 4], [6])
    assert dropped == 3
    with pytest.raises(ValueError):
        understood(Evens, json.dumps({"evens": [{"number": 3}]}))


HOSTILE = {
    "open objects": '{"a":',
    "open lists": "[{",
    "findings without end": '{"findings": [',
    "small objects": '{"x": "y"} ',
    "no objects": "{x} ",
    "findings": json.dumps(FINDING) + "\n",
    "answers": json.dumps({"findings": [FINDING]}) + "\n",
    "quotes": '"',
    "escapes": '{"a": "\\"',
    "thoughts": "<think>",
    "ends of thoughts": "</think>",
    "fences": "```json\n",
    "words": "keep ",
    "commas": "[1,",
}


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=list(HOSTILE))
def test_N2_an_answer_eight_times_as_long_takes_about_eight_times_as_long(piece: str) -> None:
    def seconds(size: int) -> float:
        text = "Here: " + piece * (size // len(piece))
        with Spent() as spent, contextlib.suppress(ValueError):
            understood(ReviewAnswer, text)
        return spent.seconds

    small = min(seconds(12_000) for _ in range(3))
    assert min(seconds(96_000) for _ in range(2)) < 16 * small + 0.1


async def test_a_finding_that_was_not_understood_is_counted_in_the_check_run() -> None:
    """From what a host says over HTTP to the words that people read."""

    def said(request: Object) -> Any:
        if "verdicts" in request["format"]["properties"]:
            return {"verdicts": [{"index": 0, "keep": "yes"}, {"index": 1}]}
        good = finding(severity="Major", confidence="90%")
        return json.dumps([good, {**good, "severity": "purple"}, {"title": "Nothing"}])

    with FakeOllama(answer=said) as host:
        pool = Pool([Host("mini", "ollama", host.url)])
        infer = make_infer(pool, {"review": tuple(host.models)}, rendered)
        plan = await review.plan(pull_request({"tea.py": "def brew():\n    return water / 0\n"}), infer)
        await pool.aclose()
    (check,) = [effect for effect in plan.effects if isinstance(effect, SetCheck)]
    assert "2 findings that could not be understood, not shown" in check.summary
    assert check.conclusion != "success"
    assert [len(getattr(effect, "comments", ())) for effect in plan.effects if effect is not check] == [1]
