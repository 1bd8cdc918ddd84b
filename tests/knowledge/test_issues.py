"""Duplicates, related issues, what a pull request fixes, what waits for what."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.knowledge import Edge, GraphNode, KnownIssue
from bot.knowledge.issues import RepositoryIssues, averaged, fused
from bot.knowledge.storage import IndexStore
from bot.knowledge.storage.types import Hit

TEXTS = [
    (
        "Crash in parseHeader on empty input",
        "`parse_header('')` fails: IndexError.\n\n<!-- how to reproduce -->",
    ),
    ("Kettle is never switched off", "After `brew()` the kettle stays on until it burns."),
    ("Document the milk option", "The README says nothing of `--milk`."),
    ("Support oolong", "Only green and black tea can be steeped."),
    (
        "IndexError when the header is empty",
        "An empty header makes the parser fail.\n\nTraceback: parse_header",
    ),
    ("Dark mode", "The page is too bright."),
]


@pytest.fixture
def index_store(tmp_path: Path) -> Iterator[IndexStore]:
    opened = IndexStore.open(tmp_path / "1.db")
    yield opened
    opened.close()


@pytest.fixture
def issues(index_store: IndexStore) -> RepositoryIssues:
    made = RepositoryIssues(index_store, "octo/tea")
    made.store(issue(number, *text) for number, text in enumerate(TEXTS, 1))
    return made


def issue(number: int, title: str, body: str = "", **more: object) -> KnownIssue:
    fields = {"kind": "issue", "state": "open", "author": "ann", **more}
    return KnownIssue(number=number, title=title, body=body, **fields)  # type: ignore[arg-type]


def pull(number: int, title: str, body: str = "") -> KnownIssue:
    return issue(number, title, body, kind="pull_request", state="merged")


def test_a_duplicate_is_first_and_says_why(issues: RepositoryIssues) -> None:
    best, *_ = issues.duplicates("parse_header fails", "IndexError on an empty header", k=2)
    assert best.number in (1, 5)
    assert best.kind == "issue"
    assert any(why.startswith("words: ") and "header" in why for why in best.why)


def test_an_issue_is_no_duplicate_of_itself_nor_is_a_pull_request(issues: RepositoryIssues) -> None:
    issues.store([pull(9, "Crash in parseHeader on empty input", "parse_header")])
    found = [one.number for one in issues.duplicates(*TEXTS[0], but=1)]
    assert found[0] == 5
    assert 1 not in found
    assert 9 not in found


def test_identifiers_meet_in_any_spelling_and_the_state_is_told(issues: RepositoryIssues) -> None:
    issues.store([replace(issue(2, *TEXTS[1]), state="closed")])
    (found, *_) = issues.duplicates("switchedOff kettle", "")
    assert (found.number, found.why[-1]) == (2, "closed")


def test_what_templates_hide_counts_for_nothing(issues: RepositoryIssues) -> None:
    assert issues.duplicates("reproduce how", "") == []
    assert issues.duplicates("zebra", "<!-- kettle burns -->") == []


def test_no_words_and_an_empty_index_find_nothing(index_store: IndexStore) -> None:
    assert RepositoryIssues(index_store).duplicates("", "") == []
    assert RepositoryIssues(index_store).duplicates("kettle\0\ud800", "''\" AND (") == []


def test_meaning_counts_as_much_as_words(issues: RepositoryIssues) -> None:
    near = RepositoryIssues(issues.index_store, "octo/tea", lambda title, body: {2: 0.9, 4: 0.4, 6: 0.3})
    best, *_ = near.duplicates("Water boils for ever", "", k=3)
    assert (best.number, best.why) == (2, ("close in meaning",))


def test_of_two_that_are_alike_the_open_one_is_first(issues: RepositoryIssues) -> None:
    issues.store([issue(7, *TEXTS[3], state="closed"), issue(8, *TEXTS[3])])
    assert [one.number for one in issues.duplicates(*TEXTS[3], but=4)][:2] == [8, 7]


def test_fusion_is_half_and_half() -> None:
    assert fused({1: 10.0, 2: 5.0}, {}) == {1: 1.0, 2: 0.5}
    assert fused({1: 10.0, 2: 5.0}, {2: 0.9, 3: 0.5}) == {1: 0.5, 2: 0.75, 3: 0.0}
    assert fused({}, {}) == {}
    assert averaged([Hit(1, 0.8), Hit(2, 0.6)], [Hit(1, 0.4), Hit(3, 0.2)]) == pytest.approx(
        {1: 0.6, 2: 0.4, 3: 0.4}
    )
    assert averaged([], [Hit(1, 0.5)]) == {1: 0.5}


def test_related_puts_what_is_linked_first(issues: RepositoryIssues) -> None:
    issues.store([issue(7, "Slow", "As bad as #6, see o/r#1"), pull(8, "Oolong at last", "Support oolong")])
    related = issues.related("Slow", "As bad as #6", but=7)
    assert (related[0].number, related[0].why[0]) == (6, "linked: mentions")
    first, *_ = issues.related(*TEXTS[5], but=6)
    assert first.number == 7
    assert 8 in [one.number for one in issues.related(*TEXTS[3], but=4)]


@pytest.mark.parametrize(
    ("claim", "number", "why"),
    [
        ({"body": "Fixes #6"}, 6, "says that it fixes #6"),
        ({"messages": ["Lights\n\nCloses #6"]}, 6, "says that it fixes #6"),
        ({"branch": "fix/6-bright"}, 6, "its branch is fix/6-bright"),
        ({"body": "As said in #6"}, 6, "mentions #6"),
        ({}, 2, "words: switch, off, kettle"),
        ({"body": "fixes #99 and o/r#6"}, 2, "words: switch, off, kettle"),
    ],
)
def test_the_issue_that_a_pull_request_fixes(
    issues: RepositoryIssues, claim: dict[str, object], number: int, why: str
) -> None:
    issues.store([pull(8, "Switch the kettle off", str(claim.get("body", "")))])
    given = {"title": "Switch the kettle off", "body": "", "but": 8, **claim}
    best, *_ = issues.fixed_by(**given)  # type: ignore[arg-type]
    assert best.number == number
    assert best.why[0].startswith(why.partition(":")[0])


def test_blocking_is_read_from_texts_and_from_githubs_own_dependencies(
    index_store: IndexStore, issues: RepositoryIssues
) -> None:
    issues.store([issue(7, "Serve", "Blocked by #2 and o/R#3. Blocks #4.")], {7: [5, "Octo/Tea#6"]})
    seven = GraphNode("issue", "7")
    assert index_store.edges(target=seven, kind="blocks") == [
        Edge("blocks", GraphNode("issue", name), seven) for name in ("2", "5", "6", "o/r#3")
    ]
    assert index_store.edges(source=seven, kind="blocks") == [Edge("blocks", seven, GraphNode("issue", "4"))]


def test_an_edit_replaces_what_a_text_said_and_deleting_takes_it_away(
    index_store: IndexStore, issues: RepositoryIssues
) -> None:
    issues.store([issue(7, "Serve", "Blocked by #2, itself #7")])
    issues.store([issue(7, "Serve", "Duplicate of #3")])
    assert index_store.edges() == [Edge("duplicates", GraphNode("issue", "7"), GraphNode("issue", "3"))]
    issues.drop([7])
    assert index_store.edges() == []
    assert 7 not in index_store.issue_numbers()
    assert [one.number for one in issues.duplicates("Serve", "")] == []
