"""Keeps what Hob knows of each repository current: its clone, the index of files and history, its issues.

All of it is derived: what a kill interrupts the next refresh does, and what is deleted can be made again.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from bot.core.errors import Superseded, TemporaryError
from bot.core.inference import Embed
from bot.core.knowledge import KnownIssue, Overlap
from bot.core.merging import MergedTree, MergeTried
from bot.core.refs import RepoRef, Sha
from bot.knowledge import indexing
from bot.knowledge.clone import CloneLimits, Remote
from bot.knowledge.clones import Clones, Held, RepositoryTooLarge
from bot.knowledge.embedding import fill
from bot.knowledge.git import Git, GitError
from bot.knowledge.issues import RepositoryIssues
from bot.knowledge.known_issues import IndexedIssues
from bot.knowledge.search.repository_search import Indexed
from bot.knowledge.storage import IndexStore
from bot.knowledge.storage.index_stores import IndexStores
from bot.knowledge.storage.types import IndexStoreError
from bot.paths import make_private

ISSUES_AT_ONCE = 500
MOST_ISSUES = 5_000
"""In one refresh; the next goes on where it ended."""
MOST_VECTORS = 4_000
"""After one refresh: on a machine without a graphics card some minutes of a small model."""
AT_ONCE = 2
"""Refreshes of one process: each may use a processor for a while."""
UNKNOWN_SECONDS = 3600.0
"""How long what is kept of a repository that is not known may lie unused: of an archive the next look at what
the App may read tells, within the hour."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Changed:
    """An issue or pull request, and the numbers of those that block it."""

    issue: KnownIssue
    blockers: tuple[int, ...] = ()


class Origin(Protocol):
    """One repository on GitHub, as far as its knowledge is made of it."""

    async def remote(self) -> Remote: ...

    async def issues(self, since: int, most: int) -> Sequence[Changed]:
        """Those that changed at `since` (seconds since 1970) or later, in the order in which they did."""
        ...


