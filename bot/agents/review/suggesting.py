"""Replacements that the head's file can take become suggestions; the others are shown as code."""

from collections.abc import Sequence
from dataclasses import replace

from bot.core.facts import PullRequestFacts
from bot.core.findings import Finding
from bot.core.suggestion import LineReplacement, change, proved
from bot.core.text import close_fences, code_block, cut


async def with_suggestions(shown: Sequence[Finding], facts: PullRequestFacts) -> tuple[Finding, ...]:
    """Replacements that the head's file can take stay; the others become prose."""
    wanted = {number: _change(finding, facts) for number, finding in enumerate(shown)}
    changes = {number: one for number, one in wanted.items() if one is not None}
    good = dict(zip(changes, await proved(tuple(changes.values()), facts.tools), strict=True))
    return tuple(
        replace(finding, replacement=changes[number].suggestion)
        if good.get(number)
        else _without_suggestion(finding)
        for number, finding in enumerate(shown)
    )


def _change(finding: Finding, facts: PullRequestFacts) -> LineReplacement | None:
    """The replacement as a change of exactly the quoted lines."""
    text = facts.texts.get(finding.path)
    file = next((file for file in facts.files if file.path == finding.path), None)
    if finding.replacement is None or finding.line is None or finding.outside or text is None or file is None:
        return None
    start = finding.start_line or finding.line
    if not _quotes_whole_lines(finding, text):
        return None  # the replacement may be for the quoted part of the line only
    return change(file, text, start, finding.line, finding.replacement)


def _with_code(finding: Finding, code: str) -> Finding:
    """The finding with code that can't be offered for one click shown in its text."""
    code = cut(code.replace("\r", "").strip("\n"), 1_500)
    body = f"{close_fences(finding.body)}\n\nPerhaps:\n\n{code_block(code)}"
    return replace(finding, body=body, replacement=None)


def _quotes_whole_lines(finding: Finding, text: str) -> bool:
    """Whether the quote is all of the lines that it was found on."""
    last = finding.line or 0
    lines = text.split("\n")[(finding.start_line or last) - 1 : last]
    quoted = [line.strip().removeprefix("+").strip() for line in finding.quote.strip().split("\n")]
    return quoted == [line.strip() for line in lines]


def _without_suggestion(finding: Finding) -> Finding:
    """A replacement that can't be offered for one click, shown as code where it says anything new."""
    code = (finding.replacement or "").strip()
    if not code or _bare(code) == _bare(finding.quote):
        return replace(finding, replacement=None)
    return _with_code(finding, finding.replacement or "")


def _bare(text: str) -> str:
    return "".join(text.split())
