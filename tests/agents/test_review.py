"""The Review agent: facts and a model's answers in, one review and one check run out."""

from dataclasses import replace
from typing import Any

import pytest

from bot.agents import review
from bot.core.effects import Plan, PostReview, SetCheck
from bot.core.facts import PullRequestFacts, Skipped
from bot.core.findings import Finding, fingerprint, plain
from bot.core.inference import Infer
from bot.core.settings import RepoSettings, ReviewSettings
from tests.agents.facts import Model, pull_request, says
from tests.tea import finding

TEA = "def brew(water):\n    leaves = 3\n    return water / 0\n"


async def judged(facts: PullRequestFacts, infer: Infer) -> tuple[PostReview | None, SetCheck, Plan]:
    plan = await review.plan(facts, infer)
    reviews = [effect for effect in plan.effects if isinstance(effect, PostReview)]
    (check,) = [effect for effect in plan.effects if isinstance(effect, SetCheck)]
    assert len(reviews) <= 1
    return (reviews[0] if reviews else None), check, plan


async def test_a_quote_becomes_a_line() -> None:
    posted, check, plan = await judged(pull_request({"tea.py": TEA}), says({}))
    assert posted is not None
    (comment,) = posted.comments
    assert (comment.path, comment.line, comment.start_line) == ("tea.py", 3, None)
    assert comment.body.startswith("**major**: Division by zero")
    assert posted.head_sha == check.head_sha == plan.head_sha
    assert posted.event == "COMMENT"
    assert check.conclusion == "neutral"
    assert plan.usage[0].tokens_in == 10


async def test_nothing_found_says_nothing_and_is_green_only_after_a_whole_reading() -> None:
    posted, check, _ = await judged(pull_request({"tea.py": TEA}), says())
    assert posted is None
    assert check.conclusion == "success"
    assert check.title == "No findings in 1 of 1 files"


async def test_a_point_without_a_quote_stands_in_the_summary_without_a_line() -> None:
    posted, _, _ = await judged(pull_request({"tea.py": TEA}), says({"quote": ""}))
    assert posted is not None
    assert posted.comments == ()
    assert "`tea.py` (tied to no line): **major** Division by zero" in posted.body


async def test_a_file_outside_of_the_change_is_counted_and_not_spoken_of() -> None:
    posted, check, _ = await judged(pull_request({"tea.py": TEA}), says({"path": "/etc/passwd"}))
    assert posted is None
    assert "1 finding about files that this change does not touch" in check.summary
    assert "passwd" not in check.summary


async def test_R10_no_host_is_an_honest_neutral_check_and_one_question_only() -> None:
    files = {f"f{n}.py": TEA * 200 for n in range(4)}
    model = Model(lambda prompt: "no model host answered: mini")
    posted, check, _ = await judged(pull_request(files), model)
    assert posted is None
    assert check.conclusion == "neutral"
    assert "no model host answered: mini" in check.summary
    assert "no model read this change" in check.title
    assert len(model.prompts) == 1


async def test_P8_a_committed_secret_is_posted_whatever_the_model_says() -> None:
    secret = Finding(
        "tea.py", "critical", "secret", "AWS access key in the source", "Revoke it.", source="secrets", line=2
    )
    posted, check, _ = await judged(pull_request({"tea.py": TEA}, checked=(secret,)), says())
    assert posted is not None
    assert posted.comments[0].line == 2
    assert check.conclusion == "neutral"


async def test_P9_a_thousand_findings_are_capped_and_the_rest_is_counted() -> None:
    many = [finding(title=f"Point {n}", body=f"Reason {n}", quote=f"line{n} = {n}") for n in range(1000)]
    text = "".join(f"line{n} = {n}\n" for n in range(1000))
    posted, check, _ = await judged(pull_request({"tea.py": text}), says(*many))
    assert posted is not None
    assert len(posted.comments) == 8
    assert "more findings not shown" in posted.body
    assert "over review.max_comments" in check.summary


async def test_what_stands_already_is_not_said_again() -> None:
    first, _, _ = await judged(pull_request({"tea.py": TEA}), says({}))
    assert first is not None
    known = frozenset(comment.fingerprint for comment in first.comments)
    moved = "import kettle\n\n" + TEA
    again, _, _ = await judged(pull_request({"tea.py": moved}, posted=known), says({}))
    assert again is None


async def test_gating_is_asked_for_by_the_repository_and_never_approves() -> None:
    settings = RepoSettings(review=ReviewSettings(request_changes=True))
    posted, check, _ = await judged(pull_request({"tea.py": TEA}, settings), says({}))
    assert posted is not None
    assert posted.event == "REQUEST_CHANGES"
    assert check.conclusion == "failure"
    posted, check, _ = await judged(pull_request({"tea.py": TEA}, settings), says({"severity": "minor"}))
    assert posted is not None
    assert posted.event == "COMMENT"


