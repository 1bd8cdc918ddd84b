"""One bare clone: the history of the default branch without its old file texts, and the texts of its newest
commit.

Only names made here are refs (`refs/hob/…`, `refs/pull/…`), and nothing is ever checked out: what a
repository says of filters, submodules and links means nothing. The clone does not know where it is from, so
that whoever reads it and misses something is told so instead of fetching it.
"""

import asyncio
import errno
import os
import shutil
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from bot.core.errors import GitHubError, Gone, TemporaryError
from bot.core.network import DIRECT, Network
from bot.core.refs import Sha
from bot.knowledge.fetching import GitFailed, GitStopped, git, remote
from bot.knowledge.git import TAGS

TIP = "refs/hob/tip"
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""A full disk, a quota, a limit on files."""
LARGEST = 1 << 20
"""Bytes of a file: larger ones are not fetched."""
MOST_PACKS = 40
MOST_PULLS = 200
TRIES = 4
"""Of a token: GitHub may not know a new one for five seconds."""
_LEFT_OUT = "hob-left-out"
"""Names of texts that were too large, one a line, so that they are not asked for again."""
_PLAIN = (
    *("fetch", "--quiet", "--force", "--no-tags", "--no-write-fetch-head"),
    *("--no-recurse-submodules", "--no-auto-gc"),
)
_REFS = ("--prune", "origin", f"+HEAD:{TIP}", f"+refs/tags/*:{TAGS}*")
_SMALL = f"--filter=blob:limit={LARGEST + 1}"
_NO_ROOM = tuple(os.strerror(one) for one in NO_ROOM)
"""As git says it, whose `LC_ALL` is C."""
_REFUSED = ("could not read Username", "Authentication failed", "returned error: 401")
_PASSING = (
    *("Could not resolve host", "unable to access", "RPC failed", "early EOF", "unexpected disconnect"),
    *("hung up unexpectedly", "returned error: 5", "returned error: 429"),
    *("expected flush", "expected packfile", "bad line length", "Connection reset"),
)


@dataclass(frozen=True, slots=True)
class Remote:
    """Where a repository is fetched from. `authorization` gives the header's value; with True a new one, for
    the last was refused. `size_kb` is GitHub's own guess."""

    url: str
    authorization: Callable[[bool], Awaitable[str]]
    size_kb: int = 0
    network: Network = DIRECT


@dataclass(frozen=True, slots=True)
class CloneLimits:
    """`seconds` for one request; `settle`: before a refused token is tried again; `unknown`: bytes that
    texts of unknown size may bring together."""

    seconds: float = 1_800.0
    settle: float = 2.0
    unknown: int = 64 << 20


