"""The nightly scan of a repository of 1,000 files over five nights, by the real processes of Hob (a receiver,
two workers, Redis) whose workers are killed with `kill -9` several times a night: does it go on where it was,
stay in its budget, and say nothing twice? The clock of all processes is set from night to night. The model
is scripted, over HTTP.

`HOB_BENCH_FILES`, `HOB_BENCH_NIGHTS`, `HOB_BENCH_SEED`.
"""

import os
import random
import re
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.core.due_times import NIGHT_HOUR, spread
from bot.testing.github.repository import Repository
from tests.bench.figure import Figure
from tests.faults.asked import World
from tests.faults.forked import Forking
from tests.faults.lives import world
from tests.faults.tree import wait_until
from tests.living import by_schema
from tests.tea import finding

FILES = int(os.environ.get("HOB_BENCH_FILES", "1000"))
NIGHTS = int(os.environ.get("HOB_BENCH_NIGHTS", "5"))
SEED = int(os.environ.get("HOB_BENCH_SEED", "1"))
BUDGET = 60
"""Questions a night."""
KILLS = (3, 1, 4, 2, 2)
"""A night, at random moments of its reading; a run is given up when its worker died three times over it."""
BAD, EVERY = "    return water / 0\n", 7
"""What is wrong in each seventh file."""
PATIENCE = 180.0
_PATH = re.compile(r"src/part\d\d/m\d{4}\.py")


@dataclass
class Asked:
    """What the model was asked, by night; its answers are as long as those of a small one."""

    night: int = 0
    reads: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    questions: Counter[int] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, request: dict[str, Any]) -> Any:
        text = str(request["messages"][-1]["content"])
        paths = sorted(set(_PATH.findall(text)))
        with self.lock:
            self.questions[self.night] += 1
            if "findings" in request["format"]["properties"]:
                self.reads[self.night] += paths
        found = [finding(path=paths[0])] if paths and BAD.strip() in text else []
        return by_schema(review={"findings": found, "summary": "x"})(request)


def made(people: World) -> Repository:
    """Its files, and a history that mended some of them."""
    settings = f"review: {{scan: {BUDGET}}}\n"
    files = {".github/hob.yml": settings} | {path(n): code(n) for n in range(FILES)}
    repo = people.github.repository("octo/tea", private=True, files=files)
    for n in range(0, FILES, 50):
        repo.push({path(n): code(n, "# hot\n")}, "Fix a crash")
    return repo


def path(n: int) -> str:
    return f"src/part{n % 20:02}/m{n:04}.py"


def code(n: int, head: str = "") -> str:
    steps = "".join(f"    step_{one} = water + {n * 31 + one}\n" for one in range(10 + n % 30))
    return f"{head}def brew_{n}(water):\n{steps}{'' if n % EVERY else BAD}    return step_1\n"


@dataclass
class Night:
    """What one was like. `over`: the state of its run."""

    kills: int
    resumed: int
    over: str
    summary: str
    files: int


def one_night(people: World, asked: Asked, repo: Repository, number: int, start: datetime) -> Night:
    """From its hour to the end of its run, with workers killed."""
    chance, tree = random.Random(SEED * 100 + number), people.tree
    offset = spread("nightly", repo.id, "night") + 5
    asked.night = number
    clock = (start + timedelta(days=number, seconds=offset)).timestamp() - time.time()
    tree.set_clock(clock)
    slot = (start + timedelta(days=number)).date().isoformat()

    def run() -> Any:
        with closing(tree.connect()) as database:
            return database.execute(
                "SELECT state, crashes, summary, error, not_before FROM runs"
                " WHERE handler = 'nightly' AND delivery LIKE ?",
                [f"schedule:{slot}%"],
            ).fetchone()

    def over() -> bool:
        """And lets no time pass in which it only waits."""
        nonlocal clock
        tree.tend()
        if (now := run()) and now[0] == "queued" and now[4] > time.time() + clock:
            clock = now[4] - time.time()
            tree.set_clock(clock)
        return bool(now and now[0] in ("done", "dead"))

    killed = 0
    for moment in sorted(chance.randrange(2, BUDGET - 4) for _ in range(KILLS[(number - 1) % len(KILLS)])):
        wait_until(lambda moment=moment: asked.questions[number] >= moment or over(), PATIENCE)
        if over():
            break
        time.sleep(chance.uniform(0.0, 0.3))
        for victim in ("worker", "worker 2"):
            tree.kill(victim)
        killed += 1
        before = asked.questions[number]
        tree.tend()
        wait_until(lambda before=before: asked.questions[number] > before or over(), PATIENCE)
    wait_until(over, PATIENCE)
    state, crashes, summary, error, _ = run()
    with closing(tree.connect()) as database:
        (files,) = database.execute(
            "SELECT count(*) FROM scans WHERE night = ? AND blob != ''", [slot]
        ).fetchone()
    return Night(killed, crashes - (state == "dead"), state, summary or error, files)


