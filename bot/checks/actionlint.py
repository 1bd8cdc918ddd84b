"""GitHub workflows: Hob's own rules always, and actionlint's where it is on PATH (https://github.com/rhysd/actionlint)."""

from bot.checks import linter, workflows
from bot.checks.programs import ProgramMissing
from bot.core.check_input import CheckedChange, PartlyRun
from bot.core.findings import Finding
from bot.core.sandbox_types import RunProgram, SandboxUnusable

NAME = "actionlint"


async def run(change: CheckedChange, run_program: RunProgram) -> list[Finding] | None:
    """Findings in every line of the workflows; of both on one line Hob's own."""
    wants = linter.known(NAME).wants
    texts = {path: text for path, text in change.texts.items() if wants(path)}
    if not texts:
        return None
    found = [remark for path, text in texts.items() for remark in workflows.judged(path, text)]
    taken = {(one.path, one.line) for one in found}
    try:
        more, lacking = await linter.run(NAME, change, run_program) or [], ""
    except ProgramMissing:
        return found
    except PartlyRun as part:
        more, lacking = list(part.findings), str(part)
    except SandboxUnusable as reason:
        more, lacking = [], str(reason)
    found += [one for one in more if (one.path, one.line) not in taken]
    if lacking:
        raise PartlyRun(lacking, tuple(found))
    return found
