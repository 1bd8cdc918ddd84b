"""Brings an index to a commit: what changed is read, what is gone goes, what was done stays done.

Blobs are put on the shelf as they are read, and the files take them over all at once at the end: until then a
search answers as of the commit before, and after a kill the next run reads what is left.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bot.core.reading import kind_of_path
from bot.core.source import LeftOut
from bot.knowledge.files import MAX_BYTES
from bot.knowledge.git import Entry, Git
from bot.knowledge.languages import language_of
from bot.knowledge.reader import Source, read_all
from bot.knowledge.shelf import Commit, File
from bot.knowledge.sqlite import Shelf
from bot.knowledge.tokens import indexed

MOST_FILES = 50_000
MOST_COMMITS = 10_000
"""The newest: older messages say little about the code of today."""
MOST_SPARE = 2_000
"""Blobs kept that the tip has not: of pull requests, and of what may come back."""
WAIT_SECONDS = 600.0
"""For another process that updates the same index."""
_COMMITS_AT_ONCE = 500
_TIDY_FROM = 500
"""Blobs put at once after which tidying pays."""
_REACH = 1_000_000
NOT_HERE = "not in this clone"
_NO_NAME = "its name is not UTF-8"

Progress = Callable[[int, int, str], None]
"""Called with how much is done, of how much, and of what: `files`, `commits` (whose number is not known
before: 0)."""


@dataclass(frozen=True, slots=True)
class Updated:
    """What an update did. `sha` is the commit that the index is of now, `was` the one before."""

    sha: str
    was: str = ""
    read: int = 0
    removed: int = 0
    commits: int = 0
    forgotten: int = 0
    """Commits that a force push took away."""
    left_out: tuple[LeftOut, ...] = ()
    """Of the files that were new or changed."""


@dataclass(frozen=True, slots=True)
class Change:
    """From the files that the index has to those of a tree."""

    settled: tuple[File, ...] = ()
    """To be put as they are: left out by what they are or are called."""
    read: tuple[Entry, ...] = ()
    """To be read, where the shelf does not know their blobs."""
    gone: tuple[str, ...] = field(default=())


def update(
    shelf: Shelf,
    git: Git,
    tip: str,
    progress: Progress = lambda done, of, what: None,
    processes: int = min(os.cpu_count() or 1, 4),
) -> Updated:
    """Brings the index to the commit `tip`, whatever it was of. Raises `ShelfError`, `GitError`."""
    with shelf.alone(WAIT_SECONDS):
        was = shelf.state("tip")
        if was == tip and shelf.state("history") == tip:
            return Updated(tip, was)
        change = plan(shelf.files(), git.tree(tip))
        files = [*change.settled, *_read(shelf, git, change.read, progress, processes)]
        with shelf.writing():
            shelf.put_files(files)
            shelf.drop_files(change.gone)
            shelf.set_state("tip", tip)
        commits, forgotten = _follow(shelf, git, tip, progress)
        spare = shelf.spare()
        shelf.drop_blobs(spare[: max(0, len(spare) - MOST_SPARE)])
        if len(files) >= _TIDY_FROM or commits >= _TIDY_FROM:
            shelf.tidy()
        left_out = tuple(LeftOut(file.path, file.why) for file in files if file.why)
        read = sum(not file.why for file in files)
        return Updated(tip, was, read, len(change.gone), commits, forgotten, left_out)


def plan(have: Mapping[str, File], tree: Iterable[Entry], most: int = MOST_FILES) -> Change:
    """What differs. Files are judged by what they are (a link, a submodule), by name, and by how many there
    are."""
    settled: list[File] = []
    read: list[Entry] = []
    seen: set[str] = set()
    for entry in tree:
        seen.add(entry.path)
        why = _why_not(entry) or (f"beyond the first {most:,} files" if len(seen) > most else "")
        known = have.get(entry.path)
        if known and known.sha == entry.sha and why == (known.why if _is_settled(known) else ""):
            if known.why == NOT_HERE:  # it may be by now
                read.append(entry)
            continue
        if why := why or kind_of_path(entry.path) or "":
            settled.append(File(entry.path, entry.sha, why))
        else:
            read.append(entry)
    return Change(tuple(settled), tuple(read), tuple(path for path in have if path not in seen))


def _why_not(entry: Entry) -> str:
    if entry.kind != "file":
        return entry.kind
    return "" if entry.named else _NO_NAME


def _is_settled(file: File) -> bool:
    """Whether a file was left out for what is neither in its bytes nor its path: as a link, say."""
    return file.why in ("symbolic link", "submodule", _NO_NAME) or file.why.startswith("beyond")


def _read(
    shelf: Shelf, git: Git, entries: Sequence[Entry], progress: Progress, processes: int
) -> Iterator[File]:
    """The files of these entries, their blobs put on the shelf."""
    by_sha: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_sha[entry.sha].append(entry)
    known = shelf.known(by_sha)
    new = [sha for sha in by_sha if sha not in known]
    whys = put_blobs(shelf, git, {sha: by_sha[sha][0].path for sha in new}, progress, processes)
    return (File(entry.path, entry.sha, whys.get(entry.sha, "")) for entry in entries)


def put_blobs(
    shelf: Shelf,
    git: Git,
    blobs: Mapping[str, str],
    progress: Progress = lambda done, of, what: None,
    processes: int = 1,
    *,
    apart: bool = False,
) -> dict[str, str]:
    """Reads blobs (sha -> the path it is read as) and puts them on the shelf; gives why some are not: sha ->
    reason. `apart` as in `read_all`."""
    sizes = git.sizes(list(blobs))
    whys = {sha: "over 1 MB" if sha in sizes else NOT_HERE for sha in blobs}
    fit = [sha for sha in blobs if sizes.get(sha, MAX_BYTES + 1) <= MAX_BYTES]
    sources = (Source(blobs[sha], sha, data) for sha, data in git.contents(fit))
    done = 0
    total = sum(sizes[sha] for sha in fit if language_of(blobs[sha]))  # pictures are quickly read
    for outcome in read_all(sources, total, processes, apart=apart):
        shelf.put_blobs(outcome.blobs)
        whys.update({blob.sha: "" for blob in outcome.blobs}, **outcome.left_out)
        done += len(outcome.blobs) + len(outcome.left_out)
        progress(done, len(fit), "files")
    return {sha: why for sha, why in whys.items() if why}


def _follow(shelf: Shelf, git: Git, tip: str, progress: Progress) -> tuple[int, int]:
    """Puts the commits that are new and drops those that the tip does not reach; how many of each."""
    old = shelf.state("history")
    rewritten = bool(old) and not git.is_ancestor(old, tip)
    known = set() if old and not rewritten else shelf.known_commits()
    new = git.history(tip, without="" if rewritten else old, most=MOST_COMMITS)
    count = 0
    for batch in _batches(commit for commit in new if commit.sha not in known):
        shelf.put_commits([(commit, message(commit)) for commit in batch])
        count += len(batch)
        progress(count, 0, "commits")
    lost = known - git.reachable(tip, most=_REACH) if rewritten else set()
    with shelf.writing():
        shelf.drop_commits(lost)
        shelf.set_state("history", tip)
    return count, len(lost)


def message(commit: Commit) -> str:
    """The tokens of a commit's message."""
    return indexed(f"{commit.subject}\n{commit.body}")


def _batches(commits: Iterable[Commit]) -> Iterator[list[Commit]]:
    batch: list[Commit] = []
    for commit in commits:
        batch.append(commit)
        if len(batch) >= _COMMITS_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch
