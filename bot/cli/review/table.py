"""A judgement for a terminal: findings with the lines they are about, and what was read."""

import re

import click

from bot.cli.framework import clean
from bot.core.findings import Finding
from bot.core.report.markdown import place
from bot.core.report.plain import counts
from bot.core.review_result import Judgement
from bot.core.settings import Severity
from bot.core.skip_rules import NOT_ASKED
from bot.core.text import count

COLOURS: dict[Severity, str] = {"critical": "red", "major": "red", "minor": "yellow", "nit": "cyan"}
CONTEXT = 2
"""Lines shown above those that a finding is about."""
LONGEST_LINE = 160
_LINK = re.compile(r"\[([^\[\]]{1,200})\]\((https?://[^()\s]{1,500})\)")


def show(judged: Judgement) -> None:
    """Worst first. Colours only where standard output is a terminal."""
    for finding in judged.chosen.shown:
        _show(finding, judged.facts.texts.get(finding.path))
    coverage = judged.coverage
    click.secho(clean(f"{count(len(judged.chosen.shown), 'finding')} {coverage.origin}."), bold=True)
    if coverage.failure:
        click.echo(clean(f"No model read more: {coverage.failure}. `hob doctor` says what each host lacks."))
    if any(file.why == NOT_ASKED for file in coverage.unread):
        click.echo("No model was asked.")
    for name, why in judged.facts.checks_not_run:
        click.echo(clean(f"{name} could not run: {why}."))
    for why, number in counts(judged).items():
        if number and why != "shown":
            click.echo(f"{count(number, 'finding')} {why}, not shown.")
    for complaint in judged.facts.context.complaints:
        click.echo(clean(complaint.told))
    for file in coverage.unread:
        if file.why == NOT_ASKED:
            continue
        click.secho(clean(f"not read: {file.path}: {file.why}"), dim=True)


def _show(finding: Finding, text: str | None) -> None:
    source = "" if finding.source == "model" else f" ({finding.source})"
    severity = click.style(finding.severity, fg=COLOURS[finding.severity], bold=True)
    where = click.style(clean(place(finding)), fg="cyan")
    click.echo(f"{where}  {severity}{source}  {clean(finding.title)}")
    if text is not None and finding.line is not None:
        _lines(finding, text.split("\n"))
    for line in finding.body.splitlines():
        click.echo("    " + _LINK.sub(r"\1, \2", clean(line)))
    if finding.replacement is not None:
        for line in finding.replacement.split("\n"):
            click.secho(f"    + {clean(line[:LONGEST_LINE])}", fg="green")
    click.echo()


def _lines(finding: Finding, lines: list[str]) -> None:
    end = finding.line or 0
    start = finding.start_line or end
    for number in range(max(1, start - CONTEXT), min(end, len(lines)) + 1):
        mark = click.style(f"  {'>' if number >= start else ' '}{number:>5} | ", dim=True)
        click.echo(mark + clean(lines[number - 1][:LONGEST_LINE]))
