"""How often conventions that `hob learn` finds would have been right, over public histories.

`HOB_BENCH_CLONES` names local clones (bare ones do), separated by colons: of each commit on the default
branch it is known what was taken back, and which of its lines a fix replaced within 14 days. What people said
in review is not in git: `HOB_BENCH_PULLS` may name, as `CLONE=FOLDER` separated by colons, a git repository
with a file `pulls/NUMBER.json` for each pull request of a clone (`pull` and `comments` as GitHub's API gives
them, as some projects publish); then its merged pull requests are what is learned from. Who may write is not
known there: all remarks count that are not the author's own.

Three parts in time. Candidates are found in the first 60 %, tried on the next 20 %, and what would be offered
then is judged on the last 20 %, which had a say neither in what was found nor in what was offered.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.core.conventions import LEAST_PRECISION, Count, candidates, counted, fit_to_offer, split, tested
from bot.core.past_changes import (
    MOST_LINE,
    CodeLine,
    JudgedChange,
    PastChange,
    PastRemark,
    judged,
    kept_lines,
    reverted,
)
from tests.bench.figure import Figure

COMMITS = int(os.environ.get("HOB_BENCH_COMMITS", "5000"))
_COMMIT = re.compile(r"^\x00\x01([0-9a-f]{40})\x00", re.MULTILINE)
_FORMAT = "--format=%x00%x01%H%x00%ct%x00%s%x00%b%x00"
_DIFF = (
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--unified=0",
    "--no-renames",
    "--diff-algorithm=histogram",
)


def _git(clone: Path, *arguments: str, check: bool = True) -> str:
    command = ["git", "-C", str(clone), *arguments]
    ran = subprocess.run(command, capture_output=True, check=check)
    return ran.stdout.decode("utf-8", "replace")


def commits(clone: Path) -> Iterator[PastChange]:
    """The newest, back to where the clone lacks a file's text."""
    out = _git(clone, "log", "--no-merges", f"-{COMMITS}", _FORMAT, "-p", *_DIFF, "HEAD", check=False)
    parts = _COMMIT.split(out)[1:]
    for sha, rest in zip(parts[::2], parts[1::2], strict=True):
        at, title, body, diff = rest.split("\0", 3)
        added, removed = _lines(diff)
        yield PastChange(
            sha, sha, title, float(at), kept_lines(added), kept_lines(removed), (), reverted(title, body)
        )


def _lines(diff: str) -> tuple[list[CodeLine], list[CodeLine]]:
    added: list[CodeLine] = []
    removed: list[CodeLine] = []
    path = ""
    for line in diff.split("\n"):
        if line.startswith(("--- a/", "+++ b/")):
            path = line[6:]
        elif line.startswith("+") and not line.startswith("+++ "):
            added.append((path, line[1:]))
        elif line.startswith("-") and not line.startswith("--- "):
            removed.append((path, line[1:]))
    return added, removed


def pulls(clone: Path, backup: Path) -> Iterator[PastChange]:
    names = [
        name
        for name in _git(backup, "ls-tree", "--name-only", "HEAD", "pulls/").split()
        if name.endswith(".json")
    ]
    for name in names:
        try:
            told: Any = json.loads(_git(backup, "show", f"HEAD:{name}"))
            pull = told["pull"]
            sha = pull.get("merge_commit_sha")
            if not pull.get("merged_at") or not sha:
                continue
            added, removed = _lines(_git(clone, "diff", *_DIFF, f"{sha}^1", sha))
        except subprocess.CalledProcessError:  # a clone does not have it
            continue
        stayed = {text.strip()[:MOST_LINE] for _, text in added}
        remarks = [_remark(one, pull["user"]["login"]) for one in told.get("comments", ())]
        yield PastChange(
            f"#{pull['number']}",
            pull["html_url"],
            pull["title"],
            datetime.fromisoformat(pull["merged_at"]).timestamp(),
            kept_lines(added),
            kept_lines(removed),
            tuple(one for one in remarks if one and one.line not in stayed),
            reverted(pull["title"], pull.get("body") or ""),
        )


def _remark(found: Mapping[str, Any], author: str) -> PastRemark | None:
    who = (found.get("user") or {}).get("login", author)
    line = found["diff_hunk"].rpartition("\n")[2]
    if (
        found.get("in_reply_to_id")
        or who == author
        or found.get("side") == "LEFT"
        or not line.startswith("+")
    ):
        return None
    text = line[1:].strip()[:MOST_LINE]
    return PastRemark(found["path"], text, found["body"], who, found["html_url"]) if text else None


def _judge(name: str, changes: list[JudgedChange]) -> Iterator[Figure]:
    known, last = split(changes, 0.8)
    older, newer = split(known, 0.75)
    lines = [line for change in changes for line in change.lines]
    share = sum(bool(line.objection) for line in lines) / max(1, len(lines))
    seen = f"{len(changes)} changes, {len(lines):,} lines, {share:.1%} of them objected to"
    tried = [tested(one, older, newer) for one in candidates(older)]
    offered = [one for one in tried if fit_to_offer(one.newer)]
    after = [counted(one.pattern, one.trigger, last) for one in offered]
    for one in tried:
        counts = (one.older, one.newer, counted(one.pattern, one.trigger, last))
        told = " ".join(f"{each.right}/{each.spoken}" for each in counts)
        mark = "offered" if one in offered else "dropped"
        print(f"{name}: {mark} {told} {one.pattern} {'+'.join(one.trigger)}", file=sys.stderr)
    every = _sum(one.newer for one in tried)
    yield Figure(
        f"conventions of {name}: offered of tried",
        f"{len(offered)} of {len(tried)} ({seen})",
        "none under .5",
        all(one.newer.precision >= LEAST_PRECISION for one in offered),
        f"all that were tried: right on {every.right} of {every.spoken} newer changes",
    )
    if offered:
        shown, later = _sum(one.newer for one in offered), _sum(after)
        yield Figure(
            f"those of {name} that are offered: precision when tried; on what came after",
            f"{_told(shown)}; {_told(later)}",
            ">= .50 when tried",
            shown.precision >= LEAST_PRECISION,
        )


def _told(count: Count) -> str:
    return f"{count.precision:.2f} ({count.right} of {count.spoken})"


def _sum(counts: Any) -> Count:
    every = list(counts)
    return Count(sum(one.right for one in every), sum(one.spoken for one in every))


def figures(folder: Path) -> Iterator[Figure]:
    clones = [Path(one) for one in os.environ.get("HOB_BENCH_CLONES", "").split(":") if one]
    backups = [one.partition("=") for one in os.environ.get("HOB_BENCH_PULLS", "").split(":") if one]
    if not clones and not backups:
        yield Figure("conventions from the past", "not measured: HOB_BENCH_CLONES names no clones", "", True)
    for clone in clones:
        yield from _judge(_name(clone), judged(commits(clone)))
    for name, _, backup in backups:
        changes = judged(pulls(Path(name), Path(backup)))
        yield from _judge(f"{_name(Path(name))}, with reviews", changes)


def _name(clone: Path) -> str:
    return clone.parent.name if clone.name in ("repo", ".git") else clone.name
