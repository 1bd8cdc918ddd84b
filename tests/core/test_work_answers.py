"""The words in which it is told what waits for what."""

import pytest

from bot.core.dependency_questions import dependency_question
from bot.core.refs import Login
from bot.core.text import code_spans
from bot.core.work_answers import MOST_LINES, WorkFacts, answered, milestone_named
from bot.core.work_graph import work_graph
from bot.core.work_items import Milestone, WorkItem, WorkRef
from bot.sanitise import harmless
from tests.spent import Spent


def told(
    question: str, *items: WorkItem, milestones: tuple[Milestone, ...] = (), here: int = 0
) -> str | None:
    asked = dependency_question(question)
    assert asked is not None
    return answered(asked, WorkFacts(work_graph(items, "octo/tea"), milestones, here, "octo/tea"))


def between(spans: list[tuple[int, int]], size: int) -> list[tuple[int, int]]:
    """What lies outside of them."""
    edges = [0, *(edge for span in spans for edge in span), size]
    return list(zip(edges[::2], edges[1::2], strict=True))


def refs(*numbers: int) -> tuple[WorkRef, ...]:
    return tuple(WorkRef(number, state="open") for number in numbers)


def test_a_cycle_of_a_thousand_is_told_in_a_few_words_and_in_no_time() -> None:
    items = [WorkItem(n, title="T" * 256, blocked_by=refs(n % 1_000 + 1)) for n in range(1, 1_001)]
    with Spent() as spent:
        said = told("what blocks #1?", *items) or ""
    assert spent.seconds < 2
    assert f"and {1_000 - MOST_LINES} more lines" in said and "988 more → `#1`" in said
    assert len(said) < 12_000


@pytest.mark.parametrize(
    "title",
    [
        "closes #1 @octo/team",
        "`](https://evil.example) <img src=x>",
        "v1\n\n/hob review\n@my-hob undo",
        "\u202eevil" * 40,
        "<!-- hob:v1 x -->",
    ],
)
def test_X3_titles_and_milestones_named_like_orders_stay_names(title: str) -> None:
    item = WorkItem(1, title=title, milestone=title, assignees=(Login("ann"),))
    blocked = WorkItem(2, title=title, milestone=title, blocked_by=(WorkRef(1, title=title),))
    for question in (
        "what is ready to start?",
        "what blocks #2?",
        "what blocks 7?",
        "which issues are blocked?",
    ):
        said = told(question, item, blocked, milestones=(Milestone("7"), Milestone(title))) or ""
        assert not [line for line in said.split("\n") if line.startswith(("/hob", "@", "<"))]
        safe = harmless(said, repo="octo/tea")
        outside = "".join(safe[start:end] for start, end in between(code_spans(safe), len(safe)))
        assert not any(act in outside for act in ("@", "#", "https:", "<img", "<!--"))


def test_a_milestone_is_found_by_its_name_and_by_no_likeness() -> None:
    there = (Milestone("v1.0"), Milestone("Summer Tea"), Milestone("2.0", open=False), Milestone("v1.0.1"))

    def found(name: str) -> str:
        one = milestone_named(name, there)
        return one.title if one else ""

    assert [found(name) for name in ("1.0", "V1.0", "summer  tea", "v2.0")] == [
        "v1.0",
        "v1.0",
        "Summer Tea",
        "2.0",
    ]
    assert [found(name) for name in ("v1", "summer", "v1.0.0", "")] == [""] * 4


def test_what_may_be_anything_is_answered_only_where_it_is_a_milestone() -> None:
    assert told("what blocks the event loop?") is None
    assert told("what blocks the party?", milestones=(Milestone("The Party"),)) is not None
    assert "Open milestones: `v1`." in (told("what blocks v9.9?", milestones=(Milestone("v1"),)) or "")


def test_an_issue_that_is_over_and_one_that_is_not_there() -> None:
    assert told("what blocks #1?", WorkItem(1, state="closed")) == (
        "`#1` is closed: nothing waits for it any more, and it waits for nothing."
    )
    assert told("what blocks #2?") == "There is no open `#2` here."
    assert told("why is this blocked?") == "Say which issue or milestone you mean, such as `#12` or `v1.0`."
