"""What there is to check with, for people and for scripts."""

import asyncio
import json
from dataclasses import asdict, replace

import click

from bot import sandbox
from bot.checks import inventory
from bot.checks.inventory import CheckProgram
from bot.cli import tables
from bot.cli.framework import clean
from bot.cli.waiting import TellWaiting
from bot.core.errors import UserError
from bot.core.settings import CHECKS


def run(check: str, as_json: bool) -> None:
    """Of one check, or of all (empty); UserError for none."""
    if check and check not in CHECKS:
        raise UserError(f"there is no check {check[:60]!r}", f"there are: {', '.join(CHECKS)}")
    with TellWaiting("asking programs for their versions"):
        found = asyncio.run(_asked(check))
    if as_json:
        having = {one.check: asdict(one) for one in found}
        names = [check] if check else list(CHECKS)
        told = [{"check": name, "on": CHECKS[name].on, **having.get(name, {"program": ""})} for name in names]
        click.echo(json.dumps({"checks": told}))
    elif check:
        _one(check, found)
    else:
        _all({one.check: one for one in found})


async def _asked(check: str) -> list[CheckProgram]:
    """With what each program says of itself."""
    found = []
    for one in inventory.programs_of():
        if check in ("", one.check):
            version, trouble = await inventory.version(one, sandbox.run) if one.path else ("", "")
            found.append(replace(one, version=version, trouble=trouble))
    return found


def _all(found: dict[str, CheckProgram]) -> None:
    made = tables.table("check", "usually", "by", "rules", "looks at")
    for name, setting in CHECKS.items():
        one = found.get(name)
        by = _state(one) if one else "Hob itself"
        if name == "actionlint":
            by = f"Hob itself; {by}"
        about = setting.about.partition(". ")[0].rstrip(".")
        tables.row(made, name, "on" if setting.on else "off", by, str(len(one.rules)) if one else "", about)
    tables.console(140).print(made)
    for one in found.values():
        if not one.path:
            click.echo(f"{one.program} is not installed: {one.install}")


def _state(one: CheckProgram) -> str:
    if not one.path:
        return f"{one.program}: not installed"
    return clean(f"{one.program} {one.version or f'does not run here: {one.trouble}'}")


def _one(check: str, found: list[CheckProgram]) -> None:
    click.echo(CHECKS[check].about)
    for one in found:
        click.echo(f"{_state(one)} ({clean(one.path)})" if one.path else f"{_state(one)}; {one.install}")
        click.echo(f"Measured: {one.measured}")
        for rule in one.rules:
            click.echo(f"\n{rule.name}: {rule.why}".rstrip(": "))
            if rule.precision:
                click.echo(f"  let through because: {rule.precision}")
