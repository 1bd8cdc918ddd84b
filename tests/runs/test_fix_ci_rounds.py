"""`fix ci` round after round: until the checks pass, or until it is to stop; and taking rounds back."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from bot.testing.github import ci
from bot.testing.github.pulls import PullRequest
from tests.living import LivingHob
from tests.runs.test_fix_ci import (
    AGAIN,
    MENDED,
    QUIET,
    QUOTE,
    RIGHT,
    TEA,
    WRONG,
    asked,
    commits,
    fails,
    first_round,
    opened,
    patch_of,
    says,
    told,
)
from tests.runs.test_patches import branches, drafts


@pytest.mark.parametrize("conclusion", ["skipped", "neutral"])
async def test_checks_that_were_skipped_are_not_green(hob: LivingHob, conclusion: str) -> None:
    pull = opened(hob)
    draft = await first_round(hob, pull, MENDED)
    ci.begin(pull.code, draft.head_sha, "test").finish({"test": "x"}, conclusion)
    await hob.works()
    assert "Green" not in told(pull)
    assert "`test` did not run or was skipped: it needs a person" in told(pull)


async def test_it_is_not_green_before_what_failed_has_passed(hob: LivingHob) -> None:
    """Suites begin one after the other."""
    pull = opened(hob)
    draft = await first_round(hob, pull, MENDED)
    ci.begin(pull.code, draft.head_sha, "lint").finish()
    await hob.works()
    assert "Green" not in told(pull)
    assert "When its checks are complete I look again" in told(pull)
    ci.begin(pull.code, draft.head_sha, "test").finish()
    await hob.works()
    assert "Green after 1 round." in told(pull)


async def test_ci_fails_somebody_asks_and_two_rounds_later_it_is_green(hob: LivingHob) -> None:
    pull = opened(hob)
    fails(pull)
    await hob.works()
    hob.ollama.answer = says(WRONG, RIGHT)
    (said,) = await asked(hob, pull)
    assert "Round 1 of 3" in said
    assert "A name is misspelt." in said
    assert QUOTE in said
    (draft,) = drafts(hob)
    assert (draft.draft, draft.base_ref, branches(pull.code)) == (True, pull.head_ref, [draft.head_ref])
    assert draft.text("tea.py") == TEA.replace("watr", "water + 1")
    first = draft.head_sha
    fails(draft, AGAIN)
    await hob.works()
    assert draft.text("tea.py") == TEA.replace("watr", "water")
    assert draft.commits[-1].parents == (first,)
    assert "Co-authored-by: ann <" in draft.commits[-1].message
    assert "Round 2 of 3" in told(pull)
    ci.begin(pull.code, draft.head_sha, "test").finish()
    await hob.works()
    assert "Green after 2 rounds." in told(pull)
    assert len(drafts(hob)) == 1


async def test_R6_many_suites_of_one_commit_are_one_round_once_all_are_complete(hob: LivingHob) -> None:
    pull = opened(hob)
    draft = await first_round(hob, pull, WRONG, RIGHT)
    ci.begin(pull.code, draft.head_sha, app="idle-ci")
    suites = [
        ci.begin(pull.code, draft.head_sha, f"test {n}", app=app)
        for n, app in enumerate((ci.ACTIONS, "circleci"))
    ]
    suites[0].finish({"test 0": AGAIN})
    await hob.works()
    assert commits(hob) == 1
    for suite in suites:
        suite.finish({"test 0": AGAIN})
    for suite in suites:
        suite.tell()
    await hob.works()
    assert commits(hob) == 2
    suites[0].tell()
    before = len(hob.github.calls())
    await hob.works()
    assert len(hob.github.calls()) == before
    assert commits(hob) == 2


async def test_R6_no_round_follows_a_commit_that_is_not_of_such_a_fix(hob: LivingHob) -> None:
    pull = opened(hob)
    draft = await first_round(hob, pull, WRONG, RIGHT)
    before = len(hob.github.calls())
    fails(pull)
    fails(draft, sha=pull.code.git.resolve("main") or "")
    ci.begin(pull.code, draft.head_sha, "test", fork=True).finish({"test": AGAIN})
    ci.begin(pull.code, draft.head_sha, "Hob", app="my-hob").finish({"Hob": "Failed"})
    await hob.works()
    assert len(hob.github.calls()) == before


async def test_rounds_end_when_they_are_used_up(hob: LivingHob) -> None:
    pull = opened(hob, f"code: {{enabled: true, rounds: 2}}\n{QUIET}")
    draft = await first_round(hob, pull, WRONG, patch_of("water + 1", "water + 2"), RIGHT)
    for _ in range(2):
        fails(draft, AGAIN)
        await hob.works()
    assert commits(hob) == 2
    assert "Not green after 2 rounds: `test` failed" in told(pull)


async def test_it_never_goes_on_by_itself_where_rounds_are_0(hob: LivingHob) -> None:
    pull = opened(hob, f"code: {{enabled: true, rounds: 0}}\n{QUIET}")
    draft = await first_round(hob, pull, WRONG, RIGHT)
    assert "only when asked again" in told(pull)
    fails(draft, AGAIN)
    await hob.works()
    assert commits(hob) == 1
    await asked(hob, pull)
    assert draft.text("tea.py") == TEA.replace("watr", "water")


async def test_it_stops_when_it_repeats_itself(hob: LivingHob) -> None:
    pull = opened(hob)
    back = patch_of("return water + 1", "return watr + 0")
    draft = await first_round(hob, pull, WRONG, RIGHT, patch_of("return water\n", "return water + 1\n"), back)
    for _ in range(2):
        fails(draft, AGAIN)
        await hob.works()
    assert commits(hob) == 2
    assert "repeats itself" in told(pull)


async def by_pushing(hob: LivingHob, pull: PullRequest, draft: PullRequest) -> None:
    pull.push({"tea.py": TEA + "# hot\n"}, author="ann")


async def by_pushing_to_the_draft(hob: LivingHob, pull: PullRequest, draft: PullRequest) -> None:
    pull.code.push({"new.py": "x = 1\n"}, branch=draft.head_ref, author="bob")


async def by_closing(hob: LivingHob, pull: PullRequest, draft: PullRequest) -> None:
    pull.close("ann")


async def by_closing_the_draft(hob: LivingHob, pull: PullRequest, draft: PullRequest) -> None:
    draft.close("ann")


async def by_pausing(hob: LivingHob, pull: PullRequest, draft: PullRequest) -> None:
    await asked(hob, pull, "pause")


async def by_losing_permission(hob: LivingHob, pull: PullRequest, draft: PullRequest) -> None:
    pull.code.grant("ann", "triage")


async def by_switching_code_off(hob: LivingHob, pull: PullRequest, draft: PullRequest) -> None:
    pull.code.commit({".github/hob.yml": QUIET})
    pull.base_sha = pull.code.git.resolve("main") or ""


@pytest.mark.parametrize(
    ("happens", "why"),
    [
        (by_pushing, "Somebody else pushed"),
        (by_closing, "pull request is closed"),
        (by_closing_the_draft, "draft is closed"),
        (by_pausing, "leave this pull request alone"),
        (by_losing_permission, "may not ask for code here any more"),
        (by_switching_code_off, "I write no code here"),
    ],
)
async def test_A6_rounds_stop(hob: LivingHob, happens: Callable[..., Any], why: str) -> None:
    pull = opened(hob)
    draft = await first_round(hob, pull, WRONG, RIGHT)
    sha = draft.head_sha
    await happens(hob, pull, draft)
    fails(draft, AGAIN, sha=sha)
    await hob.works()
    assert commits(hob) == 1
    assert why in told(pull)
    fails(draft, AGAIN, sha=sha)
    await hob.works()
    assert commits(hob) == 1


async def test_rounds_stop_silently_where_somebody_pushed_on_top_or_deleted_the_comment(
    hob: LivingHob,
) -> None:
    pull = opened(hob)
    draft = await first_round(hob, pull, WRONG, RIGHT)
    sha = draft.head_sha
    suite = ci.begin(pull.code, sha, "test")
    await by_pushing_to_the_draft(hob, pull, draft)
    suite.finish({"test": AGAIN})
    await hob.works()
    assert "Somebody else pushed" in told(pull)
    assert commits(hob) == 1
    for one in list(pull.comments):
        if "failed on" in one.body:
            one.delete("ann")
    suite.tell()
    await hob.works()
    assert commits(hob) == 1


async def test_rounds_end_where_no_model_answers(hob: LivingHob) -> None:
    pull = opened(hob)
    draft = await first_round(hob, pull, WRONG, RIGHT)
    hob.ollama.answer = lambda request: {"nothing": "of use"}
    fails(draft, AGAIN)
    await hob.works()
    assert commits(hob) == 1
    assert "I can't say why" in told(pull)
    assert "**I stopped.**" in told(pull)


async def test_R6_checks_that_end_before_the_comment_stands_are_not_forgotten(hob: LivingHob) -> None:
    pull = opened(hob)
    fails(pull)
    await hob.works()
    hob.ollama.answer = says(WRONG, RIGHT)
    hob.github.fault("POST", ".*/issues/1/comments", kind="retry_after", seconds=1)
    await asked(hob, pull)
    (draft,) = drafts(hob)
    fails(draft, AGAIN)
    await hob.works()
    assert commits(hob) == 1
    await asyncio.sleep(1.1)
    for _ in range(3):
        await hob.retries()
    await hob.works()
    assert draft.text("tea.py") == TEA.replace("watr", "water")
    assert "Round 2 of 3" in told(pull)


async def test_the_author_may_have_all_rounds_on_the_own_branch(hob: LivingHob) -> None:
    pull = opened(hob, f"code: {{enabled: true, push: author}}\n{QUIET}")
    fails(pull)
    await hob.works()
    hob.ollama.answer = says(WRONG, RIGHT)
    await asked(hob, pull)
    assert pull.text("tea.py") == TEA.replace("watr", "water + 1")
    fails(pull, AGAIN)
    await hob.works()
    assert pull.text("tea.py") == TEA.replace("watr", "water")
    ci.begin(pull.code, pull.head_sha, "test").finish()
    await hob.works()
    assert "Green after 2 rounds." in told(pull)
    assert drafts(hob) == []


async def test_on_a_pull_request_of_hobs_own_it_is_a_commit_on_its_branch(hob: LivingHob) -> None:
    pull = opened(hob)
    await hob.works()
    hob.ollama.answer = says(WRONG, RIGHT)
    await asked(hob, pull, "simplify")
    (draft,) = drafts(hob)
    fails(draft, AGAIN)
    await asked(hob, draft)
    assert draft.text("tea.py") == TEA.replace("watr", "water")
    assert len(drafts(hob)) == 1
    fails(draft, AGAIN)
    await hob.works()
    assert "repeats itself" in told(draft) or "no patch to propose" in told(draft)
    draft.push({"more.py": "x = 1\n"}, author="bob")
    fails(draft, AGAIN)
    hob.ollama.answer = says(patch_of("return water", "return 2"))
    before = draft.head_sha
    await asked(hob, draft)
    assert draft.head_sha == before
    assert len(drafts(hob)) == 2


async def test_asked_in_its_own_draft_it_goes_on_where_it_was_asked_first(hob: LivingHob) -> None:
    pull = opened(hob, f"code: {{enabled: true, rounds: 1}}\n{QUIET}")
    draft = await first_round(hob, pull, WRONG, RIGHT)
    fails(draft, AGAIN)
    await hob.works()
    assert commits(hob) == 1
    (said,) = await asked(hob, draft)
    assert f"#{pull.number}" in said
    assert draft.text("tea.py") == TEA.replace("watr", "water")
    assert len(drafts(hob)) == 1


async def test_undo_takes_back_the_last_round_and_then_the_first(hob: LivingHob) -> None:
    pull = opened(hob)
    draft = await first_round(hob, pull, WRONG, RIGHT)
    fails(draft, AGAIN)
    await hob.works()
    assert draft.text("tea.py") == TEA.replace("watr", "water")
    await asked(hob, pull, "undo")
    assert draft.text("tea.py") == TEA.replace("watr", "water + 1")
    assert len(draft.commits) == 3
    assert "taken back" in told(pull)
    fails(draft, AGAIN)
    await hob.works()
    assert draft.text("tea.py") == TEA.replace("watr", "water + 1")
    await asked(hob, pull, "undo")
    assert branches(pull.code) == []
    assert [one.state for one in drafts(hob)] == ["closed"]


async def test_undo_after_the_end_takes_back_the_last_round_and_not_only_its_words(hob: LivingHob) -> None:
    pull = opened(hob)
    draft = await first_round(hob, pull, WRONG, RIGHT)
    fails(draft, AGAIN)
    await hob.works()
    ci.begin(draft.code, draft.head_sha, "test").finish()
    await hob.works()
    assert "Green after 2 rounds" in told(pull)
    (said,) = await asked(hob, pull, "undo")
    assert "a commit on" in said
    assert draft.text("tea.py") == TEA.replace("watr", "water + 1")
    assert "Green" not in told(pull)
    assert "taken back" in told(pull)
    await asked(hob, pull, "undo")
    assert branches(pull.code) == []


async def test_R3_a_push_whose_answer_is_lost_is_one_commit(hob: LivingHob) -> None:
    pull = opened(hob)
    draft = await first_round(hob, pull, WRONG, RIGHT)
    hob.github.fault("PATCH", ".*/git/refs/.*", kind="apply_then_answer", status=502)
    first = draft.head_sha
    fails(draft, AGAIN)
    await hob.works()
    await hob.retries()
    assert [one.parents for one in draft.git.log(first, draft.head_sha)] == [(first,)]
    assert "Round 2 of 3" in told(pull)


async def test_a_refused_round_says_so_with_the_patch(hob: LivingHob) -> None:
    pull = opened(hob)
    draft = await first_round(hob, pull, WRONG, RIGHT)
    pull.code.protected = {draft.head_ref: "ruleset"}
    fails(draft, AGAIN)
    await hob.works()
    assert "The commit was refused; I stopped." in told(pull)
    assert "Round 2" not in told(pull)
    assert "+    return water\n" in told(pull)
    assert draft.text("tea.py") == TEA.replace("watr", "water + 1")


async def test_a_refused_first_commit_is_told_once_with_the_cause_and_the_patch(hob: LivingHob) -> None:
    pull = opened(hob)
    fails(pull)
    await hob.works()
    hob.ollama.answer = says(MENDED)

    class Every(dict[str, str]):
        def get(self, key: str, default: Any = None) -> Any:
            return "ruleset"

    pull.code.protected = Every()
    said = await asked(hob, pull)
    assert "The commit was refused; I stopped." in told(pull)
    assert "A name is misspelt." in told(pull)
    assert sum("+    return water\n" in one for one in said) == 1
    assert drafts(hob) == []
