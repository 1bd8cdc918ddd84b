"""What a host reads of a review of ten parts with verification, and how long that takes: prompts that share a
beginning beside prompts of before, which had it behind a fence of their own each (`tests/bench/before`).

The host has one place. It keeps what it read there last and reads of the next prompt what follows the common
beginning, as Ollama does; it reads 900 tokens a second and writes 30, on a clock that jumps.
"""

import asyncio
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bot.agents import review
from bot.core.code_search import Excerpt
from bot.core.context_packing import ContextCandidate
from bot.core.facts import LinkedIssue, PullRequestFacts
from bot.core.hosts import Host, HostModel
from bot.core.inference import Passage, Prompt, PromptTexts
from bot.core.settings import RepoSettings, ReviewSettings
from bot.inference.hosts.pool import Pool
from bot.inference.infer import make_infer
from bot.inference.runners import ChatRequest, Heard, Reply
from bot.inference.token_budget import Render
from bot.prompting import new_fence, parse, render, rendered
from tests.agents.facts import pull_request
from tests.bench.figure import Figure
from tests.bench.simulation import run_at_once
from tests.tea import finding

PARTS = 10
READS, WRITES, CHARS = 900, 30, 3.5
"""Tokens a second, and characters of a token."""
MODEL = HostModel("coder:14b", 16_384, loaded=True)
BEFORE = {
    path.stem: parse(path.stem, path.read_text(), str(path))
    for path in (Path(__file__).parent / "before").glob("*.md")
}
_OWN = "guideline for these files"
_BLOCK = re.compile(r'<data-([0-9a-f]{12}) name="([^"]*)">\n(.*?)\n</data-\1>', re.DOTALL)


def _is_own(name: str) -> bool:
    return name.startswith(("src/", "around pot/", "finding ", _OWN))


def figures(_: Path) -> Iterator[Figure]:
    before, now = _reviewed(as_before), _reviewed(rendered)
    read = [sum(one.fresh) / sum(now.own) for one in (now, before)]
    yield Figure(
        f"tokens read anew in a review of {PARTS} parts with verification, beside the parts' own text",
        f"{read[0]:.3f}: {sum(now.fresh):,} for {sum(now.own):,.0f}",
        "<= 1.10",
        read[0] <= 1.10 and len(now.counted) == PARTS + 1,
        f"{read[1]:.3f}: {sum(before.fresh):,}",
    )
    ratio = now.seconds / before.seconds
    yield Figure(
        f"that review on a host that reads {READS} tokens/s and writes {WRITES}",
        f"{now.seconds:.1f} s, {ratio:.2f} x",
        "<= 0.75 x",
        ratio <= 0.75,
        f"{before.seconds:.1f} s",
    )


@dataclass
class SimulatedHost:
    """One place. Tokens of each prompt: all, those that were read anew, and those of the part's own text."""

    host: Host
    counted: list[int] = field(default_factory=list)
    fresh: list[int] = field(default_factory=list)
    own: list[float] = field(default_factory=list)
    written: int = 0
    seconds: float = 0.0
    """From the first question to the last answer."""
    _kept: str = ""

    async def chat(self, request: ChatRequest, heard: Heard | None = None) -> Reply:
        text = f"{request.system}\n{request.user}"
        same = next((at for at, (a, b) in enumerate(zip(self._kept, text, strict=False)) if a != b), 0)
        tokens, kept = int(len(text) / CHARS), int(same / CHARS)
        answer = json.dumps(_answer(request))
        written, reading = int(len(answer) / CHARS), (tokens - kept) / READS
        self._kept = text + answer
        self.counted.append(tokens)
        self.fresh.append(tokens - kept)
        self.own.append(
            sum(len(name + one) for _, name, one in _BLOCK.findall(request.user) if _is_own(name)) / CHARS
        )
        self.written += written
        await asyncio.sleep(reading + written / WRITES)
        return Reply(answer, tokens, written, reading, reading_seconds=reading)

    async def models(self) -> tuple[HostModel, ...]:
        return (MODEL,)

    async def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        return []

    async def loaded(self) -> tuple[str, ...]:
        return (MODEL.name,)

    async def aclose(self) -> None:
        return


