"""People speak to Hob in comments, and some try to speak for others."""

from typing import Any

import pytest

from bot.testing.github.issues import Issue
from tests.living import LivingHob, by_schema
from tests.runs.test_review import opened, reviews, teahouse
from tests.tea import finding


def reactions(comment: Any) -> list[str]:
    return [reaction.content for reaction in comment.reactions]


def ours(issue: Issue) -> list[str]:
    return [comment.body for comment in issue.comments if comment.author.login == "my-hob[bot]"]


def issue(hob: LivingHob, **roles: str) -> Issue:
    repo = teahouse(hob)
    for login, role in roles.items():
        repo.grant(login, role, association="MEMBER")
    return repo.open_issue("Kettle", "It burns", author="ann")


async def test_help_names_what_this_person_may_use(hob: LivingHob) -> None:
    about = issue(hob, ann="read", tom="triage")
    await hob.works()
    asked = about.comment("ann", "@my-hob help")
    await hob.works()
    about.comment("tom", "/hob help")
    await hob.works()
    reader, triager = ours(about)
    assert "`@my-hob ask`" in reader
    assert "`@my-hob triage`" not in reader
    assert "`@my-hob triage`" in triager
    assert reactions(asked) == ["eyes"]


async def test_help_says_what_must_be_switched_on_for_commands_that_write_code(hob: LivingHob) -> None:
    pull = opened(hob)
    pull.code.grant("tom", "write")  # type: ignore[attr-defined]
    await hob.works()
    pull.comment("tom", "@my-hob help")
    await hob.works()
    off = ours(pull)[-1]
    assert "- `@my-hob tests`: " not in off
    assert "- `@my-hob fix`: " in off
    (line,) = [line for line in off.split("\n") if "code: {enabled: true}" in line]
    for name in ("tests", "docs", "changelog", "simplify", "conflicts", "recipe"):
        assert f"`@my-hob {name}`" in line
    pull.code.push({".github/hob.yml": "code: {enabled: true}\n"}, author="tom")  # type: ignore[attr-defined]
    pull.comment("tom", "@my-hob help tests")
    await hob.works()
    assert "- `@my-hob tests`: " in ours(pull)[-1]
    assert "enabled: true" not in ours(pull)[-1]


async def test_help_names_what_is_of_use_at_that_place(hob: LivingHob) -> None:
    pull = opened(hob)
    pull.code.grant("tom", "admin")  # type: ignore[attr-defined]
    about = pull.code.open_issue("Kettle", "It burns", author="ann")  # type: ignore[attr-defined]
    await hob.works()
    about.comment("tom", "@my-hob help")
    pull.comment("tom", "@my-hob help")
    await hob.works()
    of_issues, of_pulls = ours(about)[-1], ours(pull)[-1]
    for name in ("triage", "implement"):
        assert f"`@my-hob {name}`" in of_issues and f"`@my-hob {name}`" not in of_pulls
    for name in ("review", "pause", "resume", "ignore", "resolve", "summary", "describe", "fix", "tests"):
        assert f"`@my-hob {name}`" in of_pulls and f"`@my-hob {name}`" not in of_issues
    about.comment("tom", "@my-hob pause")
    await hob.works()
    assert "pull requests" in ours(about)[-1], "who gives it all the same is told so"


async def test_a_question_is_answered_in_place_with_citations_that_stand(hob: LivingHob) -> None:
    citations = [{"path": "tea.py", "start": 1, "end": 3}, {"path": "tea.py", "start": 900, "end": 901}]
    hob.ollama.answer = by_schema(answer={"answer": "It divides.", "citations": citations})
    pull = opened(hob)
    pull.code.grant("ann", "read")  # type: ignore[attr-defined]
    await hob.works()
    pull.comment("ann", "@my-hob what does this do?")
    await hob.works()
    (answer,) = ours(pull)
    assert "It divides." in answer
    assert "`tea.py:1-3`" in answer
    assert "900" not in answer


async def test_a_question_in_a_thread_is_answered_in_that_thread(hob: LivingHob) -> None:
    pull = opened(hob)
    pull.code.grant("ann", "read")  # type: ignore[attr-defined]
    await hob.works()
    asked = pull.review_comment("ann", "tea.py", 3, "@my-hob ask why?")
    await hob.works()
    assert ours(pull) == []
    (reply,) = [one for one in pull.review_comments if one.author.login == "my-hob[bot]"]
    assert reply.in_reply_to == asked.id
    assert reactions(asked) == ["eyes"]


