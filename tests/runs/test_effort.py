"""How thoroughly a pull request is read: by the repository's rules, as people ask, and in the night."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.runs.execute import perform_in
from bot.runs.scheduled import make_due_once
from bot.testing.github.pulls import PullRequest
from tests.living import LivingHob, by_schema
from tests.tea import BROKEN, finding

EVENING = datetime(2026, 3, 3, 20, tzinfo=UTC)
DAY = timedelta(days=1)
BIG = "".join(f"value_{n} = {n}  # {'x' * 80}\n" for n in range(90))
"""A prompt's worth."""
RULES = "review:\n  effort:\n    - deep label:care\n    - quick lines>200\n    - fast\n"


def opened(hob: LivingHob, parts: int = 4, rules: str = RULES, **more: Any) -> PullRequest:
    repo = hob.github.repository(
        "octo/tea", private=True, files={".github/hob.yml": rules, "tea.py": "x = 1\n"}
    )
    repo.grant("tom", "triage")
    return repo.open_pull_request("Brew", {f"part{n}.py": BIG for n in range(parts)}, author="ann", **more)


def prompts(hob: LivingHob) -> list[str]:
    """What was asked for, each."""
    asked = [str(chat["messages"][-1]["content"]) for chat in hob.ollama.chats]
    return ["security" if "for security alone" in one else "review" for one in asked]


async def test_a_rule_makes_it_quick_and_a_person_has_the_rest_read(hob: LivingHob) -> None:
    pull = opened(hob)
    await hob.works()
    (check,) = pull.check_runs
    assert (check.conclusion, check.title) == ("neutral", "No findings in 2 of 4 files")
    assert "Read quickly (`quick lines>200` in review.effort)" in (check.summary or "")
    assert "`fast` is no rule" in (check.summary or "")
    assert len(hob.ollama.chats) == 2
    pull.comment("tom", "@my-hob review")
    await hob.works()
    assert len(hob.ollama.chats) == 4
    assert (pull.check_runs[-1].conclusion, pull.check_runs[-1].title) == (
        "success",
        "No findings in 4 of 4 files",
    )
    assert pull.reviews == []


async def test_what_was_read_quickly_is_read_deeply_in_the_night_and_once(hob: LivingHob) -> None:
    pull = opened(hob, parts=3)
    await hob.works()
    await hob.works_at(EVENING)
    before = len(hob.ollama.chats)
    hob.ollama.answer = by_schema(
        review={"findings": [finding(path="part2.py", quote=BIG.split("\n")[0])], "summary": ""}
    )
    runs = await hob.works_at(EVENING + DAY)
    await hob.works()
    assert "1 to read deeply that were read quickly" in [run.summary for run in runs]
    (review,) = pull.reviews
    assert [comment.path for comment in review.comments] == ["part2.py"]
    check = pull.check_runs[-1]
    assert "Read deeply: 3 times, with a vote, and all of it once for holes alone." in (check.summary or "")
    assert prompts(hob)[before:].count("security") == 3
    assert pull.comments == []
    asked = len(hob.ollama.chats)
    again = await hob.works_at(EVENING + 2 * DAY)
    await hob.works()
    assert "0 to read deeply that were read quickly" in [run.summary for run in again]
    assert len(hob.ollama.chats) == asked


@pytest.mark.parametrize(
    ("since", "asked"),
    [
        ("pause", False),
        ("title", False),
        *(("ignore", True), ("draft", True), ("review", True), ("push", True)),
    ],
)
async def test_what_people_did_since_keeps_the_night_away(hob: LivingHob, since: str, asked: bool) -> None:
    """Also where the night has `asked` for it already, and its turn comes later."""
    pull = opened(hob, parts=3, rules=RULES + "  ignore_title_keywords: [WIP]\n")
    await hob.works()
    await hob.works_at(EVENING)
    told = "1 to read deeply that were read quickly"
    if asked:  # the runs of that night, but not yet what they ask for
        parts = hob.services.store, hob.services.router, hob.services.config
        make_due_once(*parts, clock=(EVENING + DAY).timestamp)
        due = [run for run in await hob.works(perform=False) if run.state == "queued"]
        for run in sorted(due, key=lambda one: one.handler == "deeper"):
            await perform_in(hob.services, run.id)
        assert told in [run.summary for run in hob.services.store.runs.latest(9)]
    match since:
        case "title":
            pull.edit("ann", title="WIP")
        case "draft":
            pull.convert_to_draft()
        case "push":
            pull.push({"part0.py": "x = 1\n"})
        case _:
            pull.comment("tom", f"@my-hob {since}")
    await hob.works()
    await hob.works_at(EVENING + DAY)
    assert prompts(hob).count("security") == 0