def as_before(prompt: Prompt[Any], passages: Sequence[Passage], so_far: str = "") -> PromptTexts:
    """A question of today in the words and the order of before."""
    file = BEFORE[prompt.name]
    if prompt.name == "verify":
        inputs = {"title": prompt.inputs["title"]}
        passages = [one for one in passages if one.name.startswith("finding ")]
    else:
        told = [prompt.inputs["instructions"], *(one.text for one in passages if one.name == _OWN)]
        inputs = {**prompt.inputs, "instructions": "\n".join(filter(None, told))}
        passages = [one for one in passages if one.name != _OWN]
    fence = new_fence([so_far, *inputs.values(), *(one.text for one in passages)])
    return render(file, replace(prompt, inputs=inputs, beginning=None), passages, fence, so_far)


def _answer(request: ChatRequest) -> dict[str, Any]:
    """A finding in three of ten parts, of which one is refuted; and the summary where it is asked for."""
    if "verdicts" in request.schema["properties"]:
        claims = range(request.user.count('name="finding '))
        return {"verdicts": [{"index": n, "reason": "It is so.", "keep": n % 4 > 0} for n in claims]}
    path = next(name for _, name, _ in _BLOCK.findall(request.user) if name.startswith("src/"))
    number = int(re.sub(r"\D", "", path))
    quote = f"    kettle_{number}.fill(leaves, 3)"
    found = [finding(path=path, quote=quote, title=f"Fills kettle {number} twice")] if number % 8 == 0 else []
    told = {"summary": f"Brews tea in {path}, now with a kettle of its own, and says when water is lacking."}
    return {"findings": found, **(told if "`summary`" in request.system else {})}


def _reviewed(texts: Render) -> SimulatedHost:
    """The host after the review."""
    made: list[SimulatedHost] = []

    def runner(host: Host) -> SimulatedHost:
        made.append(SimulatedHost(host))
        return made[-1]

    async def asked() -> float:
        pool = Pool([Host("mini", "scripted", "")], runner=runner)
        begun = asyncio.get_running_loop().time()
        await review.plan(_large(), make_infer(pool, {"review": (MODEL.name,)}, texts))
        took = asyncio.get_running_loop().time() - begun
        await pool.aclose()
        return took

    took = run_at_once(asked)
    made[0].seconds = took
    return made[0]


def _large() -> PullRequestFacts:
    """Ten parts of two files each, in a repository that says how it wants its code."""
    files = {f"src/tea{n:02}.py": _code(n) for n in range(2 * PARTS)}
    settings = RepoSettings(review=ReviewSettings(max_calls=40, max_comments=20, min_severity="nit"))
    facts = pull_request(files, settings)
    rules = "\n".join(
        f"- Rule {n}: a kettle of kind {n} is filled before it is heated, never after." for n in range(26)
    )
    kettle = _excerpt("lib/kettle.py", 99, 12)
    told = tuple(f"Every function of group {n} says what it pours, in litres." for n in range(12))
    return replace(
        facts,
        body="Brews every tea in a kettle of its own, because kettles of several teas were never clean.\n"
        * 14,
        context=replace(facts.context, guidelines=(("AGENTS.md", rules),)),
        guides=dict.fromkeys(files, ("AGENTS.md",)),
        instructions=dict.fromkeys(files, told),
        linked_issues=(
            LinkedIssue(3, "Teas taste of each other", "Two teas in one kettle taste alike. " * 28),
        ),
        around={path: (kettle, _excerpt(f"pot/{path}", n, 40)) for n, path in enumerate(files)},
    )


def _excerpt(path: str, number: int, lines: int) -> ContextCandidate:
    return ContextCandidate(Excerpt(path, 1, tuple(_code(number).split("\n")[:lines])), 0.9)


def _code(number: int) -> str:
    """About 4,400 characters in functions of some lines."""
    head = f'"""Tea number {number}."""\n\nfrom lib import kettle_{number}\n\n'
    return head + "\n".join(
        f"def brew_{number}_{part}(leaves, water):\n"
        f'    """Cups of tea {part} from {number} leaves."""\n'
        f"    if water < {part}:\n"
        f"        raise ValueError('too little water for tea {number}.{part}')\n"
        f"    cups = [water / (leaf + {part}) for leaf in leaves]\n"
        f"    kettle_{number}.fill(leaves, {part})\n"
        f"    return [cup for cup in cups if cup > {number}]\n\n"
        for part in range(17)
    )
