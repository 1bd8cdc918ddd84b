"""Hob was down, or could not be reached: whatever people did meanwhile is answered, once."""

import asyncio
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from redis import Redis
from sqlalchemy import select, update

from bot.cli.doctor import machine
from bot.cli.doctor.line import Wrong
from bot.core.errors import Superseded
from bot.router import Router
from bot.runs import reconcile
from bot.store import Run
from bot.store.reconciliation import KEY, Progress, Reconciliation
from bot.store.tables import inbox, meta
from bot.testing.github.exchange import Exchange
from bot.testing.github.issues import Issue
from bot.testing.github.repository import Repository
from bot.web.compose import readiness
from handlers import router
from tests.living import LivingHob, by_schema
from tests.long import LONG

SLUG = "my-hob"
HOUR = 3600.0
DAY = 24 * HOUR
BUG = {"kind": "bug", "labels": ["bug"], "priority": "normal", "summary": "", "missing": [], "reply": ""}


def only_reconciles(hob: LivingHob) -> None:
    """Nights and weeks are not what these tests are about."""
    ours = Router()
    ours.routes = [one for one in router.routes if one.every is None or one.name == "reconcile"]
    hob.services = replace(hob.services, router=ours)


@pytest.fixture(autouse=True)
def quiet(hob: LivingHob) -> None:
    only_reconciles(hob)


def passes(hob: LivingHob, seconds: float) -> None:
    hob.github.clock_offset += seconds


def misses(hob: LivingHob) -> None:
    """What GitHub has sent by now never arrived."""
    hob.taken.update(one.id for one in hob.github.deliveries)


async def looks(hob: LivingHob, after: float = 300.0) -> list[Run]:
    """The next round, so many seconds later."""
    passes(hob, after)
    return await hob.works_at(datetime.now(UTC) + timedelta(seconds=hob.github.clock_offset))


def rounds_of(runs: list[Run]) -> list[str]:
    return [run.summary for run in runs if run.handler == "reconcile"]


def progress(hob: LivingHob) -> Progress:
    return hob.services.store.reconciliation.load()


def answers(issue: Issue) -> list[str]:
    return [one.body for one in issue.comments if one.author.login == f"{SLUG}[bot]"]


def calls(hob: LivingHob, since: int) -> Counter[str]:
    """The requests of rounds that were not for another JWT: by path, without what a run asks."""
    asked = [
        one
        for one in hob.github.requests[since:]
        if one.status != 401 and ("/app/hook" in one.path or one.path == "/installation/repositories")
    ]
    return Counter(f"{one.method} {one.path}" for one in asked)


async def begun(hob: LivingHob) -> Repository:
    """A Hob that has looked once and found nothing, and its repository."""
    repo = hob.github.repository("octo/tea", private=True, files={"tea.py": "x = 1\n"})
    repo.grant("ann", "write")
    repo.open_issue("Hello", author="ann")
    await hob.works()
    await looks(hob)
    return repo


async def test_R11_what_was_said_while_the_receiver_was_down_is_answered_once(hob: LivingHob) -> None:
    repo = await begun(hob)
    issue = repo.issues[1]
    issue.comment("ann", f"@{SLUG} help")
    misses(hob)
    runs = await looks(hob, 2 * HOUR)
    assert len(answers(issue)) == 1
    assert rounds_of(runs)[-1] == "1 delivery recovered"
    (recovered,) = progress(hob).recovered
    assert recovered in [one.guid for one in hob.github.deliveries if one.event == "issue_comment"]
    for _ in range(3):
        runs = await looks(hob)
    assert len(answers(issue)) == 1
    assert rounds_of(runs)[-1] == "nothing was missed"


