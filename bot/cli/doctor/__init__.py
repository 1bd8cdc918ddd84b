"""`hob doctor`."""

import asyncio
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from bot.cli.framework import HobCommand
from bot.cli.waiting import TellWaiting

if TYPE_CHECKING:
    from bot.cli.doctor.line import DoctorResult

ROUNDS = 3
"""What was put right may show what could not be seen before."""


@click.command(
    cls=HobCommand,
    example="hob doctor\nhob doctor --fix\nhob doctor --json | jq '.checks[] | select(.ok | not)'",
)
@click.option("--fix", is_flag=True, help="First do what is safe: modes of files, folders, the database.")
@click.option("--yes", is_flag=True, help="With --fix: download missing models without asking.")
@click.option("--no-probe", is_flag=True, help="Ask no model how fast it is.")
@click.option("--json", "as_json", is_flag=True, help="Print only JSON.")
def command(fix: bool, yes: bool, no_probe: bool, as_json: bool) -> int:
    """Checks everything that Hob needs, one line each; a failing line says how to mend it.

    Ends with 0 when all is well, with 1 when something is to be done. Secrets are never shown. Models of
    this network are asked for a few words, within a minute, to tell how long a review takes; online ones are
    not.
    """
    from bot.cli.doctor.examine import examine
    from bot.log import setup

    if yes and not fix:
        raise click.UsageError("--yes goes with --fix")
    setup("error")
    fixed = _fix(yes, as_json) if fix else []
    with TellWaiting("checking"):
        lines = asyncio.run(examine(probes=not no_probe))
    healthy = all(line.ok for line in lines)
    if as_json:
        _tell(lines, healthy, fixed if fix else None)
    else:
        show(lines)
        if failing := [_safe(line.name) for line in lines if not line.ok]:
            click.echo(f"\nto mend, of {len(lines)} lines: {', '.join(failing)}")
    return 0 if healthy and all(done for _, _, done in fixed) else 1


def _fix(yes: bool, as_json: bool) -> list[tuple[str, str, bool]]:
    """What was done, and what could not be; said at once where a person reads."""
    from bot.cli.doctor.examine import examine
    from bot.cli.doctor.fixes import apply

    def agrees(what: str) -> bool:
        asks = not yes and not as_json and sys.stdin.isatty()
        return yes or (asks and click.confirm(f"{what}?", default=True, err=True))

    seen: set[str] = set()
    told: list[tuple[str, str, bool]] = []
    for _ in range(ROUNDS):
        before = len(told)
        for one in apply(asyncio.run(examine()), seen, agrees):
            told.append(one)
            if not as_json:
                click.echo(f"{'fix ' if one[2] else 'FAIL'} {_safe(one[0])}: {_safe(one[1])}")
        if len(told) == before:
            break
    if not told and not as_json:
        click.echo("fix  nothing that is safe to do")
    return told


def _tell(
    lines: "Sequence[DoctorResult]", healthy: bool, fixed: Sequence[tuple[str, str, bool]] | None
) -> None:
    from bot.log import redact

    checks = [
        {
            "check": each.name,
            "ok": each.ok,
            "detail": redact(each.detail),
            "hint": redact(each.hint),
            "fix": redact(each.fix.does) if each.fix else "",
        }
        for each in lines
    ]
    told: dict[str, object] = {"healthy": healthy, "checks": checks}
    if fixed is not None:
        told["fixed"] = [
            {"what": redact(what), "done": done, "said": redact(said)} for what, said, done in fixed
        ]
    click.echo(json.dumps(told))


def show(lines: "Sequence[DoctorResult]", *, err: bool = False) -> None:
    """A line a check; with `err` on stderr."""
    for line in lines:
        mark = click.style("ok  ", fg="green") if line.ok else click.style("FAIL", fg="red", bold=True)
        mend = f" — {_safe(line.hint)}" if line.hint and not line.ok else ""
        click.echo(f"{mark} {line.name}: {_safe(line.detail)}{mend}", err=err)


def _safe(text: str) -> str:
    """For a terminal, in one line, without secrets."""
    from bot.core.text import for_terminal
    from bot.log import redact

    return " ".join(for_terminal(redact(text)).split())
