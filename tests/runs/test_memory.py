"""People teach Hob in comments, look at what it remembers, and take it back."""

from typing import Any

import pytest

from bot.github.payloads import parse
from bot.runs.dry_run import _planned
from bot.testing.github.pulls import PullRequest
from tests.living import LivingHob
from tests.runs.test_comments import ours
from tests.runs.test_review import opened, reviews, teahouse
from tests.tea import BROKEN, finding


async def reviewed(hob: LivingHob, *findings: dict[str, Any], **more: Any) -> PullRequest:
    """A pull request with a review on it, and Tom who may triage."""
    hob.ollama.answer = reviews(*(findings or (finding(),)))
    pull = opened(hob, **more)
    pull.code.grant("tom", "triage")  # type: ignore[attr-defined]
    pull.code.grant("ann", "read", association="MEMBER")  # type: ignore[attr-defined]
    await hob.works()
    return pull


async def says(hob: LivingHob, pull: PullRequest, body: str, who: str = "tom") -> str:
    """Hob's answer to a comment."""
    pull.comment(who, body)
    await hob.works()
    return ours(pull)[-1]  # type: ignore[arg-type]


async def test_a_dismissed_finding_does_not_come_back_until_it_is_forgotten(hob: LivingHob) -> None:
    pull = await reviewed(hob)
    said = await says(hob, pull, "/hob dismiss 1 it is by design")
    assert "I won't show **Division by zero** in `tea.py` again, for 365 days" in said

    pull.push({"tea.py": "import kettle\n\n" + BROKEN + "print(kettle)\n"})
    await hob.works()
    assert len(pull.reviews) == 1
    check = pull.check_runs[-1]
    assert "1 finding dismissed by people, not shown" in check.summary
    assert "still there" not in check.summary
    assert check.conclusion == "success"

    listed = await says(hob, pull, "/hob memory")
    assert "| 1 | **Division by zero** in `tea.py` | it is by design | `tom`, " in listed

    assert "Forgotten: **Division by zero**" in await says(hob, pull, "/hob forget 1")
    pull.push({"tea.py": "import kettle\n" + BROKEN})
    await hob.works()
    assert "1 finding said before and still there" in pull.check_runs[-1].summary
    assert pull.check_runs[-1].conclusion == "neutral"
    assert "taught nothing" in await says(hob, pull, "/hob memory")


async def test_a_dismissal_counts_in_the_whole_repository_and_so_does_forgetting(hob: LivingHob) -> None:
    pull = await reviewed(hob)
    await says(hob, pull, "/hob dismiss 1 by design")
    second = pull.code.open_pull_request("More", {"tea.py": "# more\n" + BROKEN}, author="ann")
    await hob.works()
    assert second.reviews == []
    await says(hob, pull, "/hob forget 1")
    third = pull.code.open_pull_request("Most", {"tea.py": "# most\n" + BROKEN}, author="ann")
    await hob.works()
    assert len(third.reviews) == 1


async def test_in_the_findings_thread_no_number_is_needed(hob: LivingHob) -> None:
    other = finding(quote="water += 1", title="Adds one", severity="critical")
    pull = await reviewed(hob, finding(), other)
    (thread,) = [one for one in pull.review_comments if "Division by zero" in one.body]
    asked = thread.reply("tom", "/hob dismiss we divide by nothing here")
    await hob.works()
    reply = pull.review_comments[-1]
    assert reply.in_reply_to == thread.id != asked.id
    assert "**Division by zero** in `tea.py`" in reply.body
    (kept,) = hob.services.store.memory.all(pull.code.id)
    assert (kept.lesson.text, kept.lesson.author) == ("we divide by nothing here", "tom")


async def test_A1_who_only_reads_teaches_nothing_and_learns_nothing(hob: LivingHob) -> None:
    pull = await reviewed(hob)
    for command in ("memory", "dismiss 1 no", "forget 1", "why 1", "remember us"):
        assert "triage permission" in await says(hob, pull, f"/hob {command}", who="ann")
    assert hob.services.store.memory.all(pull.code.id) == []


async def test_why_tells_what_a_finding_rests_on_and_who_dismissed_it(hob: LivingHob) -> None:
    pull = await reviewed(hob)
    said = await says(hob, pull, "/hob why 1")
    assert "A model said so, sure to 90%" in said
    assert "```\nreturn water / 0\n```" in said
    assert "Nobody has dismissed it." in said
    await says(hob, pull, "/hob dismiss 1 for 2 weeks: until the kettle is mended")
    said = await says(hob, pull, "/hob why 1")
    assert "`tom` dismissed it on " in said
    assert "until the kettle is mended" in said