async def test_R11_four_days_down_what_GitHub_no_longer_keeps_is_found_in_the_repository(
    hob: LivingHob,
) -> None:
    repo = await begun(hob)
    old = repo.issues[1]
    passes(hob, HOUR)
    old.comment("ann", f"@{SLUG} help")
    pull = repo.open_pull_request("Hotter", {"tea.py": "x = 2\n"}, author="ann")
    new = repo.open_issue("It is cold", author="ann")
    passes(hob, 4 * DAY)
    late = repo.open_issue("It is late", author="ann")
    misses(hob)
    assert rounds_of(await looks(hob))[-1] == "1 delivery recovered; goes on in the next round"
    runs = await looks(hob)
    assert rounds_of(runs)[-1] == "1 pull request found, 1 issue found, 1 comment found"
    assert len(answers(old)) == 1
    assert len(pull.check_runs) == 1
    triaged = [run.target for run in runs if run.handler == "issues.triage" and run.state == "done"]
    assert sorted(triaged) == sorted(f"{repo.id}#{one.number}" for one in (old, new, late))


async def test_R11_one_list_that_GitHub_never_answers_keeps_no_other_repository_waiting(
    hob: LivingHob,
) -> None:
    repo = await begun(hob)
    pot = hob.github.repository("octo/pot", private=True)
    passes(hob, HOUR)
    lost, found = repo.open_issue("It is cold", author="ann"), pot.open_issue("It leaks", author="ann")
    pull = repo.open_pull_request("Hotter", {"tea.py": "x = 2\n"}, author="ann")
    repo.issues[1].comment("ann", f"@{SLUG} help")
    passes(hob, 4 * DAY)
    misses(hob)
    hob.github.fault("GET", r"/repos/octo/tea/issues$", kind="answer", status=502, times=10_000)
    before = len(hob.github.requests)
    ended = Counter[str]()
    for _ in range(26):
        ended.update(run.state for run in await looks(hob) if run.handler == "reconcile")
    assert set(ended) == {"done"}
    asked = [one for one in hob.github.requests[before:] if one.path == "/repos/octo/tea/issues"]
    assert len(asked) <= 3 * 9  # of each request, that is repeated twice
    assert progress(hob).back_fill is None
    assert (len(pull.check_runs), len(answers(repo.issues[1]))) == (1, 1)
    assert [bool(one.labels) for one in (lost, found)] == [False, True]
    assert rounds_of(await looks(hob))[-1] == "nothing was missed"


async def test_what_GitHub_could_not_hand_over_before_the_first_start_is_answered(hob: LivingHob) -> None:
    repo = hob.github.repository("octo/tea", private=True)
    issue = repo.open_issue("Hello", author="ann")
    issue.comment("ann", f"@{SLUG} help")
    for one in hob.github.deliveries[:1]:
        one.status_code = 202  # by a Hob before this one, whose database is lost
    misses(hob)
    runs = await looks(hob, HOUR)
    assert rounds_of(runs) == ["1 delivery recovered"]
    assert len(answers(issue)) == 1
    assert [run.handler for run in runs if run.handler == "issues.triage"] == []


@pytest.mark.parametrize("code", [0, 401, 502, 504])
async def test_W6_what_came_in_though_GitHub_says_it_did_not_is_left_alone(hob: LivingHob, code: int) -> None:
    repo = await begun(hob)
    repo.issues[1].comment("ann", f"@{SLUG} help")
    hob.github.deliveries[-1].status_code = code
    await hob.works()
    before = len(hob.github.requests)
    assert rounds_of(await looks(hob, HOUR))[-1] == "nothing was missed"
    assert calls(hob, before) == {"GET /app/hook/deliveries": 1}
    assert len(answers(repo.issues[1])) == 1


async def test_several_attempts_at_one_delivery_are_one(hob: LivingHob) -> None:
    repo = await begun(hob)
    issue = repo.issues[1]
    issue.comment("ann", f"@{SLUG} help")
    (lost,) = [one for one in hob.github.deliveries if one.event == "issue_comment"]
    for _ in range(4):
        hob.github.redeliver(lost)
    misses(hob)
    before = len(hob.github.requests)
    await looks(hob, HOUR)
    await looks(hob)
    assert len(answers(issue)) == 1
    assert sum(calls(hob, before).values()) == 3  # two lists, a payload


