"""The buttons of the check run."""

import pytest

from bot.effects.check_run import ACTIONS
from tests.living import LivingHob
from tests.runs.test_over_time import POT, answers, asked, opened
from tests.tea import BROKEN, TEA


async def test_the_check_run_has_buttons_that_github_takes(hob: LivingHob) -> None:
    answers(hob)
    pull = opened(hob)
    await hob.works()
    assert pull.check_runs[0].actions == list(ACTIONS)
    for action in ACTIONS:
        assert len(action["label"]) <= 20
        assert len(action["description"]) <= 40
        assert len(action["identifier"]) <= 20


async def test_review_all_reads_everything_again_and_repeats_nothing(hob: LivingHob) -> None:
    answers(hob)
    pull = opened(hob)
    await hob.works()
    before = len(asked(hob))
    pull.check_runs[0].press("mona", "review-all")
    await hob.works()
    assert len(asked(hob)) > before
    assert len(pull.review_comments) == 1
    assert len(pull.check_runs) == 2


@pytest.mark.parametrize("button", ["review-new", "rerequested"])
async def test_re_run_reads_what_was_not_read(button: str, hob: LivingHob) -> None:
    hob.ollama.answer = lambda _: {"nonsense": True}
    pull = opened(hob, **{"pot.py": POT})
    await hob.works()
    assert pull.review_comments == []
    answers(hob)
    check = pull.check_runs[0]
    check.rerequest("mona") if button == "rerequested" else check.press("mona", button)
    await hob.works()
    assert [one.path for one in pull.review_comments] == ["pot.py", "tea.py"]
    before = len(asked(hob))
    pull.check_runs[-1].press("mona", "review-new")
    await hob.works()
    assert len(asked(hob)) == before
    assert len(pull.check_runs) == 3


async def test_a_pull_request_from_a_fork_is_found_too(hob: LivingHob) -> None:
    answers(hob)
    repo = hob.github.repository("octo/tea", files={"tea.py": TEA})
    repo.grant("mona", "triage")
    pull = repo.open_pull_request("Brew", {"tea.py": BROKEN}, author="eve", fork=True)
    await hob.works()
    before = len(asked(hob))
    pull.check_runs[0].press("mona", "review-all")
    await hob.works()
    assert len(asked(hob)) > before


async def test_A1_who_may_not_ask_gets_nothing(hob: LivingHob) -> None:
    answers(hob)
    pull = opened(hob)
    await hob.works()
    before = len(asked(hob))
    pull.check_runs[0].press("ann", "review-all")
    pull.check_runs[0].press("mona", "delete-everything")
    runs = await hob.works()
    assert len(asked(hob)) == before
    assert runs[-1].summary == "ann may not ask for a review here"
    assert len(pull.check_runs) == 1


async def test_A5_a_button_of_an_old_head_or_of_another_check_does_nothing(hob: LivingHob) -> None:
    answers(hob)
    pull = opened(hob)
    await hob.works()
    old = pull.check_runs[0]
    pull.push({"pot.py": "pot = 1\n"})
    await hob.works()
    before = len(asked(hob))
    old.press("mona", "review-all")
    await hob.works()
    old.external_id = f"{'a' * 40}#99"
    old.press("mona", "review-all")
    old.external_id = "somebody else's"
    old.press("mona", "review-all")
    await hob.works()
    assert len(asked(hob)) == before


async def test_W5_the_same_press_delivered_twice_is_done_once(hob: LivingHob) -> None:
    answers(hob)
    pull = opened(hob)
    await hob.works()
    pull.check_runs[0].press("mona", "review-all")
    await hob.works()
    pressed = next(one for one in hob.github.deliveries if one.action == "requested_action")
    hob.github.redeliver(pressed)
    await hob.works()
    assert len(pull.check_runs) == 2
