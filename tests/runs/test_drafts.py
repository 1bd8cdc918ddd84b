"""Comments that are kept for people to post: `draft`, `draft post N`, `draft drop N`."""

from dataclasses import replace
from typing import Any

import pytest

from bot.core.effects import KeepDraft, Plan
from bot.core.events import IssueOpened
from bot.core.refs import Actor, Login
from bot.router import Router
from bot.testing.github.issues import Issue
from bot.testing.github.repository import Repository
from tests.living import LivingHob, by_schema
from tests.runs.test_refusals import refuse
from tests.runs.test_requests import ask

QUESTION = "Which kettle is it? @octo/everyone <img src=x> #1"
KEPT = "Which kettle is it? `@octo/everyone`  `#1`"


async def kept(hob: LivingHob, reply: str = QUESTION, **more: Any) -> Issue:
    """An issue about which a triage has something to ask, and a repository that wants that kept."""
    missing = {"kind": "bug", "labels": [], "priority": "normal", "summary": "s", "missing": ["model"]}
    hob.ollama.answer = by_schema(triage={**missing, "reply": reply})
    code = hob.github.repository("octo/tea", files={".github/hob.yml": "issues: {comment: draft}\n"})
    code.grant("tom", "triage")
    issue = code.open_issue("Kettle", "It burns.", author="ann", **more)
    await hob.works()
    return issue


def said(issue: Issue) -> list[str]:
    """Hob's comments without their marks."""
    return [one.body.rpartition("\n\n<!--")[0] for one in issue.comments if one.author.login == "my-hob[bot]"]


async def asks(hob: LivingHob, issue: Issue, *lines: str, who: str = "tom") -> list[str]:
    for line in lines:
        issue.comment(who, line)
    await hob.works()
    return said(issue)


async def test_what_a_triage_would_ask_is_kept_and_posted_as_it_was_shown(hob: LivingHob) -> None:
    issue = await kept(hob)
    assert issue.comments == []
    (draft,) = hob.services.store.drafts.waiting()
    assert draft.body == KEPT
    (shown,) = await asks(hob, issue, "/hob draft")
    assert "I keep one draft here" in shown
    assert "**Draft 1** (`question`, " in shown
    assert KEPT in shown
    assert (await asks(hob, issue, "/hob draft post 1"))[1:] == [KEPT]
    assert hob.services.store.drafts.waiting() == []
    assert (await asks(hob, issue, "/hob draft"))[-1] == "There are no drafts here."


async def test_R13_many_who_post_a_draft_at_once_post_it_once(hob: LivingHob) -> None:
    issue = await kept(hob)
    for n in range(3):
        await ask(hob, "/hob draft post 1", f"box:{n}", Actor(Login("tom"), 9), "box", issue.number)
        await ask(hob, "/hob draft post", f"page:{n}", channel="dashboard", number=issue.number)
    words = await asks(hob, issue, "/hob draft post 1", "/hob draft post 1")
    assert words.count(KEPT) == 1


@pytest.mark.parametrize("line", ["/hob draft post 1", "/hob draft drop 1", "/hob draft", "/hob draft post"])
async def test_A7_who_may_not_triage_neither_sees_posts_nor_discards_a_draft(
    hob: LivingHob, line: str
) -> None:
    issue = await kept(hob)
    (answer,) = await asks(hob, issue, line, who="ann")
    assert "triage permission" in answer
    assert len(hob.services.store.drafts.waiting()) == 1


@pytest.mark.parametrize(
    "line", ["/hob draft post 7", "/hob draft drop 0", "/hob draft post it now", "/hob draft 1"]
)
async def test_what_names_no_draft_posts_and_discards_none(hob: LivingHob, line: str) -> None:
    issue = await kept(hob)
    (answer,) = await asks(hob, issue, line)
    assert "draft post 1" in answer
    assert len(hob.services.store.drafts.waiting()) == 1


async def test_a_draft_of_another_issue_is_not_posted_here(hob: LivingHob) -> None:
    await kept(hob)
    hob.ollama.answer = by_schema()
    other = hob.github.repositories["octo/tea"].open_issue("Cup", "Leaks.", author="ann")
    await hob.works()
    assert await asks(hob, other, "/hob draft post 1") == [
        "I keep no draft 1 here. There are no drafts here."
    ]


async def test_undo_takes_back_a_draft_its_posting_and_its_discarding(hob: LivingHob) -> None:
    issue = await kept(hob)
    assert (await asks(hob, issue, "/hob draft drop 1"))[-1] == "Draft 1 is discarded."
    await asks(hob, issue, "/hob undo")
    (again,) = hob.services.store.drafts.waiting()
    assert (again.n, again.body) == (2, KEPT)
    await asks(hob, issue, "/hob draft post 2")
    assert "a comment" in (await asks(hob, issue, "/hob undo"))[-1]
    assert KEPT not in said(issue)
    (again,) = hob.services.store.drafts.waiting()
    await asks(hob, issue, "/hob undo")
    assert "a draft" in said(issue)[-1]
    assert hob.services.store.drafts.waiting() == []


async def test_a_draft_that_github_refuses_waits_on_and_can_be_posted_later(hob: LivingHob) -> None:
    issue = await kept(hob)
    refuse(hob, "locked", path=rf"/issues/{issue.number}/comments$")
    await asks(hob, issue, "/hob draft post 1")
    assert KEPT not in said(issue)
    (draft,) = hob.services.store.drafts.waiting()
    assert (draft.n, draft.refusals) == (1, 1)
    await asks(hob, issue, "/hob draft post 1")
    assert said(issue).count(KEPT) == 1
    assert hob.services.store.drafts.waiting() == []


async def test_a_newer_draft_about_the_same_replaces_the_older_one(hob: LivingHob) -> None:
    ours = Router()

    @ours.on(IssueOpened, may={KeepDraft}, name="keeps")
    async def keeps(event: IssueOpened, ctx: object) -> Plan:
        told = [("one", "triage"), ("dup", "duplicate"), ("two", "triage"), ("two", "triage")]
        return Plan(tuple(KeepDraft(event.number, body, about) for body, about in told))

    hob.services = replace(hob.services, router=ours)
    hob.github.repository("octo/tea").open_issue("Kettle", "It burns.", author="ann")
    await hob.works()
    found = [(one.n, one.about, one.body) for one in hob.services.store.drafts.waiting()]
    assert found == [(2, "duplicate", "dup"), (3, "triage", "two")]


@pytest.mark.parametrize("how", ["deleted", "transferred"])
async def test_what_is_kept_for_an_issue_goes_with_it(hob: LivingHob, how: str) -> None:
    issue = await kept(hob)
    repo = issue.repo
    assert isinstance(repo, Repository)
    other = repo.open_issue("Pot", "It leaks.", author="ann")
    await hob.works()
    if how == "deleted":
        repo.delete_issue(issue.number)
    else:
        repo.transfer_issue(issue.number, hob.github.repository("octo/pot"), "tom")
    await hob.works()
    waiting = hob.services.store.drafts.waiting(repo.id)
    assert [one.number for one in waiting] == [other.number]
