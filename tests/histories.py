"""Pull requests cut from histories, a model that says true and untrue things about them, and what GitHub
then has.

The right line of a quote is worked out here from the patch's own text, not with Hob's reader of patches.
"""

import ast
import random
import re
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.core.file_kinds import GENERATED_ENDINGS, LOCK_FILES, VENDORED
from bot.testing.github.pulls import PullRequest, ReviewComment, block, suggested
from tests.living import LivingHob, keeping_all
from tests.tea import finding

ROOT = Path(__file__).parent.parent
MOST_FILES = 40
MOST_BYTES = 100_000
SETTINGS = (
    "review: {max_comments: 50, min_severity: nit, max_calls: 200, checks: {ruff: false, secrets: false}}\n"
)
_HEADER = re.compile(r"@@ -\d+(?:,\d+)? \+(\d+)")
_SHOWN = re.compile(r'<data-[0-9a-f]+ name="([^"]+)">')


@dataclass(frozen=True)
class Cut:
    """One change: the files before it, and what it makes of them (None: gone)."""

    title: str
    before: dict[str, bytes]
    after: dict[str, bytes | None]


def own(most: int) -> Iterator[Cut]:
    """From the history of the checkout that this file lies in, the newest first; nothing where there is
    none."""
    shas = _git("log", "--no-merges", "--format=%H", "-n", str(4 * most)).decode().split()
    for sha in shas:
        if most and (cut := _commit(sha)):
            most -= 1
            yield cut


def _git(*arguments: str) -> bytes:
    command = ["git", "-C", str(ROOT), "-c", "core.hooksPath=/dev/null", *arguments]
    done = subprocess.run(command, capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else b""


def _commit(sha: str) -> Cut | None:
    names = (
        _git("diff-tree", "-r", "--no-renames", "-z", "--name-only", "--no-commit-id", sha)
        .decode()
        .split("\0")
    )
    paths = [name for name in names if name]
    if not 0 < len(paths) <= MOST_FILES or not _git("rev-parse", f"{sha}^"):
        return None
    before = {path: data for path in paths if (data := _git("show", f"{sha}^:{path}"))}
    after = {path: _git("show", f"{sha}:{path}") or None for path in paths}
    if any(data and len(data) > MOST_BYTES for data in (*before.values(), *after.values())):
        return None
    return Cut(sha[:12], before, {path: data for path, data in after.items() if data or path in before})


_WORDS = ["brew", "pour", "steep", "kettle", "leaf", "cup", "water", "lid", "guest", "spoon"]


def made(count: int, seed: int = 1) -> Iterator[Cut]:
    """Changes of made-up files in several languages, with doubled lines, tabs, carriage returns and letters
    of many scripts: what histories of one house lack."""
    for number in range(count):
        rng = random.Random(seed * 10_000 + number)
        before = {path: _text(path, rng) for path in _paths(rng)}
        after = {path: _edited(path, text, rng) for path, text in before.items()}
        for path in rng.sample(sorted(before), rng.randrange(len(before))):
            after[f"new/{path}"] = _text(path, rng)
        yield Cut(f"made {number}", _encoded(before), dict(_encoded(after)))


def _paths(rng: random.Random) -> list[str]:
    endings = [".py", ".go", ".ts", ".md", ".yml", ".rb", ".txt"]
    return [f"src/{rng.choice(_WORDS)}{n}{rng.choice(endings)}" for n in range(rng.randint(1, 6))]


def _text(path: str, rng: random.Random) -> str:
    return "".join(_line(path, rng, n) for n in range(rng.randint(5, 80)))


def _line(path: str, rng: random.Random, number: int) -> str:
    one, other = rng.choice(_WORDS), rng.choice(_WORDS)
    if rng.random() < 0.2:
        return rng.choice(["\n", "}\n", "# --\n", "pass\n", "end\n"]) if not path.endswith(".py") else "\n"
    if path.endswith(".py"):
        return f"{one}_{other} = {rng.randrange(40)}\n"
    indent = rng.choice(["", "    ", "\t"])
    return f"{indent}{one}.{other}({rng.randrange(30)}, 'té {rng.choice(['茶', 'чай', 'x'])}')\n"


def _edited(path: str, text: str, rng: random.Random) -> str:
    lines = text.splitlines(keepends=True)
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(lines) + 1)
        lines[at : at + rng.randrange(4)] = [_line(path, rng, n) for n in range(rng.randint(1, 4))]
    return "".join(lines)


