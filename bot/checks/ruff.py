"""ruff on whole files of the head, isolated from any configuration, by rules that name defects and no taste.

No path of the repository, no `ruff.toml`, no `extend` is ever read
(https://docs.astral.sh/ruff/configuration/, `--isolated`). ruff parses; it runs nothing of what it reads.
"""

import msgspec

from bot.checks import programs
from bot.core.checking import Change
from bot.core.findings import Finding
from bot.core.programs import Program, RunProgram
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


class _Place(msgspec.Struct):
    row: int
    column: int


class _Remark(msgspec.Struct):
    filename: str
    message: str
    location: _Place
    end_location: _Place
    code: str | None = None
    name: str | None = None


async def run(change: Change, run_program: RunProgram) -> list[Finding] | None:
    """Findings in every line of the Python files. Of a file that is no Python only the first error counts:
    the others follow from it."""
    texts = change.texts_of(".py", ".pyi")
    if not texts:
        return None
    files, paths = programs.named(texts)
    program = Program(programs.beside_hob("ruff"), ARGUMENTS, files, only_reads=True)
    remarks = await programs.answer(run_program, program, list[_Remark])
    found = [_finding(programs.path_of(remark.filename, paths), remark) for remark in remarks]
    broken = {one.path: one for one in reversed(found) if one.severity == "critical"}
    return [one for one in found if one.severity != "critical"] + list(broken.values())


def _finding(path: str, remark: _Remark) -> Finding:
    code = remark.code or "syntax"
    return Finding(
        path=path,
        severity=_severity(code),
        category=code,
        title=f"{remark.message.splitlines()[0][:140]}",
        body=f"ruff {code}" + (f" ({remark.name})" if remark.name else ""),
        source="ruff",
        line=remark.location.row,
    )


def _severity(code: str) -> Severity:
    if code in ("syntax", "invalid-syntax") or code.startswith("E9"):
        return "critical"
    return "major" if code.startswith(MAJOR) else "minor"