def figures(folder: Path) -> Iterator[Figure]:
    asked = Asked()
    (folder / "forked").mkdir()
    more = {"HOB_KNOWLEDGE__ENABLED": "true", "HOB_CACHE__ENABLED": "true", "HOB_QUEUE__LEASE_SECONDS": "3"}
    more |= {"HOB_INTAKE__RECONCILE_MINUTES": "1440"}
    with Forking(folder / "forked") as forking, world(folder, forking, **more) as people:
        people.ollama.answer = asked.answer
        people.ollama.token_seconds = 0.002
        repo = made(people)
        indexed = "SELECT count(*) FROM runs WHERE handler LIKE 'knowledge.%' AND state = 'done'"
        start = datetime.now(UTC).replace(hour=NIGHT_HOUR, minute=0, second=0, microsecond=0)

        def ready() -> bool:
            people.tree.tend()
            return bool(people.tree.connect().execute(indexed).fetchone()[0]) and not people.tree.unsettled()

        assert wait_until(ready, PATIENCE), people.tree.said()
        nights = []
        for number in range(1, NIGHTS + 1):
            nights.append(one_night(people, asked, repo, number, start))
            print(f"night {number}: {nights[-1]}, {asked.questions[number]} questions", file=sys.stderr)
        with closing(people.tree.connect()) as database:
            said = database.execute(
                "SELECT fingerprint FROM findings WHERE repo_id = ?", [repo.id]
            ).fetchall()
            kept = database.execute(
                "SELECT path, findings FROM scans WHERE repo_id = ?", [repo.id]
            ).fetchall()
        issues = [one for one in repo.issues.values() if one.author.login == "my-hob[bot]"]
        listed = [row for one in issues for row in one.body.split("\n") if row.startswith("- `src/")]
        comments = sum(len(one.comments) for one in repo.issues.values())
    yield from _rows(asked, nights, [one for (one,) in said], dict(kept), listed, len(issues), comments)


def _rows(
    asked: Asked,
    nights: list[Night],
    said: list[str],
    kept: dict[str, str],
    listed: list[str],
    issues: int,
    comments: int,
) -> Iterator[Figure]:
    read = [one.files for one in nights]
    yield Figure(
        f"nightly scan, {FILES} files: files read a night", _list(read), "each night some", all(read)
    )
    most = [asked.questions[number] for number in range(1, len(nights) + 1)]
    yield Figure("questions asked a night", _list(most), f"<= {BUDGET}", max(most) <= BUDGET)
    kills, resumed = sum(one.kills for one in nights), sum(one.resumed for one in nights)
    dead = sum(one.over == "dead" for one in nights)
    name = "workers killed (-9), and how often the same night went on"
    yield Figure(
        name, f"{kills}, {resumed}, {dead} given up until the next night", "all", resumed + dead == kills
    )
    where: dict[str, set[int]] = defaultdict(set)
    for number, paths in asked.reads.items():
        for one in paths:
            where[one].add(number)
    twice = [one for one, found in where.items() if len(found) > 1]
    again = sum(sum(count - 1 for count in Counter(paths).values()) for paths in asked.reads.values())
    yield Figure("files read in more than one night", str(len(twice)), f"<= {dead}", len(twice) <= dead)
    yield Figure("files begun again after a kill", str(again), f"<= {kills}", again <= kills)
    bad = {one for one, found in kept.items() if found not in ("", "[]") and "Division" in found}
    doubled = len(said) - len(set(said)) + len(listed) - len(set(listed))
    yield Figure("findings said twice (dashboard, issue)", str(doubled), "0", doubled == 0)
    told = f"{len(set(said))} of {len(bad)} in the dashboard; {issues} issue, {comments} comments"
    whole = len(set(said)) == len(bad) and (issues, comments) == (1, 0)
    yield Figure("findings said", told, "all, 1 issue, no comment", whole)


def _list(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers))
