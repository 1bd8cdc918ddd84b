"""All clones of one data directory, `{folder}/{repository id}.git`. All in them can be fetched again."""

import asyncio
import logging
import os
import shutil
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.core.errors import Gone, HobError, TemporaryError
from bot.core.knowledge import Overlap
from bot.core.merging import MergedTree, MergeTried
from bot.core.refs import Sha
from bot.knowledge import merges
from bot.knowledge.checkout import ChangedTexts, Checkout, Most, checkout
from bot.knowledge.clone import NO_ROOM, Clone, CloneLimits, Remote, no_room, tidy
from bot.knowledge.fetching import GitFailed, GitStopped
from bot.knowledge.locking import locked
from bot.knowledge.overlaps import overlaps
from bot.paths import make_private

log = logging.getLogger(__name__)


class RepositoryTooLarge(HobError):
    """The repository is over `[knowledge] max_clone_mb`."""


def too_large(most: int) -> RepositoryTooLarge:
    return RepositoryTooLarge(f"it is over {most >> 20} MB ([knowledge] max_clone_mb)")


@dataclass(frozen=True, slots=True)
class CloneUpdate:
    """`tip` is empty for a repository without commits; `note` says what was out of the ordinary."""

    folder: Path
    tip: Sha
    note: str = ""


class Held:
    """One repository's clone while nobody else works on it."""

    def __init__(self, clone: Clone, watch: Callable[[], None], most: int) -> None:
        self.folder = clone.folder
        self._most = most
        self.watch = watch
        """Raises `Gone` when the repository is to be forgotten, `RepositoryTooLarge` when it is."""
        self._clone = clone

    async def update(self, origin: Remote) -> CloneUpdate:
        """The newest commit of the default branch and its texts: one request for a push, two for a new clone.
        A clone that is broken is thrown away and made anew; nothing is left of one that is too large."""
        if origin.size_kb << 10 > self._most:
            await self.discard()
            raise too_large(self._most)
        try:
            return await self._updated(origin)
        except RepositoryTooLarge:
            await self.discard()
            raise

    async def discard(self) -> None:
        """Throws the clone away."""
        await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)

    async def _updated(self, origin: Remote) -> CloneUpdate:
        try:
            return CloneUpdate(self.folder, await self._clone.update(origin))
        except GitFailed as broken:
            log.warning("the clone %s is made anew: %s", self.folder.name, broken)
            await self.discard()
        note = "the clone was broken and was made anew"
        return CloneUpdate(self.folder, await self._clone.update(origin), note)

    async def pull_head(self, origin: Remote, number: int) -> Sha:
        """Fetches the head of a pull request with its texts. `Gone` where there is none, or no clone yet."""
        if not self.folder.exists():
            raise Gone(404, "there is no clone yet")
        return await self._clone.pull_head(origin, number)

    async def checkout(
        self, origin: Remote, sha: Sha, changed: ChangedTexts, folder: Path, most: Most
    ) -> Checkout:
        """`bot.knowledge.checkout`; a clone that is not there yet is made. `Gone` where there is no such
        commit, `CheckoutRefused`."""
        if not self.folder.exists():
            await self.update(origin)
        return await checkout(self._clone, origin, sha, changed, folder, most)

    async def overlaps(self, origin: Remote, numbers: Sequence[int]) -> list[Overlap]:
        """`bot.knowledge.overlaps`; nothing where there is no clone yet."""
        return await overlaps(self._clone, origin, numbers) if self.folder.exists() else []

    async def tried(self, origin: Remote, head: Sha, base: Sha) -> MergeTried:
        """`bot.knowledge.merges`, in a clone that is made where there is none."""
        await self._there(origin)
        return await merges.tried(self._clone, origin, head, base)

    async def completed(self, origin: Remote, head: Sha, base: Sha, texts: Mapping[str, str]) -> MergedTree:
        """The same with these texts where git could not merge."""
        await self._there(origin)
        return await merges.completed(self._clone, origin, head, base, texts)

    async def _there(self, origin: Remote) -> None:
        if not (self.folder / "HEAD").exists() or (self.folder / "shallow").exists():
            await self.update(origin)


class Clones:
    """Any number of processes may use them: each is locked while it is worked on. Methods raise
    `RepositoryTooLarge`, `Gone`, `TemporaryError`, `GitHubError`, `UserError`."""

    def __init__(self, folder: Path, max_mb: int = 2048, limits: CloneLimits | None = None) -> None:
        self.folder = folder
        self._most = max_mb << 20
        self._limits = limits or CloneLimits()

    def path(self, repo_id: int) -> Path:
        return self.folder / f"{repo_id}.git"

    async def update(self, repo_id: int, origin: Remote) -> CloneUpdate:
        """`Held.update`."""
        async with self.held(repo_id) as held:
            return await held.update(origin)

    async def pull_head(self, repo_id: int, origin: Remote, number: int) -> Sha:
        """`Held.pull_head`."""
        async with self.held(repo_id) as held:
            return await held.pull_head(origin, number)

    async def forget(self, repo_id: int, also: Callable[[], object] = bool) -> None:
        """Deletes a clone, and does `also`; what is under way with it anywhere on this machine ends at
        once."""
        await asyncio.to_thread(make_private, self.folder)
        self._mark(repo_id).touch()
        async with locked(self._lock(repo_id)):
            await asyncio.to_thread(self._delete, repo_id)
            await asyncio.to_thread(also)
            self._lock(repo_id).unlink(missing_ok=True)

    def used_at(self, repo_id: int) -> float:
        """When it was last worked on, in epoch seconds; 0.0: nobody knows."""
        try:
            return self._lock(repo_id).stat().st_mtime
        except FileNotFoundError:
            return 0.0

    def _delete(self, repo_id: int) -> None:
        shutil.rmtree(self.path(repo_id), ignore_errors=True)
        self._mark(repo_id).unlink(missing_ok=True)

    def known(self) -> list[int]:
        """The ids of the repositories that have a clone here."""
        return sorted(int(one.stem) for one in self.folder.glob("*.git") if one.stem.isdecimal())

    @asynccontextmanager
    async def held(self, repo_id: int) -> AsyncIterator[Held]:
        """The clone, locked."""
        await asyncio.to_thread(make_private, self.folder)
        async with locked(self._lock(repo_id)) as lock:
            os.utime(lock)
            if self._mark(repo_id).exists():  # whoever was to forget it waits, or was killed
                await asyncio.to_thread(self._delete, repo_id)
            await asyncio.to_thread(tidy, self.path(repo_id))

            def watch() -> None:
                if self._mark(repo_id).exists():
                    raise Gone(404, "the repository is being forgotten")
                if clone.size() > self._most:
                    raise too_large(self._most)

            clone = Clone(self.path(repo_id), lock, self._limits, watch)
            try:
                yield Held(clone, watch, self._most)
            except (GitStopped, GitFailed) as error:
                raise TemporaryError(str(error)) from None
            except OSError as error:
                if error.errno not in NO_ROOM:
                    raise
                raise TemporaryError(no_room(self.path(repo_id))) from None

    def _mark(self, repo_id: int) -> Path:
        return self.folder / f"{repo_id}.forgotten"

    def _lock(self, repo_id: int) -> Path:
        return self.folder / f"{repo_id}.lock"
