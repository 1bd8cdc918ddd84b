"""`hob eval --martian`."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from bot.cli.eval import SCORE_HEADS, costs_of, named, score_as_json, score_cells
from bot.cli.framework import tell
from bot.cli.waiting import TellWaiting


@dataclass(slots=True)
class ToolRow:
    """What one tool said, as one judge has it. `row`: where Hob's model was the tool."""

    tool: str
    judge: str
    scores: list[Any] = field(default_factory=list)
    undecided: int = 0
    row: Any = None


def run(
    folder: Path,
    clones: Path | None,
    models: Sequence[str],
    thresholds: Sequence[float],
    judge: str,
    results: Path | None,
    as_json: bool,
) -> int:
    """Prints a row for each tool, best F1 first; 1 where a judge decided nothing or a model read nothing."""
    from bot.core.errors import UserError
    from bot.evals.martian import load_benchmark

    benchmark = load_benchmark(folder)
    if not judge:
        if clones or results or models:
            raise click.UsageError("--clones, --model and --results need a --judge: name a model")
        rows = [
            ToolRow(tool, f"{stored}, as published", list(scores))
            for stored, tools in benchmark.published.items()
            for tool, scores in tools.items()
        ]
        if not rows:
            raise UserError(
                f"{folder} has no stored decisions (results/*/evaluations.json) that can be read",
                "have a model of yours decide: --judge MODEL",
            )
    else:
        with TellWaiting("asking models"):
            rows = asyncio.run(_judged(benchmark, clones, models, thresholds, judge, results))
    rows.sort(key=lambda one: (one.judge, -_f1(one), one.tool))
    if as_json:
        click.echo(json.dumps({"rows": [_as_json(one) for one in rows]}, indent=2))
    else:
        _show(rows)
    return int(not rows or any(one.row and one.row.failed == one.row.score.cases for one in rows))


async def _judged(
    benchmark: Any,
    clones: Path | None,
    models: Sequence[str],
    thresholds: Sequence[float],
    judge: str,
    results: Path | None,
) -> list[ToolRow]:
    from bot.core.errors import UserError
    from bot.evals.judging import Decisions, PairJudge
    from bot.evals.trial import Trial
    from bot.scripting import Workshop

    rows: list[ToolRow] = []
    async with Workshop() as shop:
        infer, decisions = shop.infer(models=(judge,)), Decisions(judge, results)
        pulls = benchmark.pulls
        if clones:
            forks = {fork.case.name: fork for fork in await _forks(clones, pulls)}
            cases, data_dir = [fork.case for fork in forks.values()], shop.config.hob.data_dir
            pulls = [pull for pull in pulls if pull.url in forks]
            by_pair = PairJudge(infer, benchmark.prompt, decisions)
            for model in named(models, shop.config.models.review, "review"):
                trial = Trial(
                    cases,
                    thresholds,
                    by_pair.of_case,
                    costs_of(shop.config),
                    lambda case: forks[case.name].looking(data_dir),
                )
                for row in await trial.run(model, shop.infer(models=(model,)), tell):
                    tool = f"hob, {model}, {row.threshold:.2f}"
                    rows.append(ToolRow(tool, judge, row.scores, row.undecided, row))
        for tool in sorted({tool for pull in pulls for tool in pull.said}):
            by_pair, mine = PairJudge(infer, benchmark.prompt, decisions), ToolRow(tool, judge)
            for number, pull in enumerate(pulls, 1):
                if tool in pull.said:
                    score, undecided = await by_pair.score(pull.golden, pull.said[tool])
                    mine.scores.append(score)
                    mine.undecided += undecided
                    tell(f"{tool}: {number} of {len(pulls)}: {pull.url}")
            if by_pair.asked and len(by_pair.unanswered) == by_pair.asked:
                why = next(iter(by_pair.unanswered.values()))
                raise UserError(
                    f"{judge} gave no usable answer to any of {by_pair.asked} questions about {tool}: {why}"
                )
            rows.append(mine)
    return rows


async def _forks(folder: Path, pulls: Sequence[Any]) -> list[Any]:
    """What a clone lacks is told, and the others go on; UserError where no clone can be used."""
    from bot.cli.eval.forks import case_of, clones
    from bot.core.errors import UserError

    forks: list[Any] = []
    for pull, number, place in clones(folder, pulls):
        try:
            forks.append(await case_of(place, pull, number))
        except UserError as wrong:
            tell(f"{pull.url} is left out: {wrong}")
    if not forks:
        raise UserError(
            f"{folder} has no clone of a fork of one of the {len(pulls)} pull requests",
            "clone the benchmark's forks into it, each into a folder named as its repository is",
        )
    tell(f"{len(forks)} of {len(pulls)} pull requests have a clone: all tools are compared on these")
    return forks


def _f1(one: ToolRow) -> float:
    from bot.core.scoring import Score

    return sum(one.scores, Score()).f1 or 0.0


def _as_json(one: ToolRow) -> dict[str, Any]:
    told = {"tool": one.tool, "judge": one.judge, **score_as_json(one.scores), "undecided": one.undecided}
    if one.row is not None:
        told |= {
            "seconds": round(one.row.seconds, 3),
            "tokens_per_useful": one.row.useful(one.row.tokens_in + one.row.tokens_out),
            "seconds_per_useful": one.row.useful(one.row.seconds),
            "usd_per_useful": one.row.useful(one.row.cost_usd),
            "failed": one.row.failed,
        }
    return told


def _show(rows: Sequence[ToolRow]) -> None:
    from bot.cli.tables import console, row, table

    made = table("tool", "judge", "PRs", *SCORE_HEADS, "undecided")
    for one in rows:
        row(made, one.tool, one.judge, str(len(one.scores)), *score_cells(one.scores), str(one.undecided))
    console(130).print(made)