async def test_what_was_missed_is_done_in_the_order_in_which_it_happened(hob: LivingHob) -> None:
    repo = await begun(hob)
    pull = repo.open_pull_request("Hotter", {"tea.py": "x = 2\n"}, author="ann")
    await hob.works()
    for n in range(5):
        pull.comment("ann", f"@{SLUG} pause")
        passes(hob, 60)
        pull.comment("ann", f"@{SLUG} resume" if n < 4 else f"@{SLUG} ignore")
        passes(hob, 60)
    misses(hob)
    await looks(hob)
    assert hob.services.store.pulls.state(repo.id, pull.number) == "ignored"


async def test_a_round_makes_few_calls_and_the_next_one_goes_on(
    hob: LivingHob, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = await begun(hob)
    issue = repo.issues[1]
    for _ in range(30):
        issue.comment("ann", f"@{SLUG} help")
        passes(hob, 1)
    misses(hob)
    monkeypatch.setattr(reconcile, "calls_a_round", lambda _: 8)
    passes(hob, HOUR)
    seen = []
    for _ in range(6):
        before = len(hob.github.requests)
        runs = await looks(hob)
        seen.append(sum(calls(hob, before).values()))
    assert max(seen) <= 8
    assert len(answers(issue)) == 30
    assert rounds_of(runs)[-1] == "nothing was missed"
    assert progress(hob).found.deliveries == 30


async def test_a_round_that_is_broken_off_is_gone_on_with(hob: LivingHob) -> None:
    repo = await begun(hob)
    issue = repo.issues[1]
    for _ in range(5):
        issue.comment("ann", f"@{SLUG} help")
    misses(hob)
    hob.github.fault("GET", r"/app/hook/deliveries/\d+", kind="answer", status=502, times=3)
    await looks(hob, HOUR)
    assert len(answers(issue)) == 0
    await hob.retries()
    await hob.works()
    assert len(answers(issue)) == 5


async def test_GitHub_asks_to_wait_and_nothing_is_asked_until_then(hob: LivingHob) -> None:
    repo = await begun(hob)
    repo.issues[1].comment("ann", f"@{SLUG} help")
    misses(hob)
    hob.github.fault("GET", "/app/hook/deliveries", kind="retry_after", seconds=60)
    runs = await looks(hob, HOUR)
    (waits,) = [run for run in runs if run.handler == "reconcile" and run.state == "queued"]
    assert waits.attempts == 0
    assert waits.not_before > time.time() + 50


async def test_a_payload_that_never_can_be_read_is_sent_again_once_and_then_said_to_be_lost(
    hob: LivingHob,
) -> None:
    repo = await begun(hob)
    repo.issues[1].comment("ann", f"@{SLUG} help")
    misses(hob)
    lost = hob.github.deliveries[-1]
    hob.github.fault("GET", f"/app/hook/deliveries/{lost.id}", kind="answer", status=404, times=9)
    await looks(hob, HOUR)
    (again,) = [one for one in hob.github.deliveries if one.redelivery]
    assert again.guid == lost.guid
    assert len(answers(repo.issues[1])) == 1  # it came in then
    repo.issues[1].comment("ann", f"@{SLUG} help please")
    misses(hob)
    second = hob.github.deliveries[-1]
    hob.github.fault("GET", r"/app/hook/deliveries/\d+", kind="answer", status=404, times=9)
    passes(hob, HOUR)
    hob.github.redeliver(second)
    misses(hob)
    runs = await looks(hob)
    assert rounds_of(runs)[-1] == "1 delivery lost"
    assert rounds_of(await looks(hob))[-1] == "nothing was missed"


async def test_what_comes_in_while_Hob_looks_is_not_taken_twice(hob: LivingHob) -> None:
    repo = await begun(hob)
    issue = repo.issues[1]
    issue.comment("ann", f"@{SLUG} help")
    misses(hob)
    late = hob.github.deliveries[-1]

    def arrives(exchange: Exchange) -> None:
        if exchange.path.endswith(f"/{late.id}"):
            hob.receive(late.event, late.body, late.guid)

    hob.github.observers.append(arrives)
    runs = await looks(hob, HOUR)
    assert rounds_of(runs)[-1] == "nothing was missed"
    assert len(answers(issue)) == 1


async def test_a_delivery_on_its_way_is_waited_for(hob: LivingHob) -> None:
    repo = await begun(hob)
    repo.issues[1].comment("ann", f"@{SLUG} help")
    misses(hob)
    runs = await looks(hob, 5)
    assert len(answers(repo.issues[1])) == 0
    runs = await looks(hob)
    assert rounds_of(runs)[-1] == "1 delivery recovered"


async def test_two_of_one_database_do_not_write_over_each_other(hob: LivingHob) -> None:
    await begun(hob)
    first, second = (Reconciliation(hob.services.store.database) for _ in range(2))
    one, other = first.load(), second.load()
    one.watermark += 10
    first.save(one)
    with pytest.raises(Superseded):
        second.save(other)
    assert progress(hob).watermark == one.watermark


async def test_two_at_once_answer_once(hob: LivingHob) -> None:
    repo = await begun(hob)
    issue = repo.issues[1]
    for _ in range(5):
        issue.comment("ann", f"@{SLUG} help")
    misses(hob)
    passes(hob, HOUR)
    ended = await asyncio.gather(
        *(reconcile.reconcile(hob.services) for _ in range(3)), return_exceptions=True
    )
    assert all(isinstance(one, str | Superseded) for one in ended)
    await hob.works()
    await looks(hob)
    assert len(answers(issue)) == 5


async def test_K2_what_was_forgotten_does_not_come_back(hob: LivingHob) -> None:
    repo = await begun(hob)
    other = hob.github.repository("octo/pot", private=True)
    for one in (repo, other):
        one.open_issue("Secret", author="ann")
    await hob.works()
    hob.services.store.forget({repo.id})
    await looks(hob)
    await looks(hob)
    with hob.services.store.database.read() as connection:
        kept = set(connection.scalars(select(inbox.c.repo_id)))
    assert kept == {other.id}


async def test_K2_what_is_forgotten_between_a_list_and_its_payload_does_not_come_back(
    hob: LivingHob, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes(hob, -HOUR)  # so that what follows lies before the moment of forgetting, by our own clock
    repo = await begun(hob)
    other = hob.github.repository("octo/pot", private=True)
    for one in (repo, other):
        one.open_issue("Secret", author="ann")
    misses(hob)
    with monkeypatch.context() as few:
        few.setattr(reconcile, "calls_a_round", lambda _: 1)
        await looks(hob, 600)
    assert len(progress(hob).missed) == 2
    hob.services.store.forget({repo.id})
    await looks(hob)
    with hob.services.store.database.read() as connection:
        kept = set(connection.scalars(select(inbox.c.repo_id)))
    assert kept == {other.id}


async def test_a_watermark_never_goes_back_and_survives_what_cannot_be_read(hob: LivingHob) -> None:
    await begun(hob)
    marks = []
    for after in (300.0, -500.0, 300.0, 7200.0):
        await looks(hob, after)
        marks.append(progress(hob).watermark)
    assert marks == sorted(marks)
    with hob.services.store.database.write() as connection:
        connection.execute(update(meta).where(meta.c.key == KEY).values(value=b"nonsense"))
    assert rounds_of(await looks(hob))[-1] == "nothing was missed"


@pytest.mark.parametrize("back", [HOUR, 5 * DAY])
async def test_R9_what_is_missed_after_GitHubs_clock_was_set_back_is_found(
    hob: LivingHob, back: float
) -> None:
    repo = await begun(hob)
    issue = repo.issues[1]
    issue.comment("ann", f"@{SLUG} help")
    await hob.works()
    passes(hob, -back)
    issue.comment("ann", f"@{SLUG} help")
    misses(hob)
    for _ in range(3):  # our own clock was set back too: when the next round is due is put down anew
        await looks(hob)
    assert progress(hob).found.deliveries == 1
    assert len(answers(issue)) == 2


async def test_what_Hob_does_not_read_costs_nothing(hob: LivingHob) -> None:
    repo = await begun(hob)
    for n in range(20):
        repo.issues[1].add_label("ann", f"label-{n}")
    misses(hob)
    before = len(hob.github.requests)
    assert rounds_of(await looks(hob, HOUR))[-1] == "nothing was missed"
    assert sum(calls(hob, before).values()) == 1


@pytest.mark.timeout(600)
@pytest.mark.parametrize("down", [2 * HOUR, 4 * DAY])
async def test_R11_all_events_while_the_receiver_was_down_are_answered_once(
    hob: LivingHob, down: float
) -> None:
    """All that people may want of Hob, spread over the time, in two repositories; 50 where the machine has
    little time."""
    events = 200 if LONG else 50
    hob.ollama.answer = by_schema(triage=BUG)
    repos = [await begun(hob)]
    repos.append(hob.github.repository("octo/pot", private=True, files={"pot.py": "x = 1\n"}))
    for repo in repos:
        repo.label("bug")
        for n in range(8):
            repo.grant(f"ann-{n}", "write")
        repo.open_pull_request("First", {"a.py": "x = 2\n"}, author="ann", branch="first")
        repo.open_issue("Second", author="ann")
    await hob.works()
    await looks(hob)
    issues, pulls, asked = [], [], []
    for n in range(events):
        passes(hob, down / (events + 1))
        repo, who = repos[n % 2], f"ann-{n // 10 % 8}"
        pull = repo.pulls[0]
        match n % 10:
            case 0:
                pulls.append(
                    repo.open_pull_request(f"P{n}", {"b.py": f"x = {n}\n"}, author=who, branch=f"b{n}")
                )
            case 1:
                issues.append(repo.open_issue(f"It is broken {n}", author=who))
            case 2 | 3:
                asked.append(pull.review_comment(who, "a.py", 1, f"@{SLUG} help"))
            case 4:
                asked.append(pull.review(who, f"@{SLUG} help"))
            case 5:
                asked.append(pull.comment(who, f"@{SLUG} help"))
            case _:
                asked.append(repo.shown[-1].comment(who, f"@{SLUG} help"))
    misses(hob)
    passes(hob, down / (events + 1))
    before, rounds = len(hob.github.requests), 0
    while rounds == 0 or progress(hob).waiting:
        runs = await looks(hob)
        rounds += 1
        assert rounds < 20
    cost = calls(hob, before)
    print(
        f"{down / HOUR:.0f} h down: {rounds} rounds, {sum(cost.values())} calls",
        rounds_of(runs)[-3:],
        progress(hob).found,
    )
    await looks(hob)
    told = [run for run in runs if run.handler == "comments.show_help" and run.state == "done"]
    assert len(asked) == events * 4 // 5
    assert len({run.id for run in told}) == len(asked)
    assert [len(one.check_runs) for one in pulls] == [1] * (events // 10)
    assert [one.label_names for one in issues] == [["bug"]] * (events // 10)
    replies = sum(len(answers(one)) for repo in repos for one in repo.shown)
    lines = sum(one.author.login == f"{SLUG}[bot]" for repo in repos for one in repo.review_comments.values())
    assert replies + lines == len(asked)


async def test_what_was_found_stands_on_the_dashboard_and_in_doctor(hob: LivingHob) -> None:
    repo = await begun(hob)
    probe = readiness(hob.services.config, hob.services.store, Redis()).reported["missed deliveries"]
    assert "nothing was missed" in await probe()
    passes(hob, -hob.github.clock_offset)
    repo.issues[1].comment("ann", f"@{SLUG} help")
    misses(hob)
    await looks(hob, HOUR)
    for told in (await probe(), await machine.missed(hob.services.config)):
        assert told.startswith("looked 0 s ago; last found 20")
        assert "1 delivery recovered" in told
    shown = hob.services.store.runs.latest(50, unless_done="reconcile")
    assert [run for run in shown if run.handler == "reconcile"] == []


async def test_doctor_says_where_nobody_looks_any_more(hob: LivingHob) -> None:
    passes(hob, -2 * HOUR)
    hob.github.repository("octo/tea", private=True)
    await looks(hob, 0)
    with pytest.raises(Wrong, match="looked 2 h ago") as told:
        await machine.missed(hob.services.config)
    assert "hob work" in told.value.hint
