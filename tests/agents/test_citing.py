"""Citations are checked while the words come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.agents.citing import CitedAnswer, Citing
from bot.agents.explain import explain
from bot.core.chat import Answered
from bot.core.code_search import Citation, Excerpt, merged, stands
from bot.core.facts import ExplainFacts
from bot.core.inference import Completion, Spoken
from bot.web.chat import _end
from tests.agents.facts import Model, pull_request

SHOWN = (
    Excerpt("src/tea.py", 4, ("def steep(leaves):", '    """Steeps [slowly]."""', "    return leaves * 60")),
    Excerpt("src/tea.py", 20, ("def pour(cup):",)),
)


def shown(text: str) -> tuple[str, list[str]]:
    citing = Citing(SHOWN)
    return citing(text) + citing.rest(), [str(one) for one in citing.citations]


@pytest.mark.parametrize(
    ("said", "text", "cited"),
    [
        ('By 60 [src/tea.py:6 "leaves * 60"].', "By 60 [src/tea.py:6].", ["src/tea.py:6"]),
        ('[src/tea.py:4-6 "return  leaves\t*"]', "[src/tea.py:4-6]", ["src/tea.py:4-6"]),
        ('[src/tea.py:5, "steeps [slowly]"]', "[src/tea.py:5]", ["src/tea.py:5"]),
        ("[src/tea.py:20]", "[src/tea.py:20]", ["src/tea.py:20"]),
        ('No [src/tea.py:6 "leaves * 61"] such.', "No such.", []),
        ('No [src/tea.py:4 "leaves * 60"], really.', "No , really.", []),
        ("Not shown: [src/tea.py:7] [src/tea.py:6-20].", "Not shown: .", []),
        ('[src/coffee.py:1 "def"]', "", []),
        ("[src/tea.py:0] [src/tea.py:6-4] [src/tea.py:9999999]", "", []),
        ("`x[start:12]` and [a](b) and [[x]] [", "`x[start:12]` and [a](b) and [[x]] [", []),
        ("[src/tea.py:20] twice [src/tea.py:20]", "[src/tea.py:20] twice [src/tea.py:20]", ["src/tea.py:20"]),
        ("[one [src/tea.py:20]", "[one [src/tea.py:20]", ["src/tea.py:20"]),
        ("[never ends\nhere [src/tea.py:20]", "[never ends\nhere [src/tea.py:20]", ["src/tea.py:20"]),
    ],
)
def test_only_what_stands_is_shown(said: str, text: str, cited: list[str]) -> None:
    assert shown(said) == (text, cited)


@given(
    st.lists(
        st.sampled_from(
            [
                "[",
                "]",
                "src/tea.py",
                ":",
                "6",
                "-",
                ' "',
                '"',
                "leaves * 60",
                "\n",
                " ",
                "a",
                '[src/tea.py:4 "x"]',
            ]
        )
    )
)
def test_how_words_are_cut_changes_nothing(pieces: list[str]) -> None:
    citing = Citing(SHOWN)
    by_piece = "".join(map(citing, pieces)) + citing.rest()
    assert (by_piece, [str(one) for one in citing.citations]) == shown("".join(pieces))


def test_words_without_brackets_are_never_held_back() -> None:
    citing = Citing(SHOWN)
    assert citing("All of this, at once.") == "All of this, at once."


def test_excerpts_that_touch_become_one() -> None:
    pieces = merged(
        [
            Excerpt("a", 5, ("5", "6")),
            Excerpt("b", 1, ("1",)),
            Excerpt("a", 6, ("6", "7")),
            Excerpt("a", 9, ("9",)),
        ]
    )
    assert pieces == (
        Excerpt("a", 5, ("5", "6", "7")),
        Excerpt("a", 9, ("9",)),
        Excerpt("b", 1, ("1",)),
    )
    assert pieces[0].numbered == "5: 5\n6: 6\n7: 7"


def test_a_huge_range_costs_nothing() -> None:
    assert not stands(Citation("src/tea.py", 1, 10**12), SHOWN)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("app/[id]/page.tsx", "app/[id]/page.tsx"),
        ("app/[id]/page.tsx", "`app/[id]/page.tsx`"),
        ("a:b.py", "a:b.py"),
        ("a`b.py", "a%60b.py"),
        ('a"b.py', "a%22b.py"),
        ("two  blanks.py", "two %20blanks.py"),
        ("src/tea.py", "./src/tea.py"),
        ("src/tea.py", "tea.py"),
    ],
)
def test_any_path_can_be_cited_as_it_was_shown(path: str, said: str) -> None:
    citing = Citing([Excerpt(path, 3, ("brew(now)",))])
    assert citing(f'It brews [{said}:3 "brew(now)"] [x] [{said}:3 "boil"].') == f"It brews [{path}:3] [x] ."
    assert [one.path for one in citing.citations] == [path]


def test_a_citation_in_brackets_is_judged_as_any_other() -> None:
    assert shown('[see [src/tea.py:6 "leaves * 61"] or [src/tea.py:20]]') == (
        "[see or [src/tea.py:20]]",
        ["src/tea.py:20"],
    )
    assert shown("[src/tea.py:20:6]") == ("[src/tea.py:20:6]", [])


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ('[src/tea.py:6 "leaves * 61"] [src/milk.py:1 "x"]', "None of the 2 places cited holds"),
        ('So [src/tea.py:6 "leaves * 61"].', "The one place cited does not hold"),
        ('[src/tea.py:6 "leaves * 61"] [src/tea.py:20]', ""),
        ("No citation at all, x[start:12].", ""),
    ],
)
def test_an_answer_none_of_whose_places_holds_says_so(said: str, words: str) -> None:
    citing = Citing(SHOWN)
    text = citing(said) + citing.rest()
    answered = Answered(Completion(Spoken(text or "So.")), tuple(citing.citations), citing.dropped)
    assert answered.unproved == (f"{words}: nothing in this answer is proved." if words else "")
    events = b"".join(_end(answered)).decode()
    assert (words in events) and ("unproved" in events) is bool(words)


async def test_an_answer_in_a_thread_says_that_nothing_of_it_is_proved() -> None:
    cited = [{"path": "tea.py", "start": 1, "end": 1, "quote": "no such"}] * 3
    answer = {"answer": "It steeps.", "citations": cited}
    facts = ExplainFacts(
        context=pull_request({}).context,
        title="",
        subject="tea.py",
        excerpts=(Excerpt("tea.py", 1, ("leaves = 3",)),),
    )
    body, _ = await explain(facts, Model(lambda _: answer))
    assert "None of the 3 places cited holds: nothing in this answer is proved." in body
    good = {
        **answer,
        "citations": [*cited, {"path": "./tea.py", "start": 1, "end": 1, "quote": "leaves = 3"}],
    }
    body, _ = await explain(facts, Model(lambda _: good))
    assert "proved" not in body
    assert "See `tea.py:1`." in body


RECORDS = (
    *SHOWN,
    Excerpt("#12", 1, ("Cold tea", "open issue by ann", "It cools in", "two minutes."), "issue"),
    Excerpt("1a2b3c4d5e" + "0" * 30, 1, ("commit by bob", "Insulate the pot"), "commit"),
    Excerpt("v1.0", 1, ("release v1.0", "Adds the [pot]."), "release"),
)
COMMIT = "1a2b3c4d5e"


@pytest.mark.parametrize(
    ("said", "text", "cited"),
    [
        ('So [#12 "cools in two"].', "So [#12].", ["#12"]),
        ("So [#12], [issue #12], [PR #12] and [#12:3].", "So [#12], [#12], [#12] and [#12].", ["#12"]),
        ('No [#12 "boils"] and [#13] [issue 14].', "No and .", []),
        ('By [1a2b3c4 "insulate the pot"] [commit 1a2b3c4d5e].', f"By [{COMMIT}] [{COMMIT}].", [COMMIT]),
        ('[commit 1a2b3c4 "sell the pot"] [9f8e7d6] [commit 99]', "", []),
        ('In [v1.0 "adds the [pot]"], [release V1.0].', "In [v1.0], [v1.0].", ["v1.0"]),
        ("Not in [release v2.0], nor [v2.0].", "Not in , nor [v2.0].", []),
        (
            "`a[b1]`, [ ], [x], [12], [note] and [1234567]",
            "`a[b1]`, [ ], [x], [12], [note] and [1234567]",
            [],
        ),
    ],
)
def test_issues_commits_and_releases_are_cited_where_they_were_shown(
    said: str, text: str, cited: list[str]
) -> None:
    citing = Citing(RECORDS)
    assert citing(said) + citing.rest() == text
    assert [str(one) for one in citing.citations] == cited
    assert all(stands(one, RECORDS) for one in citing.citations)


def test_what_is_listed_beside_an_answer_may_be_an_issue_a_commit_or_a_release() -> None:
    listed = [
        {"path": "#12", "start": 9, "end": 9, "quote": "two minutes"},
        {"path": "1a2b3c4"},
        {"path": "v1.0", "quote": "never said"},
        {"path": "src/tea.py", "start": 6, "end": 6},
        {"path": "#99"},
    ]
    citing = Citing(RECORDS)
    citing.whole(CitedAnswer.model_validate({"answer": "So.", "citations": listed}))
    assert [one.told for one in citing.citations] == [
        {"path": "#12", "start": 4, "end": 4, "issue": 12},
        {"path": COMMIT, "start": 1, "end": 2, "commit": COMMIT + "0" * 30},
        {"path": "src/tea.py", "start": 6, "end": 6},
    ]
    assert citing.dropped == 2


def test_a_file_named_like_an_issue_or_a_commit_stays_a_file() -> None:
    citing = Citing([Excerpt("#12", 1, ("x",)), Excerpt("1a2b3c4", 1, ("y",))])
    assert citing("[#12:1] [1a2b3c4:1]") == "[#12:1] [1a2b3c4:1]"
    assert {one.kind for one in citing.citations} == {"file"}


def test_an_answer_that_had_to_cite_and_does_not_says_so() -> None:
    answered = Answered(Completion(Spoken("It is so.")), strict=True)
    assert answered.unproved == "Nothing that was read is cited for this: take it as unproved."
