"""What the deterministic checks say of merged history: how many of their remarks are wrong.

`HOB_BENCH_CLONES` names local clones (bare ones do), separated by colons. Of each, windows of merged commits
are replayed, newest first, each as one pull request, as `hob review --no-model` does it. Whether a remark is
right only a reader can say: each is printed and written to `HOB_BENCH_VERDICTS` (a table of tabs), where a
reader puts `useful` or `wrong` in the place of `?`; the next run counts by it, and keeps what was said.
"""

import asyncio
import csv
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.core.findings import Finding
from bot.core.refs import Sha
from bot.local import LocalRange
from bot.local.judge import judge_range
from tests.bench.figure import Figure

COMMITS = int(os.environ.get("HOB_BENCH_COMMITS", "12"))
"""Merged commits (on the first parent's line) in a window."""
WINDOWS = int(os.environ.get("HOB_BENCH_WINDOWS", "15"))
"""Of one repository, at most."""
BAR = 1.0
"""Wrong remarks in 20 windows."""
WORDS = ("useful", "wrong", "?")

Key = tuple[str, str, str, str]
"""Repository, path:line, rule, title: the same remark in another run."""


@dataclass(frozen=True, slots=True)
class Remark:
    repository: str
    head: str
    finding: Finding
    line: str

    @property
    def key(self) -> Key:
        one = self.finding
        return (self.repository, f"{one.path}:{one.line or 0}", f"{one.source} {one.category}", one.title)

    @property
    def row(self) -> tuple[str, ...]:
        return (*self.key, self.finding.severity, self.head[:12], self.line.strip()[:200].replace("\t", " "))


def windows(clone: Path) -> Iterator[LocalRange]:
    command = ["git", "-C", str(clone), "rev-list", "--first-parent", f"-{COMMITS * WINDOWS + 1}", "HEAD"]
    commits = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    for at in range(0, len(commits) - COMMITS, COMMITS):
        yield LocalRange(Sha(commits[at + COMMITS]), Sha(commits[at]), "merged history", "", "somebody")


async def remarks_of(clone: Path, change: LocalRange) -> list[Remark]:
    """What is severe enough to be posted; no cap."""
    judged = await judge_range(clone, change, None)
    name = clone.parent.name if clone.name in ("repo", ".git") else clone.name
    return [
        Remark(name, change.head, one, _line(one, judged.facts.texts.get(one.path, "")))
        for one in (*judged.chosen.shown, *judged.chosen.over_cap)
    ]


def _line(finding: Finding, text: str) -> str:
    lines = text.split("\n")
    return lines[finding.line - 1] if finding.line and finding.line <= len(lines) else finding.quote


async def _replayed(clones: list[Path]) -> tuple[list[Remark], Counter[str]]:
    found: list[Remark] = []
    seen: Counter[str] = Counter()
    for clone in clones:
        for change in windows(clone):
            said = await remarks_of(clone, change)
            seen[clone.parent.name if clone.name in ("repo", ".git") else clone.name] += 1
            found += said
            for one in said:
                print("\t".join(one.row), flush=True)
        print(f"{clone}: done", file=sys.stderr)
    return found, seen


def verdicts(path: Path) -> dict[Key, str]:
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return {(row[1], row[2], row[3], row[4]): row[0] for row in rows if len(row) > 4}


def figures(folder: Path) -> Iterator[Figure]:
    clones = [Path(one) for one in os.environ.get("HOB_BENCH_CLONES", "").split(":") if one]
    if not clones:
        yield Figure("wrong remarks of checks", "not measured: HOB_BENCH_CLONES names no clones", "", True)
        return
    path = Path(os.environ.get("HOB_BENCH_VERDICTS", folder / "verdicts.tsv"))
    known = verdicts(path)
    found, seen = asyncio.run(_replayed(clones))
    rows = {one.key: (known.get(one.key, "?"), *one.row) for one in found}
    kept = [(known[key], *key) for key in known if key not in rows and known[key] != "?"]
    path.write_text("".join("\t".join(row) + "\n" for row in (*rows.values(), *kept)), encoding="utf-8")
    for name in (*seen, "all"):
        ours = [rows[one.key][0] for one in found if name in ("all", one.repository)]
        count = sum(seen.values()) if name == "all" else seen[name]
        told = Counter(ours)
        rate = 20 * told["wrong"] / count if count else 0.0
        said = ", ".join(f"{told[word]} {word if word != '?' else 'unread'}" for word in WORDS)
        yield Figure(
            f"wrong remarks of checks in 20 windows: {name}",
            f"{rate:.2f} ({count} windows: {said})",
            f"<= {BAR:.0f}",
            rate <= BAR and not told["?"],
        )
