"""How right the rules of the linters are (`bot/checks/linters`): what each says of the lines that merged
commits brought, and how much of that still stands years later, where nobody saw a fault in it.

`HOB_BENCH_CLONES` names local clones, separated by colons; `HOB_BENCH_LINTERS` linters (all of them without
it), which are looked for on PATH. Every rule of a linter is counted, let through or not. Commits are taken
evenly from those that are at least `HOB_BENCH_YEARS` old.
"""

import asyncio
import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from bot import sandbox
from bot.checks import linter
from bot.checks.linter import Linter, LinterRule
from bot.checks.shellcheck import scripts_of
from bot.core.sandbox_types import SandboxUnusable
from tests.bench.figure import Figure

COMMITS = int(os.environ.get("HOB_BENCH_COMMITS", "150"))
"""Of one repository and linter, at most."""
YEARS = float(os.environ.get("HOB_BENCH_YEARS", "1"))
AT_ONCE = 15
"""Files that a linter is given at once."""
EVERY = LinterRule(why="-", precision="-")
_HUNK = re.compile(r"@@ -\S+ \+(\d+)(?:,(\d+))? @@")


@dataclass(slots=True)
class Counted:
    """Of one rule: remarks on new lines, those whose line stands at the end of history, some of them."""

    said: int = 0
    stands: int = 0
    samples: list[str] = field(default_factory=list)


def git(clone: Path, *words: str) -> str:
    ran = subprocess.run(["git", "-C", str(clone), *words], capture_output=True, check=False)
    return ran.stdout.decode("utf-8", "replace") if ran.returncode == 0 else ""


def changes(clone: Path, takes: Linter) -> Iterator[tuple[str, dict[str, set[int]]]]:
    """Commits on the first parent's line, with the lines that they brought to files that a linter takes."""
    before = f"--before={YEARS}.years.ago"
    where = [f":(glob){takes.under}**/{one}" for one in takes.takes] or [":(glob)**/*.sh", ".github"]
    found = git(clone, "log", "--first-parent", "--format=%H", before, "--", *where).split()
    for commit in found[:: max(1, len(found) // COMMITS)][:COMMITS]:
        shown = git(clone, "diff", "--no-color", "--no-ext-diff", "-U0", f"{commit}^1", commit, "--", *where)
        lines: dict[str, set[int]] = defaultdict(set)
        path = ""
        for row in shown.split("\n"):
            if row.startswith("+++ "):
                path = row[6:] if row.startswith("+++ b/") else ""
            elif path and (hunk := _HUNK.match(row)):
                start, many = int(hunk[1]), int(hunk[2] or 1)
                lines[path] |= set(range(start, start + many))
        yield commit, {one: told for one, told in lines.items() if told}


async def counted(name: str, clone: Path) -> tuple[int, int, dict[str, Counted], list[str]]:
    """Commits, files, rules, and why some of it could not be judged."""
    known = linter.known(name)
    every = msgspec.structs.replace(known, rules={"*": EVERY}, seconds=120.0)
    rules: dict[str, Counted] = defaultdict(Counted)
    wrong: list[str] = []
    texts: dict[str, str] = {}
    told: dict[str, tuple[str, str, set[int], int]] = {}
    commits = 0
    for commit, brought in changes(clone, known):
        commits += 1
        for path, lines in brought.items():
            text = git(clone, "show", f"{commit}:{path}")
            pieces = [(text, 0)] if known.wants(path) else []
            if name == "shellcheck":
                pieces = [(one.text, one.before) for one in scripts_of(path, text)]
            for at, (piece, before) in enumerate(pieces):
                key = f"{commit}\0{at}\0{path}"
                texts[key], told[key] = piece, (text, path, lines, before)
    at_end: dict[str, set[str]] = {}
    keys = list(texts)
    for start in range(0, len(keys), AT_ONCE):
        some = {key: texts[key] for key in keys[start : start + AT_ONCE]}
        try:
            judged = await linter.judge(every, some, sandbox.run)
        except SandboxUnusable as why:
            wrong.append(str(why))
            continue
        wrong += [judged.lacking] if judged.lacking else []
        for one in judged.remarks:
            text, path, lines, before = told[one.path]
            number = (one.line or 0) + before
            if number not in lines:
                continue
            line = text.split("\n")[number - 1].strip()
            if path not in at_end:
                at_end[path] = {row.strip() for row in git(clone, "show", f"HEAD:{path}").split("\n")}
            rule = rules[one.rule]
            rule.said += 1
            rule.stands += line in at_end[path]
            rule.samples += [f"{path}:{number}: {one.message[:100]} | {line[:120]}"]
    return commits, len(texts), rules, wrong


def figures(_: Path) -> Iterator[Figure]:
    clones = [Path(one) for one in os.environ.get("HOB_BENCH_CLONES", "").split(":") if one]
    if not clones:
        yield Figure("rules of linters", "not measured: HOB_BENCH_CLONES names no clones", "", True)
        return
    for name in os.environ.get("HOB_BENCH_LINTERS", " ".join(linter.names())).split():
        together: dict[str, Counted] = defaultdict(Counted)
        commits = files = 0
        for clone in clones:
            seen, judged, rules, wrong = asyncio.run(counted(name, clone))
            commits, files = commits + seen, files + judged
            print(f"{name} {clone}: {seen} commits, {judged} files {wrong or ''}", file=sys.stderr)
            for rule, one in rules.items():
                together[rule].said += one.said
                together[rule].stands += one.stands
                together[rule].samples += one.samples
        known = linter.known(name)
        for rule, one in sorted(together.items(), key=lambda pair: -pair[1].said):
            let = "let through" if known.rule(rule) else "left out"
            print(f"{name} {rule} ({let}): {one.said} said, {one.stands} stand", file=sys.stderr)
            for sample in one.samples[:: max(1, len(one.samples) // 8)][:8]:
                print(f"    {sample}", file=sys.stderr)
            said = f"{one.said} said, {one.stands} still stand ({commits} commits, {files} files)"
            yield Figure(f"{name} {rule}: {let}", said, "", True)
