"""What an earlier review of the same pull request has read, and what is new since."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from bot.core.diff import FileDiff, Hunk
from bot.core.refs import Sha


@dataclass(frozen=True, slots=True)
class ReviewedHead:
    """A head that was reviewed. `read`: the paths that were read whole then, or before; `texts`: those files
    as they were there."""

    head_sha: Sha
    read: frozenset[str] = frozenset()
    texts: Mapping[str, str] = field(default_factory=dict)
    base: str = ""
    """The branch against which it was; empty where that is not known."""

    def stands_for(self, head: Sha, base: str) -> bool:
        """Whether this is the same change: the same head against the same branch."""
        return self.head_sha == head and self.base in ("", base)


def new_since(
    files: Iterable[FileDiff], texts: Mapping[str, str], earlier: ReviewedHead
) -> tuple[tuple[FileDiff, ...], tuple[str, ...]]:
    """The files with only those hunks that were not there at the earlier head, and the paths of those that
    were read then and have none.

    A hunk was there when its lines stood in the file one after another: it is known again after a rebase
    and wherever it has moved. What cannot be compared is new.
    """
    fresh: list[FileDiff] = []
    known: list[str] = []
    for file in files:
        before, now = earlier.texts.get(file.path), texts.get(file.path)
        if file.path not in earlier.read or before is None or now is None:
            fresh.append(file)
            continue
        hunks = tuple(hunk for hunk in file.hunks or () if not _was_there(hunk, before, now))
        if hunks:
            fresh.append(replace(file, hunks=hunks))
        else:
            known.append(file.path)
    return tuple(fresh), tuple(known)


def _was_there(hunk: Hunk, before: str, now: str) -> bool:
    """Not where the same lines stand more often now than they did: one of them is a copy, and new."""
    block = "\n" + "".join(f"{line.text}\n" for line in hunk.new_side)
    if not hunk.new_side:
        return False  # all of the file is gone: there is nothing to compare by
    return 0 < _times(block, now) <= _times(block, before)


def _times(block: str, text: str) -> int:
    return f"\n{text}\n".count(block)