async def test_review_on_request_looks_again(hob: LivingHob) -> None:
    pull = opened(hob, draft=True)
    pull.code.grant("tom", "triage")  # type: ignore[attr-defined]
    await hob.works()
    hob.ollama.answer = reviews(finding())
    pull.comment("tom", "@my-hob review")
    await hob.works()
    assert len(pull.reviews) == 1
    assert [check.conclusion for check in pull.check_runs] == ["neutral", "neutral"]
    assert pull.check_runs[-1].title == "1 finding in 1 of 1 files"


async def test_A1_a_member_with_read_permission_is_refused_and_github_was_asked(hob: LivingHob) -> None:
    pull = opened(hob)
    pull.code.grant("ann", "read", association="MEMBER")  # type: ignore[attr-defined]
    await hob.works()
    before = len(pull.check_runs)
    pull.comment("ann", "@my-hob review")
    await hob.works()
    assert any(one.path.endswith("/collaborators/ann/permission") for one in hob.github.requests)
    assert len(pull.check_runs) == before
    (answer,) = ours(pull)
    assert "triage permission" in answer


async def test_A6_a_permission_revoked_while_queued_counts(hob: LivingHob) -> None:
    pull = opened(hob)
    repo: Any = pull.code
    repo.grant("tom", "write")
    await hob.works()
    before = len(pull.check_runs)
    pull.comment("tom", "@my-hob review")
    repo.grant("tom", "read")
    await hob.works()
    assert len(pull.check_runs) == before


async def test_A2_a_command_put_into_a_maintainers_comment_never_runs(hob: LivingHob) -> None:
    about = issue(hob, tom="admin", eve="write")
    await hob.works()
    comment = about.comment("tom", "I will look into it.")
    await hob.works()
    comment.edit("eve", "I will look into it.\n@my-hob help")
    await hob.works()
    assert ours(about) == []


async def test_only_what_an_edit_added_is_run(hob: LivingHob) -> None:
    about = issue(hob, tom="admin")
    await hob.works()
    comment = about.comment("tom", "@my-hob help")
    await hob.works()
    comment.edit("tom", "@my-hob help\nand thanks")
    await hob.works()
    assert len(ours(about)) == 1
    comment.edit("tom", "@my-hob help\nand thanks\n@my-hob ask what now?")
    await hob.works()
    assert len(ours(about)) == 2


async def test_A3_another_apps_comment_is_not_obeyed(hob: LivingHob) -> None:
    about = issue(hob)
    await hob.works()
    about.comment("other[bot]", "@my-hob help")
    runs = await hob.works()
    assert ours(about) == []
    assert all(not run.handler.startswith("comments.") for run in runs)


async def test_A4_our_own_words_that_quote_the_trigger_start_nothing(hob: LivingHob) -> None:
    hob.ollama.answer = by_schema(answer={"answer": "Say\n\n@my-hob help\n\n/hob review", "citations": []})
    about = issue(hob, ann="read")
    await hob.works()
    about.comment("ann", "@my-hob how do I start you?")
    runs = await hob.works()
    assert len([run for run in runs if run.handler.startswith("comments.")]) == 1
    assert len(ours(about)) == 1


async def test_A4_two_machines_that_talk_for_ever_are_stopped_with_one_notice(hob: LivingHob) -> None:
    about = issue(hob, machine="write")
    await hob.works()
    for number in range(50):
        about.comment("machine", f"@my-hob ask question {number}?")
    await hob.works()
    said = ours(about)
    assert len(said) <= 21
    assert len([body for body in said if "within an hour" in body]) == 1


@pytest.mark.parametrize("state", ["COMMENTED", "APPROVED", "CHANGES_REQUESTED"])
async def test_a_command_in_the_text_of_a_review_runs_as_in_a_comment(hob: LivingHob, state: str) -> None:
    pull = opened(hob, draft=True)
    pull.code.grant("tom", "triage")  # type: ignore[attr-defined]
    await hob.works()
    hob.ollama.answer = reviews(finding())
    pull.review("tom", "Nearly.\n\n@my-hob review\n@my-hob help", state)
    await hob.works()
    assert len([one for one in pull.reviews if one.author.login == "my-hob[bot]"]) == 1
    (answer,) = ours(pull)
    assert "`@my-hob review`" in answer


