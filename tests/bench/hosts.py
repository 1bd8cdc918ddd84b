"""A large pull request over several model hosts of unequal speed, against a perfect share of the work."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from bot.testing.github import GitHubStandIn
from bot.testing.github.pulls import PullRequest
from tests.bench.figure import Figure
from tests.fakes.models import FakeOllama, Stage
from tests.living import keeping_all
from tests.running import environment, running_hob, wait_for

FILES = 60
SECONDS = (1.5, 1.0, 2.0, 1.2, 2.5, 1.7, 3.0, 1.4)
"""What an answer takes at each host."""
MODEL = "qwen2.5-coder:14b"
ROUNDS = 3


def figures(folder: Path) -> Iterator[Figure]:
    starts: list[float] = []
    for count in (1, 2, 4, 8):
        place = folder / f"hosts-{count}"
        place.mkdir()
        yield _figure(place, SECONDS[:count], starts)
    start = sorted(starts)[len(starts) // 2]
    told = f"{start:.2f} s"
    yield Figure(f"event to first question, {FILES} files, p50", told, "<= 1 s", start <= 1)


def _figure(folder: Path, seconds: tuple[float, ...], starts: list[float]) -> Figure:
    asked: list[float] = []
    with ExitStack() as stack:
        github = stack.enter_context(GitHubStandIn(folder / "github"))
        ollamas = [stack.enter_context(FakeOllama()) for _ in seconds]
        for ollama, each in zip(ollamas, seconds, strict=True):
            ollama.answer = _slow(each, asked)
        hosts = [{"name": f"h{number}", "url": each.url} for number, each in enumerate(ollamas)]
        github.install_app("octo", slug="my-hob")
        repo = github.repository("octo/tea", private=True, files={"a.py": "x = 1\n"})
        settings = environment(folder, github, "", MODEL, HOB_HOSTS=json.dumps(hosts))
        hob = stack.enter_context(running_hob(folder, settings))
        github.send_webhooks_to(f"{hob.url}/webhook")
        took: list[float] = []
        perfect = 0.0
        for number in range(ROUNDS):
            asked.clear()
            changes = {f"src/m{n:02}.py": _code(n, number) for n in range(FILES)}
            pull = repo.open_pull_request(f"Much {number}", changes, author="ann", branch=f"b{number}")
            opened = time.monotonic()
            wait_for(partial(_reviewed, pull), 120, hob)
            took.append(time.monotonic() - opened)
            starts.append(max(0.0, min(asked) - opened))
            perfect = len(asked) / sum(1 / each for each in seconds)
        most = max(each.at_once for each in ollamas)
    bar = 1.25 * perfect + 1.5
    slowest = max(took)
    return Figure(
        f"event to review, {FILES} files, {len(seconds)} host{'s' * (len(seconds) > 1)}, slowest of {ROUNDS}",
        f"{slowest:.1f} s, never above {most} at a host",
        f"<= {bar:.1f} s, 1 at a host",
        slowest <= bar and most == 1,
        f"a perfect share of {len(asked)} questions {perfect:.1f} s",
    )


def _reviewed(pull: PullRequest) -> bool:
    return any(run.status == "completed" for run in pull.check_runs)


def _slow(seconds: float, asked: list[float]) -> Any:
    async def act(stage: Stage) -> None:
        asked.append(time.monotonic())
        await asyncio.sleep(seconds)
        verifies = "verdicts" in stage.request["format"]["properties"]
        await stage.say(keeping_all() if verifies else {"findings": [], "summary": ""})

    return lambda _: act


def _code(number: int, round_: int) -> str:
    """About 1.4 KB."""
    lines = (f"    water_{n} = leaves + {n + number + round_}\n" for n in range(40))
    return f"def brew_{number}(leaves):\n" + "".join(lines) + "    return leaves\n"
