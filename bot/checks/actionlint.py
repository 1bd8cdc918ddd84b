"""GitHub workflows: Hob's own rules always, and actionlint's where it is on PATH (https://github.com/rhysd/actionlint).

actionlint gets a configuration of Hob's and starts no other linter.
"""

import msgspec

from bot.checks import programs, workflows
from bot.core.check_input import CheckedChange
from bot.core.findings import Finding
from bot.core.sandbox_types import RunProgram, SandboxedProgram, SandboxUnusable

FOLDER = ".github/workflows/"
CONFIG = "hob.yaml"
ARGUMENTS = ("-no-color", "-shellcheck=", "-pyflakes=", "-config-file", CONFIG, "-format", "{{json .}}", "--")


class _Remark(msgspec.Struct):
    message: str
    filepath: str
    line: int
    kind: str


async def run(change: CheckedChange, run_program: RunProgram) -> list[Finding] | None:
    """Findings in every line of the workflows; of both on one line Hob's own."""
    texts = {path: text for path, text in change.texts_of(".yml", ".yaml").items() if path.startswith(FOLDER)}
    if not texts:
        return None
    found = [remark for path, text in texts.items() for remark in workflows.judged(path, text)]
    taken = {(one.path, one.line) for one in found}
    more = await _actionlint(texts, run_program)
    return found + [one for one in more if (one.path, one.line) not in taken]


async def _actionlint(texts: dict[str, str], run_program: RunProgram) -> list[Finding]:
    """Nothing where there is none, or where it may not be run: the check ran all the same."""
    path = programs.find("actionlint")
    if path is None:
        return []
    files, paths = programs.named(texts, ".yml")
    program = SandboxedProgram(path, (*ARGUMENTS, *files), {**files, CONFIG: ""})
    try:
        said = await programs.answer(run_program, program, list[_Remark])
    except SandboxUnusable:
        return []
    return [
        Finding(
            path=programs.path_of(one.filepath, paths),
            severity="major",
            category=one.kind[:40],
            title=one.message.splitlines()[0][:140] if one.message else one.kind[:40],
            body="actionlint",
            source="actionlint",
            line=one.line,
        )
        for one in said
    ]
