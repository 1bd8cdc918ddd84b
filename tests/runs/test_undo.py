"""`undo`: what Hob did last here is taken back, once, and nothing of it comes back by itself."""

import pytest

from bot.core.effects import EditReview
from tests.living import LivingHob
from tests.runs.test_over_time import POT, answers, asked, gated, grant, opened, stance
from tests.tea import BROKEN

BOT = "my-hob[bot]"


def words(body: str) -> str:
    return body.split("\n\n<!--")[0]


async def test_a_review_is_taken_back_and_its_check_is_neutral(hob: LivingHob) -> None:
    answers(hob)
    pull = opened(hob)
    await hob.works()
    assert len(pull.review_comments) == 1
    pull.comment("mona", "/hob undo")
    await hob.works()
    assert pull.review_comments == []
    assert words(pull.reviews[0].body) == "Taken back at mona's request."
    check = pull.check_runs[-1]
    assert (check.conclusion, check.title) == ("neutral", "Taken back")
    assert "a review with 1 comment on lines" in pull.comments[-1].body
    assert "@mona" not in pull.comments[-1].body + pull.reviews[0].body


async def test_what_was_taken_back_comes_again_only_with_review_full(hob: LivingHob) -> None:
    answers(hob)
    pull = opened(hob)
    await hob.works()
    pull.comment("mona", "/hob undo")
    await hob.works()
    pull.push({"tea.py": "leaf = 1\n" + BROKEN, "pot.py": POT})
    await hob.works()
    assert [one.path for one in pull.review_comments] == ["pot.py"]
    pull.comment("mona", "/hob review")
    await hob.works()
    assert [one.path for one in pull.review_comments] == ["pot.py"]
    pull.comment("mona", "/hob review full")
    await hob.works()
    assert [one.path for one in pull.review_comments] == ["pot.py", "tea.py"]


async def test_a_thread_that_somebody_answered_stays(hob: LivingHob) -> None:
    answers(hob, reply=stance("none", answer=""))
    pull = opened(hob, **{"pot.py": POT})
    await hob.works()
    pull.review_comments[0].reply("ann", "Really?")
    await hob.works()
    pull.comment("mona", "/hob undo")
    await hob.works()
    assert [words(one.body).split("\n")[0] for one in pull.review_comments][1:] == ["Really?"]
    assert "1 comment on lines that others have answered" in pull.comments[-1].body


async def test_again_takes_back_the_one_before_until_nothing_is_left(hob: LivingHob) -> None:
    answers(hob)
    pull = opened(hob)
    await hob.works()
    pull.comment("mona", "/hob help")
    pull.comment("mona", "/hob pause")
    await hob.works()
    mine = [one for one in pull.comments if one.author.login == BOT]
    pull.comment("mona", "/hob undo")
    await hob.works()
    assert mine[1] not in pull.comments
    assert mine[0] in pull.comments
    assert hob.services.store.pulls.state(pull.code.id, pull.number) == "active"  # type: ignore[attr-defined]
    pull.comment("mona", "/hob undo")
    await hob.works()
    assert mine[0] not in pull.comments
    assert pull.review_comments
    pull.comment("mona", "/hob undo")
    await hob.works()
    assert not pull.review_comments
    pull.comment("mona", "/hob undo")
    pull.comment("mona", "/hob undo")
    await hob.works()
    assert "nothing here that I could take back" in pull.comments[-1].body
    assert len([one for one in pull.comments if "nothing here" in one.body]) == 2


async def test_an_older_review_is_taken_back_after_a_push(hob: LivingHob) -> None:
    answers(hob)
    pull = opened(hob)
    await hob.works()
    pull.push({"pot.py": POT})
    await hob.works()
    for _ in range(2):
        pull.comment("mona", "/hob undo")
        await hob.works()
    assert pull.review_comments == []
    assert [check.title for check in pull.check_runs][2:] == ["Taken back", "Taken back"]


async def test_an_undo_asked_inside_the_thread_takes_it_back_too(hob: LivingHob) -> None:
    answers(hob)
    pull = opened(hob)
    await hob.works()
    pull.review_comments[0].reply("mona", "/hob undo")
    await hob.works()
    assert [words(one.body) for one in pull.review_comments] == ["/hob undo"]
    assert "Took back" in pull.comments[-1].body


async def test_labels_go_and_memory_is_named(hob: LivingHob) -> None:
    repo = hob.github.repository("octo/tea", private=True, files={"tea.py": BROKEN})
    repo.grant("mona", "triage")
    repo.label("bug")
    issue = repo.open_issue("It fails", "Always.", author="ann")
    await hob.works()
    assert issue.label_names == ["bug"]
    issue.comment("mona", "/hob remember We never divide by zero")
    await hob.works()
    issue.comment("mona", "/hob undo")
    await hob.works()
    assert "`@my-hob forget 1` deletes it" in issue.comments[-1].body
    issue.comment("mona", "/hob undo")
    await hob.works()
    assert issue.label_names == []


async def test_A1_only_triage_may_and_a_refusal_is_nothing_to_take_back(hob: LivingHob) -> None:
    answers(hob)
    pull = opened(hob)
    await hob.works()
    pull.comment("ann", "/hob undo")
    await hob.works()
    assert len(pull.review_comments) == 1
    assert "for people with triage permission" in pull.comments[-1].body
    pull.comment("mona", "/hob undo")
    await hob.works()
    assert not pull.review_comments


async def test_what_was_resolved_stays_and_is_said(hob: LivingHob) -> None:
    grant(hob, contents="write")
    answers(hob)
    pull = opened(hob)
    await hob.works()
    pull.comment("mona", "/hob resolve")
    await hob.works()
    pull.comment("mona", "/hob undo")
    await hob.works()
    assert "a thread that I resolved" in pull.comments[-1].body
    assert pull.review_comments[0].resolved


@pytest.mark.parametrize("kind", ["apply_then_answer", "apply_then_reset", "answer", "reset"])
@pytest.mark.parametrize("call", [("DELETE", r"/pulls/comments/\d+$"), ("PUT", r"/reviews/\d+$")])
async def test_R3_an_unclear_answer_takes_back_once(hob: LivingHob, call: tuple[str, str], kind: str) -> None:
    answers(hob)
    pull = opened(hob)
    await hob.works()
    hob.github.fault(*call, kind=kind, status=502)  # type: ignore[arg-type]
    pull.comment("mona", "/hob undo")
    await hob.works()
    await hob.retries()
    assert pull.review_comments == []
    assert len([one for one in pull.comments if "Took back" in one.body]) == 1
    assert len(pull.check_runs) == 2


async def test_a_review_that_asked_for_changes_holds_up_no_merge(hob: LivingHob) -> None:
    answers(hob)
    pull = gated(hob)
    await hob.works()
    assert pull.reviews[0].state == "CHANGES_REQUESTED"
    pull.comment("mona", "/hob undo")
    await hob.works()
    assert pull.reviews[0].state == "DISMISSED"
    assert "Not taken back" not in pull.comments[-1].body


async def test_no_model_is_asked(hob: LivingHob) -> None:
    answers(hob)
    pull = opened(hob)
    await hob.works()
    before = len(asked(hob))
    pull.comment("mona", "/hob undo")
    await hob.works()
    assert len(asked(hob)) == before
    assert EditReview.__name__ in {
        row.kind
        for row in hob.services.store.outbox.for_target(pull.code.id, pull.number)  # type: ignore[attr-defined]
    }
