"""How many false claims of a reviewer are refuted, and how many true ones kept: by a scripted model that sees
the lines of the change alone, with what rules fetch beside them, and with tools too.

The model believes a claim unless code that it has seen refutes it: it knows no more than it is shown. Of the
false claims half are refuted by lines near the quoted ones, the others only by code that does not change: by
a definition that the claim names, by one that only the code names, or by the callers of what changes.
"""

import asyncio
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bot.agents.look_ups import looks_up
from bot.agents.review.looking import Looking
from bot.agents.review.verifying import verify
from bot.agents.tools import Lookups
from bot.core.code_search import Excerpt
from bot.core.findings import Finding
from bot.core.hosts import Host, HostModel
from bot.core.inference import ToolCall
from bot.core.knowledge import Found
from bot.inference.hosts.pool import Pool
from bot.inference.infer import make_infer
from bot.inference.runners import ChatRequest, Heard, Reply
from bot.prompting import rendered
from tests.agents.facts import pull_request
from tests.bench.figure import Figure

BATCH = 20
FALSE, TRUE = 200, 200
_BLOCK = re.compile(r'<data-([0-9a-f]{12}) name="([^"]*)">\n(.*?)\n</data-\1>', re.DOTALL)


def figures(_: Path) -> Iterator[Figure]:
    alone, rules, tools = (asyncio.run(_judged(way)) for way in ("alone", "rules", "tools"))
    yield Figure(
        f"of {FALSE} false claims refuted, of {TRUE} true ones kept, by a scripted model that calls tools",
        f"{tools.refuted:.1%}, {tools.kept:.1%}; {tools.calls} look-ups, most {tools.most} for {BATCH}",
        ">= 90 %, >= 97 %",
        tools.refuted >= 0.90 and tools.kept >= 0.97,
        f"by the change alone {alone.refuted:.1%}, {alone.kept:.1%}",
    )
    yield Figure(
        "the same by a model without tools, with what rules fetch",
        f"{rules.refuted:.1%}, {rules.kept:.1%}",
        "more than the change alone",
        rules.refuted > alone.refuted and rules.kept >= 0.97,
        f"by the change alone {alone.refuted:.1%}, {alone.kept:.1%}",
    )


@dataclass(frozen=True)
class Claims:
    """How it ended."""

    refuted: float
    kept: float
    calls: int
    most: int


@dataclass(frozen=True)
class Claim:
    finding: Finding
    true: bool


@dataclass
class World:
    """A change, and the repository that it is made in."""

    changed: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    claims: list[Claim] = field(default_factory=list)

    async def search(self, query: str) -> Sequence[Excerpt]:
        """The files that have most of the words."""
        words = set(re.findall(r"\w{3,}", query))
        ranked = sorted(self.files, key=lambda path: -len(words & set(re.findall(r"\w+", self.files[path]))))
        found = [path for path in ranked[:3] if words & set(re.findall(r"\w+", self.files[path]))]
        return [Excerpt(path, 1, tuple(self.files[path].split("\n"))) for path in found]

    async def callers(self, name: str) -> Sequence[Found]:
        return [
            Found("code", 1.0, (f"calls {name}",), path, start=1, end=len(text.split("\n")))
            for path, text in self.files.items()
            if f"{name}(" in text and f"def {name}(" not in text
        ]

    async def read(self, paths: Sequence[str]) -> tuple[Mapping[str, str], Mapping[str, int]]:
        every = self.files | self.changed
        return {path: every[path] for path in paths if path in every}, dict.fromkeys(paths, 33188)


def world() -> World:
    """A claim of each kind, false and true, in files of their own."""
    made = World()
    for number in range(FALSE + TRUE):
        true = number >= FALSE
        kind = ("near", "named", "near", "quoted", "near", "called", "near", "quoted")[number % 8]
        path = f"src/tea{number:03}.py"
        _add(made, kind, number, path, true=true)
    return made


