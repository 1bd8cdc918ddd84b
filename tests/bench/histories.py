"""Whether remarks are on the right lines, suggestions apply, and large changes are read: over pull requests
cut from this repository's history and from made-up ones (`tests.histories`), with a scripted model over
HTTP."""

import asyncio
import random
import re
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

from bot.core.diff import render
from bot.testing.github import GitHubStandIn
from tests.agents.facts import new_file
from tests.bench.figure import Figure
from tests.fakes.models import FakeOllama
from tests.histories import SETTINGS, Tally, judged, made, own, says, true_points
from tests.living import LivingHob, living_hob

PULLS = 300
_CONTEXT = re.compile(r'<data-([0-9a-f]+) name="(?:around|guideline|issue) .*?</data-\1>', re.DOTALL)


def figures(folder: Path) -> Iterator[Figure]:
    for kind in ("true", "untrue"):
        yield from _quotes(kind, asyncio.run(_judged(folder / kind, kind)))
    yield from asyncio.run(_large(folder / "large"))


async def _judged(folder: Path, kind: str) -> Tally:
    folder.mkdir()
    tally = Tally()
    with GitHubStandIn(folder / "github") as github, FakeOllama() as ollama:
        async with living_hob(folder, github, ollama) as hob:
            repo = github.repository("octo/tea", private=True, files={"a.py": "x = 1\n"})
            for number, cut in enumerate(islice(chain(own(PULLS // 2), made(PULLS)), PULLS)):
                await judged(hob, repo, cut, number, kind, tally)
    return tally


def _quotes(kind: str, tally: Tally) -> Iterator[Figure]:
    what = f"{tally.pulls} pull requests, {tally.points} findings with {kind} quotes"
    places = f"inline {tally.inline}, summary {tally.in_summary}, check run {tally.annotated}"
    places += f", counted {tally.counted}"
    if kind == "true":
        good = tally.inline - len(tally.wrong)
        yield Figure(
            f"{what}: on the right line", f"{good} of {tally.points}", "all", good == tally.points, places
        )
        accepted = tally.pulls - len(tally.refused)
        yield Figure("reviews taken at first POST", f"{accepted} of {tally.pulls}", "all", not tally.refused)
        applied = tally.suggestions - len(tally.not_applied)
        parsed = tally.suggestions - len(tally.not_parsed)
        both = f"{applied} and {parsed} of {tally.suggestions}"
        fine = not tally.not_applied and not tally.not_parsed and tally.suggestions > 0
        yield Figure("suggestions that apply, and still parse", both, "all", fine)
    else:
        yield Figure(f"{what}: on wrong lines", str(len(tally.wrong)), "0", not tally.wrong, places)
        yield Figure("pull requests whose findings were lost", str(len(tally.lost)), "0", not tally.lost)


async def _large(folder: Path) -> list[Figure]:
    folder.mkdir()
    found: list[Figure] = []
    with GitHubStandIn(folder / "github") as github, FakeOllama() as ollama:
        async with living_hob(folder, github, ollama) as hob:
            settings = SETTINGS.replace("max_calls: 200", "max_calls: 40")
            repo = github.repository("octo/tea", private=True, files={".github/hob.yml": settings})
            found.append(await _ratio(hob, repo))
            found += await _parts(hob, repo)
    return found


async def _ratio(hob: LivingHob, repo: Any) -> Figure:
    """Thirty files of about 1,500 characters, eight findings."""
    files = _files(30)
    pull = repo.open_pull_request("Thirty", files, author="ann", branch="thirty")
    hob.ollama.answer = says(true_points(pull, random.Random(1), 8), [])
    before = len(hob.ollama.chats)
    await hob.works()
    chats = hob.ollama.chats[before:]
    texts = ["".join(str(one["content"]) for one in chat["messages"]) for chat in chats]
    asked = sum(len(_CONTEXT.sub("", text)) for text in texts)
    diff = sum(len(render(new_file(path, text))) for path, text in files.items())
    ratio = asked / diff
    note = f"{len(chats)} prompts, {asked:,} for {diff:,} characters"
    name = "prompt characters per diff character, review and verify, 30 files"
    return Figure(name, f"{ratio:.2f}", "<= 1.6", ratio <= 1.6, note)


async def _parts(hob: LivingHob, repo: Any) -> list[Figure]:
    pull = repo.open_pull_request("Many", _files(300), author="ann", branch="many")
    hob.ollama.answer = says([], [])
    before = len(hob.ollama.chats)
    await hob.works()
    chats = hob.ollama.chats[before:]
    (check,) = pull.check_runs
    model = next(iter(hob.ollama.models.values()))
    sizes = [sum(len(one["content"]) for one in chat["messages"]) / model.chars_per_token for chat in chats]
    fit = all(size < chat["options"]["num_ctx"] for size, chat in zip(sizes, chats, strict=True))
    said = "not reached" not in (check.text or "") and "review.max_calls" in (check.text or "")
    stated = said or (check.title or "").endswith("in 300 of 300 files")
    return [
        Figure(
            "a pull request of 300 files: largest of its prompts, tokens",
            f"{max(sizes):,.0f} in {len(chats)} prompts",
            "2,000 to 4,000; all fit",
            fit and max(sizes) <= 4_500,
            check.title or "",
        ),
        Figure("its coverage is stated", "yes" if stated else "no", "yes", stated),
    ]


def _files(count: int) -> dict[str, str]:
    """About 1,500 characters each, no two lines alike."""
    rng = random.Random(count)
    words = ["brew", "pour", "steep", "kettle", "leaf", "water"]
    return {
        f"src/m{number:03}.py": "".join(
            f"{rng.choice(words)}_{number}_{line} = {rng.choice(words)}({rng.randrange(9_999)})\n"
            for line in range(50)
        )
        for number in range(count)
    }
