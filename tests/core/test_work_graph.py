"""What waits for what, who says so, what is ready, and what goes round in circles."""

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.refs import Login
from bot.core.work_graph import WorkGraph, work_graph
from bot.core.work_items import WorkEdge, WorkItem, WorkRef, WorkState, open_tasks
from tests.spent import Spent


def refs(*numbers: int, state: WorkState = "open") -> tuple[WorkRef, ...]:
    return tuple(WorkRef(number, state=state) for number in numbers)


def graph(*items: WorkItem, complete: bool = True) -> WorkGraph:
    return work_graph(items, "octo/tea", complete=complete)


def told(edges: Iterable[WorkEdge]) -> list[str]:
    return [f"{one.source} {one.kind} {one.target} ({one.told_by})" for one in edges]


def test_what_blocks_an_issue_is_told_with_its_source_however_far_away() -> None:
    work = graph(
        WorkItem(1, blocked_by=refs(2), sub_issues=refs(3)),
        WorkItem(2, body="Blocked by #4"),
        WorkItem(3, body="- [ ] #5 Cups\n- [x] #6"),
        WorkItem(4, linked_pulls=refs(7)),
        WorkItem(5),
        WorkItem(6),
        WorkItem(7, "pull_request", closes=refs(4)),
    )
    assert told(work.blockers([WorkRef(1)])) == [
        "#1 blocked_by #2 (dependency)",
        "#1 contains #3 (sub-issue)",
        "#2 blocked_by #4 (text)",
        "#3 contains #5 (task list)",
        "#4 closed_by #7 (pull request)",
    ]
    assert [item.number for item in work.ready()] == [5, 6]
    assert [item.number for item in work.in_work()] == [4]
    assert told(work.dependents([WorkRef(4)])) == [
        "#2 blocked_by #4 (text)",
        "#1 blocked_by #2 (dependency)",
    ]


def test_a_dependency_that_both_ends_tell_is_one_edge_and_one_that_two_sources_tell_is_two() -> None:
    work = graph(WorkItem(1, blocked_by=refs(2), body="depends on #2"), WorkItem(2, blocking=refs(1)))
    assert told(work.edges()) == ["#1 blocked_by #2 (dependency)", "#1 blocked_by #2 (text)"]


def test_closed_and_deleted_ones_hold_nothing_and_those_out_of_sight_do() -> None:
    closed = graph(WorkItem(1, blocked_by=refs(2, state="closed"), body="needs #3 and depends on #999"))
    assert [item.number for item in closed.ready()] == [1]
    beyond = graph(WorkItem(1, body="depends on #999"), complete=False)
    assert beyond.ready() == ()
    elsewhere = graph(WorkItem(1, body="blocked by octo/cups#3"), WorkItem(2, unseen=1))
    assert elsewhere.ready() == ()
    assert told(elsewhere.holders(WorkRef(1))) == ["#1 blocked_by octo/cups#3 (text)"]
    read = graph(WorkItem(1, blocked_by=(WorkRef(3, "octo/cups", "closed"),), body="blocked by octo/cups#3"))
    assert [item.number for item in read.ready()] == [1]


def test_what_a_merge_unblocked_is_what_had_no_other_open_holder() -> None:
    items = (
        WorkItem(1, state="closed"),
        WorkItem(2, blocked_by=refs(1, state="closed")),
        WorkItem(3, blocked_by=(*refs(1, state="closed"), *refs(2))),
        WorkItem(4, "pull_request", closes=refs(2)),
        WorkItem(5, body="Blocked by #4"),
    )
    work = graph(*items)
    assert told(work.unblocked_by([WorkRef(1)])) == ["#2 blocked_by #1 (dependency)"]
    assert told(work.unblocked_by([WorkRef(4)])) == [
        "#5 blocked_by #4 (text)",
        "#3 blocked_by #2 (dependency)",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "> blocked by #2",
        "```\nblocked by #2\n- [ ] #2\n```",
        "`blocked by #2`",
        "<!-- blocked by #2 -->",
        "<!--\n- [ ] #2\n-->",
        "<details>\nblocked by #2\n- [ ] #2\n</details>",
        "> - [ ] #2",
        "- > - [ ] #2",
        "not blocked by #2",
        "- [x] #2",
        "- [ ] ask in #2",
        "- [ ]#2",
        "blocked by #1",
    ],
)
def test_P2_a_quote_code_or_what_nobody_sees_holds_nothing_back(text: str) -> None:
    assert told(graph(WorkItem(1, body=text), WorkItem(2)).edges()) == []


def test_a_strangers_text_holds_back_nothing_but_his_own_issue() -> None:
    mine, other = Login("ann"), Login("mallory")
    claim = WorkItem(3, body="This blocks #1 and blocks #2, blocked by #1", author=other, association="NONE")
    items = (WorkItem(1, author=mine), WorkItem(2, author=other), claim)
    assert told(graph(*items).edges()) == ["#2 blocked_by #3 (text)", "#3 blocked_by #1 (text)"]
    member = WorkItem(3, body="This blocks #1", author=other, association="MEMBER")
    assert told(graph(items[0], member).edges()) == ["#1 blocked_by #3 (text)"]


