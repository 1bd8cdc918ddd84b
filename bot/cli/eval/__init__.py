"""`hob eval`."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from bot.cli.framework import HobCommand, tell
from bot.cli.waiting import TellWaiting


@click.command(
    cls=HobCommand,
    example="hob eval\nhob eval cases/ --model qwen2.5-coder:14b --model qwen2.5-coder:7b --threshold 0.7",
)
@click.argument("cases", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--model", "models", multiple=True, help="NAME or NAME@HOST; by default that of [models] review."
)
@click.option(
    "--threshold",
    "thresholds",
    multiple=True,
    type=click.FloatRange(0, 1),
    default=(0.0, 0.5, 0.8),
    show_default=True,
    help="Findings need this much confidence; one row each.",
)
@click.option("--judge", default="", help="A model that decides what is the same remark; without, quotes do.")
@click.option(
    "--retrieval",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Cases of another kind: which files a search finds, alone and with each model's second look.",
)
@click.option(
    "--patches",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Cases of another kind: issues, and tests that must pass with the patch that a model makes of each.",
)
@click.option(
    "--results",
    type=click.Path(dir_okay=False, path_type=Path),
    help="With --patches: where each outcome is written at once; what stands there is not done again.",
)
@click.option(
    "--no-sandbox",
    is_flag=True,
    help="With --patches: run the cases' tests as yourself, with all that means.",
)
@click.option("--json", "as_json", is_flag=True, help="Print only JSON.")
def command(
    cases: tuple[Path, ...],
    models: tuple[str, ...],
    thresholds: tuple[float, ...],
    judge: str,
    retrieval: Path | None,
    patches: Path | None,
    results: Path | None,
    no_sandbox: bool,
    as_json: bool,
) -> int:
    """Scores models on labelled cases: one table.

    CASES are JSON files or folders of them (docs/evaluation.md has the format); without any, the few that
    come with Hob. Ends with 1 when a model read none of them.
    """
    from bot.evals.cases import load_cases
    from bot.log import setup

    setup("error")
    if not patches and (results or no_sandbox):
        raise click.UsageError("--results and --no-sandbox are about --patches: name its cases too")
    if retrieval:
        from bot.cli.eval.retrieval import run

        return run(retrieval, models, as_json)
    if patches:
        from bot.cli.eval.patches import run as run_patches

        return run_patches(patches, models, results, as_json, boxed=not no_sandbox)
    labelled = load_cases(cases)
    with TellWaiting("asking models"):
        rows = asyncio.run(_run(labelled, models, sorted(set(thresholds)), judge))
    if as_json:
        click.echo(json.dumps({"rows": [_as_json(row) for row in rows]}, indent=2))
    else:
        _show(rows)
    return int(all(row.failed == row.score.cases for row in rows))


async def _run(cases: Any, models: Sequence[str], thresholds: Sequence[float], judge: str) -> list[Any]:
    from bot.evals.trial import Trial
    from bot.scripting import Workshop

    rows: list[Any] = []
    async with Workshop() as shop:
        trial = Trial(cases, thresholds, shop.infer(models=(judge,)) if judge else None)
        for model in models or shop.config.models.review[:1]:
            rows += await trial.run(model, shop.infer(models=(model,)), tell)
    return rows


def _as_json(row: Any) -> dict[str, Any]:
    score = row.score
    return {
        "model": row.model,
        "threshold": row.threshold,
        "cases": score.cases,
        "matched": score.matched,
        "found": score.found,
        "golden": score.golden,
        "precision": score.precision,
        "recall": score.recall,
        "f1": score.f1,
        "comments_per_case": score.comments,
        "tokens_in": row.tokens_in,
        "tokens_out": row.tokens_out,
        "seconds": round(row.seconds, 3),
        "failed": row.failed,
    }


def _show(rows: Sequence[Any]) -> None:
    from bot.cli.tables import console, row, table

    heads = ("model", "threshold", "precision", "recall", "F1", "comments/PR", "tokens", "s/PR", "not read")
    made = table(*heads)
    for each in rows:
        score, cases = each.score, max(1, each.score.cases)
        row(
            made,
            each.model,
            f"{each.threshold:.2f}",
            *(
                f"{value:.3f}" if value is not None else "-"
                for value in (score.precision, score.recall, score.f1)
            ),
            f"{score.comments:.2f}",
            f"{(each.tokens_in + each.tokens_out) // cases}",
            f"{each.seconds / cases:.1f}",
            f"{each.failed} of {score.cases}",
        )
    console(110).print(made)
