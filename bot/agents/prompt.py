"""A finding or a plan as a prompt for whoever works in an editor: all that is needed to do it stands in it.
Asks no model."""

from collections.abc import Sequence

from bot.core.facts import RepoContext
from bot.core.findings import Finding
from bot.core.text import code_block, cut

AROUND = 15
"""Lines shown before and after those that are meant."""
MOST = 20_000
_HOW = (
    "Change only what this needs, in the style of the code around it. Add or mend the tests that would have"
    " shown it. Run the tests of the project before you say that it is done, and say what you could not do."
)


def finding_prompt(
    context: RepoContext,
    number: int,
    title: str,
    finding: Finding,
    text: str | None,
    instructions: Sequence[str],
) -> str:
    """`text`: the finding's file as the head has it; None where it is not there."""
    where = f"In pull request {number} of {context.repo.full_name} ({title[:200]}), {finding.path}"
    parts = [
        f"{where} has a point to mend.",
        f"{finding.severity}, {finding.category}: {finding.title}\n\n{finding.body}",
    ]
    code, first = _code(text, finding.quote)
    if code:
        parts.append(f"{finding.path}, from line {first}, as it is now:\n\n{code_block(code)}")
    elif finding.quote:
        parts.append(f"It is about this code:\n\n{code_block(finding.quote)}")
    if finding.replacement:
        parts.append(f"Proposed in its place:\n\n{code_block(finding.replacement)}")
    if instructions:
        parts.append("The project says of this file:\n" + "\n".join(f"- {one}" for one in instructions))
    return _shown([*parts, _HOW])


def plan_prompt(context: RepoContext, number: int, title: str, body: str, plan: str) -> str:
    """Of an issue and the plan that stands there now."""
    parts = [
        f"Carry out issue {number} of {context.repo.full_name}: {title[:200]}",
        body.strip()[:6_000],
        f"The plan, as people left it; what is ticked is done:\n\n{plan.strip()}",
    ]
    return _shown([*filter(None, parts), _HOW])


def _code(text: str | None, quote: str) -> tuple[str, int]:
    """The lines around the first place of a quote, and the number of the first of them."""
    wanted = quote.strip("\n")
    at = text.find(wanted) if text and wanted.strip() else -1
    if text is None or at < 0:
        return "", 0
    lines = text.split("\n")
    first = text.count("\n", 0, at)
    start, end = max(0, first - AROUND), first + wanted.count("\n") + 1 + AROUND
    return "\n".join(lines[start:end]), start + 1


def _shown(parts: Sequence[str]) -> str:
    """In one block, to be copied whole."""
    text = cut("\n\n".join(parts), MOST, end="\n…")
    return f"To hand over, copy this whole:\n\n{code_block(text, 'text')}"
