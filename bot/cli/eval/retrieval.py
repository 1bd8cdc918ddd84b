"""`hob eval --retrieval`."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from bot.cli.framework import tell
from bot.cli.waiting import TellWaiting


def run(file: Path, models: Sequence[str], as_json: bool) -> int:
    """Prints a row for the search alone and one for each model; 1 where a model answered nothing."""
    rows = asyncio.run(_measured(file, models))
    if as_json:
        click.echo(json.dumps({"rows": [_as_json(row) for row in rows]}, indent=2))
    else:
        _show(rows)
    return int(any(row.failed == row.cases for row in rows[1:]))


async def _measured(file: Path, models: Sequence[str]) -> list[Any]:
    from bot.evals.retrieval import load_cases, measure
    from bot.scripting import Workshop

    cases = load_cases(file)
    async with Workshop() as shop:
        names = dict.fromkeys(models or shop.config.models.chat[:1])
        asked = [(name, shop.infer(models=(name,))) for name in names if name]
        with TellWaiting("searching and asking models"):
            return await measure(cases, shop.config.hob.data_dir, asked, tell)


def _as_json(row: Any) -> dict[str, Any]:
    recall = {f"recall@{k}": round(part, 4) for k, part in row.at.items()}
    return {
        "ranked_by": row.name,
        "cases": row.cases,
        **recall,
        "seconds": round(row.seconds, 3),
        "failed": row.failed,
    }


def _show(rows: Sequence[Any]) -> None:
    from bot.cli.tables import console, row, table

    made = table("ranked by", *(f"recall@{k}" for k in rows[0].at), "s/case", "no answer")
    for each in rows:
        parts = (f"{part:.3f}" for part in each.at.values())
        row(made, each.name, *parts, f"{each.seconds / each.cases:.2f}", f"{each.failed} of {each.cases}")
    console(110).print(made)