async def test_a_dismissal_for_a_while_ends(hob: LivingHob) -> None:
    pull = await reviewed(hob)
    assert "for 14 days" in await says(hob, pull, "/hob dismiss 1 for 2 weeks: not now")
    with hob.services.store.database.write() as connection:
        connection.exec_driver_sql("UPDATE memory SET expires = 1000")
    pull.push({"tea.py": "import kettle\n" + BROKEN})
    await hob.works()
    assert "still there" in pull.check_runs[-1].summary
    assert "taught nothing" in await says(hob, pull, "/hob memory")


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("dismiss 2 no", "Which finding do you mean?"),
        ("dismiss", "1. **Division by zero** in `tea.py`"),
        ("why 99999999999999999999", "Which finding do you mean?"),
        ("dismiss 1", "Tell me why"),
        ("forget 7", "nothing under the number 7"),
        ("forget", "Name one by its number"),
        ("remember", "Tell me what"),
    ],
)
async def test_what_is_not_understood_is_asked_back_and_changes_nothing(
    hob: LivingHob, command: str, answer: str
) -> None:
    pull = await reviewed(hob)
    assert answer in await says(hob, pull, f"/hob {command}")
    assert hob.services.store.memory.all(pull.code.id) == []


async def test_on_an_issue_there_is_no_finding(hob: LivingHob) -> None:
    repo = teahouse(hob)
    repo.grant("tom", "triage")
    about = repo.open_issue("Kettle", "It burns", author="ann")
    await hob.works()
    about.comment("tom", "/hob dismiss 1 no")
    await hob.works()
    assert (
        ours(about) == ["I have said nothing here that I could look up."] or "nothing here" in ours(about)[-1]
    )


async def test_a_convention_is_told_to_reviewers_from_then_on(hob: LivingHob) -> None:
    pull = await reviewed(hob)
    assert "keep that in mind" in await says(hob, pull, "/hob remember Steep for three minutes, never four.")
    pull.push({"tea.py": "import kettle\n" + BROKEN})
    await hob.works()
    assert "never four" in hob.ollama.chats[-1]["messages"][-1]["content"]
    assert "“Steep for three minutes, never four.” | agreed |" in await says(hob, pull, "/hob memory")


async def test_X3_what_people_had_remembered_calls_nobody_and_breaks_no_table(hob: LivingHob) -> None:
    pull = await reviewed(hob)
    await says(hob, pull, "/hob remember ping @octo/admins | fixes #1 | ![x](http://evil/?q=1) <b>")
    listed = await says(hob, pull, "/hob memory")
    outside = " ".join(listed.split("`")[::2])
    assert all(live not in outside for live in ("@octo/admins", "fixes #1", "http://evil", "<b>"))
    rows = [line for line in listed.splitlines() if line.startswith("| 1 |")]
    assert len(rows) == 1


async def test_W6_the_comment_delivered_again_teaches_once(hob: LivingHob) -> None:
    pull = await reviewed(hob)
    await says(hob, pull, "/hob dismiss 1 by design")
    asking = next(one for one in hob.github.deliveries if one.event == "issue_comment")
    await says(hob, pull, "/hob forget 1")
    while hob.services.store.purge(2**40):
        pass
    assert hob.receive(asking.event, asking.body, asking.guid)
    before = len(ours(pull))  # type: ignore[arg-type]
    await hob.works()
    assert hob.services.store.memory.all(pull.code.id) == []
    assert len(ours(pull)) == before  # type: ignore[arg-type]


async def test_a_dry_run_shows_what_would_be_remembered_and_remembers_nothing(hob: LivingHob) -> None:
    pull = await reviewed(hob)
    pull.comment("tom", "/hob dismiss 1 by design")
    asking = hob.github.deliveries[-1]
    event: Any = parse(asking.event, asking.guid, asking.body)
    (match,) = hob.services.router.match(event, "my-hob")
    remember, reply = await _planned(hob.services, match, event)
    assert (remember["kind"], remember["days"], remember["lesson"]["text"]) == ("Remember", 365, "by design")
    assert reply["kind"] == "Comment"
    assert hob.services.store.memory.all(pull.code.id) == []


async def test_A4_teaching_counts_toward_the_loop_breaker(hob: LivingHob) -> None:
    pull = await reviewed(hob)
    for _ in range(25):
        pull.comment("tom", "/hob memory")
    await hob.works()
    said = ours(pull)  # type: ignore[arg-type]
    assert len(said) <= 21
    assert "more than 20 times" in said[-1]


async def test_a_full_memory_refuses_and_says_so(hob: LivingHob, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.memory.MOST", 1)
    pull = await reviewed(hob)
    await says(hob, pull, "/hob remember one")
    assert "all I have room for" in await says(hob, pull, "/hob remember two")
