"""One Hob on several machines: receivers behind a balancer, workers, schedulers; killed, and upgraded one by
one while events pour in."""

import re
import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from bot.queue.embedded import Embedded
from bot.store import migrate, open_store
from bot.store.schema import schema_age
from bot.testing.github import GitHubStandIn
from bot.testing.github.repository import Repository
from tests.databases import Cluster
from tests.fakes.github import checked_github
from tests.fakes.models import FakeOllama
from tests.faults.test_kills import send_again
from tests.living import by_schema
from tests.long import LONG
from tests.machines import Balancer, Machine, Machines, machines, next_version
from tests.running import environment
from tests.store.conftest import cluster

__all__ = ["cluster"]

pytestmark = [pytest.mark.kills, pytest.mark.timeout(600), pytest.mark.xdist_group("kills")]
TRIAGE = {"kind": "bug", "labels": ["bug"], "priority": "normal", "summary": "", "missing": [], "reply": ""}
EACH = 100 if LONG else 5
"""Issues that are opened while something is done to the machines, two a second."""


@pytest.fixture
def own_redis() -> Iterator[Embedded]:
    folder = Path(tempfile.mkdtemp(prefix="hob-q-"))  # a short path: it is a socket's
    server = Embedded(folder)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHubStandIn]:
    with checked_github(tmp_path / "github") as made:
        made.install_app("octo", slug="my-hob")
        yield made


@pytest.fixture
def ollama() -> Iterator[FakeOllama]:
    with FakeOllama() as host:
        host.answer = by_schema(triage=TRIAGE)
        host.token_seconds = 0.005
        yield host


@pytest.fixture
def several(
    tmp_path: Path, github: GitHubStandIn, ollama: FakeOllama, own_redis: Embedded, cluster: Cluster
) -> Iterator[Machines]:
    """PostgreSQL and Redis that all share, and an API token; no process yet."""
    token = tmp_path / "shared.token"
    token.touch(mode=0o600)
    token.write_text("a-token-that-all-receivers-have\n")
    settings = environment(
        tmp_path,
        github,
        ollama.url,
        next(iter(ollama.models)),
        HOB_QUEUE__REDIS_URL=own_redis.url,
        HOB_STORE__DATABASE_URL=cluster.new_database(),
        HOB_API__TOKEN_FILE=str(token),
    )
    migrate(settings["HOB_STORE__DATABASE_URL"])
    with machines(tmp_path / "machines", settings) as made:
        yield made


class Pouring:
    """Issues are opened while machines come and go, `EACH` for each `more`; what nobody acknowledged is sent
    again, as GitHub is asked to by whoever looks for what was missed."""

    def __init__(self, github: GitHubStandIn, repo: Repository) -> None:
        self._github, self._repo = github, repo
        self._wanted = 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._pour, daemon=True)
        self._thread.start()

    def _pour(self) -> None:
        while not self._stopped.wait(0.5):
            if len(self._repo.issues) < self._wanted:
                self._repo.open_issue(f"Cold {len(self._repo.issues)}", "It is.", author="ann")
            with suppress(TimeoutError):  # on a busy machine: once more in a moment
                send_again(self._github, None)  # type: ignore[arg-type]  # it asks nothing of the Hob

    def more(self) -> None:
        self._wanted = len(self._repo.issues) + EACH

    @property
    def done(self) -> int:
        return sum(bool(one.labels) for one in list(self._repo.issues.values()))

    def settled(self) -> bool:
        return self._thread.is_alive() and self.done == self._wanted

    def __str__(self) -> str:
        left = [number for number, one in self._repo.issues.items() if not one.labels]
        states = [(one.guid, one.status_code) for one in list(self._github.deliveries) if not one.ok]
        return f"{self._wanted} wanted, unlabelled: {left}, not taken: {states}, {self._thread.is_alive()}"

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()


def test_R15_all_that_starts_before_the_database_and_Redis_waits_for_them(
    several: Machines, github: GitHubStandIn, own_redis: Embedded, cluster: Cluster
) -> None:
    """As after a power cut. PostgreSQL also refuses for a while when it is there: it recovers first."""
    repo = github.repository("octo/tea", private=True, files={"tea.py": "x = 1\n"})
    own_redis.stop()
    cluster.stop()
    try:
        every = ("serve",), ("schedule",), ("work", "--no-schedule", "-n", "2"), ("work",), ("migrate",)
        started = [several.start(*words) for words in every]
        waits = "waiting up to 60 s: the database cannot be used"
        several.wait(lambda: all(waits in one.log for one in started))
        assert [one.process.poll() for one in started] == [None] * 5
    finally:
        cluster.start()
    *_, migrating = started
    assert migrating.process.wait(60) == 0, migrating.log
    own_redis.start()
    several.wait(lambda: listening(several))
    github.send_webhooks_to(f"http://127.0.0.1:{started[0].port}/webhook")
    repo.open_issue("Cold", "It is.", author="ann")
    several.wait(lambda: repo.issues[1].labels)
    assert [one.process.poll() for one in started[:-1]] == [None] * 4
    assert no_traceback(several.all)


def listening(several: Machines) -> list[int]:
    return [one.port for one in several.all if one.process.poll() is None and one.port]


def each_once(several: Machines, github: GitHubStandIn, repo: Repository) -> None:
    """The oracle: each issue was sorted, once, and no run is left."""
    store = open_store(several.settings["HOB_STORE__DATABASE_URL"])
    several.wait(lambda: set(store.runs.counts()) <= {"done", "ignored", "superseded"})
    store.close()
    written = Counter(one.path for one in github.writes() if one.path.endswith("/labels"))
    assert written == {f"/repos/octo/tea/issues/{number}/labels": 1 for number in repo.issues}


