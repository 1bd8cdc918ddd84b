"""A local git repository, bare or checked out, read through the `git` program.

Nothing is fetched, and nothing is read without end. Names are
bytes to git: those that are no UTF-8 come with `�` and are marked.
https://git-scm.com/docs/git-cat-file https://git-scm.com/docs/git-log
"""

import os
import re
import subprocess
import tempfile
import threading
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Literal

from bot.core.errors import HobError, UserError
from bot.git import command, environment
from bot.knowledge.storage.types import IndexedCommit

SECONDS = 120.0
MOST_TREE = 256 * 1024 * 1024
"""Bytes of a listing; half a million files take about 50 MB."""
MOST_HISTORY = 512 * 1024 * 1024
MOST_PATHS = 100
"""Of one commit: one that touches more says little about any of them."""
LONGEST_SUBJECT, LONGEST_BODY = 300, 4_000

TAGS = "refs/hob/tags/"
"""Where a clone of Hob's keeps the tags of the repository."""
_VERSION = re.compile(r"\d")
_SHA = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_FORMAT = "--format=tformat:%H%x00%aN%x00%aE%x00%at%x00%s%x00%b"
_FIELDS = 6

Process = subprocess.Popen[bytes]
EntryKind = Literal["file", "symbolic link", "submodule"]
_KINDS: Mapping[bytes, EntryKind] = {b"120000": "symbolic link", b"160000": "submodule"}


class GitError(HobError):
    """The git program failed, took too long, or said more than could be."""


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """What a path of a tree names. `named` is False where its name is no UTF-8."""

    path: str
    sha: str
    kind: EntryKind
    named: bool = True
    executable: bool = False


