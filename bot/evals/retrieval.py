"""How well a search finds the files that a change needed, with and without a model's second look.

A case is one JSON object, a file each or a line each: `{"repo": "path of a clone", "base": "sha", "query":
"words of the issue", "gold": ["src/a.py"]}`. `repo` is relative to the case's file. The snapshot is `base`:
what came later is not known.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.agents.rerank import MOST_FILES, rerank
from bot.core.errors import UserError
from bot.core.inference import Infer
from bot.core.knowledge import Outline
from bot.evals.files import read_text
from bot.knowledge.local import Local

AT = (1, 5, 10)
MOST_CASES = 5_000
RetrievalProgress = Callable[[str], None]


class RetrievalCase(BaseModel):
    model_config = ConfigDict(extra="forbid")

    repo: Path
    base: str = Field(pattern=r"^[0-9a-f]{7,64}$")
    query: str = Field(min_length=1)
    gold: list[str] = Field(min_length=1)


@dataclass(slots=True)
class Recall:
    """Of one way to rank. `at` is k -> the mean part of the gold files among the first k."""

    name: str
    cases: int = 0
    at: dict[int, float] = field(default_factory=lambda: dict.fromkeys(AT, 0.0))
    seconds: float = 0.0
    failed: int = 0
    """Cases in which the model gave no usable answer: they count in the search's own order."""

    def add(self, ranked: Sequence[str], gold: Sequence[str], seconds: float) -> None:
        self.cases += 1
        self.seconds += seconds
        for k in AT:
            part = len(set(ranked[:k]) & set(gold)) / len(set(gold))
            self.at[k] += (part - self.at[k]) / self.cases


def load_cases(file: Path) -> list[RetrievalCase]:
    """Of a .json file with one case or a list, or a .jsonl file; UserError for the first that is none."""
    text = read_text(file)
    lines = [line for line in text.split("\n") if line.strip()] if file.suffix == ".jsonl" else [text]
    cases = [_case(file, number, line) for number, line in enumerate(lines, 1)]
    if not cases or len(cases) > MOST_CASES:
        raise UserError(f"{file} has {len(cases)} cases", f"give 1 to {MOST_CASES}")
    return cases


def _case(file: Path, number: int, text: str) -> RetrievalCase:
    try:
        case = RetrievalCase.model_validate_json(text)
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "it"
        raise UserError(f"{file}: case {number} is none: {where}: {first['msg']}") from None
    return case.model_copy(update={"repo": (file.parent / case.repo).resolve()})


async def measure(
    cases: Sequence[RetrievalCase],
    data_dir: Path,
    models: Sequence[tuple[str, Infer]],
    told: RetrievalProgress,
) -> list[Recall]:
    """One row for the search alone, and one for each model that looks at its first thirty files."""
    rows = [Recall("search alone"), *(Recall(name) for name, _ in models)]
    for number, case in enumerate(cases, 1):
        begun = time.monotonic()
        found = await asyncio.to_thread(_found, case, data_dir)
        searched = time.monotonic() - begun
        paths = [one.path for one in found]
        rows[0].add(paths, case.gold, searched)
        for row, (_, infer) in zip(rows[1:], models, strict=True):
            begun = time.monotonic()
            done = await rerank(case.query, found, infer)
            row.failed += bool(done.failure)
            row.add([paths[place] for place in done.order], case.gold, searched + time.monotonic() - begun)
        told(f"{number} of {len(cases)}: {case.repo.name} at {case.base[:7]}, {searched:.1f} s of search")
    return rows


def _found(case: RetrievalCase, data_dir: Path) -> list[Outline]:
    return [what for _, what in Local(case.repo, data_dir).as_of(case.base, case.query, MOST_FILES)]
