"""`kill -9` of each process of a running `hob up` at moments spread over a review: every effect exactly
once."""

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.testing.github import GitHubStandIn
from bot.testing.github.pulls import PullRequest
from tests.fakes.github import checked_github
from tests.fakes.models import FakeOllama
from tests.living import by_schema
from tests.long import LONG, kills
from tests.running import RunningHob, environment, forked_hob, wait_for
from tests.tea import BROKEN, finding

pytestmark = [pytest.mark.kills, pytest.mark.timeout(600), pytest.mark.xdist_group("kills")]
RESUMED = 15.0
"""Seconds within which a killed worker's run starts again."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[tuple[GitHubStandIn, FakeOllama, Path]]:
    with checked_github(tmp_path / "github") as github, FakeOllama() as ollama:
        ollama.answer = by_schema(review={"findings": [finding()], "summary": "x"})
        ollama.token_seconds = 0.01  # so that there is something to be killed in
        github.install_app("octo", slug="my-hob")
        yield github, ollama, tmp_path


def settings(world: tuple[GitHubStandIn, FakeOllama, Path], **more: str) -> dict[str, str]:
    github, ollama, folder = world
    return environment(folder, github, ollama.url, next(iter(ollama.models)), **more)


def send_again(github: GitHubStandIn, hob: RunningHob) -> None:
    """What nobody took, because the receiver was dead, is sent again with the same GUID, as GitHub's people
    or a reconciler would."""
    tried = [one for one in list(github.deliveries) if one.done.is_set()]
    taken = {one.guid for one in tried if one.ok}
    for delivery in {one.guid: one for one in tried if one.guid not in taken}.values():
        github.redeliver(delivery).wait()


@pytest.mark.parametrize("victim", ["work", "serve", "redis"])
def test_R1_R2_killed_at_random_moments_each_effect_exactly_once(
    world: tuple[GitHubStandIn, FakeOllama, Path], victim: str
) -> None:
    github, _, folder = world
    repo = github.repository("octo/tea", private=True, files={"tea.py": "x = 1\n"})
    moments = random.Random(None if LONG else victim)
    slowest = 0.0
    with forked_hob(folder, settings(world, HOB_SERVER__PORT=str(_port())), "-n", "4") as hob:
        github.send_webhooks_to(f"{hob.url}/webhook")
        for number in range(kills(10)):
            pull = repo.open_pull_request(
                f"P{number}", {"tea.py": BROKEN + f"# {number}\n"}, author="ann", branch=f"b{number}"
            )
            time.sleep(moments.uniform(0.0, 1.2))
            hob.kill(victim)
            killed = time.monotonic()
            wait_for(lambda: victim in hob.children(), 30, hob)
            wait_for(lambda pull=pull: _told(github, hob, pull), 60, hob)
            slowest = max(slowest, time.monotonic() - killed)
    for pull in repo.pulls:
        assert len(pull.reviews) == 1, pull.title
        assert len(pull.check_runs) == 1, pull.title
    assert slowest < RESUMED + 5.0  # the review itself takes its seconds too


def _told(github: GitHubStandIn, hob: RunningHob, pull: PullRequest) -> bool:
    send_again(github, hob)
    return bool(pull.check_runs)


def test_R2_redis_emptied_loses_nothing(world: tuple[GitHubStandIn, FakeOllama, Path]) -> None:
    import redis

    github, _, folder = world
    repo = github.repository("octo/tea", private=True, files={"tea.py": "x = 1\n"})
    with forked_hob(folder, settings(world), "-n", "1") as hob:
        github.send_webhooks_to(f"{hob.url}/webhook")
        pulls = [
            repo.open_pull_request(
                f"P{number}", {"tea.py": BROKEN + f"# {number}\n"}, author="ann", branch=f"b{number}"
            )
            for number in range(6)
        ]
        github.flush()
        client = redis.Redis(unix_socket_path=str(folder / "data" / "redis" / "redis.sock"))
        client.flushall()
        client.close()
        wait_for(lambda: all(pull.check_runs for pull in pulls), 90, hob)
    assert [len(pull.reviews) for pull in pulls] == [1] * 6
    assert [len(pull.check_runs) for pull in pulls] == [1] * 6


def test_W4_the_same_guid_a_hundred_times_and_again_after_a_restart(
    world: tuple[GitHubStandIn, FakeOllama, Path],
) -> None:
    github, _, folder = world
    repo = github.repository("octo/tea", private=True, files={"tea.py": "x = 1\n"})
    pull: Any = None
    for _ in range(2):
        with forked_hob(folder, settings(world)) as hob:
            github.send_webhooks_to(f"{hob.url}/webhook")
            if pull is None:
                github.hold_deliveries()
                pull = repo.open_pull_request("P", {"tea.py": BROKEN}, author="ann")
                github.release_deliveries()
            first = github.deliveries[0]
            again = [github.redeliver(first) for _ in range(100)]
            github.flush()
            assert {one.status_code for one in again} == {202}
            wait_for(lambda: repo.check_runs, 60, hob)
    assert len(pull.reviews) == 1
    assert len(pull.check_runs) == 1


def test_R1_a_batch_whose_worker_is_killed_touches_each_issue_once(
    world: tuple[GitHubStandIn, FakeOllama, Path],
) -> None:
    """Killed while it lists, while it makes the requests, and while these are done."""
    github, ollama, folder = world
    ollama.answer = by_schema()
    repo = github.repository("octo/tea", private=True, files={"tea.py": "x = 1\n"})
    for number in range(12):
        repo.open_issue(f"Cold {number}", "It is.", author="ann")
    moments = random.Random(None if LONG else 11)
    with forked_hob(folder, settings(world), "-n", "2") as hob:
        sent = {"authorization": f"Bearer {(folder / 'api.token').read_text().strip()}"}
        body = {"repo": "octo/tea", "batch": "new_issues"}
        asked = httpx.post(f"{hob.url}/agents/issue/triage", json=body, headers=sent, timeout=60)
        assert asked.status_code == 202, asked.text
        for _ in range(kills(10)):
            time.sleep(moments.uniform(0.0, 1.5))
            hob.kill("work")
            wait_for(lambda: "work" in hob.children(), 30, hob)
        wait_for(lambda: all(one.labels for one in repo.issues.values()), 90, hob)
        run = f"{hob.url}/runs/{asked.json()['run']}"
        wait_for(lambda: httpx.get(run, headers=sent).json()["batch"]["over"] == 12, 60, hob)
    written = [one.path for one in github.writes() if one.path.endswith("/labels")]
    assert sorted(written) == sorted(f"/repos/octo/tea/issues/{number}/labels" for number in repo.issues)


def test_R15_a_restart_under_load_loses_nothing(world: tuple[GitHubStandIn, FakeOllama, Path]) -> None:
    github, _, folder = world
    repo = github.repository("octo/tea", private=True, files={"tea.py": "x = 1\n"})
    pulls = []
    for round_ in range(3 if LONG else 2):
        with forked_hob(folder, settings(world), "-n", "2") as hob:
            github.send_webhooks_to(f"{hob.url}/webhook")
            for number in range(4):
                name = f"b{round_}-{number}"
                pulls.append(
                    repo.open_pull_request(
                        name, {"tea.py": BROKEN + f"# {name}\n"}, author="ann", branch=name
                    )
                )
            github.flush()
            time.sleep(0.3)
    with forked_hob(folder, settings(world), "-n", "2") as hob:
        wait_for(lambda: all(pull.check_runs for pull in pulls), 90, hob)
    assert [len(pull.reviews) for pull in pulls] == [1] * len(pulls)


def _port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port