def _add(made: World, kind: str, n: int, path: str, *, true: bool) -> None:
    """Code of the change, what it rests on, and the claim about it."""
    filler = "".join(f"    cup_{n}_{line} = water + {line}\n" for line in range(12))
    guard = "    if not leaves:\n        return []\n" if not true else ""
    if kind == "near":
        code = (
            f"def brew_{n}(leaves, water):\n{filler}{guard}    first = leaves[0]\n    return [first, water]\n"
        )
        title, body, quote = (
            f"`brew_{n}` raises IndexError",
            "`leaves` may be empty here.",
            "    first = leaves[0]",
        )
    elif kind in ("named", "quoted"):
        quote = f"    return pour_{n}(leaves)[0] + water"
        code = f"def brew_{n}(leaves, water):\n{filler}{quote}\n"
        last = f"pour_{n}"
        if kind == "quoted" and n % 8 == 7:  # what that calls decides
            last = f"rinse_{n}"
            made.files[f"lib/pour{n:03}.py"] = f"def pour_{n}(leaves):\n    return rinse_{n}(leaves)\n"
        made.files[f"lib/{last}.py"] = (
            f"def {last}(leaves):\n    if not leaves:\n"
            f"        {'return None' if true else 'return [0]'}\n    return list(leaves)\n"
        )
        named = f"`pour_{n}` gives None for no leaves" if kind == "named" else "Subscripts None"
        title, body = named, "What it pours may be None, and is subscripted."
    else:
        quote = "    return water / leaves"
        code = f"def share_{n}(leaves, water):\n{filler}{quote}\n"
        made.files[f"app/use{n:03}.py"] = (
            f"from src import share_{n}\n\ndef serve(count):\n"
            f"    return share_{n}({'count - count' if true else 'max(1, count)'}, 3)\n"
        )
        title, body = f"`share_{n}` divides by zero", "A caller passes 0 leaves."
    made.changed[path] = code
    line = code.split("\n").index(quote.split("\n")[0]) + 1
    finding = Finding(path, "major", "bug", title, body, quote, line=line, confidence=0.9)
    made.claims.append(Claim(finding, true))


@dataclass
class Believer:
    """A model that keeps what it has not seen refuted; where it may, it looks up what it has not seen."""

    host: Host
    tools: bool
    calls: list[int] = field(default_factory=list)

    async def models(self) -> tuple[HostModel, ...]:
        return (HostModel("coder:14b", 16_384, calls_tools=self.tools, loaded=True),)

    async def chat(self, request: ChatRequest, heard: Heard | None = None) -> Reply:
        blocks = [(name, text) for _, name, text in _BLOCK.findall(request.user)]
        seen = "\n".join(re.sub(r"claim: .*", "", text) for _, text in blocks)
        verdicts, wanted = [], []
        for name, text in blocks:
            if name.startswith("finding "):
                keep, wants = _decided(text, seen)
                verdicts.append({"index": int(name.split()[1]), "reason": "It is so.", "keep": keep})
                wanted += [wants] if wants else []
        if request.tools and wanted:
            self.calls.append(len(wanted))
            return Reply("", len(request.user) // 4, 20, 0.01, tool_calls=tuple(wanted))
        return Reply(json.dumps({"verdicts": verdicts}), len(request.user) // 4, 20, 0.01)

    async def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        return []

    async def loaded(self) -> tuple[str, ...]:
        return ("coder:14b",)

    async def aclose(self) -> None:
        return


def _decided(claim: str, seen: str) -> tuple[bool, ToolCall | None]:
    """(whether it is kept, what would have to be looked up to be surer)"""
    if "leaves[0]" in claim:
        return "if not leaves" not in claim, None
    if poured := re.search(r"return ((?:pour|rinse)_\d+)\(", claim):
        name = poured[1]
        body = seen.partition(f"def {name}(")[2][:120]
        if further := re.search(r"return (rinse_\d+)\(", body):
            name = further[1]
            body = seen.partition(f"def {name}(")[2][:120]
        look = ToolCall("search_code", {"query": f"def {name}"})
        return "return [0]" not in body, None if body else look
    name = re.findall(r"share_\d+", claim)[0]
    if f" {name}(max(1, count)" in seen:
        return False, None
    if f" {name}(count - count" in seen:
        return True, None
    if path := re.search(rf"(app/use{name[6:]:0>3}\.py):", seen):
        return True, ToolCall("read_file", {"path": path[1]})
    return True, ToolCall("callers", {"name": name})


async def _judged(way: str) -> Claims:
    made = world()
    hosts: list[Believer] = []

    def runner(host: Host) -> Believer:
        hosts.append(Believer(host, way == "tools"))
        return hosts[-1]

    pool = Pool([Host("mini", "scripted", "")], runner=runner)
    infer = make_infer(pool, {"review": ("coder:14b",)}, rendered)
    lookups = Lookups(search=made.search, callers=made.callers)
    looking = None if way == "alone" else Looking(made.search, look_ups=partial(looks_up, made.read, lookups))
    kept: set[int] = set()
    most = 0
    for at in range(0, len(made.claims), BATCH):
        some = made.claims[at : at + BATCH]
        facts = pull_request({one.finding.path: made.changed[one.finding.path] for one in some})
        before = sum(hosts[0].calls) if hosts else 0
        done = await verify([one.finding for one in some], facts, infer, None, looking, left=10)
        kept |= {id(one) for one in done.kept}
        most = max(most, sum(hosts[0].calls) - before)
    await pool.aclose()
    false = [one for one in made.claims if not one.true]
    true = [one for one in made.claims if one.true]
    return Claims(
        sum(id(one.finding) not in kept for one in false) / len(false),
        sum(id(one.finding) in kept for one in true) / len(true),
        sum(hosts[0].calls),
        most,
    )
