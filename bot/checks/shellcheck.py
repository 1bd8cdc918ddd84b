"""shellcheck on shell scripts: https://www.shellcheck.net/wiki/

`--norc` and no `-x`: no `.shellcheckrc` and no file that a script names is read. Warnings and errors only,
and of these none about what stands in other files.
"""

import msgspec

from bot.checks import programs
from bot.core.check_input import CheckedChange, is_shell
from bot.core.findings import Finding
from bot.core.sandbox_types import RunProgram, SandboxedProgram, SandboxUnusable
from bot.core.settings import Severity

ELSEWHERE = "SC1090,SC1091,SC2034,SC2154,SC2148"
"""A file that is sourced, a name that another file sets or uses, a first line that another file has."""
ARGUMENTS = ("--norc", "--format=json1", "--severity=warning", f"--exclude={ELSEWHERE}", "--")
SEVERITIES: dict[str, Severity] = {"error": "major", "warning": "minor"}


class _Remark(msgspec.Struct):
    file: str
    line: int
    level: str
    code: int
    message: str


class _Answer(msgspec.Struct):
    comments: list[_Remark]


async def run(change: CheckedChange, run_program: RunProgram) -> list[Finding] | None:
    """Findings in every line of the scripts."""
    texts = {path: text for path, text in change.texts.items() if is_shell(path, text)}
    if not texts:
        return None
    path = programs.find("shellcheck")
    if path is None:
        raise SandboxUnusable("shellcheck is not installed")
    files, paths = programs.named(texts, ".sh")
    program = SandboxedProgram(path, (*ARGUMENTS, *files), files)
    said = await programs.answer(run_program, program, _Answer)
    found = [(programs.path_of(one.file, paths), one) for one in said.comments]
    foreign = {path for path, one in found if _is_unread(one) and _may_be_foreign(path, texts[path])}
    return [_finding(path, one, texts) for path, one in found if path not in foreign]


def _is_unread(remark: _Remark) -> bool:
    """SC1…: what shellcheck cannot read as a script at all."""
    return 1000 <= remark.code < 2000 and remark.level == "error"


def _may_be_foreign(path: str, text: str) -> bool:
    """Whether a file may be no script for a Bourne-like shell: nothing says so but its ending, or it is a
    template of one."""
    return not is_shell("", text) or any(mark in text for mark in ("{{", "{%", "<%"))


def _finding(path: str, remark: _Remark, texts: dict[str, str]) -> Finding:
    lines = texts[path].split("\n")
    return Finding(
        path=path,
        severity=SEVERITIES.get(remark.level, "minor"),
        category=f"SC{remark.code}",
        title=remark.message.splitlines()[0][:140] if remark.message else f"SC{remark.code}",
        body=f"shellcheck [SC{remark.code}](https://www.shellcheck.net/wiki/SC{remark.code})",
        quote=lines[remark.line - 1] if 0 < remark.line <= len(lines) else "",
        source="shellcheck",
        line=remark.line,
    )