class KnowledgeManager:
    """The knowledge that one data directory holds; `folder` is where clones lie."""

    def __init__(
        self,
        folder: Path,
        index_stores: IndexStores,
        max_clone_mb: int = 2048,
        limits: CloneLimits | None = None,
    ) -> None:
        self.clones = Clones(folder, max_clone_mb, limits)
        self.index_stores = index_stores
        self._places = asyncio.Semaphore(AT_ONCE)

    async def refresh(self, repo: RepoRef, origin: Origin) -> str:
        """Brings a repository's knowledge to what GitHub has now, and says in a line what that was. Raises
        `Gone`, `TemporaryError`, `GitHubError`, `UserError`."""
        async with self._places:
            remote = await origin.remote()
            await asyncio.to_thread(self._note, repo)
            async with self.clones.held(repo.id) as held:
                try:
                    said = await self._code(repo, held, remote)
                    return "; ".join((*said, await self._issues(repo, held, origin)))
                except IndexStoreError as error:
                    raise TemporaryError(str(error)) from None
                except GitError as error:  # what git fetched it cannot read again
                    await held.discard()
                    raise TemporaryError(f"the clone is broken and is made anew: {error}") from None

    async def embed(self, repo: RepoRef, embed: Embed) -> str:
        """Makes vectors that are missing, some thousand at a time, and says in a line how many; the rest
        after the next refresh. The clone is not held meanwhile: what goes from it is left out."""
        if not await asyncio.to_thread(self.index_stores.has, repo.id):
            return "no vectors"
        index_store = await asyncio.to_thread(self.index_stores.open, repo.id)
        try:
            filled = await fill(
                index_store, Git(self.clones.path(repo.id), own=True), embed, most=MOST_VECTORS
            )
        except GitError as gone:
            return f"no vectors: {gone}"
        finally:
            await asyncio.to_thread(index_store.close)
        return f"{filled.made} vectors made" + (f" ({filled.reason})" if filled.reason else "")

    def indexed(self, repo_id: int, embed: Embed | None = None) -> Indexed:
        """What is known of a repository, to be asked at any time."""

        git = Git(self.clones.path(repo_id), own=True)
        return Indexed(partial(self._opened, repo_id), git, embed=embed)

    def issues(self, repo: RepoRef, embed: Embed | None = None) -> IndexedIssues:
        """The same for its issues and pull requests."""
        git = Git(self.clones.path(repo.id), own=True)
        return IndexedIssues(partial(self._opened, repo.id), git, repo.full_name, embed)

    def _opened(self, repo_id: int) -> IndexStore | None:
        """To be read."""
        return self.index_stores.open(repo_id, whole=False) if self.index_stores.has(repo_id) else None

    async def overlaps(self, repo: RepoRef, origin: Origin, pulls: Sequence[int]) -> Sequence[Overlap]:
        """`Held.overlaps`. Raises what `refresh` raises."""
        async with self._places:
            remote = await origin.remote()
            async with self.clones.held(repo.id) as held:
                return await held.overlaps(remote, pulls)

    async def tried(self, repo: RepoRef, origin: Origin, head: Sha, base: Sha) -> MergeTried:
        """`Held.tried`. Raises what `refresh` raises."""
        async with self._places:
            remote = await origin.remote()
            async with self.clones.held(repo.id) as held:
                try:
                    return await held.tried(remote, head, base)
                except RepositoryTooLarge as large:
                    return MergeTried(f"I have no clone of this repository: {large}.")

    async def completed(
        self, repo: RepoRef, origin: Origin, head: Sha, base: Sha, texts: Mapping[str, str]
    ) -> MergedTree:
        """`Held.completed`."""
        async with self._places:
            remote = await origin.remote()
            async with self.clones.held(repo.id) as held:
                try:
                    return await held.completed(remote, head, base, texts)
                except RepositoryTooLarge as large:
                    return MergedTree(why=f"I have no clone of this repository: {large}.")

    async def forget(self, *repo_ids: int) -> None:
        """Clones, indexes and all; what is under way with them ends."""
        for repo_id in repo_ids:
            await self.clones.forget(repo_id, partial(self._remove, repo_id))

    async def forget_unused(self, known: Collection[int], clones: float | None, indexes: float | None) -> int:
        """Deletes clones and indexes that nobody has used since then (epoch seconds; None: for good), and
        those of repositories that are not known any more, as they are when another machine heard that access
        ended. Gives of how many repositories something went."""
        now, gone = time.time(), 0
        for repo_id in await asyncio.to_thread(self._kept):
            index, clone = self.index_stores.used_at(repo_id), self.clones.used_at(repo_id)
            used = max(index, clone)
            unknown = repo_id not in known and used < now - UNKNOWN_SECONDS
            old_index, old_clone = index < (indexes or 0.0), used < (clones or 0.0)
            if unknown or (old_index and old_clone):
                await self.forget(repo_id)
            elif old_clone and self.clones.path(repo_id).exists():
                await self.clones.forget(repo_id)
            elif old_index and self.index_stores.has(repo_id):
                async with self.clones.held(repo_id):
                    await asyncio.to_thread(self.index_stores.remove, repo_id)
            else:
                continue
            gone += 1
        return gone

    def _kept(self) -> list[int]:
        return sorted({*self.clones.known(), *self.index_stores.known()})

    def of_installation(self, installation: int) -> list[int]:
        """The ids of the repositories of an installation of which something is kept here."""
        marks = self.clones.folder.glob("*.installation")
        return [int(one.stem) for one in marks if one.read_text().strip() == str(installation)]

    def installations(self) -> set[int]:
        """Those of whose repositories something is kept here."""
        found = (one.read_text().strip() for one in self.clones.folder.glob("*.installation"))
        return {int(one) for one in found if one.isdecimal()}

    async def drop_issue(self, repo: RepoRef, number: int) -> None:
        def drop() -> None:
            with closing(self.index_stores.open(repo.id)) as index_store:
                RepositoryIssues(index_store, repo.full_name).drop([number])

        if self.index_stores.has(repo.id):
            await asyncio.to_thread(drop)

    def _note(self, repo: RepoRef) -> None:
        make_private(self.clones.folder)
        (self.clones.folder / f"{repo.id}.installation").write_text(f"{repo.installation}\n")

    def _remove(self, repo_id: int) -> None:
        self.index_stores.remove(repo_id)
        (self.clones.folder / f"{repo_id}.installation").unlink(missing_ok=True)

    async def _code(self, repo: RepoRef, held: Held, remote: Remote) -> list[str]:
        try:
            clone = await held.update(remote)
        except RepositoryTooLarge as large:
            return [f"not cloned: {large}"]
        if not clone.tip:
            return ["the repository is empty"]

        def bring(watch: Callable[[], None]) -> indexing.IndexUpdate:
            with closing(self.index_stores.open(repo.id)) as index_store:
                return indexing.update(
                    index_store, Git(clone.folder, own=True), clone.tip, lambda *_: watch()
                )

        done = await in_thread(held.watch, bring)
        changed = f"{done.read} files read, {done.removed} gone, {done.commits} commits"
        return [*filter(None, [clone.note]), f"at {done.sha[:12]}: {changed}"]

    async def _issues(self, repo: RepoRef, held: Held, origin: Origin) -> str:
        """In portions, each stored with how far it reaches."""
        count, since = 0, await in_thread(held.watch, lambda _: self._watermark(repo))
        while count < MOST_ISSUES:
            changed = await origin.issues(since, ISSUES_AT_ONCE)
            count += len(changed)
            # Many may have changed in the same second, and `since` takes that second in again.
            reached = max([one.issue.updated for one in changed], default=since)
            more = len(changed) >= ISSUES_AT_ONCE
            since = max(reached, since + 1) if more else reached

            def take(_: Callable[[], None], portion: Sequence[Changed] = changed, upto: int = since) -> None:
                with closing(self.index_stores.open(repo.id)) as index_store:
                    take_issues(index_store, repo.full_name, portion, upto)

            await in_thread(held.watch, take)
            if not more:
                return f"{count} issues read"
        return f"{count} issues read, the others next time"

    def _watermark(self, repo: RepoRef) -> int:
        with closing(self.index_stores.open(repo.id)) as index_store:
            told = index_store.state("watermark")
            return int(told) if told.isdecimal() else 0


def take_issues(index_store: IndexStore, full_name: str, changed: Sequence[Changed], upto: int) -> None:
    """All of a portion or nothing, with the mark that says how far it reaches."""
    blocked_by = {one.issue.number: one.blockers for one in changed}
    with index_store.writing():
        RepositoryIssues(index_store, full_name).store([one.issue for one in changed], blocked_by)
        index_store.set_state("watermark", str(upto))


async def in_thread(watch: Callable[[], None], work: Callable[[Callable[[], None]], T]) -> T:
    """`work(watch)` in a thread. Cancelling waits until it has ended, which it does where it watches: a lock
    may not be given back while somebody writes."""
    unwanted = threading.Event()

    def told() -> None:
        watch()
        if unwanted.is_set():
            raise Superseded("nobody waits for it any more")

    task = asyncio.ensure_future(asyncio.to_thread(work, told))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        unwanted.set()
        await asyncio.gather(task, return_exceptions=True)
        raise
