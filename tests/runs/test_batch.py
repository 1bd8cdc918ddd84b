"""Triage of many issues at once: each is touched once, nobody is held up, nothing is said unasked."""

import time
from typing import Any

import pytest

from bot.core.events import CommandRequested
from bot.core.refs import OPERATOR
from bot.runs.asking import Agents, Wanted, ask, ask_for_batch
from bot.runs.requests import event_of
from bot.store import Run
from bot.store.batches import progress
from bot.store.requests import BatchRequest
from bot.testing.github.repository import Repository
from tests.living import LivingHob, by_schema


@pytest.fixture
def tea(hob: LivingHob) -> Repository:
    """A repository whose issues are there before Hob is: five of people's, an App's, a pull request."""
    question = {"missing": ["version"], "reply": "Which version is it?"}
    triage = {"kind": "bug", "labels": [], "priority": "normal", "summary": "Cold", **question}
    hob.ollama.answer = by_schema(triage=triage)
    repo = hob.github.repository("octo/tea", files={"tea.py": "x = 1\n"})
    hob.github.hold_deliveries()
    for number in range(1, 6):
        repo.open_issue(f"Cold {number}", author="ann", at=1000.0 * number)
    repo.open_issue("Bump kettle", author="dependabot[bot]", at=6000)
    repo.open_pull_request("Warm it", {"tea.py": "x = 2\n"}, author="ann")
    hob.taken |= {one.id for one in hob.github.deliveries}
    return repo


async def batch(hob: LivingHob, **wanted: Any) -> Run:
    repo = await hob.services.github.find_repository("octo/tea")
    run = await ask_for_batch(hob.services, repo, Wanted(**wanted), "api")
    await hob.works()
    done = hob.services.store.runs.get(run.id)
    assert done is not None
    return done


def labelled(hob: LivingHob) -> list[int]:
    """The numbers of issues in the order in which Hob labelled them."""
    return [int(one.path.split("/")[5]) for one in hob.github.writes() if one.path.endswith("/labels")]


async def test_every_new_issue_is_triaged_once_the_oldest_first(hob: LivingHob, tea: Repository) -> None:
    run = await batch(hob)
    assert run.summary == "5 issues to triage, 0 triaged before"
    assert labelled(hob) == [1, 2, 3, 4, 5]
    assert [tea.issues[number].label_names for number in (1, 5, 6, 7)] == [["bug"], ["bug"], [], []]
    again = await batch(hob)
    assert again.summary == "0 issues to triage, 5 triaged before"
    assert labelled(hob) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("comment", "quiet"), [("mention", True), ("always", True), ("mention", False), ("never", False)]
)
async def test_nothing_is_said_on_issues_unless_that_is_wanted(
    hob: LivingHob, tea: Repository, comment: str, quiet: bool
) -> None:
    """What a quiet batch would ask for is kept for people to post; where comments are forbidden, not even
    that. Only the question is said: nobody asked what each issue is."""
    hob.services.store.settings.change("repo", "octo/tea", lambda old: {**old, "issues.comment": comment})
    await batch(hob, quiet=quiet)
    speaks = not quiet and comment != "never"
    said = [[one.body.partition("\n")[0] for one in tea.issues[number].comments] for number in range(1, 6)]
    assert said == [["Which version is it?"] if speaks else []] * 5
    assert len(hob.services.store.drafts.waiting(tea.id)) == (5 if quiet else 0)
    assert labelled(hob) == [1, 2, 3, 4, 5]


async def test_a_batch_is_narrowed_as_asked(hob: LivingHob, tea: Repository) -> None:
    tea.issues[2].add_label("ann", "question")
    tea.issues[4].add_label("ann", "question")
    tea.issues[4].add_label("ann", "help wanted")
    tea.issues[5].close("ann")
    hob.taken |= {one.id for one in hob.github.deliveries}
    await batch(hob, labels=("question", "Help wanted"))
    assert labelled(hob) == [4]
    await batch(hob, since=2500.0)
    assert labelled(hob) == [4, 3]
    await batch(hob, state="closed")
    assert labelled(hob) == [4, 3, 5]


async def test_what_a_failing_model_left_undone_is_new_still(hob: LivingHob, tea: Repository) -> None:
    store = hob.services.store
    await batch(hob)
    with store.database.write() as connection:
        undone = (
            "UPDATE runs SET summary = 'not triaged: no host' WHERE target LIKE '%#3' OR target LIKE '%#3/%'"
        )
        connection.exec_driver_sql(undone)
    assert (await batch(hob)).summary == "1 issues to triage, 4 triaged before"


