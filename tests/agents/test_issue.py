"""The Issue agent: labels that exist, one question when something is missing."""

from typing import Any

import pytest

from bot.agents import issue
from bot.core.effects import AddLabels, Comment, Plan
from bot.core.facts import IssueFacts, RepoContext
from bot.core.refs import Login
from bot.core.settings import IssueSettings, RepoSettings
from tests.agents.facts import REPO, Model

LABELS = (
    ("bug", "Something is broken"),
    ("Priority: High", ""),
    ("area-api", "HTTP routes"),
    ("security-approved", ""),
)


def facts(settings: IssueSettings | None = None, labels: tuple[str, ...] = ()) -> IssueFacts:
    speaking = settings or IssueSettings(comment="always")
    context = RepoContext(REPO, RepoSettings(issues=speaking), labels=LABELS)
    return IssueFacts(context, 3, "Kettle burns", "It burns.", Login("ann"), labels)


def labels(plan: Plan) -> tuple[str, ...]:
    (effect,) = plan.effects
    assert isinstance(effect, AddLabels)
    assert effect.number == 3
    return effect.labels


def triage(**fields: Any) -> Model:
    answer = {
        "kind": "bug",
        "labels": [],
        "priority": "normal",
        "summary": "Burns",
        "missing": [],
        "reply": "",
    }
    return Model(lambda prompt: answer | fields)


async def test_the_kind_and_the_priority_become_labels_that_exist() -> None:
    plan = await issue.plan(facts(), triage(priority="high", labels=["AREA-API"]))
    assert labels(plan) == ("bug", "Priority: High", "area-api")


async def test_P4_a_label_that_the_settings_do_not_allow_is_refused_whatever_the_model_says() -> None:
    settings = IssueSettings(labels=("bug", "area-api"))
    said = triage(labels=["security-approved", "wontfix", "area-api", "bug"])
    plan = await issue.plan(facts(settings), said)
    assert labels(plan) == ("bug", "area-api")


async def test_P4_at_most_three_labels_and_only_on_the_issue_itself() -> None:
    plan = await issue.plan(facts(), triage(priority="high", labels=["area-api", "security-approved"]))
    (effect,) = plan.effects
    assert isinstance(effect, AddLabels)
    assert effect.number == 3
    assert len(effect.labels) == 3


async def test_labels_that_are_there_are_not_added_again() -> None:
    plan = await issue.plan(facts(labels=("Bug",)), triage())
    assert plan.effects == ()


@pytest.mark.parametrize(
    ("missing", "reply", "comment"),
    [
        ([], "Thanks for the report!", None),
        (["version"], "Which version is it?", "Which version is it?"),
        (["version"], " ", "To look into this, it would help to know:\n\n- version"),
        (["  "], "Hello", None),
    ],
)
async def test_it_asks_only_for_what_is_missing(missing: list[str], reply: str, comment: str | None) -> None:
    plan = await issue.plan(facts(labels=("bug",)), triage(missing=missing, reply=reply))
    assert [effect.body for effect in plan.effects if isinstance(effect, Comment)] == (
        [comment] if comment else []
    )


async def test_settings_can_silence_it() -> None:
    plan = await issue.plan(
        facts(IssueSettings(comment="never")), triage(missing=["version"], reply="Which?")
    )
    assert all(not isinstance(effect, Comment) for effect in plan.effects)


async def test_R10_a_failure_leaves_the_issue_untouched() -> None:
    plan = await issue.plan(facts(), Model(lambda prompt: "no model host answered"))
    assert plan.effects == ()
    assert "no model host answered" in plan.reason
