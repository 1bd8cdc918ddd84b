"""What GitHub refuses: told, waited for, or asked for in smaller parts; never a check run that claims what is
not so, and none that stays in progress."""

import asyncio
from typing import Any

import pytest

from bot.core.effects import LineComment, PostReview, SetCheck
from bot.core.refs import Sha
from bot.effects import of
from bot.effects.base import Refused
from bot.effects.check_run import OfSetCheck
from bot.store.runs import MAX_ATTEMPTS
from bot.testing.github.pulls import PullRequest
from bot.testing.github.refusals import FINAL, LIMITS, LINES
from tests.living import LivingHob, by_schema, until
from tests.runs.test_review import opened, reviews, teahouse
from tests.runs.test_waiting import busy
from tests.tea import BROKEN, finding

REVIEW = r"/pulls/\d+/reviews$"
CHECKS = r"/check-runs"
GRAPHQL = r"/graphql$"
COMMENTS = r"/issues/\d+/comments$"
TITLE = "Divides by zero"
POINT = finding(title=TITLE, body="The kettle | burns @ann down.")


class Killed(BaseException):
    """As if the process were killed: nothing of ours catches it. KeyboardInterrupt would end the tests."""


def refuse(hob: LivingHob, says: str, path: str = REVIEW, times: int = 1, method: str = "POST") -> None:
    hob.github.fault(method, path, kind="refuse", says=says, times=times)


def free(hob: LivingHob) -> None:
    """The time that GitHub asked for has passed."""
    limiter: Any = hob.services.github._server.limiter
    limiter._rate_limiter._blocks.clear()


def only_check(pull: PullRequest) -> Any:
    (check,) = pull.check_runs
    return check


@pytest.mark.parametrize("says", FINAL)
async def test_a_review_that_is_refused_for_good_stands_in_the_check_run(hob: LivingHob, says: str) -> None:
    hob.ollama.answer = reviews(POINT)
    refuse(hob, says, times=99)
    pull = opened(hob)
    runs = await hob.works()
    check = only_check(pull)
    assert pull.reviews == []
    assert (check.status, check.conclusion) == ("completed", "neutral")
    assert "refused" in check.title
    assert TITLE in check.text
    assert "tea.py:" in check.text
    assert "@ann" not in check.text.replace("`@ann`", "")
    assert str(FINAL[says].status) in check.summary
    assert "`@my-hob review`" in check.summary
    assert [run.state for run in runs if run.handler == "pull_requests.judge"] == ["dead"]


async def test_a_permission_that_the_installation_lacks_is_named_in_the_check_run(hob: LivingHob) -> None:
    hob.ollama.answer = reviews(POINT)
    for installation in hob.github.installations.values():
        installation.permissions["pull_requests"] = "read"
    pull = opened(hob)
    await hob.works()
    check = only_check(pull)
    assert TITLE in check.text
    assert "Give the App the permission" in check.summary


async def test_N5_a_push_while_a_limit_is_waited_for_ends_the_older_heads_check_run(hob: LivingHob) -> None:
    hob.ollama.answer = reviews(POINT)
    refuse(hob, "too quickly")
    async with busy(hob):
        pull = opened(hob)
        working = asyncio.create_task(hob.works())
        await until(lambda: pull.check_runs)
    await working
    assert only_check(pull).status == "queued"
    pull.push({"tea.py": BROKEN + "# more\n"})
    free(hob)
    await hob.works()
    first, second = pull.check_runs
    assert (first.status, first.conclusion) == ("completed", "neutral")
    assert first.title == "Not reviewed: a newer event took its place"
    assert (second.head_sha, second.status) == (pull.head_sha, "completed")


