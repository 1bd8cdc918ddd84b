"""Runs: one worker at a time, one run a target, back-off, dead letters, superseding."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.core.errors import Superseded
from bot.process import is_gone, this_machine, this_process
from bot.store import ClaimRefused, Decision, Run, Store, open_store
from bot.store.runs import MAX_ATTEMPTS, backoff
from tests.store.making import again, claimed, delivery, put, queued, spec


def refusal(store: Store, run: Run, owner: str = "b:2:2") -> ClaimRefused:
    answer = store.runs.try_claim(run.id, owner)
    assert isinstance(answer, ClaimRefused)
    return answer


def test_a_run_is_claimed_once_and_finished(store: Store) -> None:
    (run,) = queued(store, spec(head_sha="a" * 40))
    mine = claimed(store, run)
    assert (mine.state, mine.owner, mine.head_sha, mine.repo) == (
        "running",
        "here:1:1",
        "a" * 40,
        "octo/hello",
    )
    assert refusal(store, run).reason == "held"
    assert store.runs.claim(run.id, "b:2:2") is None
    store.runs.finish(mine, "done", "said nothing", model="m", host="h", tokens_in=3, tokens_out=4)
    ended = again(store, run)
    assert (ended.state, ended.summary, ended.model, ended.tokens_in) == ("done", "said nothing", "m", 3)
    assert ended.finished_at is not None
    assert refusal(store, run).reason == "finished"
    assert refusal(store, Run(**{**vars_of(run), "id": 999_999})).reason == "missing"


def vars_of(run: Run) -> dict[str, object]:
    return {name: getattr(run, name) for name in Run.__slots__}


def test_a_run_that_is_not_due_stays_queued_and_says_when(store: Store) -> None:
    later = time.time() + 60
    (run,) = queued(store, spec(not_before=later))
    answer = refusal(store, run)
    assert (answer.reason, again(store, run).state, again(store, run).attempts) == ("not_due", "queued", 0)
    assert store.runs.due(time.time()) == []
    assert [each.id for each in store.runs.due(later + 1)] == [run.id]


def test_due_runs_come_by_urgency_then_age(store: Store) -> None:
    wanted = [
        spec(f"h{n}", f"12#{n}", priority=p) for n, p in enumerate(("low", "default", "high", "default"))
    ]
    queued(store, *wanted)
    assert [run.handler for run in store.runs.due(time.time())] == ["h2", "h1", "h3", "h0"]


def test_one_run_a_target_and_the_fence_only_grows(store: Store) -> None:
    first, second, elsewhere = queued(store, spec("a"), spec("b"), spec("c", "12#4"))
    holder = claimed(store, first)
    answer = refusal(store, second)
    assert (answer.reason, again(store, second).attempts) == ("busy", 0)
    claimed(store, elsewhere)
    store.runs.finish(holder, "done")
    assert claimed(store, second).fence == holder.fence + 1


def test_R13_of_many_workers_claiming_one_run_one_gets_it(url: str, store: Store) -> None:
    found = [queued(store, spec(f"h{n}", f"9#{n}"))[0] for n in range(5)]
    stores = [open_store(url) for _ in range(4)]
    tries = [(run, each) for run in found for each in stores for _ in range(3)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda pair: pair[1].runs.try_claim(pair[0].id, "x:1:1"), tries))
    winners = [answer.id for answer in answers if isinstance(answer, Run)]
    assert sorted(winners) == [run.id for run in found]
    for each in stores:
        each.close()


def test_claims_on_one_target_never_overlap(url: str, store: Store) -> None:
    """Threads fight for runs of one target; each holder sees itself alone."""
    found = queued(store, *(spec(f"h{n}") for n in range(12)))
    inside, most, lock = 0, 0, threading.Lock()

    def work(mine: Store) -> None:
        nonlocal inside, most
        while waiting := mine.runs.due(time.time()):
            for each in waiting:
                taken = mine.runs.try_claim(each.id, "x:1:1")
                if isinstance(taken, Run):
                    with lock:
                        inside += 1
                        most = max(most, inside)
                    mine.outbox.plan(taken, [])
                    with lock:
                        inside -= 1
                    mine.runs.finish(taken, "done")

    stores = [open_store(url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, stores))
    assert most == 1
    fences = sorted(again(store, run).fence for run in found)
    assert fences == list(range(1, 13))
    for each in stores:
        each.close()


def test_heartbeats_keep_a_run_and_learn_its_fate(store: Store) -> None:
    (run,) = queued(store)
    mine = claimed(store, run, seconds=0.05)
    assert store.runs.heartbeat(mine, 20) == "ok"
    assert again(store, run).lease_until > time.time() + 10
    store.runs.supersede("12#3")
    assert store.runs.heartbeat(mine) == "superseded"
    store.runs.finish(mine, "superseded")
    assert store.runs.heartbeat(mine) == "lost"


def test_a_worker_that_lost_its_run_is_refused_every_word(store: Store) -> None:
    (run,) = queued(store)
    sleeper = claimed(store, run, seconds=0.0)
    assert [each.run.id for each in store.recovery.recover_expired()] == [run.id]
    other = claimed(store, run, "b:2:2")
    assert store.runs.heartbeat(sleeper) == "lost"
    for word in (
        lambda: store.runs.finish(sleeper, "done"),
        lambda: store.runs.retry(sleeper),
        lambda: store.outbox.plan(sleeper, []),
        lambda: store.outbox.start_sending("k", sleeper),
    ):
        with pytest.raises(Superseded):
            word()
    assert again(store, run) == other


def test_an_expired_lease_of_a_target_does_not_block_others(store: Store) -> None:
    first, second = queued(store, spec("a"), spec("b"))
    sleeper = claimed(store, first, seconds=0.0)
    claimed(store, second)
    with pytest.raises(Superseded):
        store.runs.finish(sleeper, "done")
    store.recovery.recover_expired()
    assert again(store, first).state == "queued"
    assert refusal(store, first).reason == "busy"


def test_retries_back_off_and_end_in_a_dead_letter(store: Store) -> None:
    (run,) = queued(store)
    for attempt in range(1, MAX_ATTEMPTS):
        mine = claimed(store, run)
        assert store.runs.retry(mine, 0.0, "model down") == "queued"
        assert again(store, run).attempts == attempt
    assert store.runs.retry(claimed(store, run), None, "model down") == "dead"
    dead = again(store, run)
    assert (dead.state, dead.error) == ("dead", "failed 5 times: model down")


def test_a_wait_that_is_nobodys_fault_costs_no_attempt(store: Store) -> None:
    (run,) = queued(store)
    for _ in range(MAX_ATTEMPTS * 2):
        store.runs.retry(claimed(store, run), 0.0, "rate limit", count_attempt=False)
    store.runs.retry(claimed(store, run), 30.0, "rate limit", count_attempt=False)
    waiting = again(store, run)
    assert (waiting.state, waiting.attempts) == ("queued", 0)
    assert waiting.not_before > time.time() + 20


def test_back_off_grows_to_a_limit_and_is_spread() -> None:
    assert {backoff(1) <= 7.5 and backoff(1) >= 2.5 for _ in range(50)} == {True}
    assert max(backoff(50) for _ in range(50)) <= 1350
    assert len({backoff(3) for _ in range(10)}) > 1


def test_a_dead_letter_says_why(store: Store) -> None:
    (run,) = queued(store)
    store.runs.finish(claimed(store, run), "dead", "not what its event promises")
    assert again(store, run).error == "not what its event promises"
    assert store.runs.counts() == {"dead": 1}
    assert [each.id for each in store.runs.latest(state="dead")] == [run.id]


def test_R14_a_run_that_kills_its_worker_three_times_is_set_aside(store: Store) -> None:
    killer, other = queued(store, spec("a"), spec("b", "12#4"))
    for crash in (1, 2):
        claimed(store, killer, seconds=0.0)
        assert [each.state for each in store.recovery.recover_expired()] == ["queued"]
        assert again(store, killer).crashes == crash
    claimed(store, killer, seconds=0.0)
    assert [each.state for each in store.recovery.recover_expired()] == ["dead"]
    assert again(store, killer).error == "its worker died 3 times while at it"
    claimed(store, other)


def test_R14_suspects_do_not_share_a_worker_so_that_the_innocent_is_not_blamed(store: Store) -> None:
    killer, victim, fresh = queued(store, spec("a"), spec("b", "12#4"), spec("c", "12#5"))
    for run in (killer, victim):
        claimed(store, run, seconds=0.0)
    store.recovery.recover_expired()
    claimed(store, killer)
    assert store.runs.claim(victim.id, "here:1:1") is None
    claimed(store, fresh)
    claimed(store, victim, owner="there:2:2")


def test_many_sweepers_count_one_crash(url: str, store: Store) -> None:
    (run,) = queued(store)
    claimed(store, run, seconds=0.0)
    stores = [open_store(url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda each: each.recovery.recover_expired(), stores))
    assert sum(map(len, found)) == 1
    assert again(store, run).crashes == 1
    for each in stores:
        each.close()


def test_at_boot_only_runs_of_dead_local_workers_are_released(store: Store) -> None:
    mine, theirs, dead = queued(store, *(spec(f"h{n}", f"12#{n}") for n in range(3)))
    claimed(store, mine, this_process())
    claimed(store, theirs, "elsewhere/0:1:1")
    claimed(store, dead, f"{this_machine()}:{2**22 - 1}:12345")
    assert [each.run.id for each in store.recovery.release_dead(is_gone)] == [dead.id]
    assert (again(store, dead).state, again(store, mine).state) == ("queued", "running")


def test_released_runs_are_blamed_for_nothing(store: Store) -> None:
    (run,) = queued(store)
    store.runs.release(claimed(store, run))
    released = again(store, run)
    assert (released.state, released.attempts, released.crashes) == ("queued", 0, 0)
    claimed(store, run)


def test_N5_newer_events_supersede_older_runs(store: Store) -> None:
    newest_only = spec(supersedes=True)
    (running,) = queued(store, newest_only, received_at=100.0)
    held = claimed(store, running)
    (waiting,) = queued(store, newest_only, received_at=101.0)
    (other,) = queued(store, spec("issues.triage"), received_at=101.0)
    (last,) = queued(store, newest_only, received_at=102.0)
    assert store.runs.heartbeat(held) == "superseded"
    states = [again(store, each).state for each in (waiting, other, last)]
    assert states == ["superseded", "queued", "queued"]
    assert store.runs.retry(held, 0.0, "hm") == "superseded"


def test_R6_an_older_event_that_comes_last_gives_way(store: Store) -> None:
    newest_only = spec(supersedes=True)
    (newer,) = queued(store, newest_only, received_at=200.0)
    (older,) = queued(store, newest_only, received_at=100.0)
    assert (older.state, again(store, newer).state) == ("superseded", "queued")
    store.runs.finish(claimed(store, newer), "done")
    (oldest,) = queued(store, newest_only, received_at=50.0)
    assert oldest.state == "superseded"


def test_R6_a_closed_pull_request_ends_its_runs(store: Store) -> None:
    first, second = queued(store, spec("a"), spec("b"))
    assert store.runs.supersede("12#3", except_run=second.id) == 1
    assert (again(store, first).state, again(store, second).state) == ("superseded", "queued")
    assert store.runs.supersede("12#3", handler="a") == 0


def test_N5_dispatchers_at_once_leave_one_queued_run(url: str, store: Store) -> None:
    new = [delivery(received_at=100.0 + n) for n in range(20)]
    put(store, *new)
    stores = [open_store(url) for _ in range(4)]

    def dispatch(pair: tuple[int, str]) -> None:
        mine = stores[pair[0] % 4]
        mine.routing.record([Decision(mine.inbox.get(pair[1]), "routed", [spec(supersedes=True)])])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(dispatch, enumerate(each.guid for each in new)))
    assert [run.delivery for run in store.runs.due(time.time())] == [new[-1].guid]
    for each in stores:
        each.close()


def test_a_delivery_is_routed_once_however_many_dispatchers(url: str, store: Store) -> None:
    new = delivery()
    put(store, new)
    stored = store.inbox.get(new.guid)
    stores = [open_store(url) for _ in range(4)]
    decision = [Decision(stored, "routed", [spec("a"), spec("b")])]
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda each: each.routing.record(decision), stores))
    assert sorted(map(len, made)) == [0, 0, 0, 2]
    assert len(store.runs.of_delivery(new.guid)) == 2
    for each in stores:
        each.close()


def test_recent_runs_are_counted_by_what_holds_them(store: Store) -> None:
    queued(store, spec("comments.ask", "12#3/77"), spec("comments.help", "12#3/78"), spec("reviews", "12#30"))
    count = store.runs.count_recent
    asked = {"comments.ask", "comments.help"}
    assert [count("12#3"), count("12"), count("1"), count("12#3/77")] == [2, 3, 0, 1]
    assert [count("12", asked, 60), count("12", {"comments.ask"}), count("12", {"comments"})] == [2, 1, 0]
    assert count("12", seconds=-1) == 0


def test_recent_runs_are_counted_by_person(store: Store) -> None:
    for who in ("mallory", "mallory", "tom"):
        queued(store, spec("@ask", "12#3/77"), spec("@help", "12#3/77"), sender=who)
    queued(store, spec("@ask", "12#4/78"), sender="tom")
    count = store.runs.count_recent
    asked = [count("12#3", {"@ask", "@help"}, sender=who) for who in ("mallory", "tom", "ann")]
    assert asked == [4, 2, 0]
    assert [count("12", sender="tom"), count("12#3", {"@ask"}, sender="tom"), count("12#3")] == [3, 1, 6]


def test_a_run_that_joins_ends_where_one_waits_that_starts_no_later(store: Store) -> None:
    def arrives(not_before: float) -> Run:
        (run,) = queued(
            store, spec("knowledge.learn", "12/knowledge.learn", joins=True, not_before=not_before)
        )
        return again(store, run)

    first, second, sooner = arrives(50.0), arrives(60.0), arrives(40.0)
    assert (first.state, second.state, sooner.state) == ("queued", "superseded", "queued")
    assert "a run that waits" in second.error
    claimed(store, first)
    claimed_too = arrives(70.0)
    assert claimed_too.state == "superseded", "the sooner one still waits"
    store.runs.supersede("12/knowledge.learn", except_run=first.id)
    assert arrives(80.0).state == "queued", "one that runs already has read how things stood"


def test_N4_a_repository_with_500_events_holds_up_no_other(store: Store) -> None:
    news = [delivery(repo_id=12, number=n) for n in range(500)] + [delivery(repo_id=13), delivery(repo_id=14)]
    put(store, *news)
    for new in news:
        target = f"{new.repo_id}#{new.number}"
        urgency = "high" if new.repo_id == 14 else "default"
        decided = Decision(
            store.inbox.get(new.guid),
            "routed",
            (spec(target=target, priority=urgency),),  # type: ignore[arg-type]
        )
        store.routing.record([decided])
    due = store.runs.due(time.time(), limit=22)
    assert [run.repo_id for run in due] == [14] + [12] * 20 + [13]
    assert {run.state for run in store.runs.latest(502)} == {"queued"}  # late, and none lost
