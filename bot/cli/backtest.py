"""`hob backtest`."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from bot.cli.framework import HobCommand, Output, RepositoryParam, tell
from bot.cli.waiting import TellWaiting

MOST_SHOWN = 40
"""Findings in the table; --json has all."""


@click.command(
    cls=HobCommand,
    example="hob backtest octo/tea --last 20\nhob backtest octo/tea --write-cases cases/ && hob eval cases/",
)
@click.argument("repository", metavar="OWNER/REPO", type=RepositoryParam())
@click.option("--last", type=click.IntRange(1, 500), default=10, show_default=True, help="How many.")
@click.option(
    "--write-cases",
    type=Output(folder=True),
    help="Write each as a labelled case for hob eval: what people said on lines is what a review should say.",
)
@click.option(
    "--shadow",
    is_flag=True,
    help="Report what was reviewed but not posted (review.shadow) in the last seven days instead.",
)
@click.option("--json", "as_json", is_flag=True, help="Print only JSON.")
def command(repository: str, last: int, write_cases: Path | None, shadow: bool, as_json: bool) -> None:
    """Replays merged pull requests as they were when opened; posts nothing, and reports.

    Of each finding it says whether later commits changed its lines: before the merge, since then, or not.
    Those that people would have wanted come first.
    """
    from bot.core.errors import UserError
    from bot.log import setup
    from bot.runs.backtest import backtest

    setup("error")
    if shadow and write_cases:
        raise click.UsageError("--shadow replays nothing, so it has no cases to write: leave one of them out")
    if shadow:
        _show_shadow(repository, as_json)
        return
    with TellWaiting(f"replaying {repository}"):
        replayed = asyncio.run(backtest(repository, last, tell))
    if not replayed:
        raise UserError(f"{repository} has no merged pull request that can be read")
    if as_json:
        told = {
            "pull_requests": [_as_json(one) for one in replayed],
            "ranked": [_ranked_as_json(*one) for one in _ranked(replayed)],
            "kinds": [
                {"kind": kind, "findings": count, "changed": changed}
                for kind, count, changed in _shares(replayed)
            ],
        }
        click.echo(json.dumps(told, indent=2))
    else:
        _show(replayed)
    if write_cases is not None:
        _write(write_cases, replayed)


def _show_shadow(repository: str, as_json: bool) -> None:
    from dataclasses import asdict

    from bot.core.shadow import markdown
    from bot.core.text import for_terminal
    from bot.runs.shadow import latest

    with TellWaiting(f"reading what was kept of {repository}"):
        report = asyncio.run(latest(repository))
    click.echo(json.dumps(asdict(report), indent=2) if as_json else for_terminal(markdown(report)))


def _as_json(one: Any) -> dict[str, Any]:
    from bot.core.report import as_json

    judged = as_json(one.judged)
    outcomes = [followed.outcome for followed in one.followed]
    judged["findings"] = [
        {**finding, "outcome": outcome} for finding, outcome in zip(judged["findings"], outcomes, strict=True)
    ]
    remarks = [{"path": each.path, "line": each.line, "author": each.author.login} for each in one.remarks]
    return {"number": one.pull.number, "seconds": round(one.seconds, 3), "remarks": remarks, **judged}


def _ranked(replayed: Sequence[Any]) -> list[tuple[int, Any]]:
    from bot.core.finding_outcome import ranked

    return ranked([(one.pull.number, each) for one in replayed for each in one.followed])


def _shares(replayed: Sequence[Any]) -> list[tuple[str, int, int]]:
    from bot.core.finding_outcome import shares

    return shares(each for one in replayed for each in one.followed)


def _ranked_as_json(number: int, followed: Any) -> dict[str, Any]:
    finding = followed.finding
    return {
        "number": number,
        "path": finding.path,
        "line": finding.line,
        "title": finding.title,
        "severity": finding.severity,
        "confidence": finding.confidence,
        "source": finding.source,
        "outcome": followed.outcome,
    }


def _show(replayed: Sequence[Any]) -> None:
    from bot.cli.tables import console, row, table

    outcomes = ("fixed before the merge", "changed since", "still there")
    made = table("pull request", "read", "findings", *outcomes, "people said")
    total: Counter[str] = Counter()
    for one in replayed:
        became = Counter(followed.outcome for followed in one.followed)
        total += became
        title = f"#{one.pull.number} {one.pull.title[:50]}"
        counts = (len(one.followed), *(became[outcome] for outcome in outcomes), len(one.remarks))
        row(made, title, one.judged.coverage.words, *map(str, counts))
    out = console(120)
    out.print(made)
    if ranked := _ranked(replayed):
        best = table("what became of it", "finding", "at")
        for number, each in ranked[:MOST_SHOWN]:
            finding = each.finding
            place = (
                f"#{number} {finding.path}:{finding.line}" if finding.line else f"#{number} {finding.path}"
            )
            row(best, each.outcome, f"{finding.severity}: {finding.title[:60]}", place)
        out.print(best)
        kinds = table("found by", "findings", "lines changed later")
        for kind, count, changed in _shares(replayed):
            row(kinds, kind, str(count), f"{changed} ({changed / count:.0%})")
        out.print(kinds)
    found = sum(total.values())
    addressed = total[outcomes[0]] + total[outcomes[1]]
    out.print(
        f"{found} findings in {len(replayed)} pull requests, {found / len(replayed):.1f} each; "
        f"the lines of {addressed} were changed later."
    )


def _write(folder: Path, replayed: Sequence[Any]) -> None:
    from bot.evals.cases import of_replay

    folder.mkdir(parents=True, exist_ok=True)
    for one in replayed:
        case = of_replay(one.judged.facts, [(each.path, each.line, each.body) for each in one.remarks])
        file = folder / f"{one.pull.number}.json"
        file.write_text(case.model_dump_json(indent=2, exclude_defaults=True) + "\n", encoding="utf-8")
    click.echo(f"{len(replayed)} cases are in {folder}", err=True)
