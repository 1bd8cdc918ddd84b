"""The Issue agent: labels that exist, one question when something is missing."""

from dataclasses import replace
from typing import Any

import pytest

from bot.agents import issue
from bot.core.effects import AddLabels, Comment, Plan
from bot.core.facts import IssueFacts, RepoContext
from bot.core.named_files import NamedFile
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


async def test_X5_a_reply_without_end_is_cut_and_what_may_be_a_weakness_stays_within_the_network() -> None:
    model = triage(missing=["x"], reply="```\n<details>" + "\U0001f525" * 70_000)
    plan = await issue.plan(replace(facts(labels=("bug",)), suspicion="suspected"), model)
    (comment,) = plan.effects
    assert isinstance(comment, Comment)
    assert len(comment.body) <= 1_000
    assert model.prompts[0].local
    assert not issue.picture_prompt(facts(), ()).local
    for said, stays in (("It burns still.", False), ("The login has an SQL injection.", True)):
        asked = triage()
        await issue.plan(replace(facts(), said=((Login("ann"), said),)), asked)
        assert asked.prompts[0].local is stays


async def test_a_file_is_a_link_at_github_and_its_people_are_named_in_code() -> None:
    known = replace(
        facts(IssueSettings(comment="always", label_hints={"area-api": "what lies in src/api/"})),
        files=((NamedFile("src/api/x.py", 3), ""), (NamedFile("a b.py"), "")),
        owners=("octo/api", "mona"),
        people=("Ann Lee",),
    )
    plan = await issue.plan(known, triage(labels=["Priority: High"]))
    put, said = plan.effects
    assert isinstance(put, AddLabels)
    assert put.labels == ("bug", "area-api", "Priority: High")
    assert "by rule: the text names `src/api/x.py`" in put.why[1]
    assert isinstance(said, Comment)
    assert "[`src/api/x.py:3`](https://github.com/octo/tea/blob/main/src/api/x.py#L3)" in said.body
    assert "- `a b.py`\n" in said.body
    assert "owned by `octo/api`, `mona` (CODEOWNERS) and known best to `Ann Lee`" in said.body


async def test_nothing_is_said_twice_and_silence_is_kept() -> None:
    told = replace(facts(), told=frozenset({"question"}), files=((NamedFile("a.py", 1), ""),))
    plan = await issue.plan(told, triage(missing=["version"], reply="Which?"))
    assert [type(one).__name__ for one in plan.effects] == ["AddLabels"]
    plain = replace(facts(), files=((NamedFile("a.py"), ""),))
    assert [type(one).__name__ for one in (await issue.plan(plain, triage())).effects] == ["AddLabels"]
    locked = replace(told, told=frozenset(), may_speak=False, requested=True)
    plan = await issue.plan(locked, triage(missing=["version"]))
    assert [type(one).__name__ for one in plan.effects] == ["AddLabels"]
    assert "locked" in plan.reason
