"""`blockers`, and questions of what waits for what: answered from GitHub's own facts, without a model."""

import pytest

from bot.testing.github.issues import Issue
from bot.testing.github.repository import Repository
from tests.living import LivingHob
from tests.tea import TEA

OLD = ("Issue.blockedBy", "Issue.blocking", "Issue.subIssues", "Issue.parent")
"""Fields that a GitHub Enterprise Server of 2024 does not know."""


@pytest.fixture
def repo(hob: LivingHob) -> Repository:
    repo = hob.github.repository("octo/tea", private=True, files={"tea.py": TEA})
    repo.grant("ann", "read")
    return repo


async def said(hob: LivingHob, issue: Issue, text: str, who: str = "ann") -> str:
    """What Hob answers to a comment; no model is asked."""
    await hob.works()
    asked = len(hob.ollama.chats)
    issue.comment(who, f"@my-hob {text}")
    await hob.works()
    assert len(hob.ollama.chats) == asked, "no model is asked"
    assert issue.comments[-1].author.login == "my-hob[bot]"
    return str(issue.comments[-1].body)


@pytest.mark.parametrize("lacks", [(), OLD], ids=["graphql", "rest"])
async def test_what_blocks_an_issue_and_who_waits_for_it_with_their_sources(
    lacks: tuple[str, ...], hob: LivingHob, repo: Repository
) -> None:
    hob.github.lacking.update(lacks)
    kettle = repo.open_issue("Kettle", author="bob", assignees=["cy"])
    leaves = repo.open_issue("Leaves", f"Depends on #{kettle.number}", author="bob")
    brew = repo.open_issue("Brew", "- [ ] #6\n- [x] #1", author="bob")
    party = repo.open_issue("Party", author="bob")
    done = repo.open_issue("Done", author="bob")
    cups = repo.open_issue("Cups", author="bob")
    assert cups.number == 6
    leaves.block(brew)
    done.block(brew)
    done.close()
    party.add_sub_issue(brew)
    told = await said(hob, brew, "blockers")
    assert "`#3 Brew` waits for 2 open items and, through them, 1 more:" in told
    assert "- `#3 Brew` is blocked by `#2 Leaves` (dependency)" in told
    assert "- `#3 Brew` has the open part `#6 Cups` (task list)" in told
    assert "- `#2 Leaves` is blocked by `#1 Kettle` (text), assigned to `cy`" in told
    assert "1 open item waits for `#3 Brew`:" in told
    assert "- `#4 Party` has the open part `#3 Brew` (sub-issue)" in told
    assert "Done" not in told
    told = await said(hob, party, f"blockers #{kettle.number}")
    assert "Nothing blocks `#1 Kettle`: it is ready to start, assigned to `cy`." in told
    assert "1 open item waits for `#1 Kettle` and, through them, 2 more:" in told


@pytest.mark.parametrize("lacks", [(), OLD], ids=["graphql", "rest"])
async def test_what_blocks_a_milestone_is_answered_by_query(
    lacks: tuple[str, ...], hob: LivingHob, repo: Repository
) -> None:
    hob.github.lacking.update(lacks)
    repo.milestone("v1.0")
    kettle = repo.open_issue("Kettle", author="bob")
    brew = repo.open_issue("Brew", author="bob", milestone="v1.0", assignees=["cy"])
    pour = repo.open_issue("Pour", author="bob", milestone="v1.0")
    old = repo.open_issue("Old", author="bob", milestone="v1.0")
    kettle.block(brew)
    old.close()
    repo.open_pull_request("Pour it", {"tea.py": TEA + "\n"}, body=f"Fixes #{pour.number}", author="bob")
    await hob.works()
    for asked in ("What blocks v1.0?", "ask what's still blocking milestone 1.0?", "was blockiert v1.0?"):
        told = await said(hob, kettle, asked)
        assert "Milestone `v1.0` has 2 open items (1 closed):" in told
        assert "- `#2 Brew`: waits for `#1`, assigned to `cy`" in told
        assert "- `#3 Pour`: in work in `#5`" in told
        assert "- `#2 Brew` is blocked by `#1 Kettle` (dependency)" in told
        assert "- `#3 Pour` has the open pull request `#5 Pour it` (pull request)" in told
    told = await said(hob, kettle, "What is ready to start?")
    assert "1 issue is ready to start:" in told and "- `#1 Kettle`" in told
    told = await said(hob, kettle, "who is waiting for #1?")
    assert "- `#2 Brew` is blocked by `#1 Kettle` (dependency), assigned to `cy`" in told
    assert "There is no milestone `v9`. Open milestones: `v1.0`." in await said(hob, kettle, "blockers v9")


@pytest.mark.parametrize("lacks", [(), OLD], ids=["graphql", "rest"])
async def test_what_a_merge_unblocked(lacks: tuple[str, ...], hob: LivingHob, repo: Repository) -> None:
    hob.github.lacking.update(lacks)
    kettle, brew = repo.open_issue("Kettle", author="bob"), repo.open_issue("Brew", author="bob")
    kettle.block(brew)
    pull = repo.open_pull_request("Boil", {"tea.py": TEA + "\n"}, body="Fixes #1", author="bob")
    await hob.works()
    assert "Once it is done" in (await said(hob, brew, "what would #3 unblock?")).replace("once", "Once")
    pull.merge("bob")
    await hob.works()
    told = await said(hob, brew, "what did #3 unblock?")
    assert "`#3 Boil`: nothing open holds these back now:" in told
    assert "- `#2 Brew` is blocked by `#1 Kettle` (dependency)" in told


async def test_cycles_are_told_as_cycles(hob: LivingHob, repo: Repository) -> None:
    first, second = repo.open_issue("One", author="bob"), repo.open_issue("Two", author="bob")
    first.block(second)
    second.block(first)
    told = await said(hob, first, "blockers")
    assert "`#1` (dependency) → `#2` (dependency) → `#1`" in told
    assert told.count("so that none of them can begin (a cycle)") == 1, "once, though it runs both ways"
    assert "waits for 1 open item" in told and "1 open item waits for" in told


async def test_P6_X3_another_repository_is_not_read_and_nobody_is_notified(
    hob: LivingHob, repo: Repository
) -> None:
    other = hob.github.repository("rival/secrets", private=True, files={"a": "b"})
    hidden = other.open_issue("The merger of Octo", author="eve")
    title = "@octo/team fixes #1 <!-- /merge --> [x](https://evil.example) `"
    issue = repo.open_issue(title, "blocked by rival/secrets#1\nblocked by #1, #2", author="mallory")
    told = await said(hob, issue, "blockers")
    assert "rival/secrets#1" in told and hidden.title not in told
    assert "whether it is open I cannot see" in told
    told = await said(hob, issue, "what blocks rival/secrets#1?")
    assert "is in another repository" in told and hidden.title not in told
    assert "`#99` here" in await said(hob, issue, "what blocks #99?")
    repo.milestone("v1 @octo/team closes #1")
    told = await said(hob, issue, "blockers v2")
    assert "Open milestones: `v1 @octo/team closes #1`." in told
    assert all("secrets" not in one.path for one in [*hob.github.requests, *hob.github.fetches])


async def test_an_answer_without_any_model_host(hob: LivingHob, repo: Repository) -> None:
    hob.ollama.models.clear()
    issue = repo.open_issue("One", author="ann")
    assert "Nothing blocks `#1 One`" in await said(hob, issue, "why is this blocked?")
