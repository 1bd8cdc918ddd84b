"""Each effect once, whatever GitHub answers and whenever a process dies."""

import pytest

from bot.testing.github.exchange import Exchange
from bot.testing.github.faults import FaultKind
from tests.living import LivingHob
from tests.runs.test_review import opened, reviews, teahouse
from tests.tea import BROKEN, finding

REVIEW = r"/pulls/\d+/reviews$"
CHECK = r"/check-runs$"


@pytest.mark.parametrize("path", [REVIEW, CHECK])
@pytest.mark.parametrize("kind", ["apply_then_answer", "apply_then_reset", "answer", "reset"])
async def test_R3_an_unclear_answer_leaves_exactly_one(hob: LivingHob, path: str, kind: str) -> None:
    hob.ollama.answer = reviews(finding())
    hob.github.fault("POST", path, kind=kind, status=502)  # type: ignore[arg-type]
    pull = opened(hob)
    await hob.works()
    await hob.retries()
    assert len(pull.reviews) == 1
    assert len(pull.check_runs) == 1


LISTS = {REVIEW: r"/pulls/\d+/reviews$", CHECK: r"/commits/\w+/check-runs$"}


@pytest.mark.parametrize("follows", ["a push", "closing"])
@pytest.mark.parametrize("kind", ["apply_then_reset", "reset"])
@pytest.mark.parametrize("path", [REVIEW, CHECK])
async def test_R3_what_a_push_overtook_while_it_was_unclear_is_known_afterwards_and_said_once(
    hob: LivingHob, path: str, kind: FaultKind, follows: str
) -> None:
    hob.ollama.answer = reviews(finding())
    hob.github.fault("POST", path, kind=kind)

    def hide(exchange: Exchange) -> None:
        if exchange.fault == kind:  # from then on nobody can look
            hob.github.fault("GET", LISTS[path], kind="answer", status=502, times=99)

    hob.github.observers.append(hide)
    pull = opened(hob)
    (run,) = (one for one in await hob.works() if one.handler == "pull_requests.judge")
    assert run.state == "queued"
    (unclear,) = (row for row in hob.services.store.outbox.rows(run.id) if row.state == "ambiguous")
    hob.github.faults.clear()
    if follows == "a push":
        pull.push({"tea.py": "import kettle\n" + BROKEN})
    else:
        pull.close("ann")
    await hob.works()
    await hob.retries()
    rows = hob.services.store.outbox.rows(run.id)
    (now,) = (row.state for row in rows if row.key == unclear.key)
    assert now == ("planned" if kind == "reset" else "done")
    said = [one for one in pull.review_comments if "Division by zero" in one.body]
    assert len(said) == (0 if follows == "closing" and path == REVIEW and kind == "reset" else 1)
    (judged, *more) = [one for one in pull.check_runs if one.head_sha == pull.head_sha] or [None]
    assert more == []
    assert judged is not None or follows == "closing"


async def test_R5_another_persons_copy_of_our_mark_is_not_taken_for_ours(hob: LivingHob) -> None:
    hob.ollama.answer = reviews(finding())
    pull = opened(hob)
    await hob.works()
    mark = pull.reviews[0].body[pull.reviews[0].body.index("<!-- hob:") :]
    pull.push({"tea.py": "import kettle\n" + BROKEN.replace("/ 0", "/ 0.0")})
    pull.review("eve", f"Looks good {mark}")
    hob.ollama.answer = reviews(finding(quote="return water / 0.0"))
    hob.github.fault("POST", REVIEW, kind="answer", status=502)
    await hob.works()
    await hob.retries()
    own = [review for review in pull.reviews if review.author.login == "my-hob[bot]"]
    assert len([review for review in own if review.body]) == 2  # a reply ("Fixed in …") is one without words


async def test_R4_one_bad_line_of_twenty_is_moved_into_the_summary(hob: LivingHob) -> None:
    """The head moves between the reading and the posting so that GitHub refuses one line: played by a file
    list that is richer than the diff GitHub checks against."""
    text = "".join(f"line{n} = {n} / 0\n" for n in range(20))
    hob.ollama.answer = reviews(
        *[finding(quote=f"line{n} = {n} / 0", title=f"Point {n}", body=f"Reason {n}") for n in range(20)]
    )
    repo = teahouse(hob, **{".github/hob.yml": "review:\n  max_comments: 25\n"})
    pull = repo.open_pull_request("Much", {"tea.py": text}, author="ann")
    hob.github.fault("POST", REVIEW, kind="answer", status=422)
    await hob.works()
    (review,) = pull.reviews
    said = review.body + "".join(comment.body for comment in review.comments)
    for n in range(20):
        assert f"Point {n}" in said
    assert len([one for one in hob.github.writes() if one.path.endswith("/reviews")]) == 2


async def test_R8_a_limit_is_obeyed_and_the_run_comes_back(hob: LivingHob) -> None:
    hob.ollama.answer = reviews(finding())
    hob.github.fault("POST", REVIEW, kind="retry_after", seconds=120)
    pull = opened(hob)
    runs = await hob.works()
    assert pull.reviews == []
    (run,) = (run for run in runs if run.handler == "pull_requests.judge")
    assert run.state == "queued"
    assert run.attempts == 0
    assert run.not_before - run.created_at > 60
    writes = len(hob.github.writes())
    await hob.retries()
    assert len(hob.github.writes()) == writes  # still closed: nothing is sent before the time


async def test_R12_a_young_token_is_tried_again(hob: LivingHob) -> None:
    hob.github.young_token_seconds = 0.5
    pull = opened(hob)
    await hob.works()
    assert len(pull.check_runs) == 1


@pytest.mark.parametrize("minutes", [-15, 15])
async def test_R9_a_wrong_clock_is_corrected_by_githubs(hob: LivingHob, minutes: int) -> None:
    hob.github.clock_offset = minutes * 60.0
    pull = opened(hob)
    await hob.works()
    assert len(pull.check_runs) == 1


async def test_a_run_whose_plan_is_stored_does_not_ask_the_model_again(hob: LivingHob) -> None:
    hob.ollama.answer = reviews(finding())
    hob.github.fault("POST", REVIEW, kind="retry_after", seconds=1)
    pull = opened(hob)
    await hob.works()
    asked = len(hob.ollama.chats)
    hob.ollama.answer = reviews()
    import asyncio

    await asyncio.sleep(1.2)
    await hob.retries()
    assert len(pull.reviews) == 1
    assert len(hob.ollama.chats) == asked
