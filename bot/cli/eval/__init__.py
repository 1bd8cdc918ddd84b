"""`hob eval`."""

import asyncio
import json
import operator
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from bot.cli.framework import HobCommand, NumberRange, Output, tell
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
    type=NumberRange(0, 1),
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
    "--martian",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder `offline` of Martian's benchmark: scores what other tools said there, as it was judged "
    "or by --judge with the benchmark's own question; and each model beside them, on --clones.",
)
@click.option(
    "--clones",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="With --martian: clones of the benchmark's forks (owner__repo__tool__PR12__date), to review.",
)
@click.option(
    "--results",
    type=Output(),
    help="With --patches or --martian: where each outcome or decision is written at once; what stands there "
    "is not done again.",
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
    martian: Path | None,
    clones: Path | None,
    results: Path | None,
    no_sandbox: bool,
    as_json: bool,
) -> int:
    """Scores models on labelled cases: one table.

    CASES are JSON files or folders of them (docs/evaluation.md has the format); without any, the few that
    come with Hob. Ends with 1 when a model read none of them, or the judge decided nothing.
    """
    from bot.evals.cases import load_cases
    from bot.log import setup

    setup("error")
    kinds = {"--retrieval": retrieval, "--patches": patches, "--martian": martian}
    kind, *others = [name for name, file in kinds.items() if file] or [""]
    if others:
        raise click.UsageError(f"{kind} and {others[0]} are cases of two kinds: name one of them")
    if kind and cases:
        raise click.UsageError(f"{kind} has its own cases: name no others")
    if judge and (retrieval or patches):
        raise click.UsageError(f"--judge compares remarks, and with {kind} there are none: leave it out")
    if no_sandbox and not patches:
        raise click.UsageError("--no-sandbox is about --patches: name its cases too")
    if results and not (patches or martian):
        raise click.UsageError("--results is about --patches and --martian: name one of them too")
    if clones and not martian:
        raise click.UsageError("--clones is about --martian: name its folder too")
    if retrieval:
        from bot.cli.eval.retrieval import run

        return run(retrieval, models, as_json)
    if patches:
        from bot.cli.eval.patches import run as run_patches

        return run_patches(patches, models, results, as_json, boxed=not no_sandbox)
    if martian:
        from bot.cli.eval.martian import run as run_martian

        return run_martian(martian, clones, models, sorted(set(thresholds)), judge, results, as_json)
    labelled = load_cases(cases)
    with TellWaiting("asking models"):
        rows, decided = asyncio.run(_run(labelled, models, sorted(set(thresholds)), judge))
    if as_json:
        click.echo(json.dumps({"rows": [_as_json(row) for row in rows]}, indent=2))
    else:
        _show(rows)
    read = any(row.failed < row.score.cases for row in rows)
    return int(not (read and _has_decided(judge, decided)))


def _has_decided(name: str, judge: Any) -> bool:
    """Whether the judge, where there is one, answered any question; what it did not answer is told."""
    if judge is None or not judge.why:
        return True
    missed = f"{len(judge.why)} of {judge.asked} questions, there quotes decided: {judge.why[0]}"
    tell(f"{name} gave no usable answer to {missed}")
    return bool(len(judge.why) < judge.asked)


async def _run(cases: Any, models: Sequence[str], thresholds: Sequence[float], judge: str) -> Any:
    """(the rows, the judge or None)"""
    from bot.evals.trial import ByJudge, Trial, by_quotes
    from bot.scripting import Workshop

    rows: list[Any] = []
    async with Workshop() as shop:
        decided = ByJudge(shop.infer(models=(judge,))) if judge else None
        trial = Trial(cases, thresholds, decided or by_quotes, costs_of(shop.config))
        for model in named(models, shop.config.models.review, "review"):
            rows += await trial.run(model, shop.infer(models=(model,)), tell)
    return rows, decided


def named(models: Sequence[str], known: Sequence[str], role: str) -> tuple[str, ...]:
    """The models that are tried, each once: those of --model, else the first of the role. UserError where
    there is none."""
    from bot.core.errors import UserError

    found = tuple(dict.fromkeys(models or known[:1]))
    if not all(found) or not found:
        raise UserError(
            "no model is named", f"name one with --model, or under {role} in [models] of hob.toml"
        )
    return found


def costs_of(config: Any) -> Callable[[Any], float]:
    """US dollars of an answer, by the prices of its host."""
    hosts = {host.name: host for host in config.pool_hosts()}

    def cost(used: Any) -> float:
        host = hosts.get(used.host)
        return float(host.cost(used.tokens_in, used.tokens_out)) if host else 0.0

    return cost


def _as_json(row: Any) -> dict[str, Any]:
    return {
        "model": row.model,
        "threshold": row.threshold,
        **score_as_json(row.scores),
        "tokens_in": row.tokens_in,
        "tokens_out": row.tokens_out,
        "cost_usd": round(row.cost_usd, 6),
        "seconds": round(row.seconds, 3),
        "failed": row.failed,
        "undecided": row.undecided,
        "tokens_per_useful": row.useful(row.tokens_in + row.tokens_out),
        "seconds_per_useful": row.useful(row.seconds),
        "usd_per_useful": row.useful(row.cost_usd),
    }


def score_as_json(scores: Sequence[Any]) -> dict[str, Any]:
    from bot.core.scoring import Score
    from bot.evals.bootstrap import interval

    score = sum(scores, Score())
    return {
        "cases": score.cases,
        "matched": score.matched,
        "found": score.found,
        "golden": score.golden,
        "precision": score.precision,
        "recall": score.recall,
        "f1": score.f1,
        **{
            f"{name}_95": interval(scores, operator.attrgetter(name))
            for name in ("precision", "recall", "f1")
        },
        "comments_per_case": score.comments,
    }


def score_cells(scores: Sequence[Any]) -> list[str]:
    """Precision, recall, F1, and where F1 lies in 95 of 100 draws of as many cases."""
    from bot.core.scoring import Score
    from bot.evals.bootstrap import interval

    score = sum(scores, Score())
    values = (score.precision, score.recall, score.f1)
    around = interval(scores, operator.attrgetter("f1"))
    return [
        *(f"{value:.3f}" if value is not None else "-" for value in values),
        f"{around[0]:.2f}-{around[1]:.2f}" if around else "-",
        f"{score.comments:.2f}",
    ]


SCORE_HEADS = ("precision", "recall", "F1", "95 %", "comments/PR")


def _show(rows: Sequence[Any]) -> None:
    from bot.cli.tables import console, row, table

    per_useful = ("tokens/useful", "s/useful", *(("$/useful",) if any(one.cost_usd for one in rows) else ()))
    judged = ("undecided",) if any(one.undecided for one in rows) else ()
    made = table("model", "threshold", *SCORE_HEADS, *per_useful, "s/PR", "not read", *judged)
    for each in rows:
        amounts = (each.tokens_in + each.tokens_out, each.seconds, each.cost_usd)
        shapes = ("{:.0f}", "{:.1f}", "{:.4f}")
        useful = [
            shape.format(value) if (value := each.useful(amount)) is not None else "-"
            for amount, shape in zip(amounts, shapes, strict=True)
        ]
        row(
            made,
            each.model,
            f"{each.threshold:.2f}",
            *score_cells(each.scores),
            *useful[: len(per_useful)],
            f"{each.seconds / max(1, each.score.cases):.1f}",
            f"{each.failed} of {each.score.cases}",
            *(str(each.undecided) for _ in judged),
        )
    console(132 if judged else 120).print(made)