@pytest.mark.parametrize("again", ["review", "push", "reopen"])
async def test_what_was_refused_is_said_as_soon_as_it_can_be(hob: LivingHob, again: str) -> None:
    hob.ollama.answer = reviews(POINT)
    refuse(hob, "locked")
    pull = opened(hob)
    await hob.works()
    match again:
        case "review":
            pull.code.grant("ann", "write")  # type: ignore[attr-defined]
            pull.comment("ann", "@my-hob review")
        case "push":
            pull.push({"README.md": "# Tea\n\nHot.\n"})
        case _:
            pull.close("ann")
            pull.reopen("ann")
    await hob.works()
    (review,) = pull.reviews
    assert [TITLE in comment.body for comment in review.comments] == [True]
    assert "refused" not in (pull.check_runs[-1].title or "")


def test_as_much_as_fits_stands_in_the_check_run_and_the_rest_is_counted() -> None:
    head = Sha("a" * 40)
    lines = tuple(LineComment("tea.py", n, f"Point {n}\n\n" + "é" * 1_000) for n in range(1, 41))
    review = PostReview(1, head, "40 findings in 1 of 1 files.", lines, "REQUEST_CHANGES")
    check = SetCheck(head, "failure", "40 findings", "All was read.", judged=True, read=("tea.py",))
    told = of(check).telling(check, [Refused(review, "GitHub answered 403: no.")])
    assert len(told.text.encode()) <= 65_535
    whole = sum(f"Point {n}\n" in told.text for n in range(1, 41))
    assert f"*{40 - whole} more did not fit in here.*" in told.text
    assert whole > 20
    assert (told.conclusion, told.read, told.judged) == ("failure", (), True)
    assert of(told).telling(told, [Refused(review, "again")]) == told