class Git:
    """One repository. Every method may raise `GitError`; shas are whole. `own`: a clone that Hob made, which
    nothing on this machine configures."""

    def __init__(self, folder: Path, own: bool = False) -> None:
        self.folder = folder
        self.own = own

    @cached_property
    def root(self) -> Path:
        """The top of the working tree, or the bare repository itself; UserError where there is none."""
        for question in ("--show-toplevel", "--absolute-git-dir"):
            code, out = self._answer("rev-parse", question)
            if code == 0 and out.strip():
                return Path(os.fsdecode(out.removesuffix(b"\n")))
        raise UserError(
            f"{self.folder} is not in a git repository",
            "name a folder that is, or see git's safe.directory where it belongs to another user",
        )

    def commit(self, revision: str = "HEAD") -> str:
        """The sha of the commit that is named; empty where there is none."""
        if not revision.isprintable():
            return ""
        code, out = self._answer(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
        )
        return out.decode().strip() if code == 0 else ""

    def is_ancestor(self, old: str, new: str) -> bool:
        """False too where `old` is there no more."""
        return self._answer("merge-base", "--is-ancestor", _checked(old), _checked(new))[0] == 0

    def first_tag(self, sha: str) -> str:
        """The oldest tag with a version in its name that has the commit; empty where none has, or none is
        known here."""
        names = self._records(
            MOST_TREE,
            *("for-each-ref", f"--contains={_checked(sha)}", "--sort=creatordate"),
            *("--format=%(refname)", TAGS),
            end=b"\n",
        )
        with closing(names):
            for raw in names:
                name = raw.decode("utf-8", "replace").removeprefix(TAGS)
                if _VERSION.search(name):
                    return name
        return ""

    def tree(self, sha: str) -> Iterator[TreeEntry]:
        """All that is not a folder, by path."""
        for record in self._records(MOST_TREE, "ls-tree", "-r", "-z", "--full-tree", _checked(sha)):
            about, _, raw = record.partition(b"\t")
            mode, _, blob = about.split(b" ")
            name, named = _name(raw)
            yield TreeEntry(name, blob.decode(), _KINDS.get(mode, "file"), named, mode == b"100755")

    def sizes(self, blobs: Sequence[str]) -> dict[str, int]:
        """Bytes of each; those that this clone lacks are left out."""
        found: dict[str, int] = {}
        with self._objects("--batch-check", blobs) as (out, _):
            for line in out:
                sha, kind, *size = line.decode().split()
                if kind == "blob":
                    found[sha] = int(size[0])
        return found

    def contents(self, blobs: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """The bytes of each, in order; ask `sizes` before. Those that this clone lacks are left out."""
        with self._objects("--batch", blobs) as (out, _):
            for _ in blobs:
                sha, kind, *size = out.readline().decode().split()
                if kind != "blob":
                    continue
                data = out.read(int(size[0]) + 1)
                if len(data) != int(size[0]) + 1:
                    raise GitError(f"git stopped in the middle of {sha}")
                yield sha, data[:-1]

    def history(
        self, tip: str, *, without: str = "", most: int, oldest_first: bool = False
    ) -> Iterator[IndexedCommit]:
        """The newest commits, at most this many, newest first, without those that `without` reaches. Renames
        are not looked for (contents may be missing), merges touch nothing."""
        shas = [_checked(tip), *([f"^{_checked(without)}"] if without else [])]
        options = (f"--max-count={most}", "--raw", "--no-abbrev", "--no-renames", "--no-notes", "--no-color")
        order = ("--reverse",) if oldest_first else ()
        records = self._records(
            MOST_HISTORY,
            *("log", "-z", _FORMAT, "--encoding=UTF-8", "--no-decorate", "--no-ext-diff", "--no-textconv"),
            *(*options, *order, "--end-of-options", *shas, "--"),
        )
        with closing(records):
            yield from _commits(records)

    def reachable(self, tip: str, *, without: str = "", most: int) -> set[str]:
        """The shas of what `history` gives."""
        shas = [_checked(tip), *([f"^{_checked(without)}"] if without else [])]
        records = self._records(MOST_TREE, "rev-list", f"--max-count={most}", *shas, "--", end=b"\n")
        return {record.decode() for record in records}

    @contextmanager
    def _objects(self, how: str, blobs: Sequence[str]) -> Iterator[tuple[IO[bytes], Process]]:
        """`git cat-file` in an empty repository over the same objects: one that knows of no remote has
        nowhere to fetch from what a partial clone lacks (before 2.45 git cannot be told not to)."""
        folder, format_ = self._store
        with tempfile.TemporaryDirectory(prefix="hob-git-") as made:
            _make_bare(Path(made), format_)
            environ = {"GIT_DIR": made, "GIT_OBJECT_DIRECTORY": folder}
            with self._run("cat-file", how, given=blobs, environ=environ) as running:
                yield running

    @cached_property
    def _store(self) -> tuple[str, str]:
        """Where the objects are, and by which hash."""
        where = ("--path-format=absolute", "--git-path", "objects")
        code, out = self._answer("rev-parse", "--show-object-format", *where)
        format_, _, folder = out.removesuffix(b"\n").partition(b"\n")
        if code or not folder:
            raise GitError(f"{self.folder} cannot be read as a git repository")
        return os.fsdecode(folder), format_.decode()

    def _answer(self, *arguments: str) -> tuple[int, bytes]:
        """(exit code, output)."""
        with self._run(*arguments) as (out, process):
            answer = out.read(MOST_TREE)
            return process.wait(), answer

    def _records(self, most: int, *arguments: str, end: bytes = b"\0") -> Generator[bytes]:
        """The output cut at `end`; GitError where git failed or goes on beyond `most` bytes."""
        with self._run(*arguments) as (out, process):
            rest, total = b"", 0
            while part := out.read(1 << 16):
                total += len(part)
                if total > most:
                    raise GitError(f"git {arguments[0]} of {self.folder} says more than {most >> 20} MB")
                *whole, rest = (rest + part).split(end)
                yield from whole
            if rest:
                yield rest
            if code := process.wait():
                raise GitError(f"git {arguments[0]} failed in {self.folder} (exit code {code})")

    def _run(
        self, *arguments: str, given: Iterable[str] = (), environ: Mapping[str, str] | None = None
    ) -> "_Run":
        line = command("-C", str(self.folder), *arguments)
        return _Run(line, given, {**environment(own=self.own), **(environ or {})})


def _make_bare(folder: Path, format_: str) -> None:
    """The least that git takes for a repository."""
    for name in ("refs", "objects"):
        (folder / name).mkdir()
    (folder / "HEAD").write_text("ref: refs/heads/main\n")
    (folder / "config").write_text(
        f"[core]\nrepositoryformatversion = 1\nbare = true\n[extensions]\nobjectformat = {format_}\n"
    )


class _Run:
    """A process that ends with the block, or after its time."""

    def __init__(self, command: Sequence[str], given: Iterable[str], environ: Mapping[str, str]) -> None:
        self.command, self.given, self.environ = command, given, environ
        self.late = False

    def __enter__(self) -> tuple[IO[bytes], Process]:
        # A file, not a pipe: what both sides would wait to write cannot lock them.
        with tempfile.TemporaryFile() as file:
            file.writelines(f"{_checked(sha)}\n".encode() for sha in self.given)
            file.seek(0)
            self.process = subprocess.Popen(  # noqa: S603
                self.command,
                env=self.environ,
                stdin=file,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        self.timer = threading.Timer(SECONDS, self._stop)
        self.timer.daemon = True
        self.timer.start()
        assert self.process.stdout  # noqa: S101  for the type checker
        return self.process.stdout, self.process

    def _stop(self) -> None:
        self.late = True
        self.process.kill()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.timer.cancel()
        self.process.kill()
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()
        if self.late and kind is not GeneratorExit:
            raise GitError(f"git took longer than {SECONDS:.0f} s")


def _commits(records: Iterator[bytes]) -> Iterator[IndexedCommit]:
    """Each commit is six fields, then `:modes shas letter` and a path for each change."""
    header: list[str] = []
    paths: list[str] = []
    for record in records:
        if len(header) < _FIELDS:
            header.append(record.decode("utf-8", "replace"))
        elif (about := record.removeprefix(b"\n")).startswith(b":"):
            name, named = _name(next(records, b""))
            if named and len(paths) < MOST_PATHS and not about.startswith(b":160000"):
                paths.append(name)
        elif _SHA.fullmatch(about):
            yield _commit(header, paths)
            header, paths = [about.decode()], []
    if len(header) == _FIELDS:
        yield _commit(header, paths)


def _commit(header: Sequence[str], paths: Sequence[str]) -> IndexedCommit:
    sha, name, email, at, subject, body = header
    seconds = int(at) if at.isdecimal() else 0
    return IndexedCommit(
        sha,
        name[:200],
        email[:200],
        seconds,
        subject[:LONGEST_SUBJECT],
        body.strip()[:LONGEST_BODY],
        tuple(paths),
    )


def _checked(sha: str) -> str:
    """A whole sha, so that nothing that is asked for can be an option or a range."""
    if not _SHA.fullmatch(sha.encode("utf-8", "replace")):
        raise GitError(f"not a whole sha: {sha[:80]!r}")
    return sha


def _name(raw: bytes) -> tuple[str, bool]:
    try:
        return raw.decode(), True
    except UnicodeDecodeError:
        return raw.decode("utf-8", "replace"), False
