"""shellcheck on shell scripts and on what workflows run: https://www.shellcheck.net/wiki/"""

from bot.checks import linter
from bot.checks.lint_output import LintRemark
from bot.checks.scripts import ShellScript, scripts_of
from bot.core.check_input import CheckedChange, PartlyRun, is_shell
from bot.core.findings import Finding
from bot.core.sandbox_types import RunProgram

NAME = "shellcheck"


async def run(change: CheckedChange, run_program: RunProgram) -> list[Finding] | None:
    """Findings in every line of the scripts."""
    found = {path: scripts_of(path, text) for path, text in change.texts.items()}
    scripts = {f"{at}\0{path}": one for path, some in found.items() for at, one in enumerate(some)}
    if not scripts:
        return None
    known = linter.known(NAME)
    judged = await linter.judge(known, {key: one.text for key, one in scripts.items()}, run_program)
    foreign = {
        one.path
        for one in judged.remarks
        if _is_unread(one) and _may_be_foreign(one.path.partition("\0")[2], scripts[one.path])
    }
    findings = [
        _finding(one, scripts[one.path])
        for one in judged.remarks
        if one.path not in foreign and not _is_about_filled(one, scripts[one.path])
    ]
    if judged.lacking:
        raise PartlyRun(judged.lacking, tuple(findings))
    return findings


def _is_unread(remark: LintRemark) -> bool:
    """SC1…: what shellcheck cannot read as a script at all."""
    return remark.rule.startswith("SC1") and remark.level == "error"


def _may_be_foreign(path: str, script: ShellScript) -> bool:
    """Whether it may be no script for a Bourne-like shell: nothing says so but its ending, or it is a
    template of one."""
    unsaid = not is_shell("", script.text)
    return unsaid or bool(script.filled) or any(mark in script.text for mark in ("{{", "{%", "<%"))


def _is_about_filled(remark: LintRemark, script: ShellScript) -> bool:
    """Whether it is about a line of which only GitHub knows what it will be."""
    return (remark.line or 0) + script.before in script.filled


def _finding(remark: LintRemark, script: ShellScript) -> Finding:
    path = remark.path.partition("\0")[2]
    line = (remark.line or 1) + script.before
    placed = LintRemark(path, max(line, 1), remark.rule, remark.message, remark.level)
    return linter.finding(NAME, linter.known(NAME), placed)
