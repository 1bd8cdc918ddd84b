"""A merge queue that requires the check `Hob` goes on, and merges nothing that its heads did not pass."""

import json
from typing import Any

import pytest

from bot.testing.github.pulls import PullRequest
from bot.testing.github.queue import Method, QueuedGroup
from bot.testing.github.repository import Repository
from tests.living import LivingHob, by_schema
from tests.runs.test_same_head import opened, shown, teahouse
from tests.tea import BROKEN, finding


def said(group: QueuedGroup) -> tuple[str | None, str]:
    (run,) = group.check_runs
    assert (run.name, run.status) == ("Hob", "completed")
    return run.conclusion, run.title or ""


def changed(hob: LivingHob, **group: str) -> dict[str, Any]:
    """What the last delivery tells of a group with other fields; that delivery itself is lost."""
    delivery = hob.github.deliveries[-1]
    hob.taken.add(delivery.id)
    told = delivery.payload
    return told | {"merge_group": told["merge_group"] | group}


async def second(hob: LivingHob, repo: Repository, **more: Any) -> PullRequest:
    """Another pull request, of which nothing is found."""
    hob.ollama.answer = by_schema()
    pull = repo.open_pull_request("Cups", {"cup.py": "cup = 1\n"}, author="bea", **more)
    await hob.works()
    return pull


async def test_a_group_of_one_shows_what_its_head_came_to(hob: LivingHob) -> None:
    repo = teahouse(hob)
    pull = opened(repo)
    await hob.works()
    asked = len(hob.ollama.chats)
    group = repo.enqueue(pull)
    await hob.works()
    assert said(group) == ("neutral", "Pull request 1: 1 finding in 1 of 1 files")
    assert group.check_runs[0].actions == []
    assert len(hob.ollama.chats) == asked
    group.merge()
    await hob.works()
    assert len(group.check_runs) == 1


@pytest.mark.parametrize("method", ["merge", "squash"])
async def test_a_group_shows_the_worst_of_its_heads(hob: LivingHob, method: Method) -> None:
    repo = teahouse(hob, "")
    first = opened(repo)
    await hob.works()
    group = repo.enqueue(first, await second(hob, repo), method=method)
    await hob.works()
    assert said(group) == ("failure", "2 of 2 judged. Pull request 1: 1 finding in 1 of 1 files")
    assert "- Pull request 2: No findings in 1 of 1 files." in (group.check_runs[0].summary or "")


async def test_a_group_of_heads_without_findings_is_green(hob: LivingHob) -> None:
    repo = teahouse(hob, "", finds=False)
    first = opened(repo)
    await hob.works()
    group = repo.enqueue(first, await second(hob, repo))
    await hob.works()
    assert said(group)[0] == "success"


async def test_a_group_behind_another_tells_of_all_that_it_would_merge(hob: LivingHob) -> None:
    """A queue may ask for the last group alone; its parent commit is then the group in front."""
    repo = teahouse(hob, "")
    first = opened(repo)
    await hob.works()
    both = repo.enqueue(first, await second(hob, repo))
    told = changed(hob, base_sha=repo.git.commit(both.head_sha).parents[0])
    hob.github.deliver("merge_group", told)
    await hob.works()
    assert said(both)[0] == "failure"


@pytest.mark.parametrize(
    ("settings", "author", "conclusion", "why"),
    [
        (None, "bea", "neutral", "its head has no review yet"),
        ("", "bea", "action_required", "its head has no review yet"),
        (", ignore_authors: [dependabot]", "dependabot", "neutral", "its author is left out by the settings"),
        (", ignore_title_keywords: [cups]", "bea", "action_required", "its title is left out"),
    ],
)
async def test_a_group_says_which_head_nobody_read_and_stalls_no_queue(
    hob: LivingHob, settings: str | None, author: str, conclusion: str, why: str
) -> None:
    repo = teahouse(hob, settings, finds=False)
    first = opened(repo)
    await hob.works()
    with hob.github.changed:
        unheard = repo.open_pull_request("Cups", {"cup.py": "cup = 1\n"}, author=author)
        if "no review" in why:
            hob.taken.add(hob.github.deliveries[-1].id)
    await hob.works()
    group = repo.enqueue(first, unheard)
    await hob.works()
    assert said(group) == (conclusion, f"1 of 2 judged. Pull request 2 not reviewed: {why}")


async def test_a_failure_in_a_group_is_not_covered_by_a_head_that_nobody_read(hob: LivingHob) -> None:
    repo = teahouse(hob, ", ignore_authors: [bea]")
    first = opened(repo)
    await hob.works()
    group = repo.enqueue(first, await second(hob, repo))
    await hob.works()
    assert said(group)[0] == "failure"
    assert "Pull request 2 not reviewed" in said(group)[1]


async def test_what_was_judged_against_another_base_does_not_count(hob: LivingHob) -> None:
    repo = teahouse(hob, "", finds=False)
    pull = opened(repo)
    await hob.works()
    assert shown(pull)[0] == "success"
    pull.comment("ann", "@my-hob ignore")
    await hob.works()
    pull.retarget("release")
    await hob.works()
    group = repo.enqueue(pull)
    await hob.works()
    assert said(group)[0] == "action_required"


async def test_a_commit_that_names_other_pull_requests_brings_none_of_them_in(hob: LivingHob) -> None:
    """Only the queue's own commits are asked, and only about what is on its way into this branch."""
    repo = teahouse(hob, "")
    first = opened(repo)
    elsewhere = repo.open_pull_request("Old", {"tea.py": BROKEN}, author="ann", base="release")
    await hob.works()
    hob.ollama.answer = by_schema()
    named = f"Like #{first.number} (#{first.number})"
    other = repo.open_pull_request("Cups", {"cup.py": "cup = 1\n"}, author="bea", message=named)
    await hob.works()
    group = repo.enqueue(other)
    await hob.works()
    assert said(group)[0] == "success"
    other.push({"cup.py": "cup = 2\n"}, message=f"Backport (#{elsewhere.number})")
    await hob.works()
    again = repo.enqueue(other, method="squash")
    await hob.works()
    assert said(again)[0] == "success"


async def test_the_queue_of_a_branch_with_a_slash_is_answered(hob: LivingHob) -> None:
    repo = teahouse(hob, "")
    repo.git.point("refs/heads/stable/1.0", repo.git.resolve("main"))
    pull = opened(repo, base="stable/1.0")
    await hob.works()
    group = repo.enqueue(pull)
    await hob.works()
    assert group.head_ref.startswith("refs/heads/gh-readonly-queue/stable/1.0/pr-1-")
    assert said(group)[0] == "failure"


@pytest.mark.parametrize("ref", ["refs/heads/queue/main", "refs/heads/gh-readonly-queue/main/pr-x-abc"])
async def test_a_group_of_which_nobody_knows_what_is_in_it_is_answered_too(hob: LivingHob, ref: str) -> None:
    repo = teahouse(hob, "", finds=False)
    group = repo.enqueue(opened(repo))
    told = changed(hob, head_ref=ref)
    repo.git.point(group.base_ref, group.head_sha)  # nothing lies between any more
    hob.github.deliver("merge_group", told)
    await hob.works()
    assert said(group) == (
        "action_required",
        "Not reviewed: the pull requests of this group are not known",
    )


async def test_a_group_that_is_no_more_is_not_answered(hob: LivingHob) -> None:
    repo = teahouse(hob)
    pull = opened(repo)
    await hob.works()
    group = repo.enqueue(pull)
    hob._take()
    group.destroy()
    await hob.works()
    assert group.check_runs == []
    runs = [run for run in hob.services.store.runs.latest(9) if run.handler == "merge-group"]
    assert sorted(run.state for run in runs) == ["done", "superseded"]


async def test_two_groups_wait_for_nobody_and_a_delivery_sent_again_says_nothing_twice(
    hob: LivingHob,
) -> None:
    repo = teahouse(hob)
    first = opened(repo)
    await hob.works()
    groups = [repo.enqueue(first), repo.enqueue(await second(hob, repo))]
    await hob.works()
    assert [said(group)[0] for group in groups] == ["neutral", "success"]
    for delivery in [one for one in hob.github.deliveries if one.event == "merge_group"]:
        hob.github.deliver("merge_group", json.loads(delivery.body))
    await hob.works()
    assert [len(group.check_runs) for group in groups] == [1, 1]


async def test_in_shadow_a_queue_sees_nothing(hob: LivingHob) -> None:
    hob.ollama.answer = by_schema(review={"findings": [finding()], "summary": ""})
    repo = hob.github.repository("octo/tea", files={".github/hob.yml": "review: {shadow: true}\n"})
    group = repo.enqueue(opened(repo))
    await hob.works()
    assert group.check_runs == []


async def test_a_group_whose_answer_could_not_be_made_does_not_stall_the_queue(hob: LivingHob) -> None:
    repo = teahouse(hob, "")
    pull = opened(repo)
    await hob.works()
    fault = hob.github.fault("GET", r"/pulls/\d+$", kind="answer", status=502, times=999)
    group = repo.enqueue(pull)
    await hob.works()
    for _ in range(6):
        await hob.retries()
    fault.times = 0
    await hob.retries()
    assert said(group)[0] == "action_required"
    assert said(group)[1].startswith("Not reviewed: ")
