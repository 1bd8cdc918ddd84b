"""ruff on whole files of the head, isolated from any configuration, by rules that name defects and no taste.

No path of the repository, no `ruff.toml`, no `extend` is ever read
(https://docs.astral.sh/ruff/configuration/, `--isolated`). ruff parses; it runs nothing of what it reads.
"""

from collections import Counter

import msgspec

from bot.checks import programs
from bot.checks.ruff_fixes import RuffFix, RuffPosition, replaced
from bot.checks.ruff_noise import MOST_IMPORTS, is_noise, is_syntax
from bot.checks.ruff_reasons import why
from bot.core.check_input import CheckedChange
from bot.core.code_analysis import LINTED
from bot.core.findings import Finding
from bot.core.sandbox_types import RunProgram, SandboxedProgram
from bot.core.settings import Severity

SELECT = (
    "F,E9,PLE,B002,B003,B004,B005,B006,B008,B012,B015,B018,"
    "B020,B021,B022,B023,B025,B029,B030,B031,B035,S102,S307,S602,S605"
)
MAJOR = (
    "F821",
    "F823",
    "F811",
    "F601",
    "F602",
    "F632",
    "F502",
    "F50",
    "F52",
    "F70",
    "PLE",
    "B012",
    "B023",
    "B029",
    "S",
)
ARGUMENTS = (
    "check",
    "--isolated",
    "--no-cache",
    "--exit-zero",
    "--output-format=json",
    f"--select={SELECT}",
    ".",
)


class _Remark(msgspec.Struct):
    filename: str
    message: str
    location: RuffPosition
    code: str | None = None
    url: str | None = None
    fix: RuffFix | None = None


async def run(change: CheckedChange, run_program: RunProgram) -> list[Finding] | None:
    """Findings in every line of the Python files, but for those that nobody needs. Of a file that is no
    Python only the first error counts: the others follow from it."""
    texts = change.texts_of(*LINTED)
    if not texts:
        return None
    files, paths = programs.named(texts)
    program = SandboxedProgram(programs.beside_hob("ruff"), ARGUMENTS, files, only_reads=True)
    remarks = await programs.answer(run_program, program, list[_Remark])
    told = [(programs.path_of(remark.filename, paths), remark) for remark in remarks]
    unused = Counter(path for path, remark in told if remark.code == "F401")
    found = [
        _finding(path, remark, texts[path])
        for path, remark in told
        if not is_noise(_code(remark), remark.message, remark.location.row, path, texts[path])
        and not (remark.code == "F401" and unused[path] > MOST_IMPORTS)
    ]
    broken = {one.path: one for one in reversed(found) if is_syntax(one.category)}
    return [one for one in found if not is_syntax(one.category)] + list(broken.values())


def _code(remark: _Remark) -> str:
    return remark.code or "syntax"


def _finding(path: str, remark: _Remark, text: str) -> Finding:
    code = _code(remark)
    page = f"[ruff {code}]({remark.url})" if remark.url and remark.code else "ruff"
    lines = text.split("\n")
    new = replaced(remark.fix, lines, remark.location.row)
    return Finding(
        path=path,
        severity=_severity(code),
        category=code,
        title=remark.message.splitlines()[0][:140],
        body=f"{why(code)} ({page})".lstrip(),
        quote="\n".join(lines[new.start - 1 : new.end]) if new else "",
        replacement=f"{new.text}\n" if new else None,
        source="ruff",
        start_line=new.start if new and new.start < new.end else None,
        line=new.end if new else remark.location.row,
    )


def _severity(code: str) -> Severity:
    if is_syntax(code):
        return "critical"
    return "major" if code.startswith(MAJOR) else "minor"
