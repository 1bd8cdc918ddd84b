"""From the event to the posted review, with a model that answers at once."""

import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bot.testing.github import GitHubStandIn
from bot.testing.github.pulls import PullRequest
from tests.bench import histories, hosts
from tests.bench.figure import Figure
from tests.fakes.models import FakeOllama
from tests.living import keeping_all
from tests.running import RunningHob, environment, running_hob, wait_for
from tests.tea import BROKEN, finding

ROUNDS = 15


def says(request: dict[str, Any]) -> dict[str, Any]:
    """One finding in whichever prompt shows f0.py."""
    if "verdicts" in request["format"]["properties"]:
        return keeping_all()
    shown = 'name="f0.py"' in request["messages"][1]["content"]
    return {"findings": [finding(path="f0.py")] if shown else [], "summary": ""}


def figures(folder: Path) -> Iterator[Figure]:
    with GitHubStandIn(folder / "github") as github, FakeOllama() as ollama:
        ollama.answer = says
        github.install_app("octo", slug="my-hob")
        repo = github.repository("octo/tea", private=True, files={"a.py": "x = 1\n"})
        with running_hob(folder, environment(folder, github, ollama.url, next(iter(ollama.models)))) as hob:
            github.send_webhooks_to(f"{hob.url}/webhook")
            seconds, answering = [], []
            for number in range(ROUNDS):
                took, github_took = _review(github, repo, number, hob, files=10)
                seconds.append(took - github_took)
                answering.append(github_took)
            own = statistics.median(seconds)
            note = f"GitHub's own answers took {statistics.median(answering) * 1000:.0f} ms"
            yield Figure(
                "event to posted review, 10 files, instant model, p50", f"{own:.2f} s", "< 1 s", own < 1, note
            )
            yield from _calls(github, repo, hob)
    yield from hosts.figures(folder)
    yield from histories.figures(folder)


def _calls(github: GitHubStandIn, repo: Any, hob: RunningHob) -> Iterator[Figure]:
    other_reviewers = {10: "PR-Agent 42", 100: "PR-Agent 121"}
    for files, most in ((10, 9), (100, 12)):
        before = len(github.requests)
        _review(github, repo, 100 + files, hob, files=files)
        since = github.requests[before:]
        calls = [one for one in since if not one.is_mint]
        writes = [one for one in calls if one.is_write]
        told = f"{len(calls)}, writes {len(writes)}, mints and revocations {len(since) - len(calls)}"
        met = len(calls) <= most and len(writes) <= 4
        yield Figure(
            f"GitHub calls for a pull request of {files} files",
            told,
            f"<= {most}, writes <= 4",
            met,
            other_reviewers[files],
        )


def _review(
    github: GitHubStandIn, repo: Any, number: int, hob: RunningHob, files: int
) -> tuple[float, float]:
    """Seconds from the delivery to the review, and those in which GitHub was answering."""
    changes = {f"f{n}.py": BROKEN for n in range(files)}
    before = len(github.requests)
    begun = time.monotonic()
    pull: PullRequest = repo.open_pull_request(f"Much {number}", changes, author="ann", branch=f"b{number}")
    opened = time.monotonic()
    github.wait_until(lambda: pull.reviews, 60)
    posted = time.monotonic()
    wait_for(lambda: pull.check_runs, 60, hob)
    wait_for(lambda: all(token.revoked for token in github.tokens.values()), 60, hob)
    answering = sum(one.seconds for one in github.requests[before:] if one.at <= time.time())
    return posted - min(begun, opened), min(answering, posted - begun)
