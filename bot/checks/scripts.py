"""The shell scripts of a repository's file: itself, or what the steps of a workflow run."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch

from bot import yamlnodes
from bot.core.check_input import is_shell
from bot.yamlnodes import Mapping, Scalar, Sequence, UnreadableError, YamlNode

_STEPS = (".github/workflows/*.yml", ".github/workflows/*.yaml", "*action.yml", "*action.yaml")
_EXPRESSION = re.compile(r"\$\{\{.{0,2000}?\}\}", re.DOTALL)
_BLOCK = re.compile(r"[|>][-+\d]{0,2}\s{0,80}(?:#.{0,400})?\r?$")
"""The end of a line after which a text begins."""
_SHELLS = {
    "bash": "#!/bin/bash\nset -eo pipefail\n",
    "sh": "#!/bin/sh\nset -e\n",
    "": "#!/bin/bash\nset -e\n",
}
"""As GitHub starts them; empty: where a step names none.
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstepsshell"""


@dataclass(frozen=True, slots=True)
class ShellScript:
    """`before`: by how much its lines' numbers are less than those of the file that it stands in. `filled`:
    the lines, by their numbers there, that hold what GitHub puts in before it runs."""

    text: str
    before: int = 0
    filled: frozenset[int] = frozenset()


def scripts_of(path: str, text: str) -> list[ShellScript]:
    """In the order of the file."""
    if is_shell(path, text):
        return [ShellScript(text)]
    if not any(fnmatch(path, pattern) for pattern in _STEPS):
        return []
    try:
        tree = yamlnodes.read(text, aliases=True)
    except UnreadableError:
        return []
    lines = text.split("\n")
    found = _steps(tree) if isinstance(tree, Mapping) else ()
    return [script for run, shell in found if (script := _placed(run, shell, lines))]


def _steps(tree: Mapping) -> Iterator[tuple[Scalar, str]]:
    """What each step runs, and in which shell: that of the step, its job, the workflow, the machine."""
    usual = _shell(tree)
    jobs = _get(tree, "jobs")
    parts = [job for _, job in jobs.items] if isinstance(jobs, Mapping) else [_get(tree, "runs")]
    for job in parts:
        if not isinstance(job, Mapping):
            continue
        of_job = _shell(job) or usual or ("pwsh" if _may_be_windows(job) else "")
        steps = _get(job, "steps")
        for step in steps.items if isinstance(steps, Sequence) else ():
            run = _get(step, "run") if isinstance(step, Mapping) else None
            if isinstance(run, Scalar) and run.kind != "alias":
                shell = _get(step, "shell")
                yield run, shell.text if isinstance(shell, Scalar) else of_job


def _shell(node: Mapping) -> str:
    found: YamlNode | None = node
    for name in ("defaults", "run", "shell"):
        found = _get(found, name)
    return found.text if isinstance(found, Scalar) else ""


def _may_be_windows(job: Mapping) -> bool:
    """Whether a job names Windows as its machine or as one of several."""
    waiting = [_get(job, "runs-on"), _get(job, "strategy")]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Scalar) and "windows" in node.text.lower():
            return True
        if isinstance(node, Sequence):
            waiting += node.items
        elif isinstance(node, Mapping):
            waiting += [value for _, value in node.items]
    return False


def _placed(run: Scalar, shell: str, lines: list[str]) -> ShellScript | None:
    """None for another shell's, and for one whose lines are not the file's (folded or quoted ones)."""
    start = _SHELLS.get(shell)
    rows = run.text.rstrip("\n").split("\n")
    begins = (
        (run.line + 1, run.line)
        if _BLOCK.search("".join(lines[run.line - 1 : run.line]))
        else (run.line, run.line + 1)
    )
    first = next((at for at in begins if _stands(rows, lines, at)), None)
    if start is None or first is None or not run.text.strip():
        return None
    filled = _EXPRESSION.sub(lambda found: re.sub(r"[^\n]", "_", found[0]), "\n".join(rows))
    changed = {
        first + at for at, (old, new) in enumerate(zip(rows, filled.split("\n"), strict=True)) if old != new
    }
    return ShellScript(f"{start}{filled}\n", first - 1 - start.count("\n"), frozenset(changed))


def _stands(rows: list[str], lines: list[str], first: int) -> bool:
    """Whether these are the file's lines from `first` on; a single one may stand behind its key."""
    there = lines[first - 1 : first - 1 + len(rows)]
    if len(rows) == 1:
        return bool(there) and rows[0].strip() in there[0]
    return [one.strip() for one in there] == [one.strip() for one in rows]


def _get(node: YamlNode | None, name: str) -> YamlNode | None:
    items = node.items if isinstance(node, Mapping) else ()
    return next((value for key, value in items if isinstance(key, Scalar) and key.text == name), None)
