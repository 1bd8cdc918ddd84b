"""A host that dies in the middle of an answer: the next one carries it on, and nothing is read twice."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.inference import Spoken
from bot.inference.continuation import ANEW, Joining, joined
from bot.inference.hosts.pool import Pool
from tests.fakes.models import Dropped, FakeOllama, Stage
from tests.inference.test_streaming import at, heard, infer_on, question
from tests.spent import Spent

WHOLE = (
    "Tea is made of leaves. They are dried for a day, then steeped in water that is hot but does not boil, "
    "for three minutes. Green tea wants cooler water than black tea does."
)
Pools = Callable[..., Pool]


@pytest.mark.parametrize("at_char", range(12, len(WHOLE) - 1, 7))
@pytest.mark.parametrize("back", [0, 4, 20, 70, 10_000])
@pytest.mark.parametrize("blank", ["", " ", "\n\n"])
def test_what_is_said_again_is_cut_wherever_it_broke_off(at_char: int, back: int, blank: str) -> None:
    said = WHOLE[:at_char]
    begins = max(0, at_char - back)
    while back and begins and WHOLE[begins - 1].isalnum():
        begins -= 1
    more = WHOLE[begins:]
    if not back and blank:
        return
    whole = said + joined(said, blank + more)
    assert whole == WHOLE or (at_char - begins < 3 and whole.endswith(more))


@pytest.mark.parametrize(
    ("said", "more", "whole"),
    [
        ("Tea is made ", "of leaves.", "Tea is made of leaves."),
        ("Tea is made", " of leaves.", "Tea is made of leaves."),
        ("Tea is made ", "made of leaves.", "Tea is made of leaves."),
        ("It is a ", "a tea.", "It is a a tea."),
        ("Tea is in the cu", "the cup.", "Tea is in the cup."),
        ("Tea", "Tea is good.", "Tea is good."),
        ("Tea is good. ", "Tea is good. ", "Tea is good. "),
        ("Steam", "team work", "Steamteam work"),
        ("漢字を書", "漢字を書く", "漢字を書く"),
    ],
)
def test_short_answers_and_short_words(said: str, more: str, whole: str) -> None:
    assert said + joined(said, more) == whole


@pytest.mark.parametrize(
    ("said", "more"),
    [
        ("Tea is made of leaves that are dr", "Tea is made of buds and of leaves."),
        ("First, warm the pot. Then, add the leaves and wa", "Then, add the leaves or a bag, and pour."),
    ],
)
def test_an_answer_that_begins_anew_in_other_words_says_so(said: str, more: str) -> None:
    assert joined(said, more) == ANEW + more


@given(st.text("ab c.\n", max_size=80), st.text("ab c.\n", max_size=80), st.integers(1, 9))
def test_how_words_come_changes_nothing(said: str, more: str, size: int) -> None:
    joining = Joining(said)
    shown = "".join(joining(more[start : start + size]) for start in range(0, len(more), size))
    if not joining.done:
        shown += joining.rest()
    assert shown == joined(said, more) or len(more) > 60
    assert len(shown) <= len(more) + len(ANEW)


@pytest.mark.parametrize("piece", ["a", "ab", "tea ", "a b ", "\n"])
def test_N2_a_long_answer_said_again_is_no_burden(piece: str) -> None:
    def seconds(size: int) -> float:
        said = piece * (size // len(piece))
        joining = Joining(said)
        with Spent() as spent:
            for start in range(0, len(said), 4):
                joining(said[start : start + 4])
            joining.rest()
        return spent.seconds

    assert seconds(400_000) < 30 * min(seconds(20_000) for _ in range(3)) + 0.2


@pytest.mark.parametrize(
    "again", [WHOLE[80:], WHOLE[60:], WHOLE[23:], WHOLE], ids=["on", "words", "sentence", "all"]
)
async def test_the_next_host_is_heard_from_where_the_first_one_died(again: str, pool_of: Pools) -> None:
    async def breaks(stage: Stage) -> None:
        for start in range(0, 80, 8):
            await stage.token(WHOLE[start : start + 8])
        raise Dropped

    with FakeOllama() as first, FakeOllama() as second:
        first.says(breaks)
        second.says(again)
        pieces, completion = await heard(infer_on(pool_of(at(first, "one"), at(second, "two"))), question())
    said = completion.text
    assert "".join(pieces).strip() == said
    assert completion.value == Spoken(said)
    assert said == WHOLE
    assert completion.note == "The answer broke off and was carried on by qwen2.5-coder:14b on two."


async def test_an_answer_that_did_not_break_has_no_note(ollama: FakeOllama, pool_of: Pools) -> None:
    ollama.says(WHOLE)
    _, completion = await heard(infer_on(pool_of(at(ollama))), question())
    assert (completion.text, completion.note) == (WHOLE, "")


async def test_an_answer_that_breaks_twice_is_one_text(pool_of: Pools) -> None:
    def breaking(text: str) -> Callable[[Stage], object]:
        async def act(stage: Stage) -> None:
            for start in range(0, len(text), 4):
                await stage.token(text[start : start + 4])
            raise Dropped

        return act

    async def rest(stage: Stage) -> None:
        await stage.say(WHOLE)

    with FakeOllama() as first, FakeOllama() as second:
        first.says(breaking(WHOLE[:40]))  # type: ignore[arg-type]
        second.says(breaking(WHOLE[:90]), rest)  # type: ignore[arg-type]
        hosts = at(first, "one"), at(second, "two")
        pieces, completion = await heard(infer_on(pool_of(*hosts)), question())
    assert "".join(pieces) == completion.text == WHOLE
    assert len(first.chats) == len(second.chats) == 2
