"""The one adapter for programs that judge files: what is particular to one is `linters/NAME.toml`, whose form
is `Linter`. A linter gets Hob's configuration and copies under Hob's names, in the sandbox, and only the
rules that its file names are let through."""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from bot.checks import launching, lint_output, programs
from bot.checks.lint_output import JsonPlaces, LintRemark, NoLintAnswer
from bot.checks.ruff_noise import is_broken_on_purpose
from bot.core.check_input import CheckedChange, NotJudged, PartlyRun
from bot.core.findings import Finding
from bot.core.sandbox_types import Ended, ProgramLimits, RunProgram, SandboxedProgram, SandboxUnusable
from bot.core.settings import Severity
from bot.core.text import count
from bot.patterns import wanted

FOLDER = Path(__file__).parent / "linters"
LONGEST_TITLE = 140
MOST_TIMES = 2
"""Times a program's time until no part of the files is tried again."""
MOST_RUNS, FEW_RUNS = 16, 7
"""Tries, each with half of the files that were too much; the fewer while none came to anything."""


class LinterRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`why` tells whoever reads the remark what comes of it; `precision` whoever asks why it is let through:
    what was measured, or why it cannot be wrong. Without a severity the remark's level has it."""

    why: str
    precision: str
    severity: Severity | None = None


class Linter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One program. It takes files by shell patterns of their names, `under` a folder, but for those that
    `leaves` names as .gitignore would. `codes` are what it exits with when it has judged. `native`: see
    `launching`."""

    program: str
    install: str
    page: str
    """Of a rule: `{rule}` is its name, `{kebab}` the last part of it in that case."""
    measured: str
    """What its rules said of merged history, or why that was not looked at."""
    takes: tuple[str, ...]
    arguments: tuple[str, ...]
    form: Literal["sarif", "json", "lines"]
    rules: dict[str, LinterRule]
    """By the last part of their names; `SC2*` for those that begin so."""
    under: str = ""
    leaves: tuple[str, ...] = ()
    codes: tuple[int, ...] = (0, 1)
    ending: str = ""
    """Of the files' names; empty: as the repository's path ends."""
    files: dict[str, str] = {}
    """Hob's configuration."""
    native: tuple[str, ...] = ()
    places: JsonPlaces = JsonPlaces()
    pattern: str = ""
    prefix: str = ""
    """Of a rule's name, where the program leaves it out."""
    levels: dict[str, Severity] = {}
    broken: tuple[str, ...] = ()
    """Rules that say that a file cannot be read at all: nothing else that is said of it is believed."""
    templates: tuple[str, ...] = ()
    """Marks of files that something else turns into what the program reads: that it cannot is no news."""
    defused: tuple[str, ...] = ()
    """Words by which a file would configure the program; they are spelled another way in the copies."""
    seconds: float = ProgramLimits().seconds

    def rule(self, name: str) -> LinterRule | None:
        exact = self.rules.get(name)
        return exact or next(
            (
                one
                for key, one in self.rules.items()
                if key.endswith("*") and name.startswith(key.removesuffix("*"))
            ),
            None,
        )

    def wants(self, path: str) -> bool:
        name = path.rpartition("/")[2]
        taken = path.startswith(self.under) and any(fnmatchcase(name, one) for one in self.takes)
        return taken and not (self.leaves and wanted(path, self.leaves))

    def page_of(self, rule: str) -> str:
        kebab = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", rule).lower()
        return self.page.replace("{rule}", rule).replace("{kebab}", kebab)


@dataclass(frozen=True, slots=True)
class LintAnswer:
    """What was let through, with the paths that were given; `lacking` says what of the answer could not be
    read, or is empty."""

    remarks: tuple[LintRemark, ...]
    lacking: str = ""


@dataclass(slots=True)
class _Part:
    """Of one run or several: what was said, how many remarks could not be read, how many texts were judged,
    and why others were not."""

    remarks: list[LintRemark] = field(default_factory=list)
    bad: int = 0
    judged: int = 0
    why: str = ""

    def add(self, other: "_Part") -> None:
        self.remarks += other.remarks
        self.bad += other.bad
        self.judged += other.judged


@cache
def known(name: str) -> Linter:
    return msgspec.toml.decode((FOLDER / f"{name}.toml").read_bytes(), type=Linter)