def _encoded(texts: Mapping[str, str]) -> dict[str, bytes]:
    """One file in five with carriage returns."""
    return {
        path: (text.replace("\n", "\r\n") if sum(path.encode()) % 5 == 0 else text).encode()
        for path, text in texts.items()
    }


# -- points about a change


@dataclass(frozen=True)
class Point:
    """What the model says, and where it belongs: `line` is None where no line is right. `kind` tells how
    its quote was made."""

    path: str
    quote: str
    title: str
    kind: str
    line: int | None = None
    replacement: str | None = None

    @property
    def told(self) -> dict[str, Any]:
        return finding(
            path=self.path, quote=self.quote, title=self.title, body="", replacement=self.replacement
        )


def sides(patch: str) -> list[tuple[str, int, str]]:
    """(mark, line of the new side, text) of a patch's context and added lines."""
    found: list[tuple[str, int, str]] = []
    number = 0
    for line in patch.split("\n"):
        if header := _HEADER.match(line):
            number = int(header[1])
        elif line[:1] in ("+", " "):
            found.append((line[0], number, line[1:]))
            number += 1
    return found


def readable(pull: PullRequest) -> dict[str, str]:
    """path -> patch of the files that a reviewer is shown."""
    return {
        one.path: one.patch
        for one in pull.files()
        if one.patch
        and one.additions
        and one.path.rpartition("/")[2] not in LOCK_FILES
        and not VENDORED.intersection(one.path.split("/")[:-1])
        and not one.path.endswith(GENERATED_ENDINGS)
    }


def true_points(pull: PullRequest, rng: random.Random, most: int = 3) -> list[Point]:
    """Lines that the change brings and that stand in its file's diff once, quoted as they are."""
    points: list[Point] = []
    for path, patch in readable(pull).items():
        shown = sides(patch)
        counts = Counter(text.strip() for _, _, text in shown)
        good = [
            (number, text)
            for mark, number, text in shown
            if mark == "+" and counts[text.strip()] == 1 and len(re.findall(r"\w{2,}", text)) > 2
        ]
        for number, text in rng.sample(good, min(len(good), 2)):
            new = _replacement(text.rstrip("\r"), rng)
            points.append(Point(path, text.rstrip("\r"), "", "true", number, new))
    rng.shuffle(points)
    return _titled(points[:most])


def _replacement(text: str, rng: random.Random) -> str | None:
    """Some that a file can take, some that it cannot."""
    indent = text[: len(text) - len(text.lstrip())]
    choices = [
        None,
        f"{text}  # checked",
        f"{indent}{text.strip()}\n{indent}{text.strip()}",
        text.strip(),
        f"{text} (((",
        f"{text}\n```\nout of the fence",
        f"{text}\u202e",
        f"{text}\r\n{text}\r\n",
        "",
    ]
    return rng.choice(choices)


def untrue_points(pull: PullRequest, rng: random.Random) -> list[Point]:
    """Quotes off by white space, moved, of doubled lines, invented."""
    points: list[Point] = []
    for path, patch in readable(pull).items():
        shown = sides(patch)
        added = [(number, text.rstrip("\r")) for mark, number, text in shown if mark == "+" and text.strip()]
        if not added:
            continue
        number, text = rng.choice(added)
        spaced = "  " + re.sub(r" ", rng.choice(["  ", "\t", " "]), text.strip()) + " "
        points.append(Point(path, spaced, "", "spaced", number))
        other = rng.choice([one for one in readable(pull) if one != path] or [path])
        points.append(Point(other, text, "", "moved"))
        twice = [text for _, _, text in shown if sum(one == text for _, _, one in shown) > 1]
        points.append(Point(path, rng.choice(twice or [text]), "", "doubled"))
        points.append(Point(path, f"{text} or_so_{rng.randrange(99)}", "", "invented"))
    rng.shuffle(points)
    return _titled(points[:8])


def _titled(points: list[Point]) -> list[Point]:
    return [
        Point(one.path, one.quote, f"Point {number} stands", one.kind, one.line, one.replacement)
        for number, one in enumerate(points)
    ]


# -- what came of them


