"""A repository's own tests for a run: a commit written out, run in the sandbox, its report read
(`bot.core.suite_runs`)."""

import asyncio
import errno
import os
import shlex
import stat
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from bot.config.code import CodeTable, SuiteTable, mount_of
from bot.core import junit
from bot.core.errors import HobError
from bot.core.hostile_xml import BadReport
from bot.core.refs import RepoRef, Sha
from bot.core.sandbox_types import WORK, Mount, SandboxUnusable, TreeLimits, TreeProgram
from bot.core.suite_runs import SuiteRun
from bot.core.text import for_terminal, undrawn
from bot.github.client import Job
from bot.knowledge.checkout import ChangedTexts, CheckoutRefused, Most, is_plain
from bot.knowledge.clone import Remote
from bot.knowledge.clones import Clones
from bot.log import redact
from bot.paths import holding
from bot.runs.knowledge_adapter import GitHubOrigin
from bot.sandbox import NOT_STARTED, RunFolder, TreeWay, for_trees, in_image, run_in_tree, work_box

MOST_OUTPUT = 16_000
"""Characters of the end of what it wrote."""


@dataclass(slots=True)
class SuiteSlots:
    """How many may run at once in this process."""

    count: int = 1
    _slots: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._slots = asyncio.Semaphore(self.count)

    async def __aenter__(self) -> None:
        await self._slots.acquire()

    async def __aexit__(self, *_: object) -> None:
        self._slots.release()


WriteCommit = Callable[[Sha, ChangedTexts, Path, Most], Awaitable[object]]
"""`await write(commit, texts, folder, most)`: a commit's files with these in place of its own, into an empty
folder."""


def from_github(repo: RepoRef, job: Job, clones: Clones) -> WriteCommit:
    """From the clone that is kept of a repository."""
    origins: list[Remote] = []

    async def write(commit: Sha, texts: ChangedTexts, folder: Path, most: Most) -> object:
        if not origins:
            origins.append(await GitHubOrigin(repo, job).remote())
        (origin,) = origins
        async with clones.held(repo.id) as held:
            return await held.checkout(origin, commit, texts, folder, most)

    return write


@dataclass(frozen=True, slots=True)
class Suite:
    """`bot.core.suite_runs.RunSuite` of one repository. `write` writes a commit's files; `base`: where work
    trees are made; `way`: another than the sandbox of this machine."""

    table: SuiteTable
    code: CodeTable
    write: WriteCommit
    base: Path
    slots: SuiteSlots
    way: TreeWay | None = None

    async def __call__(self, commit: Sha, texts: ChangedTexts, /) -> SuiteRun:
        command = shlex.join(self.table.command)
        try:
            return await self._run(commit, texts, command)
        except (SandboxUnusable, CheckoutRefused) as reason:
            return SuiteRun(refused=str(reason), command=command)
        except HobError as error:
            return SuiteRun(refused=f"the commit could not be had: {redact(str(error))}", command=command)
        except OSError as error:
            why = f"a work tree could not be made: {os.strerror(error.errno or errno.EIO)}"
            return SuiteRun(refused=why, command=command)

    async def _run(self, commit: Sha, texts: ChangedTexts, command: str) -> SuiteRun:
        table = self.table
        program = TreeProgram(table.command, limits_of(table), table.mounts, table.image)
        async with self.slots:
            way = await asyncio.to_thread(self._way)
            async with work_box(self.base) as made:
                await self._filled(made, commit, texts)
                ended = await run_in_tree(program, made, way)
                names, note = await asyncio.to_thread(_reported, made.tree, table.report)
        if table.image and ended.code == NOT_STARTED and not ended.killed:
            raise SandboxUnusable(
                f"{self.code.container[0]} started no container: {shown(ended.output)[-300:]}"
            )
        output = shown(ended.output)
        return SuiteRun(
            passed=frozenset(names.passed),
            failed=frozenset(names.failed),
            code=ended.code,
            output=f"{output}\n({note})".lstrip() if note else output,
            killed=ended.killed,
            command=command,
            seconds=round(ended.seconds, 2),
            note=note,
        )

    def _way(self) -> TreeWay:
        """SandboxUnusable where there is none, or something that is to be mounted is not there."""
        table = self.table
        found = self.way or (
            in_image(self.code.container, table.image) if table.image else for_trees(self.base)
        )
        if isinstance(found, SandboxUnusable):
            raise SandboxUnusable(f"no tests are run without a sandbox: {found}")
        for mount in table.mounts:
            if not Path(mount.source).exists():
                raise SandboxUnusable(f"{mount.source}, which is to be mounted, is not there")
            try:
                mount_of(f"{Path(mount.source).resolve()}:{mount.place}")
            except ValueError as why:
                raise SandboxUnusable(f"{mount.source} leads to what may not be mounted: {why}") from None
        return found

    async def _filled(self, made: RunFolder, commit: Sha, texts: ChangedTexts) -> None:
        """A report that stands in the commit or in the patch is none of this run."""
        report = str(PurePosixPath(self.table.report)) if self.table.report else ""
        without = {**texts, report: None} if report and is_plain(report) else texts
        await self.write(commit, without, made.tree, Most(self.table.tree_mb << 20, self.table.files))
        for mount in self.table.mounts:
            if mount.place.is_relative_to(WORK):
                await asyncio.to_thread(_place, made.tree, mount)


def limits_of(table: SuiteTable) -> TreeLimits:
    return TreeLimits(
        table.seconds,
        table.cpu_seconds,
        table.memory_mb,
        table.processes,
        table.tree_mb,
        table.files,
    )


def _place(tree: Path, mount: Mount) -> None:
    """What is mounted below the work tree needs something to be mounted on; what the commit has there is
    hidden by it. Nobody else writes there yet."""
    place = tree / mount.place.relative_to(WORK)
    source = Path(mount.source)
    if os.path.realpath(place) != os.fspath(tree.resolve() / mount.place.relative_to(WORK)):
        raise SandboxUnusable(f"{mount.place}, where something is to be mounted, is a symbolic link")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            place.mkdir(exist_ok=True)
        else:
            place.touch()
    except FileExistsError:
        raise SandboxUnusable(f"{mount.place}, where something is to be mounted, is a file") from None


def shown(output: bytes) -> str:
    """The end of an output for people: no colours, nothing that is not seen, no secret."""
    return redact(for_terminal(undrawn(output)))[-MOST_OUTPUT:].strip()


def _reported(tree: Path, report: str) -> tuple[junit.SuiteNames, str]:
    """What the report says; a note for people where there should be one and is none."""
    if not report:
        return junit.SuiteNames(), ""
    try:
        names = junit.read(read_below(tree, report))
    except BadReport as wrong:
        return junit.SuiteNames(), f"the report {report} was not read: {wrong}"
    except OSError as error:
        why = "a symbolic link leads there" if error.errno in (errno.ELOOP, errno.EMLINK) else error.strerror
        return junit.SuiteNames(), f"the report {report} was not read: {why}"
    return names, "" if names.passed or names.failed else f"the report {report} names no test that was run"


def read_below(tree: Path, path: str) -> bytes:
    """A regular file, not through any symbolic link. BadReport for another kind of file, or a large one."""
    plain = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    with holding(tree, path) as (at, name):
        opened = os.open(name, plain | os.O_NONBLOCK, dir_fd=at)  # a pipe would have us wait
    with os.fdopen(opened, "rb") as file:
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            raise BadReport("it is no plain file")
        return file.read(junit.MOST_BYTES + 1)