@cache
def names() -> tuple[str, ...]:
    """Of the linters there are data of."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


async def run(name: str, change: CheckedChange, run_program: RunProgram) -> list[Finding] | None:
    """What one linter finds in every line of the files that it takes."""
    linter = known(name)
    texts = {path: text for path, text in change.texts.items() if linter.wants(path)}
    if not texts:
        return None
    judged = await judge(linter, texts, run_program)
    found = [finding(name, linter, one) for one in judged.remarks]
    if judged.lacking:
        raise PartlyRun(judged.lacking, tuple(found))
    return found


async def judge(linter: Linter, texts: Mapping[str, str], run_program: RunProgram) -> LintAnswer:
    """What the program says of texts, which may have any names; Unusable where it says nothing that can be
    believed. A file that is too much for it costs its own judgement, not that of the others."""
    path = programs.find(linter.program)
    if path is None:
        raise programs.ProgramMissing(f"{linter.program} is not installed")
    end = time.monotonic() + MOST_TIMES * linter.seconds
    done = _Part()
    waiting, runs = [tuple(texts)], 0
    while (
        waiting and runs < (MOST_RUNS if done.judged else FEW_RUNS) and (not runs or time.monotonic() < end)
    ):
        some = waiting.pop(0)
        ended = await run_program(_program(linter, path, {one: texts[one] for one in some}))
        runs += 1
        try:
            done.add(_read(linter, ended, some, texts))
        except NotJudged as why:
            done.why = str(why)
            half = len(some) // 2
            waiting += [some[:half], some[half:]] if half else []
    failed = len(texts) - done.judged
    if not done.judged:
        raise NotJudged(done.why)
    believed, unread = _believed(linter, done.remarks, texts)
    lacking = [f"{done.bad} of its remarks could not be read"] if done.bad else []
    lacking += [f"it could not read {count(unread, 'file')}"] if unread else []
    lacking += [f"{count(failed, 'file')} not judged: {done.why}"] if failed else []
    return LintAnswer(tuple(believed), "; ".join(lacking))


def _read(linter: Linter, ended: Ended, some: Sequence[str], texts: Mapping[str, str]) -> _Part:
    if ended.killed:
        raise NotJudged(ended.killed)
    if ended.code not in linter.codes:
        raise NotJudged(programs.unreadable(ended))
    part = _Part(judged=len(some))
    for one in _told(linter, ended):
        # what is not let through is not looked at: of its own failures a program speaks in forms of its own
        if one is not None and linter.rule(one.rule) is None and one.rule not in linter.broken:
            continue
        placed = _placed(one, some, texts)
        part.bad += placed is None
        part.remarks += [placed] if placed else []
    return part


def _program(linter: Linter, path: str, texts: Mapping[str, str]) -> SandboxedProgram:
    files, _ = programs.named(texts, linter.ending)
    copies = {name: _defused(linter, text) for name, text in files.items()}
    try:
        program = launching.launched(path, (*linter.arguments, *files), linter.native)
    except OSError as error:
        raise SandboxUnusable(f"{linter.program} cannot be read ({error.strerror})") from None
    limits = replace(program.limits, seconds=linter.seconds)
    return replace(program, files={**copies, **linter.files}, limits=limits)


def _defused(linter: Linter, text: str) -> str:
    for word in linter.defused:
        text = re.sub(re.escape(word), lambda found: "_" * len(found[0]), text, flags=re.IGNORECASE)
    return text


def _told(linter: Linter, ended: Ended) -> list[LintRemark | None]:
    try:
        match linter.form:
            case "sarif":
                told = list(lint_output.sarif(ended.output))
            case "json":
                told = list(lint_output.by_places(ended.output, linter.places))
            case "lines":
                told = list(lint_output.by_lines(ended.output, linter.pattern))
    except NoLintAnswer:
        raise NotJudged(programs.unreadable(ended)) from None
    if ended.code and not any(told):  # it found something, and what it says of it is not there
        raise NotJudged(programs.unreadable(ended))
    return [one and replace(one, rule=f"{linter.prefix}{one.rule.rpartition('/')[2]}") for one in told]


def _placed(one: LintRemark | None, paths: Sequence[str], texts: Mapping[str, str]) -> LintRemark | None:
    """With the path that was given; None where it speaks of another file or of a line that there is not. What
    is missed at the end of a file is said after its last line, and is about that."""
    if one is None:
        return None
    try:
        path = programs.path_of(one.path, paths)
    except SandboxUnusable:
        return None
    last = texts[path].rstrip("\n").count("\n") + 1
    if one.line is not None and not 1 <= one.line <= texts[path].count("\n") + 2:
        return None
    return replace(one, path=path, line=one.line and min(one.line, last))


def _believed(
    linter: Linter, remarks: list[LintRemark], texts: Mapping[str, str]
) -> tuple[list[LintRemark], int]:
    """Of a file that cannot be read one remark, where that is let through; and how many files that nobody is
    told of so. What is a template, or broken on purpose, is no file for this program."""
    broken: dict[str, LintRemark] = {}
    for one in remarks:
        if one.rule in linter.broken:
            broken.setdefault(one.path, one)
    meant = {
        path: one
        for path, one in broken.items()
        if not is_broken_on_purpose(path) and not any(mark in texts[path] for mark in linter.templates)
    }
    said = [one for one in meant.values() if linter.rule(one.rule)]
    return [one for one in remarks if one.path not in broken] + said, len(meant) - len(said)


def finding(name: str, linter: Linter, one: LintRemark) -> Finding:
    """A remark as a finding of the check of that name."""
    rule = linter.rule(one.rule)
    first = one.message.strip().splitlines()[0] if one.message.strip() else one.rule
    page = f"[{linter.program} {one.rule}]({linter.page_of(one.rule)})"
    return Finding(
        path=one.path,
        severity=(rule and rule.severity) or linter.levels.get(one.level, "minor"),
        category=one.rule,
        title=first[:LONGEST_TITLE],
        body=f"{rule.why if rule else ''} ({page})".lstrip(),
        source=name,
        line=one.line,
    )