async def test_the_same_request_again_and_again_is_one_batch(hob: LivingHob, tea: Repository) -> None:
    repo = await hob.services.github.find_repository("octo/tea")
    asked = BatchRequest(repo=repo, by=OPERATOR, channel="api")
    runs = {(await ask(hob.services, asked, "batch:one")).id for _ in range(3)}
    await hob.works()
    assert len(runs) == 1
    assert labelled(hob) == [1, 2, 3, 4, 5]


async def test_a_batch_that_was_listed_and_then_killed_goes_on_with_the_same_requests(
    hob: LivingHob, tea: Repository
) -> None:
    run = await batch(hob)
    store = hob.services.store
    with store.database.write() as connection:
        connection.exec_driver_sql("UPDATE outbox SET state = 'planned' WHERE kind = 'RequestCommand'")
        connection.exec_driver_sql(f"UPDATE runs SET state = 'queued' WHERE id = {run.id}")
    tea.open_issue("Came later", author="ann")
    hob.taken |= {one.id for one in hob.github.deliveries}
    await hob.works()
    assert labelled(hob) == [1, 2, 3, 4, 5]


async def test_a_batch_waits_for_everybody_and_leaves_room(hob: LivingHob, tea: Repository) -> None:
    github = hob.services.config.github
    slow = github.model_copy(update={"write_gap_seconds": 1.0})
    object.__setattr__(hob.services, "config", hob.services.config.model_copy(update={"github": slow}))
    run = await batch(hob)
    requests = [one for one in hob.services.store.runs.latest(50) if ":" in one.delivery and one.id != run.id]
    requests.sort(key=lambda one: one.id)
    assert {one.priority for one in [*requests, run]} == {"low"}
    assert hob.services.store.runs.is_idle()
    turns = [round(one.not_before - requests[0].not_before) for one in requests]
    assert turns == [0, 9, 18, 27, 36]
    now = progress(hob.services.store.runs, hob.services.store.outbox, run)
    assert (now.total, now.counts, now.is_over) == (5, {"done": 1, "queued": 4}, False)


async def test_what_is_late_goes_on_one_by_one(hob: LivingHob, tea: Repository) -> None:
    """Hob was down for an hour: all requests are due at once, and GitHub's limits are as they were."""
    github = hob.services.config.github
    slow = github.model_copy(update={"write_gap_seconds": 60.0})
    object.__setattr__(hob.services, "config", hob.services.config.model_copy(update={"github": slow}))
    await batch(hob)
    await hob.retries()
    assert labelled(hob) == [1]
    late = [one for one in hob.services.store.runs.latest(50) if one.state == "queued"]
    assert [(one.attempts, one.error) for one in late] == [(0, "not its turn yet")] * 4
    assert all(one.not_before > time.time() for one in late)


async def test_at_most_three_calls_an_issue_beside_its_writes(hob: LivingHob, tea: Repository) -> None:
    await batch(hob)
    calls = [one for one in hob.github.calls() if not one.is_write]
    reads = [one for one in calls if "issues(first" not in str(one.json)]
    assert len(reads) <= 3 * 5, [repr(one) for one in reads]


async def test_progress_tells_each_issue_and_what_was_done(hob: LivingHob, tea: Repository) -> None:
    run = await batch(hob)
    now = progress(hob.services.store.runs, hob.services.store.outbox, run, effects=True)
    assert (now.total, now.over, now.counts, now.is_over) == (5, 5, {"done": 5}, True)
    assert [one.number for one in now.issues] == [1, 2, 3, 4, 5]
    assert (now.issues[0].effects[0]["kind"], now.issues[0].effects[0]["labels"]) == ("AddLabels", ["bug"])


async def test_one_issue_or_a_review_is_asked_for_by_number(hob: LivingHob, tea: Repository) -> None:
    agents = Agents(lambda: hob.services)
    await agents.triage("octo/tea", 2, False)
    run = await agents.review("octo/tea", 7, ["security", "speed"])
    await hob.works()
    assert labelled(hob) == [2]
    done = hob.services.store.runs.get(run)
    assert done is not None
    event = event_of(hob.services.store.inbox.get(done.delivery))
    assert isinstance(event, CommandRequested)
    assert event.body == "/hob review focus on security, speed"
    (asked,) = [one.json for one in hob.ollama.requests if "findings" in str(one.json.get("format"))]
    assert "security, speed" in asked["messages"][1]["content"]
    for wrong in (agents.triage("octo/tea", 7, False), agents.review("octo/tea", 2, [])):
        with pytest.raises(Exception, match="octo/tea has no"):
            await wrong
    with pytest.raises(Exception, match="has no issue 99"):
        await agents.triage("octo/tea", 99, False)
    with pytest.raises(Exception, match="not installed"):
        await agents.triage_new("other/repo", False)