class Clone:
    """The clone in `folder`, while its lock (a descriptor) is held. `watch` raises what is to end git."""

    def __init__(self, folder: Path, lock: int, limits: CloneLimits, watch: Callable[[], object]) -> None:
        self.folder = folder
        self._lock = lock
        self._limits = limits
        self._watch = watch

    async def update(self, origin: Remote) -> Sha:
        """The newest commit, its history and its texts; empty for a repository without commits."""
        if not (self.folder / "HEAD").exists():
            await self._make()
        try:
            await self._commits(origin)
        except GitFailed as failed:
            if "couldn't find remote ref HEAD" in failed.words:
                return Sha("")
            raise
        await self._texts(origin)
        await self._thin_out()
        return await self.resolve(TIP)

    async def pull_head(self, origin: Remote, number: int) -> Sha:
        """The head of a pull request with its texts. `Gone` where there is none."""
        ref = f"refs/pull/{number}/head"
        try:
            await self._fetch(origin, _SMALL, "origin", f"+{ref}:{ref}")
        except GitFailed as failed:
            if "couldn't find remote ref" in failed.words:
                raise Gone(404, f"there is no {ref}") from None
            raise
        return await self.resolve(ref)

    async def pull_heads(self, origin: Remote, numbers: Iterable[int]) -> list[tuple[int, Sha]]:
        """The heads of pull requests with their texts, in one request; those that are not there are left
        out, all of them where GitHub says so of one."""
        refs = {number: f"refs/pull/{number}/head" for number in numbers}
        try:
            await self._fetch(origin, _SMALL, "origin", *(f"+{ref}:{ref}" for ref in refs.values()))
        except GitFailed as failed:
            if "couldn't find remote ref" not in failed.words:
                raise
        return [(number, sha) for number, ref in refs.items() if (sha := await self._named(ref))]

    async def commits(self, origin: Remote, names: Iterable[Sha]) -> None:
        """Brings those of these commits, with their histories but no texts, that are not here. `Gone` where
        GitHub has one no more."""
        if missing := await self._without(names):
            refs = [f"+{one}:refs/pull/{one}" for one in sorted(missing)]
            try:
                await self._fetch(origin, "--filter=blob:none", "origin", *refs)
            except GitFailed as failed:
                if "not our ref" in failed.words or "couldn't find remote ref" in failed.words:
                    raise Gone(404, "there is no such commit") from None
                raise

    async def _named(self, ref: str) -> Sha:
        return Sha((await self._git("for-each-ref", "--format=%(objectname)", ref)).decode().strip())

    async def complete(self, origin: Remote, names: Iterable[str], most: int | None = None) -> None:
        """Brings those of these texts that are not here; `most`: bytes, of which more are not brought."""
        if missing := await self._without(names):
            await self._bring(origin, missing, most)

    async def commit(self, origin: Remote, sha: Sha) -> None:
        """Brings one commit with its texts, as far as it is not here. `Gone` where there is none."""
        if not await self._without([sha]):
            return
        if not (self.folder / "HEAD").exists():
            await self._make()
        try:
            await self._fetch(origin, _SMALL, "origin", sha)
        except GitFailed as failed:
            if "not our ref" in failed.words or "remote ref" in failed.words:
                raise Gone(404, f"there is no commit {sha[:12]}") from None
            raise

    async def resolve(self, ref: str) -> Sha:
        return Sha((await self._git("rev-parse", "--verify", f"{ref}^{{commit}}")).decode().strip())

    async def _make(self) -> None:
        await self._git("init", "--bare", "--quiet", "--template=", "--initial-branch=tip")

    async def _commits(self, origin: Remote) -> None:
        """A new clone takes the newest commit with its texts first and then the older commits without: asked
        the other way round, the texts would have to be named one by one, whatever their size."""
        new = await self._git("for-each-ref", TIP) == b""
        if new:
            await self._fetch(origin, "--depth=1", _SMALL, "origin", f"+HEAD:{TIP}")
            await asyncio.to_thread(self._leave_out, await self._missing())
        if (self.folder / "shallow").exists():
            await self._fetch(origin, "--unshallow", "--filter=blob:none", *_REFS)
        elif not new:
            await self._fetch(origin, _SMALL, *_REFS)

    async def _texts(self, origin: Remote) -> None:
        """What the newest commit has and neither its fetch brought nor was found too large before: texts that
        GitHub thought to be here (one that was taken back), or large ones. One request for all."""
        left_out = await asyncio.to_thread(self._read_left_out)
        missing = await self._missing() - left_out
        if not missing:
            return
        await self._bring(origin, missing)
        missing &= await self._missing()
        await asyncio.to_thread(self._leave_out, missing | left_out)

    async def _bring(self, origin: Remote, names: Iterable[str], largest: int | None = None) -> None:
        """Texts by their names, in one request; what is too large together is not brought."""
        wanted = "".join(f"{one}\n" for one in sorted(names)).encode()
        most = self.size() + (self._limits.unknown if largest is None else largest)

        def watch() -> None:
            self._watch()
            if self.size() > most:
                raise GitStopped("these texts are too large together")

        options = ("-c", "fetch.negotiationAlgorithm=noop")
        try:
            await self._fetch(
                origin, "--filter=blob:none", "--stdin", "origin", data=wanted, before=options, watch=watch
            )
        except GitStopped:
            await asyncio.to_thread(tidy, self.folder)

    async def _missing(self) -> set[str]:
        """Names of the texts of the newest commit that are not here."""
        listed = (await self._git("ls-tree", "-r", "-z", TIP)).split(b"\0")
        texts = {one.split(b"\t")[0].split()[2] for one in listed if b" blob " in one.partition(b"\t")[0]}
        return await self._without(one.decode() for one in texts)

    async def _without(self, names: Iterable[str]) -> set[str]:
        """Which of these objects are not here."""
        asked = "".join(f"{one}\n" for one in sorted(names)).encode()
        told = await self._git("cat-file", "--batch-check=%(objectname)", data=asked)
        return {line.split()[0].decode() for line in told.splitlines() if line.endswith(b" missing")}

    async def _thin_out(self) -> None:
        """Each fetch leaves a pack and each pull request a ref: many of them make git slow."""
        pulls = (await self._git("for-each-ref", "--format=delete %(refname)", "refs/pull/")).splitlines()
        if len(pulls) > MOST_PULLS:
            await self._git("update-ref", "--stdin", data=b"\n".join(pulls) + b"\n")
        if len(list(self.folder.glob("objects/pack/*.pack"))) > MOST_PACKS:
            await self._git("-c", "remote.origin.promisor=true", "repack", "-a", "-d", "-q")

    async def _fetch(
        self,
        origin: Remote,
        *arguments: str,
        data: bytes = b"",
        before: tuple[str, ...] = (),
        watch: Callable[[], object] | None = None,
    ) -> None:
        """One `git fetch`; a token that GitHub does not know (yet) is tried again, then replaced."""
        for attempt in range(1, TRIES + 1):
            environ = remote(origin.url, await origin.authorization(attempt > 1), origin.network)
            try:
                await git(
                    self.folder,
                    *(*before, *_PLAIN, *arguments),
                    data=data,
                    environ=environ,
                    seconds=self._limits.seconds,
                    watch=watch or self._watch,
                    keep=(self._lock,),
                )
            except GitFailed as failed:
                if not any(words in failed.words for words in _REFUSED) or attempt == TRIES:
                    raise _meaning(failed, self.folder) from None
                await asyncio.sleep(self._limits.settle)
            else:
                return

    async def _git(self, *arguments: str, data: bytes = b"") -> bytes:
        return await git(self.folder, *arguments, data=data, keep=(self._lock,))

    def size(self) -> int:
        """Bytes on disk, as far as they count: objects."""
        return sum(_bytes(one) for one in self.folder.glob("objects/**/*"))

    def _read_left_out(self) -> set[str]:
        file = self.folder / _LEFT_OUT
        return set(file.read_text().split()) if file.exists() else set()

    def _leave_out(self, names: Iterable[str]) -> None:
        (self.folder / _LEFT_OUT).write_text("".join(f"{one}\n" for one in sorted(names)))


