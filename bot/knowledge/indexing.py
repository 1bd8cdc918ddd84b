"""Brings an index to a commit: what changed is read, what is gone goes, what was done stays done.

Blobs are put into the index as they are read, and the files take them over all at once at the end: until then
a search answers as of the commit before, and after a kill the next run reads what is left."""

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bot.core.file_kinds import kind_of_path
from bot.core.source import LeftOut
from bot.knowledge.git import Git, TreeEntry
from bot.knowledge.parsing.files import MAX_BYTES
from bot.knowledge.parsing.languages import language_of
from bot.knowledge.parsing.reader import Source, read_all
from bot.knowledge.parsing.tokens import indexed
from bot.knowledge.storage import IndexStore
from bot.knowledge.storage.types import IndexedCommit, IndexedFile

MOST_FILES = 50_000
MOST_COMMITS = 10_000
"""The newest: older messages say little about the code of today."""
OTHERS = 1 / 8
"""Blobs of other commits that are kept, as a share of the tip's: pull requests are asked about again."""
WAIT_SECONDS = 600.0
"""For another process that updates the same index."""
_FULL = MOST_COMMITS + 1_000
"""Commits from which the oldest go."""
_COMMITS_AT_ONCE = 500
_TIDY_FROM = 500
"""Blobs put at once after which tidying pays."""
NOT_HERE = "not in this clone"
_NO_NAME = "its name is not UTF-8"

IndexProgress = Callable[[int, int, str], None]
"""Called with how much is done, of how much, and of what: `files`, `commits` (whose number is not known
before: 0)."""


@dataclass(frozen=True, slots=True)
class IndexUpdate:
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
class IndexDiff:
    """From the files that the index has to those of a tree."""

    settled: tuple[IndexedFile, ...] = ()
    """To be put as they are: left out by what they are or are called."""
    read: tuple[TreeEntry, ...] = ()
    """To be read, where the index does not know their blobs."""
    gone: tuple[str, ...] = field(default=())


def update(
    index_store: IndexStore,
    git: Git,
    tip: str,
    progress: IndexProgress = lambda done, of, what: None,
    processes: int = min(os.cpu_count() or 1, 4),
) -> IndexUpdate:
    """Brings the index to the commit `tip`, whatever it was of. Raises `IndexStoreError`, `GitError`."""
    with index_store.alone(WAIT_SECONDS):
        was = index_store.state("tip")
        if was == tip and index_store.state("history") == tip and not index_store.left_out_as(NOT_HERE):
            return IndexUpdate(tip, was)
        change = plan(index_store.files(), git.tree(tip))
        files = [*change.settled, *_read(index_store, git, change.read, progress, processes)]
        with index_store.writing():
            index_store.put_files(files)
            index_store.drop_files(change.gone)
            spare = index_store.spare()
            index_store.drop_blobs(spare)
            index_store.drop_others(OTHERS)
            index_store.set_state("tip", tip)
        commits, forgotten = _follow(index_store, git, tip, progress)
        if max(len(files), len(spare), commits, forgotten) >= _TIDY_FROM:
            index_store.tidy()
        index_store.tidy_some()
        left_out = tuple(LeftOut(file.path, file.why) for file in files if file.why)
        read = sum(not file.why for file in files)
        return IndexUpdate(tip, was, read, len(change.gone), commits, forgotten, left_out)


def plan(have: Mapping[str, IndexedFile], tree: Iterable[TreeEntry], most: int = MOST_FILES) -> IndexDiff:
    """What differs. Files are judged by what they are (a link, a submodule), by name, and by how many there
    are."""
    settled: list[IndexedFile] = []
    read: list[TreeEntry] = []
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
            settled.append(IndexedFile(entry.path, entry.sha, why))
        else:
            read.append(entry)
    return IndexDiff(tuple(settled), tuple(read), tuple(path for path in have if path not in seen))


def _why_not(entry: TreeEntry) -> str:
    if entry.kind != "file":
        return entry.kind
    return "" if entry.named else _NO_NAME


def _is_settled(file: IndexedFile) -> bool:
    """Whether a file was left out for what is neither in its bytes nor its path: as a link, say."""
    return file.why in ("symbolic link", "submodule", _NO_NAME) or file.why.startswith("beyond")


def _read(
    index_store: IndexStore, git: Git, entries: Sequence[TreeEntry], progress: IndexProgress, processes: int
) -> Iterator[IndexedFile]:
    """The files of these entries, their blobs put into the index."""
    by_sha: dict[str, list[TreeEntry]] = defaultdict(list)
    for entry in entries:
        by_sha[entry.sha].append(entry)
    known = index_store.known(by_sha, tip=True)
    new = [sha for sha in by_sha if sha not in known]
    whys = put_blobs(index_store, git, {sha: by_sha[sha][0].path for sha in new}, progress, processes)
    return (IndexedFile(entry.path, entry.sha, whys.get(entry.sha, "")) for entry in entries)


def put_blobs(
    index_store: IndexStore,
    git: Git,
    blobs: Mapping[str, str],
    progress: IndexProgress = lambda done, of, what: None,
    processes: int = 1,
    *,
    tip: bool = True,
) -> dict[str, str]:
    """Reads blobs (sha -> the path it is read as) and puts them into the index; gives why some are not: sha
    -> reason. Those of another commit than the tip may be a stranger's: they are read apart (`read_all`)."""
    sizes = git.sizes(list(blobs))
    whys = {sha: "over 1 MB" if sha in sizes else NOT_HERE for sha in blobs}
    fit = [sha for sha in blobs if sizes.get(sha, MAX_BYTES + 1) <= MAX_BYTES]
    sources = (Source(blobs[sha], sha, data) for sha, data in git.contents(fit))
    done = 0
    total = sum(sizes[sha] for sha in fit if language_of(blobs[sha]))  # pictures are quickly read
    for outcome in read_all(sources, total, processes, apart=not tip):
        index_store.put_blobs(outcome.blobs, tip=tip)
        whys.update({blob.sha: "" for blob in outcome.blobs}, **outcome.left_out)
        done += len(outcome.blobs) + len(outcome.left_out)
        progress(done, len(fit), "files")
    return {sha: why for sha, why in whys.items() if why}


def _follow(index_store: IndexStore, git: Git, tip: str, progress: IndexProgress) -> tuple[int, int]:
    """Puts the commits that are new and drops those that the tip does not reach, and the oldest beyond the
    most; how many of each."""
    old = index_store.state("history")
    rewritten = bool(old) and not git.is_ancestor(old, tip)
    known = set() if old and not rewritten else index_store.known_commits()
    new = git.history(tip, without="" if rewritten else old, most=MOST_COMMITS, oldest_first=True)
    count = 0
    for batch in _batches(commit for commit in new if commit.sha not in known):
        index_store.put_commits([(commit, message(commit)) for commit in batch])
        count += len(batch)
        progress(count, 0, "commits")
    lost: set[str] = set()
    if rewritten or index_store.count_commits() > _FULL:
        lost = index_store.known_commits() - git.reachable(tip, most=MOST_COMMITS)
    with index_store.writing():
        index_store.drop_commits(lost)
        index_store.set_state("history", tip)
    return count, len(lost) if rewritten else 0


def message(commit: IndexedCommit) -> str:
    """The tokens of a commit's message."""
    return indexed(f"{commit.subject}\n{commit.body}")


def _batches(commits: Iterable[IndexedCommit]) -> Iterator[list[IndexedCommit]]:
    batch: list[IndexedCommit] = []
    for commit in commits:
        batch.append(commit)
        if len(batch) >= _COMMITS_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch
