"""What a check run says when its pull request is not reviewed, retargeted, or not alone with its head."""

from typing import Any

import pytest

from bot.testing.github.pulls import PullRequest
from bot.testing.github.repository import Repository
from tests.living import LivingHob, by_schema
from tests.tea import BROKEN, TEA, finding

GATING = "review: {request_changes: true%s}\n"


def teahouse(hob: LivingHob, more: str | None = None, *, finds: bool = True) -> Repository:
    hob.ollama.answer = by_schema(review={"findings": [finding()] if finds else [], "summary": ""})
    files = {"tea.py": TEA} | ({} if more is None else {".github/hob.yml": GATING % more})
    repo = hob.github.repository("octo/tea", files=files)
    repo.git.point("refs/heads/release", repo.git.resolve("main"))
    return repo


def opened(repo: Repository, title: str = "Brew", **more: Any) -> PullRequest:
    return repo.open_pull_request(title, {"tea.py": BROKEN}, author="ann", **more)


def shown(pull: PullRequest) -> tuple[str | None, str]:
    """The conclusion and title that GitHub shows at the head."""
    run = [run for run in pull.check_runs if run.head_sha == pull.head_sha][-1]
    return run.conclusion, run.title or ""


@pytest.mark.parametrize("more", [{"draft": True}, {"title": "WIP"}])
async def test_a_second_pull_request_that_nobody_reads_hides_no_judgement(
    hob: LivingHob, more: dict[str, Any]
) -> None:
    repo = teahouse(hob, ", ignore_title_keywords: [WIP]")
    first = opened(repo)
    await hob.works()
    assert shown(first)[0] == "failure"
    for base in ("main", "release"):
        opened(repo, head_sha=first.head_sha, branch=f"again-{base}", base=base, **more)
        await hob.works()
        assert shown(first)[0] == "failure"


async def test_turned_into_a_draft_or_paused_it_keeps_its_failure(hob: LivingHob) -> None:
    pull = opened(teahouse(hob, ""))
    await hob.works()
    pull.convert_to_draft()
    pull.comment("ann", "@my-hob pause")
    await hob.works()
    pull.retarget("release")
    pull.close()
    pull.reopen()
    await hob.works()
    assert shown(pull)[0] == "failure"


@pytest.mark.parametrize(
    ("settings", "title", "more"),
    [
        ("", "Brew", {"draft": True}),
        (", ignore_title_keywords: [WIP]", "WIP", {}),
        (", labels: [ready]", "Brew", {}),
        (", base_branches: [release]", "Brew", {}),
    ],
)
async def test_where_findings_gate_no_author_gets_a_passing_check_for_what_nobody_read(
    hob: LivingHob, settings: str, title: str, more: dict[str, Any]
) -> None:
    pull = opened(teahouse(hob, settings), title, **more)
    await hob.works()
    assert shown(pull)[0] == "action_required"
    assert shown(pull)[1].startswith("Not reviewed: ")
    assert hob.ollama.chats == []


async def test_where_findings_gate_a_pushed_head_of_a_paused_pull_request_does_not_pass(
    hob: LivingHob,
) -> None:
    pull = opened(teahouse(hob, ""))
    pull.comment("ann", "@my-hob pause")
    await hob.works()
    pull.push({"tea.py": BROKEN + "# more\n"})
    await hob.works()
    assert shown(pull)[0] == "action_required"


async def test_a_green_check_does_not_pass_for_another_base_that_nobody_read(hob: LivingHob) -> None:
    pull = opened(teahouse(hob, "", finds=False))
    await hob.works()
    assert shown(pull)[0] == "success"
    pull.comment("ann", "@my-hob pause")
    pull.retarget("release")
    await hob.works()
    assert shown(pull)[0] == "action_required"


async def test_two_pull_requests_of_one_head_show_the_worse_of_their_judgements(hob: LivingHob) -> None:
    repo = teahouse(hob, "")
    first = opened(repo)
    await hob.works()
    hob.ollama.answer = by_schema()
    second = opened(repo, head_sha=first.head_sha, branch="again", base="release")
    await hob.works()
    assert shown(second) == (
        "failure",
        "No findings in 1 of 1 files; pull request 1: 1 finding in 1 of 1 files",
    )
    first.close()
    await hob.works()
    second.retarget("main")
    await hob.works()
    assert shown(second) == ("success", "No findings in 1 of 1 files")


async def test_a_retargeted_pull_request_is_judged_by_its_new_diff(hob: LivingHob) -> None:
    repo = teahouse(hob, finds=False)
    repo.commit({"cup.py": "cup = 1\n"}, branch="stack")
    pull = opened(repo, base="stack")
    await hob.works()
    assert shown(pull) == ("success", "No findings in 1 of 1 files")
    pull.retarget("main")
    hob.ollama.answer = by_schema(review={"findings": [finding()], "summary": ""})
    await hob.works()
    assert shown(pull) == ("neutral", "1 finding in 2 of 2 files")
    assert len(pull.reviews) == 1
    hob.ollama.answer = by_schema()
    pull.retarget("stack")
    await hob.works()
    assert shown(pull)[1].endswith("in 1 of 1 files")
    asked = len(hob.ollama.chats)
    pull.edit("ann", body="Other words")
    await hob.works()
    assert len(hob.ollama.chats) == asked


async def test_wip_taken_out_of_the_title_brings_the_review(hob: LivingHob) -> None:
    pull = opened(teahouse(hob, ", ignore_title_keywords: [WIP]"), "WIP brew")
    await hob.works()
    assert pull.reviews == []
    pull.edit("ann", body="Text alone")
    await hob.works()
    assert pull.reviews == []
    pull.edit("ann", title="Brew")
    await hob.works()
    assert len(pull.reviews) == 1


async def test_a_label_that_the_settings_wait_for_brings_one_review(hob: LivingHob) -> None:
    pull = opened(teahouse(hob, ", labels: [ready]"))
    await hob.works()
    for name in ("bug", "ready", "help wanted", "wontfix"):
        pull.add_label("ann", name)
    hob._take()
    hob._route(4.0)
    await hob.retries()
    assert len(pull.reviews) == 1
    runs = [run for run in hob.services.store.runs.latest(50) if run.handler.endswith(("judge", "review"))]
    assert [run.state for run in runs].count("superseded") == 3
    asked = len(hob.ollama.chats)
    pull.add_label("ann", "question")
    with pull.world.changed:
        pull.take_label(pull.author, pull.labels[0])
    await hob.works()
    assert len(hob.ollama.chats) == asked
    assert len(pull.check_runs) == 2


@pytest.mark.parametrize("past_run", ["convert_to_draft", "close"])
async def test_a_review_under_way_does_not_post_once_it_is_a_draft_or_closed(
    hob: LivingHob, past_run: str
) -> None:
    pull = opened(teahouse(hob))

    def meanwhile(request: dict[str, Any]) -> Any:
        if pull.state == "open" and not pull.draft:
            getattr(pull, past_run)()
            hob._take()
            hob._route(0.0)
        return {"findings": [finding()], "summary": ""}

    hob.ollama.answer = meanwhile
    await hob.works()
    assert pull.reviews == []
    assert not [run for run in pull.check_runs if "finding" in (run.title or "")]


async def test_a_label_while_the_model_thinks_neither_ends_nor_repeats_the_review(hob: LivingHob) -> None:
    pull = opened(teahouse(hob))

    def meanwhile(request: dict[str, Any]) -> Any:
        if not pull.labels:
            pull.add_label("ann", "bug")
            hob._take()
            hob._route(0.0)
        return by_schema(review={"findings": [finding()], "summary": ""})(request)

    hob.ollama.answer = meanwhile
    await hob.works()
    assert len(pull.reviews) == 1
    assert len(hob.ollama.chats) == 2
