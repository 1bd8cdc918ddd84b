"""From what models say to values: mended where it was meant well, never a wrong type, never an exception."""

import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.core.hosts import Host
from bot.inference.hosts.pool import Pool
from bot.inference.infer import make_infer
from bot.inference.runners.scripted import ScriptedRunner
from bot.inference.structured_output import read
from bot.prompting import rendered
from tests.inference.answers import GOOD, Sorted, triage
from tests.long import examples

TEXT = json.dumps(GOOD)


@pytest.mark.parametrize(
    "said",
    [
        '{"kind": "bug", "labels": ["area"], "title": "A title",}',
        '{"kind": "bug", "labels": ["area",], "title": "A title"}',
        "{'kind': 'bug', 'labels': ['area'], 'title': 'A title'}",
        '{kind: "bug", labels: ["area"], title: "A title"}',
        '{"kind": "bug", "labels": ["area"], "title": "A title"',
        '{"kind": "bug" "labels": ["area"] "title": "A title"}',
        '{"kind": "bug", // what it is\n"labels": ["area"], "title": "A title"}',
        '```json\n{"kind": "bug", "labels": ["area"], "title": "A title",}\n```',
        'Sure! Here it is: {"kind": "bug", "labels": ["area"], "title": "A title",}',
        '<think>{"kind": "feature"</think>{"kind": "bug", "labels": ["area"], "title": "A title",}',
        "{“kind”: “bug”, “labels”: [“area”], “title”: “A title”}",
    ],
)
def test_what_was_meant_is_understood(said: str) -> None:
    assert read(Sorted, said) == Sorted(**GOOD)


@pytest.mark.parametrize(
    "said",
    ["", "no", "{", "[]", "null", "{}", "[{}]", "{" * 20_000, "[" * 20_000, "{x}", '{"kind": "king",}'],
)
def test_nothing_is_made_of_nothing(said: str) -> None:
    with pytest.raises(ValidationError):
        read(Sorted, said)


@pytest.mark.parametrize("length", range(1, len(TEXT)))
def test_an_answer_that_was_cut_off_is_not_mended(length: int) -> None:
    """Its end is missing: what it found last would be lost without a word."""
    with pytest.raises(ValidationError):
        read(Sorted, TEXT[:length], whole=False)


@settings(max_examples=examples(300), deadline=None)
@given(st.text() | st.text(alphabet="{}[]\",:\\ \n'abkindlsug<>/`") | st.from_regex(r"\{.*\}"))
def test_any_text_is_a_value_or_a_ValueError(said: str) -> None:
    try:
        assert isinstance(read(Sorted, said), Sorted)
    except ValueError:
        return


def mutations(chance: random.Random) -> list[Callable[[str], str]]:
    """Ways in which an answer goes wrong."""

    def at(text: str) -> int:
        return chance.randrange(len(text) + 1)

    noise = [
        "}",
        "{",
        '"',
        "\\",
        ",",
        "\x00",
        "\ud800",
        "null",
        "NaN",
        "1e999",
        "</think>",
        "```",
        "漢",
        "9" * 5000,
    ]
    return [
        lambda text: text[: at(text)],
        lambda text: text[at(text) :],
        lambda text: text[: (cut := at(text))] + chance.choice(noise) + text[cut:],
        lambda text: text[: (cut := at(text))] + text[cut + 1 :],
        lambda text: text * chance.randrange(2, 5),
        lambda text: text.replace('"', chance.choice(["'", "“", ""])),
        lambda text: f"<think>{text}",
        lambda text: f"```json\n{text}\n```",
        lambda text: "".join(chance.sample(text, len(text))),
        lambda text: chance.choice("[{") * chance.randrange(5_000) + text,
        lambda text: text.encode()[: at(text)].decode("latin-1"),
    ]


def thing(chance: random.Random, depth: int = 0) -> Any:
    """Any JSON value, its keys those of the answer."""
    plain = ["bug", "feature", "king", "", 0, -1, 1.5, True, None, "x" * 300, 10**400]
    kind = chance.randrange(4 if depth < 3 else 1)
    if kind == 0:
        return chance.choice(plain)
    if kind == 1:
        return [thing(chance, depth + 1) for _ in range(chance.randrange(4))]
    return {key: thing(chance, depth + 1) for key in chance.sample(["kind", "labels", "title", "else"], 3)}


def fuzzed(chance: random.Random) -> str:
    """An answer from a model that has lost its way."""
    text = TEXT if chance.random() < 0.6 else json.dumps(thing(chance))
    for _ in range(chance.randrange(4)):
        text = chance.choice(mutations(chance))(text)
    return text


async def test_R10_a_thousand_garbage_answers_are_values_or_reasons() -> None:
    """No exception leaves `Infer`, and no value is of another type."""
    chance = random.Random(7)
    told: list[str] = []

    def say(_: object) -> str:
        told.append(fuzzed(chance))
        return told[-1]

    runner = ScriptedRunner(Host("mini", "scripted", ""), say)
    pool = Pool([runner.host], runner=lambda _: runner)
    infer = make_infer(pool, {"triage": ("scripted",)}, rendered)
    values = failures = 0
    while len(told) < 1_000:
        completion = await infer(triage())
        if completion.value is None:
            assert completion.failure == "invalid"
            assert completion.reason.startswith("scripted on mini gave no usable answer: ")
            failures += 1
        else:
            assert completion.failure is None
            assert type(completion.value) is Sorted
            assert completion.value.kind in {"bug", "feature"}
            assert all(type(label) is str for label in completion.value.labels)
            assert type(completion.value.title) is str
            values += 1
    assert values > 100
    assert failures > 100
