"""Clones of the forks that Martian's benchmark makes of its pull requests (its step 0), as labelled cases: a
folder named `owner__repo__tool__PR12__20260123`, with the branch `pr-12` beside the one that it goes into."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.agents.review.looking import Looking
from bot.core.diff import git_diff_text
from bot.core.errors import UserError
from bot.evals.cases import Case, GoldenComment
from bot.evals.martian import MartianPull, pull_names
from bot.git import git
from bot.implement_facts import looking
from bot.knowledge.local_library import LocalLibrary
from bot.local.change import LocalRange, find_root, merge_base, resolved
from bot.local.judge import local_context
from bot.local.reader import LocalReader
from bot.repository import LocalRepository

MOST_FOLDERS = 10_000
_NUMBER = re.compile(r"PR([0-9]{1,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Fork:
    """A case, and the clone that has all of its repository."""

    case: Case
    root: Path
    change: LocalRange

    def looking(self, data_dir: Path) -> Looking:
        """Where claims about it are looked up: files at its head, and an index of the clone, made with the
        first search."""
        library = LocalLibrary(self.root, data_dir, LocalRepository(self.root))
        return looking(local_context(self.root, self.change), self.change.head, library)


async def case_of(folder: Path, pull: MartianPull, number: int) -> Fork:
    """The change as its reviewers saw it; UserError where the clone does not have it."""
    root = await find_root(folder)
    if not _is_same(root, folder):  # a failed clone lies in whichever repository is around it
        raise UserError(f"{folder} is no clone: clone it again")
    head = await resolved(root, f"pr-{number}") or await resolved(root, f"origin/pr-{number}")
    if head is None:
        raise UserError(f"{folder} has no branch pr-{number}")
    base = await merge_base(root, head, *await _others(root, number))
    if base in (None, head):
        _, shallow = await git(root, "rev-parse", "--is-shallow-repository")
        cut = ", for it is a shallow clone: `git fetch --unshallow` there" if shallow[:4] == b"true" else ""
        raise UserError(f"{folder} has no branch that pr-{number} goes into{cut}")
    change = LocalRange(base, head, pull.title, "", "author")
    reader = LocalReader(root, change)
    files = await reader.files(0)
    case = Case(
        version=1,
        name=pull.url,
        title=pull.title,
        diff=git_diff_text(files),
        texts=await reader.texts(head, [file.path for file in files]),
        golden=[GoldenComment(path="", body=text) for text in pull.golden],
    )
    return Fork(case, root, change)


def _is_same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()


async def _others(root: Path, number: int) -> list[str]:
    """All branches but the pull request's own; UserError where there is none."""
    _, out = await git(root, "for-each-ref", "--format=%(refname)", "refs/heads", "refs/remotes")
    names = out.decode("utf-8", "replace").split("\n")
    found = [name for name in names if name and not name.endswith((f"/pr-{number}", "/HEAD"))]
    if not found:
        raise UserError(f"{root} has no branch beside pr-{number}")
    return found[:100]


def clones(folder: Path, pulls: Sequence[MartianPull]) -> Iterator[tuple[MartianPull, int, Path]]:
    """Each pull request of which there is a clone, the first by name; UserError for what is no folder."""
    if not folder.is_dir():
        raise UserError(f"there is no folder {folder}")
    known = {names: pull for pull in pulls for url in pull.addresses if (names := _key(url))}
    done: set[str] = set()
    for place in sorted(folder.iterdir())[:MOST_FOLDERS]:
        names = _named(place.name)
        if names in known and known[names].url not in done and place.is_dir():
            done.add(known[names].url)
            yield known[names], names[2], place


def _key(url: str) -> tuple[str, str, int] | None:
    names = pull_names(url)
    return (names[0].lower(), names[1].lower(), names[2]) if names else None


def _named(name: str) -> tuple[str, str, int]:
    owner, _, rest = name.lower().removesuffix(".git").partition("__")
    repo, *more = rest.split("__")
    numbers = (found for part in more if (found := _NUMBER.fullmatch(part.upper())))
    number = next(numbers, None)
    return owner, repo, int(number[1]) if number else 0