@dataclass
class Tally:
    """Over many pull requests."""

    pulls: int = 0
    points: int = 0
    inline: int = 0
    in_summary: int = 0
    annotated: int = 0
    counted: int = 0
    lost: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    """Reviews that GitHub did not take at first."""
    suggestions: int = 0
    not_applied: list[str] = field(default_factory=list)
    not_parsed: list[str] = field(default_factory=list)


def says(points: list[Point], told: list[str]) -> Any:
    """A model that says about each file what is to be said of it, in each part that it is shown, and confirms
    everything. `told` takes the titles."""

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        if "verdicts" in request["format"]["properties"]:
            return keeping_all()
        shown = set(_SHOWN.findall(request["messages"][1]["content"]))
        said = [point for point in points if point.path in shown]
        told.extend(point.title for point in said)
        return {"findings": [point.told for point in said], "summary": ""}

    return answer


async def judged(hob: LivingHob, repo: Any, cut: Cut, number: int, kind: str, tally: Tally) -> None:
    """Opens a pull request of the cut, has it reviewed, and counts what became of each point."""
    base = f"base-{kind}-{number}"
    repo.git.write(
        f"refs/heads/{base}",
        {**cut.before, ".github/hob.yml": SETTINGS},
        parent=None,
        message="Before",
        author="octo",
        at=repo.world.now(),
    )
    pull = repo.open_pull_request(cut.title, cut.after, author="ann", base=base, branch=f"{kind}-{number}")
    rng = random.Random(number)
    points = true_points(pull, rng) if kind == "true" else untrue_points(pull, rng)
    told: list[str] = []
    hob.ollama.answer = says(points, told)
    before = len(hob.github.requests)
    await hob.works()
    posts = [
        one for one in hob.github.requests[before:] if one.path.endswith("/reviews") and one.method == "POST"
    ]
    tally.pulls += 1
    tally.points += len(points)
    tally.refused += [cut.title] if len(posts) > 1 else []
    if {point.title for point in points} != set(told):
        tally.lost.append(f"{cut.title}: not every file was shown")
    _place(pull, points, len(told), tally)


def _place(pull: PullRequest, points: list[Point], told: int, tally: Tally) -> None:
    (check,) = pull.check_runs
    body = pull.reviews[0].body if pull.reviews else ""
    silent = sum(
        int(found)
        for found in re.findall(r"^- (\d+) findings? .*not shown", check.summary or "", re.MULTILINE)
    )
    shown = 0
    for point in points:
        comments = [one for one in pull.review_comments if point.title in one.body]
        if comments:
            tally.inline += 1
            _check(pull, point, comments[0], tally)
        elif point.title in body:
            tally.in_summary += 1
        elif any(point.title in (one["title"] or "") for one in check.annotations):
            tally.annotated += 1
        else:
            tally.counted += 1
            continue
        shown += 1
    if told - shown != silent:
        tally.lost.append(f"{pull.title}: {told - shown} not shown, {silent} counted")
    if tally.inline and any(point.kind == "true" and point.title in body for point in points):
        tally.wrong.append(f"{pull.title}: a true quote has no line")


def _check(pull: PullRequest, point: Point, comment: ReviewComment, tally: Tally) -> None:
    text = pull.text(comment.path)
    lines = text.split("\n")
    first, last = comment.start_line or comment.line or 0, comment.line or 0
    quoted = "\n".join(lines[first - 1 : last])
    right = comment.path == point.path and " ".join(point.quote.split()) in " ".join(quoted.split())
    if not right or (point.kind == "true" and (first, last) != (point.line, point.line)):
        tally.wrong.append(f"{pull.title}: {comment.path}:{first}-{last} for {point.quote!r}")
    if block(comment.body) is None:
        return
    tally.suggestions += 1
    try:
        after = suggested(text, comment.body, first, last)
    except ValueError as error:
        tally.not_applied.append(f"{pull.title}: {error}")
        return
    if after == text or len(after.split("\n")) - len(lines) != len(block(comment.body) or ()) - (
        last - first + 1
    ):
        tally.not_applied.append(f"{pull.title}: {comment.path} is not as suggested")
    if comment.path.endswith(".py") and _parses(text) and not _parses(after):
        tally.not_parsed.append(f"{pull.title}: {comment.path}")


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True
