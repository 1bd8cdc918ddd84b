"""A check's finding and a model's on the same lines."""

from dataclasses import replace
from typing import Any

import pytest

from bot.agents import review
from bot.core import effect_history
from bot.core.effects import PostReview, SetCheck
from bot.core.facts import PullRequestFacts
from bot.core.findings import Finding, fingerprint
from tests.agents.facts import Model, pull_request, verdicts
from tests.tea import finding

TEA = "def brew(order):\n    return eval(order)\n"
LINE = "    return eval(order)"
RUFF = Finding(
    "tea.py",
    "major",
    "S307",
    "Use of possibly insecure function; consider `ast.literal_eval`",
    "It may run code.",
    LINE,
    source="ruff",
    line=2,
)
SAID = {
    "path": "tea.py",
    "quote": LINE,
    "title": "`eval` runs whatever a guest orders",
    "severity": "critical",
}


async def reviewed(
    facts: PullRequestFacts, *said: dict[str, Any], refuted: tuple[int, ...] = ()
) -> tuple[list[Finding], PostReview | None, SetCheck]:
    told = {"findings": [finding(**one) for one in said], "summary": ""}
    plan = await review.plan(facts, Model(lambda _: told, lambda prompt: verdicts(prompt, *refuted)))
    (check,) = [one for one in plan.effects if isinstance(one, SetCheck)]
    post = next((one for one in plan.effects if isinstance(one, PostReview)), None)
    return list(post.findings) if post else [], post, check


def facts(*checked: Finding) -> PullRequestFacts:
    return pull_request({"tea.py": TEA}, checked=checked)


async def test_one_point_is_one_comment_that_names_the_check() -> None:
    found, post, check = await reviewed(facts(RUFF), SAID)
    assert post is not None
    (comment,) = post.comments
    assert comment.body.endswith("ruff S307 says so too.")
    assert "critical" in comment.body
    assert [one.title for one in found[0].also] == [RUFF.title]
    assert "1 finding about the same lines as others, not shown" in check.summary
    again = replace(facts(RUFF), reviews=(post,), posted=effect_history.posted((post,)))
    assert {fingerprint(one) for one in found[0].also} <= again.posted
    assert (await reviewed(again, SAID))[0] == []
    assert (await reviewed(again))[0] == []


async def test_P8_a_check_goes_into_no_remark_that_was_refuted_or_is_not_graver() -> None:
    found, _, _ = await reviewed(facts(RUFF), SAID, refuted=(0,))
    assert [one.source for one in found] == ["ruff"]
    found, _, _ = await reviewed(facts(RUFF), {**SAID, "severity": "major"})
    assert [(one.source, one.also) for one in found] == [("ruff", ())]
    secret = replace(RUFF, severity="critical", category="secret", source="secrets", content="1")
    found, _, _ = await reviewed(facts(secret), SAID)
    assert [one.source for one in found] == ["secrets"]


@pytest.mark.parametrize("other", [{"title": "Milk is never poured", "body": "The cup stays empty."}])
async def test_two_points_on_one_line_are_two_comments(other: dict[str, str]) -> None:
    found, _, _ = await reviewed(facts(RUFF), {**SAID, **other})
    assert sorted(one.source for one in found) == ["model", "ruff"]
    found, _, _ = await reviewed(facts(), SAID, {**SAID, **other, "quote": f"def brew(order):\n{LINE}"})
    assert len(found) == 2


async def test_two_rules_of_a_check_stay_two_and_both_are_named() -> None:
    other = replace(RUFF, category="PGH001", title="No builtin `eval` allowed")
    assert len((await reviewed(facts(RUFF, other)))[0]) == 2
    _, post, _ = await reviewed(facts(RUFF, other), SAID)
    assert post is not None
    (comment,) = post.comments
    assert "ruff S307" in comment.body
    assert "ruff PGH001" in comment.body
    assert comment.body.endswith("say so too.")
