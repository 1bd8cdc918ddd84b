"""Which pull requests change the same files, and which git cannot merge: with each other, or with their base.

Tried with `git merge-tree`, which writes what it makes into a folder of its own: nothing is checked out, and
the clone stays as it is. https://git-scm.com/docs/git-merge-tree
"""

import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from bot.core.knowledge import Overlap
from bot.core.refs import Sha
from bot.git import DEAF, Ran, run
from bot.knowledge.clone import TIP, Clone, Remote

MOST_PULLS = 50
MOST_PAIRS = 100
"""That are tried."""
MOST_TEXTS = 500
"""That are fetched because a merge needs them."""
MOST_PATHS = 1_000
"""Of one pull request: one that changes more overlaps with everything."""
SECONDS = 120.0
"""After which no more are tried."""
PullChanges = dict[str, tuple[str, str]]
"""path -> names of its text before and after; all zeros where there is none."""


@dataclass(slots=True)
class _Trying:
    clone: Clone
    changes: dict[tuple[str, str], PullChanges] = field(default_factory=dict)

    async def changed(self, old: str, new: str) -> PullChanges:
        if (old, new) not in self.changes:
            raw = ("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-commit-id", old, new)
            self.changes[old, new] = _read((await self._git(*raw)).out)
        return self.changes[old, new]

    async def base(self, one: str, other: str) -> str:
        """Their newest common ancestor; empty where they have none."""
        return (await self._git("merge-base", one, other)).out.decode().strip()

    async def both(self, one: str, other: str) -> dict[str, set[str]]:
        """path -> names of its texts, of what both sides have changed since they parted."""
        base = await self.base(one, other)
        if not base:
            return {}
        mine, theirs = await self.changed(base, one), await self.changed(base, other)
        return {path: {*mine[path], *theirs[path]} for path in mine.keys() & theirs.keys()}

    async def conflicts(self, one: str, other: str, scratch: Path) -> tuple[str, ...] | None:
        """Paths that cannot be merged; None where git could not try."""
        objects = {
            "GIT_OBJECT_DIRECTORY": str(scratch),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(self.clone.folder / "objects"),
        }
        asked = ("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", one, other)
        ran = await run(self.clone.folder, *asked, environ={**DEAF, **objects})
        if ran.code not in (0, 1) or ran.late or ran.full:
            return None
        named = ran.out.split(b"\0")[1:-1] if ran.code else []
        return tuple(dict.fromkeys(one.decode("utf-8", "replace") for one in named))

    async def _git(self, *arguments: str) -> Ran:
        return await run(self.clone.folder, *arguments, environ=DEAF)


async def overlaps(clone: Clone, origin: Remote, numbers: Sequence[int]) -> list[Overlap]:
    """The newest come first, and are tried first. The caller holds the clone."""
    trying, until = _Trying(clone), time.monotonic() + SECONDS
    heads = dict(await clone.pull_heads(origin, numbers[:MOST_PULLS]))
    tip = await clone.resolve(TIP)
    own: dict[int, PullChanges] = {}
    for number, head in heads.items():
        if base := await trying.base(tip, head):
            own[number] = await trying.changed(base, head)
    own = {number: paths for number, paths in own.items() if 0 < len(paths) <= MOST_PATHS}
    pairs = [(number, 0) for number in own]
    pairs += [pair for pair in combinations(own, 2) if own[pair[0]].keys() & own[pair[1]].keys()]
    wanted: dict[tuple[int, int], dict[str, set[str]]] = {}
    for one, other in pairs[: MOST_PULLS + MOST_PAIRS]:
        if both := await trying.both(heads[one], heads[other] if other else tip):
            wanted[one, other] = both
    names = [name for both in wanted.values() for every in both.values() for name in every]
    await clone.complete(origin, _texts(names))
    found = []
    with tempfile.TemporaryDirectory(prefix="hob-merge-") as scratch:
        for (one, other), both in wanted.items():
            tried = time.monotonic() < until
            second: Sha = heads[other] if other else tip
            bad = await trying.conflicts(heads[one], second, Path(scratch)) if tried else None
            if other or bad:
                paths = sorted(own[one].keys() & own[other].keys()) if other else sorted(both)
                found.append(Overlap(one, other, tuple(paths), bad))
    return found


def _texts(names: Iterable[str]) -> list[str]:
    return [one for one in dict.fromkeys(names) if one.strip("0")][:MOST_TEXTS]


def _read(raw: bytes) -> PullChanges:
    """Of `git diff-tree --raw -z`: `:100644 100644 old new M`, path, …; submodules have no texts."""
    parts, changes = raw.split(b"\0"), PullChanges()
    for about, path in zip(parts[::2], parts[1::2], strict=False):
        modes = about.split(b" ")
        if len(modes) == 5 and b"160000" not in (modes[0][1:], modes[1]):
            changes[path.decode("utf-8", "replace")] = (modes[2].decode(), modes[3].decode())
    return changes