async def test_R4_killed_between_the_refusal_and_the_check_run(
    hob: LivingHob, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies when the check run is to be sent; the next one knows that nothing was said."""
    hob.ollama.answer = reviews(POINT)
    refuse(hob, "locked")

    async def dies(*_: Any) -> Any:
        raise Killed

    pull = opened(hob)
    with monkeypatch.context() as patched:
        patched.setattr(OfSetCheck, "send", dies)
        with pytest.raises(Killed):
            await hob.works()
    assert pull.check_runs == []
    lost(hob)
    await hob.retries()
    check = only_check(pull)
    assert "refused" in check.title
    assert check.text.count(TITLE) == 1
    pull.push({"README.md": "# Tea\n\nHot.\n"})
    await hob.works()
    assert len(pull.reviews) == 1


def lost(hob: LivingHob) -> None:
    """The worker is gone: its lease ends, and its runs are taken from it."""
    with hob.services.store.database.write() as connection:
        connection.exec_driver_sql("UPDATE runs SET lease_until = 0 WHERE state IN ('running', 'planned')")
        connection.exec_driver_sql("UPDATE leases SET lease_until = 0")
    hob.services.store.recovery.recover_expired()


@pytest.mark.parametrize("says", LIMITS)
@pytest.mark.parametrize("path", [REVIEW, CHECKS])
async def test_R8_a_limit_in_any_words_is_waited_for_and_sent_again_unchanged(
    hob: LivingHob, says: str, path: str
) -> None:
    hob.ollama.answer = reviews(POINT)
    refuse(hob, says, path, times=1)
    pull = opened(hob)
    await hob.works()
    (run,) = [one for one in hob.services.store.runs.latest(9) if one.handler == "pull_requests.judge"]
    assert (run.state, run.attempts) == ("queued", 0)
    least = 90 if "retry-after" in says else 60
    assert run.not_before - (run.started_at or 0) >= least - 1
    if says != "pending review":
        before = len(hob.github.calls())
        await hob.retries()
        assert len(hob.github.calls()) == before
    free(hob)
    await hob.retries()
    sent = [one.body for one in hob.github.writes() if one.method == "POST" and one.path.endswith("/reviews")]
    assert len({*sent}) == 1
    assert (len(pull.reviews), len(pull.check_runs)) == (1, 1)
    assert only_check(pull).title == "1 finding in 1 of 1 files"


async def test_R8_more_limits_than_attempts_kill_no_run(hob: LivingHob) -> None:
    hob.ollama.answer = reviews(POINT)
    refuse(hob, "too quickly", times=MAX_ATTEMPTS + 3)
    pull = opened(hob)
    await hob.works()
    for _ in range(MAX_ATTEMPTS + 3):
        free(hob)
        await hob.retries()
    assert len(pull.reviews) == 1
    assert "dead" not in hob.services.store.runs.counts()


async def test_R8_another_installation_is_not_held_up(hob: LivingHob) -> None:
    hob.github.install_app("zoo", slug="my-hob")
    other = hob.github.repository("zoo/animals", files={"tea.py": "water = 1\n"})
    hob.ollama.answer = reviews(POINT)
    refuse(hob, "too quickly")
    mine = opened(hob)
    await hob.works()
    theirs = other.open_pull_request("Brew", {"tea.py": BROKEN}, author="zed")
    await hob.works()
    assert (len(mine.check_runs), len(theirs.check_runs)) == (0, 1)


@pytest.mark.parametrize("says", LINES)
async def test_R4_a_bad_line_in_any_words_moves_into_the_reviews_text(hob: LivingHob, says: str) -> None:
    hob.ollama.answer = reviews(POINT)
    refuse(hob, says)
    pull = opened(hob)
    await hob.works()
    (review,) = pull.reviews
    assert TITLE in review.body
    assert "refused" not in only_check(pull).title


@pytest.mark.parametrize("says", ["too quickly", "abuse code", "secondary 403", "429 retry-after"])
async def test_R8_an_answer_to_a_person_waits_for_a_limit_too(hob: LivingHob, says: str) -> None:
    pull = opened(hob)
    await hob.works()
    refuse(hob, says, COMMENTS)
    pull.comment("ann", "@my-hob help")
    await hob.works()
    free(hob)
    await hob.retries()
    mine = [comment for comment in pull.comments if comment.author.login == "my-hob[bot]"]
    assert len(mine) == 1


WAITED_FOR = ["too quickly", "abuse code", "secondary 403", "429 retry-after"]


@pytest.mark.parametrize("says", WAITED_FOR)
async def test_R8_an_answer_in_a_thread_waits_for_a_limit_and_comes_once_unchanged(
    hob: LivingHob, says: str
) -> None:
    pull = opened(hob)
    await hob.works()
    refuse(hob, says, r"/pulls/\d+/comments/\d+/replies$")
    pull.review_comment("ann", "tea.py", 3, "@my-hob help")
    await hob.works()
    assert [one for one in pull.review_comments if one.in_reply_to] == []
    free(hob)
    await hob.retries()
    assert len([one for one in pull.review_comments if one.in_reply_to]) == 1
    sent = [one.body for one in hob.github.writes() if one.path.endswith("/replies")]
    assert (len(sent), len({*sent})) == (2, 1)


@pytest.mark.parametrize("says", WAITED_FOR)
async def test_R8_labels_wait_for_a_limit_and_come_once_unchanged(hob: LivingHob, says: str) -> None:
    told = {"kind": "bug", "labels": [], "priority": "normal", "summary": "", "missing": [], "reply": ""}
    hob.ollama.answer = by_schema(triage=told)
    refuse(hob, says, r"/issues/\d+/labels$")
    issue = hob.github.repository("octo/tea").open_issue("Kettle burns", "It burns.", author="ann")
    await hob.works()
    assert issue.label_names == []
    free(hob)
    await hob.retries()
    assert issue.label_names == ["bug"]
    sent = [one.body for one in hob.github.writes() if one.path.endswith("/labels")]
    assert (len(sent), len({*sent})) == (2, 1)
    assert len(hob.ollama.chats) == 1


@pytest.mark.parametrize("says", WAITED_FOR)
async def test_R8_what_is_taken_back_waits_for_a_limit_too(hob: LivingHob, says: str) -> None:
    pull = opened(hob)
    await hob.works()
    pull.comment("octo", "@my-hob help")
    await hob.works()
    (answer,) = [one for one in pull.comments if one.author.login == "my-hob[bot]"]
    refuse(hob, says, r"/issues/comments/\d+$", method="DELETE")
    pull.comment("octo", "@my-hob undo")
    await hob.works()
    assert answer in pull.comments
    free(hob)
    await hob.retries()
    assert answer not in pull.comments
    assert len([one for one in pull.comments if one.author.login == "my-hob[bot]"]) == 1


async def test_who_asked_on_a_locked_pull_request_hears_it_from_the_check_run(hob: LivingHob) -> None:
    hob.ollama.answer = reviews(POINT)
    pull = opened(hob)
    await hob.works()
    before = only_check(pull).conclusion
    refuse(hob, "locked", COMMENTS, times=9)
    pull.code.grant("ann", "read")  # type: ignore[attr-defined]
    pull.comment("ann", "@my-hob help")
    await hob.works()
    check = only_check(pull)
    assert check.conclusion == before
    assert "is locked" in check.text
    assert "Unlock the conversation" in check.text


async def test_who_asked_on_a_locked_issue_sees_a_reaction(hob: LivingHob) -> None:
    repo = teahouse(hob)
    repo.grant("ann", "read")
    issue = repo.open_issue("Cold tea", author="ann")
    await hob.works()
    refuse(hob, "locked", COMMENTS, times=9)
    comment = issue.comment("ann", "@my-hob help")
    await hob.works()
    assert "confused" in [one.content for one in comment.reactions]


@pytest.mark.parametrize("path", [r"/issues/\d+/labels$", r"/pulls/\d+$"])
async def test_who_asked_for_a_change_that_is_refused_is_told_why(hob: LivingHob, path: str) -> None:
    repo = teahouse(hob)
    repo.grant("mona", "triage")
    repo.label("bug")
    pull = repo.open_pull_request("Brew", {"tea.py": BROKEN}, author="ann")
    await hob.works()
    pull.comment("mona", "@my-hob describe")
    await hob.works()
    refuse(hob, "no permission", path, times=9, method="PATCH" if "pulls" in path else "POST")
    pull.comment("mona", "@my-hob describe apply")
    await hob.works()
    said = [one.body for one in pull.comments if one.author.login == "my-hob[bot]"]
    assert any("Resource not accessible by integration" in body for body in said)


@pytest.mark.parametrize("path", [r"/pulls/\d+/files$", r"/pulls/\d+$", r"/contents/"])
async def test_a_change_that_cannot_be_read_says_so_though_it_never_waited(hob: LivingHob, path: str) -> None:
    hob.github.fault("GET", path, kind="answer", status=422, times=MAX_ATTEMPTS)
    pull = opened(hob)
    await hob.works()
    for _ in range(MAX_ATTEMPTS):
        await hob.retries()
    check = only_check(pull)
    assert (check.status, check.conclusion) == ("completed", "neutral")
    assert check.title.startswith("Not reviewed: failed 5 times")
    assert "could not be reviewed" in check.summary
    assert "`@my-hob review` tries again" in check.summary


async def test_a_run_that_kills_its_worker_three_times_says_so(
    hob: LivingHob, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(*_: object, **__: object) -> None:
        raise Killed

    monkeypatch.setattr("bot.github.reader.changed_files", dies)
    pull = opened(hob)
    with pytest.raises(Killed):
        await hob.works()
    for left in (1, 1, 0):
        lost(hob)
        if left:
            with pytest.raises(Killed):
                await hob.retries()
    await hob.retries()
    check = only_check(pull)
    assert (check.status, check.conclusion) == ("completed", "neutral")
    assert "its worker died 3 times" in check.title


async def test_the_end_of_a_run_is_told_when_github_is_back(hob: LivingHob) -> None:
    hob.github.fault("*", r"/repos/", kind="answer", status=502, times=10_000)
    pull = opened(hob)
    await hob.works()
    for _ in range(MAX_ATTEMPTS + 2):
        await hob.retries()
    assert pull.check_runs == []
    hob.github.faults.clear()
    await hob.retries()
    assert only_check(pull).title.startswith("Not reviewed: ")


async def test_a_judged_head_keeps_its_check_run_when_a_later_review_dies(hob: LivingHob) -> None:
    pull = opened(hob)
    pull.code.grant("ann", "write")  # type: ignore[attr-defined]
    await hob.works()
    hob.github.fault("GET", r"/pulls/\d+/files$", kind="answer", status=422, times=MAX_ATTEMPTS)
    pull.comment("ann", "@my-hob review full")
    await hob.works()
    for _ in range(MAX_ATTEMPTS):
        await hob.retries()
    assert only_check(pull).conclusion == "success"
    mine = [one.body for one in pull.comments if one.author.login == "my-hob[bot]"]
    assert any("could not be reviewed" in body for body in mine)


async def test_a_posted_review_gets_its_own_check_run_after_all(hob: LivingHob) -> None:
    hob.ollama.answer = reviews(POINT)
    hob.github.fault("POST", CHECKS, kind="answer", status=502, times=3 * MAX_ATTEMPTS)
    pull = opened(hob)
    await hob.works()
    for _ in range(MAX_ATTEMPTS + 1):
        await hob.retries()
    assert len(pull.reviews) == 1
    assert only_check(pull).title == "1 finding in 1 of 1 files"


def many(hob: LivingHob, count: int) -> PullRequest:
    files = {f"part{n}.py": f"def pour{n}(water):\n    return water / {n + 1}\n" for n in range(count)}
    return teahouse(hob).open_pull_request("Many", files, author="ann")


@pytest.mark.parametrize("most", [1, 4, 20])
async def test_too_large_a_query_is_asked_in_smaller_ones(hob: LivingHob, most: int) -> None:
    hob.github.most_objects = most
    pull = many(hob, 20)
    await hob.works()
    assert only_check(pull).title == "No findings in 20 of 20 files"
    asked = [one.body for one in hob.github.calls() if one.path == "/graphql"]
    assert len(set(asked)) == len(asked)


@pytest.mark.parametrize("says", ["graphql too large", "graphql timeout", "graphql 502", "graphql 504"])
@pytest.mark.parametrize("times", [1, 99])
async def test_a_query_that_fails_is_never_asked_the_same_twice_and_the_review_comes(
    hob: LivingHob, says: str, times: int
) -> None:
    refuse(hob, says, GRAPHQL, times=times)
    pull = many(hob, 10)
    await hob.works()
    assert only_check(pull).title == "No findings in 10 of 10 files"


@pytest.mark.parametrize(("kind", "kept"), [("partly", 3), ("partly", 0), ("one_broken", 0)])
async def test_a_part_of_an_answer_is_used_and_only_the_rest_asked_for(
    hob: LivingHob, kind: Any, kept: int
) -> None:
    hob.github.fault("POST", GRAPHQL, kind=kind, times=99).status = kept
    pull = many(hob, 10)
    await hob.works()
    assert only_check(pull).title == "No findings in 10 of 10 files"


@pytest.mark.parametrize("says", ["graphql limit", "graphql limit, code", "graphql secondary"])
async def test_R8_graphqls_limits_are_waited_for(hob: LivingHob, says: str) -> None:
    refuse(hob, says, GRAPHQL)
    pull = many(hob, 3)
    await hob.works()
    (run,) = [one for one in hob.services.store.runs.latest(9) if one.handler == "pull_requests.judge"]
    assert (run.state, run.attempts) == ("queued", 0)
    free(hob)
    await hob.retries()
    assert only_check(pull).conclusion == "success"
