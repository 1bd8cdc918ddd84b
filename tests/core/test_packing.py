"""The most valuable passages that fit, each line once, in an order that stays."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from bot.core.code_search import Excerpt
from bot.core.context_packing import GAP, ContextCandidate, pack_excerpts, written
from bot.core.inference import Passage

FILES = {path: [f"{path} line {number}" for number in range(1, 41)] for path in ("a.py", "b.py", "c/d.py")}


def lines(path: str, start: int, end: int, value: float) -> ContextCandidate:
    return ContextCandidate(Excerpt(path, start, tuple(FILES[path][start - 1 : end])), value)


@st.composite
def candidates(draw: st.DrawFn) -> ContextCandidate:
    path, start = draw(st.sampled_from(sorted(FILES))), draw(st.integers(1, 40))
    return lines(path, start, draw(st.integers(start, 40)), draw(st.integers(0, 20)) / 20)


some = st.lists(candidates(), max_size=12)
budgets = st.integers(0, 1_200)


def size(passages: tuple[Passage, ...]) -> int:
    return sum(len(one.name) + len(one.text) for one in passages)


def holds(passages: tuple[Passage, ...], candidate: ContextCandidate) -> bool:
    shown = {line for one in passages if one.name == candidate.excerpt.path for line in one.text.split("\n")}
    return shown.issuperset(candidate.excerpt.lines)


@given(some, budgets)
def test_never_over_budget_no_file_and_no_line_twice(found: list[ContextCandidate], budget: int) -> None:
    packed = pack_excerpts(found, budget)
    assert size(packed) <= budget
    assert len({one.name for one in packed}) == len(packed)
    for one in packed:
        counted = Counter(line for line in one.text.split("\n") if line != GAP)
        assert max(counted.values()) == 1
        order = [FILES[one.name].index(line) for line in counted]
        assert order == sorted(order)


@given(some, budgets, st.integers(0, 800))
def test_more_budget_loses_a_passage_only_to_a_better_one(
    found: list[ContextCandidate], budget: int, more: int
) -> None:
    small, large = pack_excerpts(found, budget), pack_excerpts(found, budget + more)
    lost = [one.value for one in found if holds(small, one) and not holds(large, one)]
    won = [one.value for one in found if holds(large, one) and not holds(small, one)]
    assert not lost or max(won) >= max(lost)


@given(some, budgets, st.randoms())
def test_the_order_of_candidates_changes_nothing(
    found: list[ContextCandidate], budget: int, random: object
) -> None:
    shuffled = list(found)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert pack_excerpts(shuffled, budget) == pack_excerpts(found, budget)


@given(some)
def test_with_room_for_all_everything_is_there(found: list[ContextCandidate]) -> None:
    packed = pack_excerpts(found, 10_000)
    assert all(holds(packed, one) for one in found)


def test_a_file_is_one_passage_with_its_lines_joined() -> None:
    packed = pack_excerpts(
        [lines("a.py", 3, 4, 0.9), lines("a.py", 1, 1, 0.5), lines("a.py", 4, 6, 0.7)], 1_000
    )
    assert packed == (Passage("a.py", "a.py line 1\n…\na.py line 3\na.py line 4\na.py line 5\na.py line 6"),)


def test_files_that_do_not_change_come_first_and_by_name() -> None:
    found = [lines("b.py", 1, 2, 1.0), lines("c/d.py", 1, 1, 0.1), lines("a.py", 1, 1, 0.9)]
    assert [one.name for one in pack_excerpts(found, 1_000, last=["b.py", "a.py"])] == [
        "c/d.py",
        "b.py",
        "a.py",
    ]


def test_a_large_passage_makes_way_for_smaller_ones() -> None:
    found = [lines("a.py", 1, 40, 1.0), lines("b.py", 1, 2, 0.5)]
    assert [one.name for one in pack_excerpts(found, 60)] == ["b.py"]


def test_lines_without_a_neighbour_stand_apart() -> None:
    assert written({1: "a", 2: "b", 9: "c"}) == "a\nb\n…\nc"
