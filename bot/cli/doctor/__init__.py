"""`hob doctor`."""

import asyncio
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from bot.cli.framework import HobCommand
from bot.cli.waiting import TellWaiting

if TYPE_CHECKING:
    from bot.cli.doctor.line import DoctorResult


@click.command(cls=HobCommand, example="hob doctor\nhob doctor --json | jq '.checks[] | select(.ok | not)'")
@click.option("--json", "as_json", is_flag=True, help="Print only JSON.")
def command(as_json: bool) -> int:
    """Checks everything that Hob needs, one line each; a failing line says how to mend it.

    Ends with 1 when a check fails. Secrets are never shown.
    """
    from bot.cli.doctor.examine import examine
    from bot.log import redact, setup

    setup("error")
    with TellWaiting("checking"):
        lines = asyncio.run(examine())
    healthy = all(line.ok for line in lines)
    if as_json:
        checks = [
            {"check": each.name, "ok": each.ok, "detail": redact(each.detail), "hint": each.hint}
            for each in lines
        ]
        click.echo(json.dumps({"healthy": healthy, "checks": checks}, ensure_ascii=False))
        return 0 if healthy else 1
    show(lines)
    return 0 if healthy else 1


def show(lines: "Sequence[DoctorResult]", *, err: bool = False) -> None:
    """A line a check; with `err` on stderr."""
    from bot.log import redact

    for line in lines:
        mark = click.style("ok  ", fg="green") if line.ok else click.style("FAIL", fg="red", bold=True)
        mend = f" — {line.hint}" if line.hint and not line.ok else ""
        click.echo(f"{mark} {line.name}: {' '.join(redact(line.detail).split())}{mend}", err=err)