def test_a_list_under_a_word_says_what_the_word_says() -> None:
    work = graph(WorkItem(1, body="Blocks:\n- [ ] #2\n\nDepends on:\n- [ ] #3", association="OWNER"))
    assert told(work.edges()) == ["#2 blocked_by #1 (text)", "#1 blocked_by #3 (text)"]


def test_a_milestones_open_items_are_by_number() -> None:
    work = graph(WorkItem(3, milestone="v1"), WorkItem(1, milestone="v1"), WorkItem(2, state="closed"))
    assert [item.number for item in work.in_milestone("v1")] == [1, 3]


def test_a_cycle_of_a_thousand_is_told_once_and_in_no_time() -> None:
    around = [WorkItem(n, blocked_by=refs(n % 1_000 + 1)) for n in range(1, 1_001)]
    with Spent() as spent:
        work = graph(
            *around, WorkItem(2_000, body="Depends on #2001"), WorkItem(2_001, sub_issues=refs(2_000))
        )
        cycles = work.cycles()
        assert [len(one) for one in cycles] == [1_000, 2]
        assert cycles[0][0].source == cycles[0][-1].target == WorkRef(1)
        assert told(cycles[1]) == ["#2000 blocked_by #2001 (text)", "#2001 contains #2000 (sub-issue)"]
        assert work.ready() == ()
        assert len(work.blockers([WorkRef(1)])) == 1_000
    assert spent.seconds < 2


def test_hostile_bodies_are_read_in_no_time() -> None:
    body = "".join(f"- [ ] #{n}\n" for n in range(1, 6_000))
    assert len(open_tasks(body)) == 200
    assert open_tasks("- [ ] " + " " * 60_000 + "#1") == ()


numbers = st.integers(1, 8)
items = st.builds(
    WorkItem,
    number=numbers,
    state=st.sampled_from(["open", "open", "closed"]),
    blocked_by=st.lists(numbers, max_size=3).map(lambda some: tuple(WorkRef(n) for n in some)),
    blocking=st.lists(numbers, max_size=2).map(lambda some: tuple(WorkRef(n) for n in some)),
    sub_issues=st.lists(numbers, max_size=2).map(lambda some: tuple(WorkRef(n) for n in some)),
    body=st.lists(numbers, max_size=2).map(lambda some: " ".join(f"Blocked by #{n}." for n in some)),
)
worlds = st.lists(items, max_size=8, unique_by=lambda item: item.number)


def pairs(world: list[WorkItem]) -> set[tuple[int, int]]:
    """(who waits, for whom) among the open ones, straight from what was told."""
    told = set[tuple[int, int]]()
    for item in world:
        told |= {(item.number, one.number) for one in (*item.blocked_by, *item.sub_issues)}
        told |= {(one.number, item.number) for one in item.blocking}
        if item.state == "open":
            said = [int(word.strip("#.")) for word in item.body.split() if word.startswith("#")]
            told |= {(item.number, number) for number in said if number != item.number}
    still = {item.number for item in world if item.state == "open"}
    return {(one, other) for one, other in told if one in still and other in still}


def reach(told: set[tuple[int, int]], start: int) -> set[int]:
    seen = set[int]()
    while more := {other for one, other in told if one in {start, *seen}} - seen:
        seen |= more
    return seen


@settings(max_examples=100, deadline=None)
@given(worlds)
def test_every_answer_is_that_of_a_closure_over_all_pairs(world: list[WorkItem]) -> None:
    work, told = graph(*world), pairs(world)
    still = [item.number for item in world if item.state == "open"]
    for number in still:
        ref = WorkRef(number)
        assert {edge.target.number for edge in work.blockers([ref])} == reach(told, number)
        turned = {(other, one) for one, other in told}
        assert {edge.source.number for edge in work.dependents([ref])} == reach(turned, number)
        freed = {one for one, other in told if other == number and one != number}
        freed = {one for one in freed if {other for who, other in told if who == one} == {number}}
        assert {edge.source.number for edge in work.unblocked_by([ref])} == freed
    assert [item.number for item in work.ready()] == sorted(set(still) - {one for one, _ in told})
    cycles = work.cycles()
    assert all(
        one.target == two.source for it in cycles for one, two in zip(it, (*it[1:], it[0]), strict=True)
    )
    circling = {number for number in still if number in reach(told, number)}
    knots = {frozenset({n, *(o for o in reach(told, n) if n in reach(told, o))}) for n in circling}
    assert len(cycles) == len(knots)
    assert {edge.source.number for it in cycles for edge in it} <= circling