def _bytes(file: Path) -> int:
    try:
        return file.lstat().st_size
    except OSError:  # a temporary file that is gone by now
        return 0


def no_room(folder: Path) -> str:
    return f"no room is left on the disk of {folder}: make some, the clone is brought up to date then"


def _meaning(failed: GitFailed, folder: Path) -> Exception:
    """What git's words mean for the work: gone, later, or (the same error) a clone that is broken."""
    words = failed.words
    if any(one in words for one in _NO_ROOM):  # what was fetched before is whole
        return TemporaryError(no_room(folder))
    if "redirect" in words or "returned error: 30" in words:
        return GitHubError(301, "the repository's address leads elsewhere")
    for said, status in (("not found", 404), ("returned error: 404", 404), ("returned error: 403", 403)):
        if said in words and "remote ref" not in words:
            return Gone(status, "git may not read the repository")
    if any(one in words for one in _REFUSED):
        return Gone(401, "git may not read the repository")
    return TemporaryError(str(failed)) if any(one in words for one in _PASSING) else failed


def tidy(folder: Path) -> None:
    """Takes away what a git that was killed has left; the caller holds the lock. A clone that was not even
    begun goes whole."""
    if folder.exists() and not (folder / "HEAD").exists():
        shutil.rmtree(folder)
    leavings = (
        "*.lock",
        "refs/**/*.lock",
        "objects/pack/tmp_*",
        "objects/pack/*.keep",
        "objects/??/tmp_obj_*",
    )
    for pattern in leavings:
        for one in folder.glob(pattern):
            one.unlink(missing_ok=True)
