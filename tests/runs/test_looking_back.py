"""What people can look up afterwards: what was judged and why, what became of it, what it was about."""

import pytest

from bot.store.findings import FindingQuery
from bot.store.known_issues import IssueQuery
from tests.living import LivingHob
from tests.runs.test_over_time import answers, opened, sees
from tests.tea import TEA, finding


async def test_each_finding_is_kept_with_why_it_was_not_said_and_what_became_of_it(hob: LivingHob) -> None:
    answers(hob, sees("tea.py:return water / 0"))
    hob.services.store.settings.change("repo", "octo/tea", lambda _: {"review.max_comments": 1})
    pull = opened(hob, **{"pot.py": "import os\nsize = 1\n"})
    await hob.works()
    found = hob.services.store.findings.page(FindingQuery(number=pull.number), None, 20)
    assert {(one.path, one.source, one.state, one.why) for one in found} == {
        ("tea.py", "model", "said", ""),
        ("pot.py", "ruff", "held back", "over review.max_comments"),
    }
    (said,) = [one for one in found if one.state == "said"]
    assert (said.line, said.repo, said.head_sha) == (
        pull.review_comments[0].line,
        "octo/tea",
        pull.head_sha,
    )
    pull.push({"tea.py": TEA})
    await hob.works()
    outcomes = [one.outcome for one in hob.services.store.findings.page(FindingQuery(state="said"), None, 20)]
    assert "fixed" in outcomes


async def test_what_a_model_invents_is_kept_with_the_reason(hob: LivingHob) -> None:
    ghost = finding(quote="no such line", title="Ghost")
    answers(hob, {"findings": [ghost], "summary": ""})
    opened(hob)
    await hob.works()
    refused = hob.services.store.findings.page(FindingQuery(state="refused"), None, 20)
    assert [(one.title, one.why) for one in refused] == [("Ghost", "quoting code that is not there")]


async def test_in_shadow_mode_nothing_counts_as_said(hob: LivingHob) -> None:
    answers(hob)
    hob.services.store.settings.change("repo", "octo/tea", lambda _: {"review.shadow": True})
    opened(hob)
    await hob.works()
    found = hob.services.store.findings.page(FindingQuery(), None, 20)
    assert [(one.state, one.why) for one in found] == [("held back", "in shadow mode")]


async def test_issues_are_found_by_their_titles_and_words_of_models_can_be_read(hob: LivingHob) -> None:
    answers(hob)
    pull = opened(hob)
    runs = await hob.works()
    store = hob.services.store
    (known,) = store.issues.page(IssueQuery(is_pull=True, words="brew"), None, 5)
    assert (known.repo, known.number, known.author, known.state) == ("octo/tea", pull.number, "ann", "open")
    pull.close()
    await hob.works()
    assert [one.state for one in store.issues.page(IssueQuery(is_pull=True), None, 5)] == ["closed"]
    review = next(run for run in runs if run.model)
    said = store.calls.said(review.id, 0)
    assert [who for who, _ in said] == ["system", "user", "assistant"]
    assert "water / 0" in said[1][1]


async def test_what_a_run_logged_is_kept_with_it_and_without_secrets(
    hob: LivingHob, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    answers(hob)
    opened(hob)
    hob.github.fault("GET", r"/pulls/\d+/files$", kind="answer", status=502, times=3)
    runs = await hob.works()
    await hob.retries()
    store = hob.services.store
    review = next(run for run in runs if run.handler == "pull_requests.judge")
    lines = store.run_logs.of(review.id)
    assert any("run ended early" in line.message for line in lines)
    assert lines[-1].message.startswith("run done")
    assert sorted(lines, key=lambda line: line.at) == lines


async def test_a_thumb_under_a_remark_is_noted_and_dismisses_nothing(hob: LivingHob) -> None:
    answers(hob)
    pull = opened(hob)
    await hob.works()
    (remark,) = pull.review_comments
    for login, thumb in (("mona", "-1"), ("ann", "-1"), ("bo", "+1"), ("bo", "heart")):
        remark.react(hob.github.user(login), thumb)
    pull.push({"leaf.py": "leaf = 1\n"})
    await hob.works()
    store = hob.services.store

    def noted() -> list[tuple[int, int, str]]:
        said = store.findings.page(FindingQuery(state="said"), None, 9)
        return [(one.liked, one.disliked, one.outcome) for one in said]

    assert noted() == [(1, 2, "")]
    assert len(pull.review_comments) == 1
    remark.react(hob.github.user("cy"), "-1")
    pull.close()
    await hob.works()
    assert noted() == [(1, 3, "")]


async def test_below_a_remark_one_folded_line_says_what_can_be_done(hob: LivingHob) -> None:
    answers(hob)
    pull = opened(hob)
    await hob.works()
    (remark,) = pull.review_comments
    assert remark.body.count("<details>") == remark.body.count("</details>") == 1
    assert "`/hob dismiss`" in remark.body
    pull.push({"tea.py": TEA})
    await hob.works()
    assert [one.body.split("\n\n")[0] for one in pull.review_comments if one.in_reply_to] == [
        f"Fixed in `{pull.head_sha[:10]}`."
    ]
