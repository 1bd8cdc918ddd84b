"""What a model is to learn: the review's own question, and what people decided as the answer."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.agents.review.answers import ReviewAnswer
from bot.agents.review.asking import DIFF_CHARS, read
from bot.agents.review.training import (
    LONGEST_TITLE,
    DecidedPoint,
    SaidByPerson,
    drafted,
    fixed_lines,
    said_by_fix,
    said_by_person,
)
from bot.core.credentials import without
from bot.core.diff import git_diff_text, parse_git_diff
from bot.core.pr_description import with_description
from bot.core.redacting import Uncut, redacted, redacted_diff
from tests.agents.facts import Model, new_file, pull_request
from tests.tea import BROKEN

KEY = "ghp_0123456789abcdefghijklmnopqrstuvwxyz"
POEM = "".join(f"line {n}\n" for n in range(1, 10))


def point(source: Any = "remark", start: int = 3, end: int = 3, path: str = "tea.py", **more: Any) -> Any:
    return DecidedPoint(source, path, start, end, "Division by zero", "This always fails.", **more)


def clean(text: str) -> str:
    return without(text).text


def test_the_question_is_the_one_that_a_review_asks() -> None:
    facts = pull_request({"tea.py": BROKEN})
    (draft,), astray = drafted(facts, [point()])
    assert astray == 0
    assert draft.prompt.passages[-1].text.endswith("+    return water / 0")
    answer = ReviewAnswer.model_validate_json(draft.assistant)
    (found,) = answer.findings
    assert (found.path, found.quote, found.severity) == ("tea.py", "    return water / 0", "minor")
    assert list(json.loads(draft.assistant)) == ["findings"]


async def test_it_is_asked_in_the_same_words() -> None:
    facts = pull_request({"tea.py": BROKEN, "test_tea.py": "import tea\n"})
    model = Model(lambda _: {"findings": []})
    await read(facts, model)
    (draft,), _ = drafted(facts, [point()])
    (asked,) = model.prompts
    told = draft.prompt
    assert (told.name, told.inputs, told.passages) == (asked.name, asked.inputs, asked.passages)


def test_of_several_decisions_on_the_same_lines_the_surest_counts() -> None:
    facts = pull_request({"tea.py": BROKEN})
    points = [point("fix", 2, 3), point("accepted"), point("dismissed", 2, 2), point("remark", 1, 1)]
    (draft,), _ = drafted(facts, points)
    assert [(one.point.source, one.first) for one in draft.right] == [("remark", 1), ("accepted", 3)]
    assert [one.point.start for one in draft.wrong] == [2]
    assert draft.source == "accepted"


def test_a_dismissed_finding_alone_is_an_example_of_saying_nothing() -> None:
    (draft,), _ = drafted(pull_request({"tea.py": BROKEN}), [point("dismissed")])
    assert (draft.source, draft.assistant) == ("dismissed", '{"findings": []}')


def test_code_that_nobody_minded_is_learnt_beside_code_that_somebody_did() -> None:
    big = {f"m{n}.py": f"x{n} = 1\n" * (DIFF_CHARS // 8) for n in range(4)}
    facts = pull_request({"tea.py": BROKEN, **big})
    made, _ = drafted(facts, [point()], spoken={"tea.py", "m0.py"})
    assert [one.source for one in made] == ["remark", "quiet"]
    assert "m0.py" not in made[1].part.paths
    assert [one.source for one in drafted(facts, [point()])[0]] == ["remark"]
    assert [one.source for one in drafted(facts, [point("dismissed")], spoken={"tea.py"})[0]] == ["dismissed"]


@pytest.mark.parametrize(
    ("start", "end", "quote", "replaced"),
    [
        (2, 2, "line 2", True),
        (2, 4, "line 2\nline 3\nline 4", True),
        (1, 8, "line 4\nline 5\nline 6\nline 7\nline 8", False),
        (7, 99, "line 7\nline 8\nline 9", False),
    ],
)
def test_at_most_five_lines_are_quoted_and_a_replacement_is_for_all_of_them(
    start: int, end: int, quote: str, replaced: bool
) -> None:
    facts = pull_request({"tea.py": POEM})
    (draft,), _ = drafted(facts, [point(start=start, end=end, replacement="x")])
    (found,) = ReviewAnswer.model_validate_json(draft.assistant).findings
    assert (found.quote, found.replacement) == (quote, "x" if replaced else None)


@pytest.mark.parametrize(
    "astray", [point(path="pot.py"), point(start=10, end=12), point(path="blank.py", start=1, end=1)]
)
def test_what_is_on_no_changed_line_is_counted_and_no_example(astray: DecidedPoint) -> None:
    facts = pull_request({"tea.py": POEM, "blank.py": "\nx = 1\n"})
    assert drafted(facts, [astray]) == ([], 1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("Use structlog, please.", SaidByPerson("Use structlog, please", "Use structlog, please.")),
        (
            "This fails. With an empty pot it divides.\n```suggestion\r\n    return 1\n```\n",
            SaidByPerson("This fails", "This fails. With an empty pot it divides.", "    return 1"),
        ),
        ("Never do this\n```suggestion\n```", SaidByPerson("Never do this", "Never do this", "")),
        ("```suggestion\nx = 1\n```", None),
        ("nit: typo", None),
        ("", None),
    ],
)
def test_a_remark_has_a_title_and_what_it_suggests(words: str, said: SaidByPerson | None) -> None:
    assert said_by_person(words) == said


MENDED = "This was wrong, and mended soon after it was merged: "


@pytest.mark.parametrize(
    ("description", "why"),
    [
        ("The cups were counted twice, once a pot.\r\n\r\nMore.", "The cups were counted twice, once a pot."),
        (
            "## What\n\n<!-- Describe it, please, in some words -->\n\n- [x] tested by hand on my machine\n\n"
            "Fixes #12, which people of the house saw\n\nA pot may be empty,\nand then this divides by 0.",
            "A pot may be empty, and then this divides by 0.",
        ),
        ("Signed-off-by: Ann of the house by the river", "Fix the cups"),
        ("Reported by @ann on Monday after the deployment.", "Fix the cups"),
        ("See TEA-12 for all there is to know.", "Fix the cups"),
        ("1. count the cups and the pots anew", "Fix the cups"),
        ("Counts cups.", "Fix the cups"),
        (with_description("", "This change counts each of the cups once."), "Fix the cups"),
        ("", "Fix the cups"),
    ],
)
def test_a_fix_says_why_in_its_own_first_words_of_prose(description: str, why: str) -> None:
    assert said_by_fix("Fix the cups", description) == SaidByPerson("Fix the cups", MENDED + why)


@given(st.text())
def test_any_remark_has_a_short_title_or_says_too_little(words: str) -> None:
    said = said_by_person(words)
    assert said is None or 0 < len(said.title) <= LONGEST_TITLE


def test_runs_of_lines_that_a_fix_replaced_are_points_of_their_own() -> None:
    file = new_file("tea.py", "a = 1\n  b = 2\nc = 3\n\td = 4\n")
    wanted = {("tea.py", "a = 1"), ("tea.py", "b = 2"), ("tea.py", "d = 4"), ("pot.py", "c = 3")}
    assert list(fixed_lines([file], wanted, 300)) == [("tea.py", 1, 2), ("tea.py", 4, 4)]


def test_no_credential_is_in_what_a_model_is_to_learn() -> None:
    text = f"def brew(water):\n    token = '{KEY}'\n    return water / 0\n"
    facts = replace(pull_request({"tea.py": text}), body=f"The token is {KEY}.")
    facts = redacted(facts, clean)
    (draft,), _ = drafted(facts, [point(start=2)])
    told = json.dumps([draft.prompt.inputs, [one.text for one in draft.prompt.passages], draft.assistant])
    assert KEY not in told + "".join(facts.texts.values()) + git_diff_text(facts.files)
    assert (
        "    token = '[hidden]'\n    return water / 0" in json.loads(draft.assistant)["findings"][0]["quote"]
    )


def test_a_private_key_goes_whole_and_lines_stay_lines() -> None:
    body = "\n".join("MIIEpAIBAAKCAQEA" + chr(97 + n) * 48 for n in range(6))
    text = f"a = 1\n-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----\nb = 2\n"
    file = new_file("key.pem", text)
    made = redacted_diff(file, clean)
    assert "MIIEpAIBAAKCAQEA" not in git_diff_text([made])
    assert parse_git_diff(git_diff_text([made]))[0].hunks == made.hunks
    assert [(one.new, one.kind) for hunk in made.hunks or () for one in hunk.lines] == [
        (one.new, one.kind) for hunk in file.hunks or () for one in hunk.lines
    ]


def test_what_would_lose_lines_is_not_cut() -> None:
    with pytest.raises(Uncut):
        redacted(pull_request({"tea.py": BROKEN}), lambda text: text.replace("\n", ""))


def test_where_a_question_holds_less_the_change_is_asked_about_in_smaller_parts() -> None:
    facts = pull_request({"tea.py": "".join(f"x{n} = {n}\n\n" for n in range(300))})
    (whole,), _ = drafted(facts, [point(start=299, end=299)])
    (part,), _ = drafted(facts, [point(start=299, end=299)], most=1_000)
    assert whole.assistant == part.assistant
    assert len(part.prompt.passages[-1].text) < 1_000 < len(whole.prompt.passages[-1].text)