async def test_coverage_is_said_in_files_and_unread_ones_are_named_with_their_reason() -> None:
    skipped = (
        Skipped("logo.png", "no patch from GitHub (binary or too large)"),
        Skipped("go.sum", "lock file"),
    )
    _, check, _ = await judged(pull_request({"tea.py": TEA}, skipped=skipped, total_files=3), says())
    assert check.title == "No findings in 1 of 3 files"
    assert check.conclusion == "neutral"
    assert "### Not read: lock file\n- `go.sum`" in check.text


async def test_only_excluded_files_unread_is_still_a_whole_reading() -> None:
    facts = pull_request({"tea.py": TEA}, skipped=(Skipped("go.sum", "lock file"),), total_files=2)
    _, check, _ = await judged(facts, says())
    assert check.conclusion == "success"


async def test_nothing_to_read_is_never_green() -> None:
    facts = pull_request({}, skipped=(Skipped("go.sum", "lock file"),), total_files=1)
    posted, check, _ = await judged(facts, says())
    assert posted is None
    assert check.conclusion == "neutral"


async def test_a_large_change_is_asked_about_in_parts_and_what_is_beyond_is_said() -> None:
    files = {f"f{n:02}.py": f"x = {n}  # {'tea ' * 20}\n" * 120 for n in range(12)}
    model = Model(lambda prompt: {"findings": [], "summary": ""})
    settings = RepoSettings(review=ReviewSettings(max_calls=8))
    _, check, _ = await judged(pull_request(files, settings), model)
    assert len(model.prompts) == 7
    assert "more than one review reads (review.max_calls)" in check.text
    assert check.conclusion == "neutral"
    read = sum(part.startswith("### Read\n") for part in check.text.split("\n\n"))
    assert read == 1
    assert check.title == "No findings in 3 of 12 files"
    assert "### Read in part: more than one review reads" in check.text


@pytest.mark.parametrize(
    ("replacement", "posted"),
    [
        ("    return water / 2", True),
        ("    return water / (", False),  # no longer Python
        ("return water / 2", False),  # lost its indentation
        ("    return water / 0", False),  # changes nothing
        ("", False),
    ],
)
async def test_a_suggestion_is_offered_only_when_the_file_can_take_it(replacement: str, posted: bool) -> None:
    said, _, _ = await judged(pull_request({"tea.py": TEA}), says({"replacement": replacement}))
    assert said is not None
    assert (said.comments[0].suggestion is not None) is posted


async def test_no_suggestion_without_the_heads_text() -> None:
    facts = pull_request({"tea.py": TEA})
    facts.texts.clear()
    said, _, _ = await judged(facts, says({"replacement": "    return water / 2"}))
    assert said is not None
    assert said.comments[0].suggestion is None


async def test_a_replacement_for_a_part_of_a_line_is_no_suggestion() -> None:
    said, _, _ = await judged(
        pull_request({"tea.py": TEA}), says({"quote": "water / 0", "replacement": "    water / 2"})
    )
    assert said is not None
    assert said.comments[0].suggestion is None


async def test_fingerprints_go_with_the_comments() -> None:
    said, _, _ = await judged(pull_request({"tea.py": TEA}), says({}))
    assert said is not None
    assert said.comments[0].fingerprint == fingerprint(said.findings[0])
    assert said.findings[0].symbol == "brew"
    assert fingerprint(plain(said.findings[0])) == fingerprint(
        Finding("tea.py", "major", "bug", "Division by zero", "This always fails.", "return water / 0")
    )


async def test_instructions_of_the_repository_go_with_their_files_only() -> None:
    def answer(prompt: Any) -> dict[str, Any]:
        return {"findings": [], "summary": ""}

    model = Model(answer)
    facts = pull_request(
        {"tea.py": TEA}, instructions={"tea.py": ("Use structlog.",), "other.py": ("Never.",)}
    )
    await review.plan(facts, model)
    assert model.prompts[0].inputs["instructions"] == "Use structlog."


async def test_N3_a_file_of_which_only_the_beginning_was_read_is_not_said_to_be_read() -> None:
    async def infer(prompt: Any, /) -> Any:
        answer = await Model(lambda _: {"findings": [], "summary": ""})(prompt)
        return replace(answer, cut=("tea.py",), left_out=("cup.py",))

    _, check, _ = await judged(pull_request({"tea.py": TEA, "cup.py": TEA, "pot.py": TEA}), infer)
    assert check.title == "No findings in 1 of 3 files"
    assert check.conclusion == "neutral"
    assert "only its beginning was read" in check.summary + check.text
