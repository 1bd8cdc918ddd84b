"""What fits is decided here: pure rules, by example and by property."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.context_packing import FittedPassages, pack_passages, passage_size, size
from bot.core.inference import Passage
from bot.inference import token_budget
from tests.inference.answers import lines


def passage(name: str, characters: int, priority: int = 1) -> Passage:
    return Passage(name, "x" * characters, priority)


def names(packed: FittedPassages | None) -> list[str]:
    assert packed
    return [passage.name for passage in packed.passages]


def test_all_goes_in_where_there_is_room() -> None:
    packed = pack_passages([passage("a", 500), passage("b", 500, priority=0)], 2_000)
    assert packed == FittedPassages((passage("a", 500), passage("b", 500, priority=0)))


def test_the_last_in_priority_are_left_out_and_named_and_the_order_stays() -> None:
    packed = pack_passages([passage("c", 900, 3), passage("a", 900, 1), passage("b", 900, 2)], 2_200)
    assert names(packed) == ["a", "b"]
    assert packed
    assert packed.left_out == ("c",)
    assert packed.cut == ()


def test_a_smaller_one_takes_the_room_that_a_larger_one_could_not() -> None:
    packed = pack_passages([passage("a", 900), passage("large", 1_500), passage("b", 400)], 2_000)
    assert names(packed) == ["a", "b"]
    assert packed
    assert packed.left_out == ("large",)


@pytest.mark.parametrize("space", [0, 300, 599, -10])
def test_what_is_never_dropped_and_does_not_fit_is_too_large(space: int) -> None:
    assert pack_passages([passage("a", 500, priority=0), passage("b", 10)], space) is None


def test_nothing_left_to_read_is_too_large_and_nothing_to_read_is_fine() -> None:
    assert pack_passages([passage("a", 5_000)], 300) is None
    assert pack_passages([], 0) == FittedPassages()


def test_a_passage_over_the_whole_window_is_cut_after_a_line_and_says_so() -> None:
    packed = pack_passages([Passage("big.py", lines(1_000)), passage("b", 2_000, 2)], 4_000)
    assert packed
    assert packed.cut == ("big.py",)
    assert packed.left_out == ("b",)
    *kept, marker = packed.passages[0].text.split("\n")
    assert kept == lines(1_000).split("\n")[: len(kept)]
    assert marker == f"[{1_000 - len(kept)} lines left out]"
    assert passage_size(packed.passages[0]) <= 4_000


def test_one_endless_line_is_left_out_whole() -> None:
    packed = pack_passages([passage("min.js", 100_000), passage("b", 500)], 4_000)
    assert names(packed) == ["b"]
    assert packed
    assert packed.left_out == ("min.js",)


passages = st.lists(
    st.builds(
        Passage,
        st.text(max_size=8),
        st.text(alphabet="ab\né漢\f\r", max_size=3_000),
        st.integers(min_value=0, max_value=3),
    ),
    max_size=6,
)


@given(passages, st.integers(min_value=0, max_value=8_000))
def test_whatever_is_packed_fits_and_nothing_is_lost_in_silence(given: list[Passage], space: int) -> None:
    packed = pack_passages(given, space)
    if packed is None:
        assert given
        return
    assert sum(map(passage_size, packed.passages)) <= max(0, space)
    assert sorted([*names(packed), *packed.left_out]) == sorted(passage.name for passage in given)
    whole = [passage for passage in packed.passages if passage in given]
    assert len(packed.passages) - len(whole) == len(packed.cut)
    for kept in packed.passages:
        if kept not in given:
            text = kept.text.rpartition("[")[0]
            assert any(passage.text.startswith(text) for passage in given if passage.name == kept.name)
    assert not {passage.name for passage in given if passage.priority == 0} - set(names(packed))


@given(st.integers(1_000, 200_000), st.integers(1, 16_384), st.floats(0.5, 8))
def test_room_leaves_space_for_the_answer(num_ctx: int, max_tokens: int, ratio: float) -> None:
    space = token_budget.room(num_ctx, max_tokens, ratio)
    assert space == 0 or token_budget.tokens(space, ratio) + max_tokens <= num_ctx


def test_text_outside_of_ascii_counts_more() -> None:
    assert size("abc") == 3
    assert size("naïve") == 6
    assert size("漢字") == 4


def test_a_ratio_falls_at_once_and_rises_by_halves() -> None:
    assert token_budget.learned(3.0, 10_000, 5_000) == 2.0
    assert token_budget.learned(3.0, 10_000, 2_500) == 3.5
    assert token_budget.learned(3.0, 1, 10_000) >= 0.5
    assert token_budget.learned(3.0, 10**9, 0) <= 8.0


@pytest.mark.parametrize(
    ("amount", "counted", "ratio", "suspicious"),
    [
        (17_500, 5_000, 3.0, False),
        (17_500, 2_048, 3.0, True),
        (6_000, 1_001, 3.0, False),
        (17_500, 2_500, 7.0, False),
    ],
)
def test_too_few_tokens_are_suspicious(amount: int, counted: int, ratio: float, suspicious: bool) -> None:
    assert token_budget.implausible(amount, counted, ratio) is suspicious


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ((16_000, 2_000), (8_000, 1_000), True),
        ((16_000, 2_000), (8_000, 1_400), False),
        ((16_000, 2_048), (8_000, 2_048), False),
    ],
)
def test_a_vocabulary_scales_and_a_cut_does_not(
    first: tuple[int, int], second: tuple[int, int], same: bool
) -> None:
    assert token_budget.same_ratio(first, second) is same


@pytest.mark.parametrize(
    ("counted", "half", "cut"),
    [
        (2048, 2048, True),
        (2048, 2000, True),
        (60, 60, True),
        (500, 1, False),  # only what was not in its cache
        (500, 250, False),  # an unusual vocabulary
    ],
)
def test_a_host_that_cuts_counts_the_same_for_half_the_prompt(counted: int, half: int, cut: bool) -> None:
    assert token_budget.is_cut(counted, half) is cut