@pytest.mark.parametrize("wish", ["security", "focus on names"])
async def test_what_was_looked_through_for_something_alone_is_reviewed_all_the_same(
    hob: LivingHob, wish: str
) -> None:
    """By the event that would have, had nobody asked."""
    pull = opened(hob, parts=1, rules="review: {auto: true}\n", draft=True)
    await hob.works()
    pull.comment("tom", f"@my-hob review {wish}")
    await hob.works()
    assert (pull.check_runs[-1].conclusion, len(hob.ollama.chats)) == ("neutral", 1)
    pull.ready_for_review()
    await hob.works()
    assert (pull.check_runs[-1].conclusion, len(hob.ollama.chats)) == ("success", 2)
    pull.comment("tom", f"@my-hob review {wish}")
    await hob.works()
    assert pull.check_runs[-1].conclusion == "success"  # it was read for everything


async def test_a_look_for_holes_does_not_keep_the_night_away(hob: LivingHob) -> None:
    pull = opened(hob, parts=3)
    await hob.works()
    pull.comment("tom", "@my-hob review security")
    await hob.works()
    await hob.works_at(EVENING)
    before = len(hob.ollama.chats)
    await hob.works_at(EVENING + DAY)
    assert len(hob.ollama.chats) == before + 3 * 4
    assert pull.check_runs[-1].conclusion == "success"


async def test_a_label_makes_it_deep(hob: LivingHob) -> None:
    pull = opened(hob, parts=3)
    pull.add_label("ann", "Care")
    await hob.works()
    check = pull.check_runs[-1]
    assert "Read deeply (`deep label:care` in review.effort)" in (check.summary or "")
    assert (check.conclusion, prompts(hob).count("security")) == ("success", 3)


async def test_people_ask_for_a_look_for_holes_and_the_review_stays_what_it_is(hob: LivingHob) -> None:
    repo = hob.github.repository("octo/tea", private=True, files={"tea.py": "x = 1\n"})
    repo.grant("tom", "triage")
    pull = repo.open_pull_request("Brew", {"tea.py": BROKEN}, author="ann")
    await hob.works()
    assert pull.check_runs[-1].conclusion == "success"
    hob.ollama.answer = by_schema(review={"findings": [finding()], "summary": ""})
    pull.comment("tom", "@my-hob review security")
    await hob.works()
    assert prompts(hob)[1] == "security"
    (review,) = pull.reviews
    assert review.comments[0].line == 3
    pull.comment("tom", "@my-hob review")
    await hob.works()
    assert "Nothing is new since I reviewed" in pull.comments[-1].body


async def test_a_deleted_file_makes_it_deep_and_a_pattern_that_is_none_is_said(hob: LivingHob) -> None:
    rules = "review: {effort: ['deep src/[z-a]', 'quick docs/**', 'deep old/**']}\n"
    files = {".github/hob.yml": rules, "old/auth.py": "x = 1\n"}
    repo = hob.github.repository("octo/tea", private=True, files=files)
    pull = repo.open_pull_request("Write", {"docs/a.py": "y = 1\n", "old/auth.py": None}, author="ann")
    await hob.works()
    said = pull.check_runs[-1].summary or ""
    assert "Read deeply (`deep old/**` in review.effort)" in said
    assert "`src/[z-a]` is no pattern as .gitignore writes them; it is ignored" in said
