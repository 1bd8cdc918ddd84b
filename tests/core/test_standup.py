"""How a repository stands, from facts of GitHub alone."""

from typing import Any

from bot.core.github_reader import RawComment
from bot.core.refs import Actor, Login
from bot.core.standup import (
    DAY,
    SHOWN,
    OpenQuestion,
    Standup,
    StandupFacts,
    as_json,
    markdown,
    open_questions,
    standup,
)
from bot.core.work_graph import work_graph
from bot.core.work_items import WorkItem, WorkRef

NOW = 1_795_000_000.0


def item(number: int, **fields: Any) -> WorkItem:
    days = {name: NOW - DAY * ago for name, ago in fields.items() if name in ("created", "updated", "closed")}
    usual = {"created": NOW - 90 * DAY, "updated": NOW, "title": f"Item {number}", "comments": 1}
    return WorkItem(number, **usual | fields | days)


def told(*items: WorkItem, milestone: str = "", questions: tuple[OpenQuestion, ...] = ()) -> Standup:
    graph = work_graph(items, "octo/tea")
    return standup(StandupFacts(graph, NOW - 7 * DAY, NOW, milestone, questions))


def lines(one: Standup, name: str) -> list[tuple[int, str]]:
    section = next(section for section in one.sections if section.name == name)
    return [(line.number, line.what) for line in section.lines]


def test_what_moved_is_what_ended_and_began_in_that_time() -> None:
    one = told(
        item(1, state="closed", state_reason="completed", closed=2),
        item(2, kind="pull_request", state="merged", closed=1),
        item(3, state="closed", state_reason="not_planned", closed=3),
        item(4, kind="pull_request", state="closed", closed=4),
        item(5, state="closed", closed=8),
        item(6, created=1, author=Login("ann")),
        item(7, kind="pull_request", created=30),
        item(8, state="closed", state_reason="duplicate", closed=5),
    )
    assert lines(one, "moved") == [
        (2, "merged"),
        (1, "done"),
        (3, "closed as not planned"),
        (4, "closed without a merge"),
        (8, "closed as a duplicate"),
        (6, "new issue of"),
    ]


def test_stuck_is_what_was_begun_and_does_not_move_the_longest_first() -> None:
    one = told(
        item(1, kind="pull_request", updated=4),
        item(2, kind="pull_request", updated=2),
        item(3, assignees=(Login("bob"),), updated=9),
        item(4, updated=80),
        item(5, assignees=(Login("bob"),), updated=1, blocked_by=(WorkRef(4),)),
        item(6, kind="pull_request", draft=True, updated=40),
    )
    assert lines(one, "stuck") == [
        (6, "a draft that did not change, with"),
        (3, "did not change, with"),
        (1, "did not change, with"),
        (5, "waits for `#4`"),
    ]
    assert "`#3` Item 3: did not change, with `bob`, since 2026-11-09 (9 days)" in markdown(one)


def test_work_that_goes_round_in_circles_is_stuck() -> None:
    one = told(item(1, blocked_by=(WorkRef(2),)), item(2, blocked_by=(WorkRef(1),)))
    around = "waits for itself: `#1` → `#2` → `#1`"
    assert lines(one, "stuck") == [(1, around), (2, around)]


def test_what_became_free_can_start() -> None:
    one = told(
        item(1, state="closed", closed=1),
        item(2, blocked_by=(WorkRef(1),)),
        item(3, blocked_by=(WorkRef(9),)),
    )
    assert lines(one, "ready") == [(2, "what it waited for is done: `#1`")]


def test_who_is_asked_for_reviews_and_answers() -> None:
    question = OpenQuestion(2, Login("ann"), (Login("bob"),), NOW - 5 * DAY, "https://x")
    one = told(
        item(1, kind="pull_request", reviewers=(Login("bob"), Login("carl")), updated=1),
        item(2),
        item(3, comments=0, author=Login("eve"), created=2, association="NONE"),
        item(4, comments=0, author=Login("tom"), created=2, association="MEMBER"),
        item(5, kind="pull_request", reviewers=(Login("bob"),), draft=True),
        questions=(question,),
    )
    assert lines(one, "asked") == [
        (2, "`ann` asked"),
        (3, "nobody has answered"),
        (1, "a review is asked of"),
    ]
    assert "a review is asked of `bob`, `carl`" in markdown(one)


def test_of_a_milestone_only_its_own_work_is_told() -> None:
    one = told(
        item(1, milestone="v1", state="closed", closed=1),
        item(2, state="closed", closed=1),
        item(3, milestone="v1", updated=8),
        milestone="v1",
    )
    assert lines(one, "moved") == [(1, "done")]
    assert lines(one, "stuck") == [(3, "did not change")]
    assert markdown(one).startswith("**Standup of `v1`**, 2026-11-11 to 2026-11-18")


def test_where_nothing_is_to_be_told_one_sentence_says_so() -> None:
    assert markdown(told(item(1))).endswith(
        "Nothing moved, nothing that is being worked on is stuck, and nobody is asked."
    )


def test_P2_X3_titles_and_names_stand_on_their_line_and_many_are_counted() -> None:
    hostile = "x`\n\n- [ ] @octo/team `" + "y" * 5_000
    many = [item(n, title=hostile, created=1, author=Login("a`b")) for n in range(1, SHOWN + 4)]
    shown = markdown(told(*many))
    assert "- and 3 more" in shown
    assert max(map(len, shown.split("\n"))) < 200
    assert shown.count("\n- `#") == SHOWN


def test_a_question_is_open_while_it_is_the_last_word_of_a_person() -> None:
    def said(number: int, who: str, body: str, at: float = 1) -> RawComment:
        return RawComment(number, Actor(Login(who), 1), body, at=at, number=number, url=f"https://x/{number}")

    items = {
        one.number: one for one in (item(1), item(2, author=Login("ann")), item(3), item(4, state="closed"))
    }
    found = open_questions(
        [
            said(1, "ann", "@bob, @ann can you?"),
            said(1, "ci[bot]", "Built."),
            said(2, "eve", "Does it work\uff1f"),
            said(3, "ann", "Why?"),
            said(3, "bob", "> Why?\n\nBecause."),
            said(4, "ann", "Well?"),
            said(9, "ann", "Unknown?"),
        ],
        items,
    )
    assert [(one.number, one.asker, one.asked) for one in found] == [
        (1, "ann", ("bob",)),
        (2, "eve", ("ann",)),
    ]


def test_programs_are_told_the_same() -> None:
    told_ = as_json(told(item(1, kind="pull_request", updated=4, author=Login("ann"))))
    assert told_["stuck"] == [
        {
            "number": 1,
            "title": "Item 1",
            "what": "did not change, with",
            "since": "2026-11-14",
            "who": ["ann"],
            "url": "",
        }
    ]
    assert told_["complete"] is True and told_["moved"] == []
