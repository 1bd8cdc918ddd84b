"""Markdown for a file or a comment. What is in it comes from a model and a repository: whoever posts it makes
it harmless first (`bot.sanitise`)."""

from bot.core.findings import Finding
from bot.core.report.plain import counts
from bot.core.review_result import Judgement, check_text
from bot.core.text import code_block, count


def as_markdown(judged: Judgement) -> str:
    """The findings, worst first, then what was read and what was not."""
    chosen, coverage = judged.chosen, judged.coverage
    parts = [f"## {count(len(chosen.shown), 'finding')} {coverage.origin}"]
    parts += [_finding(finding) for finding in chosen.shown]
    if coverage.failure:
        parts.append(f"No model read more: {coverage.failure}.")
    parts += [f"{name} could not run: {why}." for name, why in judged.facts.checks_not_run]
    unsaid = [f"{number} {why}" for why, number in counts(judged).items() if number and why != "shown"]
    if unsaid:
        parts.append(f"Not shown: {', '.join(unsaid)}.")
    return "\n\n".join([*parts, check_text(coverage)]).rstrip() + "\n"


def _finding(finding: Finding) -> str:
    text = f"### `{place(finding)}`: {finding.severity}: {finding.title}\n\n{finding.body}".rstrip()
    if finding.replacement is not None:
        text += f"\n\nInstead:\n\n{code_block(finding.replacement)}"
    return text


def place(finding: Finding) -> str:
    """`path:12`, `path:12-14`, or the path alone where no line is known."""
    path = finding.path.replace("`", "")
    if finding.line is None:
        return path
    start = finding.start_line or finding.line
    return f"{path}:{start}" + (f"-{finding.line}" if finding.line > start else "")
