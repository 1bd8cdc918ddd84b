"""Two commits merged, as values: what git could not merge, in hunks, and what the merge commit is made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from bot.core.refs import Sha


@dataclass(frozen=True, slots=True)
class CommittedFile:
    """A file as a commit leaves it; `text` None: it goes, or with a `sha` it is what GitHub has by that name.
    `mode` is git's; what is no plain file always comes with a `sha`."""

    path: str
    text: str | None
    mode: Literal["100644", "100755", "120000", "160000"] = "100644"
    sha: str = ""


@dataclass(frozen=True, slots=True)
class ConflictHunk:
    """Where both sides changed the same lines: whole lines with `\\n`, each side's and their common
    ancestor's."""

    base: str
    ours: str
    theirs: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """A file that git could not merge. `why`: in a clause, why people have to; then there is nothing else.
    `parts`: its text from top to bottom, in which line ends are `\\n` and the last line has one."""

    path: str
    why: str = ""
    parts: tuple[str | ConflictHunk, ...] = ()
    base: str = ""
    """The whole file of the common ancestor, with line ends as in `parts`; then each side's."""
    ours: str = ""
    theirs: str = ""
    eol: str = "\n"
    """What its lines end in after the merge."""
    ended: bool = True
    """Whether its last line ends too."""
    mode: str = "100644"

    @property
    def hunks(self) -> tuple[ConflictHunk, ...]:
        return tuple(one for one in self.parts if isinstance(one, ConflictHunk))

    def text(self, choose: Callable[[int, ConflictHunk], str]) -> str:
        """With `choose(number, hunk)` in place of each hunk, counted from 0."""
        numbers = iter(range(len(self.parts)))
        return "".join(one if isinstance(one, str) else choose(next(numbers), one) for one in self.parts)

    def finished(self, text: str) -> str:
        """As the file is written."""
        whole = text if self.ended else text.removesuffix("\n")
        return whole.replace("\n", self.eol)


@dataclass(frozen=True, slots=True)
class MergeTried:
    """What came of merging a base into a head. `why`: a sentence, why it was not tried. `behind`: so many
    commits of the base the head lacks."""

    why: str = ""
    behind: int = 0
    conflicts: tuple[Conflict, ...] = ()


@dataclass(frozen=True, slots=True)
class MergedTree:
    """The tree of a merge commit: `files` on the tree `onto`, which is that of the parent `beside`. `why`: a
    sentence, why there is none."""

    tree: str = ""
    onto: str = ""
    beside: Sha | None = None
    files: tuple[CommittedFile, ...] = ()
    texts: Mapping[str, str | None] | None = None
    """`files`, whole; None where some of them are no text, or they are too much."""
    brought: tuple[str, ...] = ()
    """Paths that differ from the head."""
    why: str = ""