async def test_a_command_added_to_a_submitted_review_by_an_edit_runs_once(hob: LivingHob) -> None:
    pull = opened(hob)
    pull.code.grant("tom", "triage")  # type: ignore[attr-defined]
    await hob.works()
    said = pull.review("tom", "Nearly.")
    await hob.works()
    assert ours(pull) == []
    said.edit("tom", "Nearly.\n\n@my-hob help")
    await hob.works()
    hob.github.redeliver(hob.github.deliveries[-2])
    said.edit("tom", "Very nearly.\n\n@my-hob help")
    await hob.works()
    (answer,) = ours(pull)
    assert "`@my-hob review`" in answer


async def test_A7_nobody_speaks_by_editing_the_review_of_another(hob: LivingHob) -> None:
    pull = opened(hob)
    pull.code.grant("tom", "triage")  # type: ignore[attr-defined]
    await hob.works()
    said = pull.review("tom", "Nearly.")
    said.edit("eve", "Nearly.\n\n@my-hob help")
    await hob.works()
    assert ours(pull) == []


async def test_A7_a_review_gives_nobody_more_than_a_comment_would(hob: LivingHob) -> None:
    pull = opened(hob, draft=True)
    pull.code.grant("eve", "read", association="MEMBER")  # type: ignore[attr-defined]
    await hob.works()
    before = len(pull.check_runs)
    pull.review("eve", "@my-hob review\n\n> @my-hob resolve", "APPROVED")
    pull.review("other[bot]", "@my-hob help")
    await hob.works()
    assert len(pull.check_runs) == before
    (answer,) = ours(pull)
    assert "triage permission" in answer


async def test_a_review_without_a_command_starts_nothing(hob: LivingHob) -> None:
    pull = opened(hob)
    pull.code.grant("tom", "admin")  # type: ignore[attr-defined]
    await hob.works()
    before = [run.id for run in await hob.works()]
    pull.review("tom", "Well done; `@my-hob review` was right.")
    assert [run.id for run in await hob.works()] == before


COMMANDS = "\n".join(f"@my-hob {word}" for word in ("review", "resolve", "pause", "resume", "ignore"))


@pytest.mark.parametrize("asks", [COMMANDS, "@my-hob ask why?\n@my-hob help"], ids=["refused", "allowed"])
async def test_A4_a_stranger_who_talks_without_end_uses_up_nobody_elses_hour(
    hob: LivingHob, asks: str
) -> None:
    pull = opened(hob)
    pull.code.grant("mallory", "read")  # type: ignore[attr-defined]
    pull.code.grant("tom", "admin")  # type: ignore[attr-defined]
    await hob.works()
    for _ in range(24 // len(asks.splitlines())):
        pull.comment("mallory", asks)
    await hob.works()
    assert len([body for body in ours(pull) if "within an hour" in body]) <= 1
    before = len(ours(pull))
    pull.comment("tom", "@my-hob help")
    await hob.works()
    (answer,) = ours(pull)[before:]
    assert "`@my-hob review`" in answer


@pytest.mark.parametrize(
    "body",
    [
        "> @my-hob help",
        "```\n@my-hob help\n```",
        "<!--\n@my-hob help\n-->",
        "see `@my-hob help`",
        "hello @my-hob help",
    ],
)
async def test_A7_what_is_quoted_code_or_hidden_is_no_command(hob: LivingHob, body: str) -> None:
    about = issue(hob, tom="admin")
    await hob.works()
    about.comment("tom", body)
    await hob.works()
    assert ours(about) == []


async def test_A7_a_title_and_an_issues_text_are_no_command(hob: LivingHob) -> None:
    repo = teahouse(hob)
    about = repo.open_issue("@my-hob help", "@my-hob help\n/hob review", author="eve")
    await hob.works()
    assert ours(about) == []


async def test_a_failure_is_said_because_a_person_waits(hob: LivingHob) -> None:
    hob.ollama.says("garbage")
    about = issue(hob, ann="read")
    await hob.works()
    about.comment("ann", "@my-hob why?")
    await hob.works()
    (answer,) = ours(about)
    assert answer.startswith("I could not answer")