def test_R15_a_rolling_upgrade_under_load_loses_nothing_and_does_nothing_twice(
    tmp_path: Path, several: Machines, github: GitHubStandIn
) -> None:
    """Newer processes before the migration, older ones after it, a receiver that is killed and one that is
    replaced, workers and schedulers likewise."""
    newer = next_version(tmp_path / "next")
    database = several.settings["HOB_STORE__DATABASE_URL"]
    repo = github.repository("octo/tea", private=True, files={"tea.py": "x = 1\n"})
    work, scheduled = ("work", "--no-schedule", "-n", "4"), ("schedule",)
    balancer = Balancer(lambda: listening(several))
    old = [several.start(*words) for words in (("serve",), ("serve",), work, scheduled)]
    several.wait(lambda: len(listening(several)) == 2)
    github.send_webhooks_to(f"{balancer.url}/webhook")
    pouring = Pouring(github, repo)
    pouring.more()
    several.wait(lambda: pouring.done > 2)

    # The newer version waits for its schema, and says so. The older one goes on, and starts, on the newer's.
    first = several.start("serve", version=newer)
    several.wait(lambda: "waiting up to 60 s for the database to be migrated: run hob migrate" in first.log)
    assert not first.port
    pouring.more()
    assert several.start("migrate", version=newer).process.wait(120) == 0
    several.wait(lambda: first.port)
    store = open_store(database)
    assert schema_age(store.database) == "newer"
    store.close()
    pouring.more()
    old[2].kill()
    old.append(several.start(*work))
    several.wait(lambda: "working, 4 runs at once" in old[-1].log)

    # One after another: a receiver by kill -9, all else by SIGTERM.
    pouring.more()
    old[0].kill()
    new = [several.start(*words, version=newer) for words in (work, scheduled)]
    several.wait(lambda: "working, 4" in new[0].log and "scheduling" in new[1].log)
    assert [one.stop() for one in (old[1], old[3], old[4])] == [0, 0, 0]
    pouring.more()
    try:
        several.wait(pouring.settled)
    except TimeoutError as late:
        raise TimeoutError(f"{pouring}\n{late}") from None
    pouring.stop()
    each_once(several, github, repo)
    balancer.close()
    assert len(balancer.taken) == 3  # every receiver had its turn
    assert no_traceback(several.all)


def no_traceback(all_: list[Machine]) -> bool:
    assert not (found := [one.log[-3000:] for one in all_ if "Traceback" in one.log]), found
    return True


def test_W4_D3_two_receivers_are_one_hob_to_github_and_to_people(
    several: Machines, github: GitHubStandIn
) -> None:
    repo = github.repository("octo/tea", private=True, files={"tea.py": "x = 1\n"})
    one, other = several.start("serve"), several.start("serve")
    several.start("work", "-n", "2")
    several.wait(lambda: one.port and other.port)
    urls = [f"http://127.0.0.1:{machine.port}" for machine in (one, other)]
    repo.open_issue("Cold", "It is.", author="ann")
    (delivery,) = [found for found in github.deliveries if found.event == "issues"]

    def send(url: str) -> httpx.Response:
        return httpx.post(f"{url}/webhook", content=delivery.body, headers=delivery.headers, timeout=30)

    both = [send(urls[turn % 2]) for turn in range(10)]
    assert {answer.status_code for answer in both} == {202}
    assert [answer.json()["duplicate"] for answer in both].count(False) == 1
    several.wait(lambda: repo.issues[1].labels)
    token = {"authorization": "Bearer a-token-that-all-receivers-have"}
    # Runs go on between the two requests (a schedule's, the index): they are the same in the end.
    several.wait(lambda: len({httpx.get(f"{url}/runs", headers=token).text for url in urls}) == 1)

    # Signed in at one, known to the other; what is set at one counts at the other.
    with httpx.Client(follow_redirects=False) as browser:
        entered = browser.post(f"{urls[0]}/login", data={"token": "a-token-that-all-receivers-have"})
        assert entered.status_code == 303
        assert [browser.get(url).status_code for url in urls] == [200, 200]
    said = httpx.put(f"{urls[0]}/settings/repos/octo/tea", json={"language": "de"}, headers=token)
    assert said.status_code == 201, said.text
    assert httpx.get(f"{urls[1]}/settings/repos/octo/tea", headers=token).json() == said.json()

    # Each counts wrong tokens by itself: to guess at n receivers is n times five a minute, of 32 bytes.
    for url in urls:
        tried = [httpx.post(f"{url}/login", data={"token": "wrong"}).status_code for _ in range(7)]
        assert tried == [401] * 5 + [429] * 2

    # One dies: the other takes all.
    one.kill()
    repo.open_issue("Cold again", "It is.", author="ann")
    delivery = next(found for found in reversed(github.deliveries) if found.event == "issues")
    balancer = Balancer(lambda: [int(re.sub(r".*:", "", url)) for url in urls])
    assert [send(balancer.url).status_code for _ in range(4)] == [202] * 4
    several.wait(lambda: repo.issues[2].labels)
    balancer.close()
    time.sleep(0.2)
    labels = Counter(found.path for found in github.writes() if found.path.endswith("/labels"))
    assert set(labels.values()) == {1} and len(labels) == 2
