"""A thousand issues in one batch, with a model that answers at once, against GitHub's own limits.

An hour of GitHub's and every pause of Hob's last a fiftieth of what they do otherwise, so that it ends within
minutes; kill -9 of the worker falls in between.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx

from bot.testing.github import GitHubStandIn
from bot.testing.github.repository import Repository
from tests.bench.figure import Figure
from tests.fakes.models import FakeOllama
from tests.living import by_schema
from tests.running import RunningHob, environment, running_hob, wait_for

ISSUES = int(os.environ.get("HOB_BENCH_ISSUES", "1000"))
"""Fewer for a look."""
PACE = 0.02
"""Of a second of GitHub's."""
KILLS = 4
LONGEST = 1_800.0


def figures(folder: Path) -> Iterator[Figure]:
    with GitHubStandIn(folder / "github") as github, FakeOllama() as ollama:
        ollama.answer = by_schema()
        github.install_app("octo", slug="my-hob")
        repo = github.repository("octo/tea", private=True)
        for number in range(ISSUES):
            repo.open_issue(f"Cold {number}", "It is.", author="ann")
        github.limits.secondary, github.limits.pace = True, PACE
        settings = environment(folder, github, ollama.url, next(iter(ollama.models)))
        settings["HOB_GITHUB__WRITE_GAP_SECONDS"] = str(PACE)
        begun = time.monotonic()
        with running_hob(folder, settings) as hob:
            run = _ask(folder, hob, repo)
            _kill_now_and_then(hob, repo)
            wait_for(lambda: _labelled(repo) >= ISSUES, LONGEST, hob)
            wait_for(lambda: _over(folder, hob, run), 120, hob)
        yield from _told(github, repo, time.monotonic() - begun)


def _ask(folder: Path, hob: RunningHob, repo: Repository) -> int:
    body = {"repo": repo.full_name, "batch": "new_issues", "auto_comment": False}
    answer = httpx.post(f"{hob.url}/agents/issue/triage", json=body, headers=_operator(folder), timeout=60)
    assert answer.status_code == 202, answer.text
    run: int = answer.json()["run"]
    return run


def _over(folder: Path, hob: RunningHob, run: int) -> bool:
    time.sleep(1.0)
    found = httpx.get(f"{hob.url}/runs/{run}", headers=_operator(folder), timeout=60).json()["batch"]
    return bool(found["over"] == found["issues"] == ISSUES)


def _operator(folder: Path) -> dict[str, str]:
    return {"authorization": f"Bearer {(folder / 'api.token').read_text().strip()}"}


def _kill_now_and_then(hob: RunningHob, repo: Repository) -> None:
    moments = random.Random(11)
    for number in range(KILLS):
        wanted = ISSUES * (number + 1) // (KILLS + 2)
        wait_for(
            lambda wanted=wanted: sum(bool(one.labels) for one in repo.issues.values()) >= wanted,
            LONGEST,
            hob,
        )
        time.sleep(moments.uniform(0.0, 1.0))
        hob.kill("work")
        wait_for(lambda: "work" in hob.children(), 60, hob)


def _labelled(repo: Repository) -> int:
    return sum(bool(one.labels) for one in repo.issues.values())


def _told(github: GitHubStandIn, repo: Repository, seconds: float) -> Iterator[Figure]:
    calls = github.calls()
    refused = sum(one.status in (403, 429) for one in github.requests)
    limit = f"{github.limits.per_hour:,} calls and 500 writes an hour, 900 points and 80 writes a minute"
    yield Figure(f"batch of {ISSUES:,} issues: 403 and 429", str(refused), "0", refused == 0, limit)
    writes = Counter(one.path for one in calls if one.is_write and one.path.endswith("/labels"))
    touched = Counter(writes.values())
    once = set(touched) == {1} and len(writes) == ISSUES
    measured = ", ".join(f"{count} issues {times} times" for times, count in sorted(touched.items()))
    yield Figure(f"each touched once, the worker killed {KILLS} times", measured, f"{ISSUES:,} once", once)
    reads = [one for one in calls if not one.is_write and "issues(first" not in one.body.decode()]
    each = len(reads) / ISSUES
    spent = len(github.requests) - len(calls)
    yield Figure(
        "GitHub calls an issue beside its writes",
        f"{each:.2f} (mints and revocations {spent / ISSUES:.2f})",
        "<= 3",
        each <= 3,
    )
    hours = seconds / PACE / 3600
    yield Figure("the same in GitHub's hours", f"{hours:.1f} h", "told only", True, f"{seconds:.0f} s here")
