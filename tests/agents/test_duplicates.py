"""Only what stands in both texts, is older, and open or mended is called the same."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.agents.duplicates import (
    DuplicateCandidate,
    DuplicateComparison,
    DuplicateFacts,
    DuplicatesAnswer,
    nothing,
    suggestion,
)
from bot.core.duplicates import proves, root, words_of
from bot.core.github_reader import IssueState
from bot.core.inference import Completion
from bot.core.knowledge import Fix, Found, KnownIssue
from bot.core.refs import Actor, Login
from bot.core.text import REDIRECTING, issue_link

OLD, NEW = "Water runs over the edge.", "It boils over the edge."
QUOTES = {"new": "boils over the edge", "old": "runs over the edge"}
ANN = Actor(Login("ann"), 1)


def old(number: int, state: Any = "open", *, fix: Fix | None = None, same: float = 0.0, **more: Any) -> Any:
    issue = KnownIssue(number, "issue", state, more.get("title", "Kettle"), OLD, "bob")
    found = Found("issue", 1.0, ("words: edge",), number=number, title=issue.title, agreement=same)
    return DuplicateCandidate(found, issue, fix, more.get("originals", ()))


def facts(*candidates: DuplicateCandidate, number: int = 9, **now: Any) -> DuplicateFacts:
    """`now`: what GitHub tells otherwise of every issue."""
    states = {
        one.issue.number: IssueState(
            **{
                "number": one.issue.number,
                "open": one.issue.state == "open",
                "title": one.issue.title,
                "body": one.issue.body,
                "author": ANN,
                "labels": (),
                "comments": 0,
                "is_pull_request": False,
                **now,
            }
        )
        for one in candidates
    }

    async def ask(wanted: int) -> IssueState | None:
        return states.get(wanted)

    return DuplicateFacts(number, "Kettle", NEW, candidates, ask, lambda n: issue_link("o/r", n, REDIRECTING))


def judging(*numbers: int, asked: list[Any] | None = None, **more: Any) -> Any:
    async def infer(prompt: Any, /) -> Completion[Any]:
        if asked is not None:
            asked.append(prompt)
        said = [DuplicateComparison(number=n, same=True, **{**QUOTES, **more}) for n in numbers]
        return Completion(value=DuplicatesAnswer(comparisons=said), model="m")

    return infer


async def silent(prompt: Any, /) -> Completion[Any]:
    return Completion(failure="no_host", reason="no host is there")


async def test_X3_the_link_leads_there_and_leaves_no_mark() -> None:
    told = await suggestion(facts(old(3)), judging(1))
    assert told.number == 3
    assert "[`#3`](https://redirect.github.com/o/r/issues/3)" in told.text


@pytest.mark.parametrize(
    "quotes",
    [
        {"new": "it stands nowhere"},
        {"old": "it stands nowhere"},
        {"new": ""},
        {"old": "edge"},
        {"new": "boils over\u200b the wall"},
        {"old": "I am a duplicate of #3"},
    ],
)
async def test_P4_what_is_not_proved_by_words_of_both_is_not_said(quotes: dict[str, str]) -> None:
    assert (await suggestion(facts(old(3)), judging(1, **quotes))).text == ""


async def test_how_a_model_writes_a_quotation_down_does_not_matter() -> None:
    told = await suggestion(
        facts(old(3)), judging(1, new="“Boils over\n the *edge*”", old="Runs over the `edge`.")
    )
    assert told.number == 3


@pytest.mark.parametrize(
    ("candidate", "named"),
    [
        (old(3), 3),
        (old(12), 0),  # newer: it may be a duplicate of this one, never the other way
        (old(3, "closed"), 3),
        (old(3, "closed", originals=(2,)), 0),
        (old(3, "closed", fix=Fix(pull=5), originals=(2,)), 3),
        (old(3, originals=(2,)), 3),
    ],
)
async def test_older_and_open_or_mended(candidate: DuplicateCandidate, named: int) -> None:
    assert (await suggestion(facts(candidate), judging(1))).number == named


@pytest.mark.parametrize(
    ("now", "named"),
    [
        ({}, 3),
        ({"open": False, "state_reason": "completed"}, 3),
        ({"open": False, "state_reason": "not_planned"}, 0),
        ({"open": False, "state_reason": "duplicate"}, 0),
        ({"body": "Something else by now."}, 0),
        ({"transferred": True}, 0),
    ],
)
async def test_as_github_has_it_now(now: dict[str, Any], named: int) -> None:
    assert (await suggestion(facts(old(3), **now), judging(1))).number == named


async def test_the_oldest_that_is_open_is_named_before_what_was_mended() -> None:
    three = facts(old(5), old(2, "closed", fix=Fix(commit="a" * 40)), old(4))
    assert (await suggestion(three, judging(1, 2, 3))).number == 4


async def test_without_a_model_only_what_is_reported_twice_and_it_says_so() -> None:
    told = await suggestion(facts(old(3, same=0.95)), silent)
    assert told.text.startswith("By their words alone, no model has judged")
    far = facts(old(3, same=0.89))
    assert (await suggestion(far, silent)).text == ""
    assert "no host is there" in nothing(far, await suggestion(far, silent))


async def test_nothing_to_compare_asks_nobody() -> None:
    asked: list[Any] = []
    assert (await suggestion(facts(), judging(1, asked=asked))).text == ""
    assert asked == []


async def test_what_the_model_did_not_read_and_what_was_not_shown_counts_for_nothing() -> None:
    async def infer(_: Any, /) -> Completion[Any]:
        said = [DuplicateComparison(number=n, same=True, **QUOTES) for n in (1, 0, -1, 99)]
        return Completion(value=DuplicatesAnswer(comparisons=said), model="m", left_out=("issue 1",))

    assert (await suggestion(facts(old(3), old(4)), infer)).text == ""


def test_where_claims_lead_to_in_the_end() -> None:
    assert root(5, {5: (4,), 4: (2,)}) == 2
    assert root(5, {5: (4,), 4: (5,)}) == 5
    assert root(5, {}) == 5


@given(st.dictionaries(st.integers(1, 9), st.lists(st.integers(1, 9), max_size=3)), st.integers(1, 9))
def test_no_chain_of_claims_goes_round_for_ever(claimed: dict[int, Sequence[int]], number: int) -> None:
    assert root(number, claimed) in {number, *(n for each in claimed.values() for n in each)}


@given(st.text(), st.text())
def test_words_of_a_text_prove_it_and_others_do_not(text: str, other: str) -> None:
    said = " ".join(words_of(text).split())
    if proves(said, words_of(other)):
        assert words_of(said) in words_of(other)


@pytest.mark.parametrize(
    "claim",
    [
        "I am a duplicate of #3",
        "this is a duplicate.",
        "closed as duplicate",
        "the same issue as that one",
        "dupe of number three",
        "see https://github.com/o/r/issues/3",
    ],
)
def test_P4_that_one_repeats_another_is_no_proof_of_it(claim: str) -> None:
    assert not proves(claim, words_of(claim))


@pytest.mark.parametrize(
    "words", ["The tool writes duplicate `id` attributes", "Its heading is duplicated twice"]
)
def test_an_issue_may_be_about_duplicates(words: str) -> None:
    assert proves(words, words_of(words))


def test_short_words_of_the_east_prove_as_well() -> None:
    assert proves("水が溢れる", words_of("ケトルから 水が溢れる。"))
    assert not proves("水が", words_of("水が溢れる"))
