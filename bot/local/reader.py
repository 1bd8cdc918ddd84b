"""A local git repository in the place of GitHub: the change, the texts, the settings of the base, all from
git's objects: what is judged is what was committed, or what `uncommitted` made."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from bot.core.diff import FileDiff, parse_git_diff
from bot.core.errors import UserError
from bot.core.facts import Commit
from bot.core.github_reader import GitHubReader, PullRequestState, TreePath
from bot.core.guidelines import Guidance, gathered
from bot.core.refs import Actor, Login, Sha
from bot.core.settings import Complaint
from bot.core.skills import FOLDER_MODE
from bot.git import run
from bot.local.change import LocalRange
from bot.local.history import touching
from bot.patterns import wanted as by_pattern

CONFIG = ".github/hob.yml"
MOST_TEXT = 512 * 1024
"""Bytes of one file, as the App reads them from GitHub."""
MOST_CONFIG = 64 * 1024
MOST_DIFF = 64 << 20
MOST_TEXTS = 256 << 20
SECONDS = 60.0

_DIFF = (
    *("diff", "--no-color", "--no-ext-diff", "--no-textconv", "--submodule=short", "--find-renames"),
    *("--src-prefix=a/", "--dst-prefix=b/", "--full-index", "--diff-algorithm=histogram"),
)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A file of a tree; `mode` tells regular ones from symbolic links."""

    blob: str
    size: int
    mode: int

    @property
    def regular(self) -> bool:
        return self.mode in (0o100644, 0o100755)


@dataclass(frozen=True, slots=True)
class LocalReader(GitHubReader):
    """One change of one repository."""

    root: Path
    change: LocalRange
    _trees: dict[str, dict[str, _Entry]] = field(default_factory=dict)
    _listings: dict[str, dict[str, TreePath]] = field(default_factory=dict)

    async def pull_request(self, number: int) -> PullRequestState:
        """The change as the pull request that it would be."""
        change = self.change
        author = Actor(Login(change.author), 0)
        return PullRequestState(number, change.head, change.base, change.title, change.body, author)

    async def files(self, number: int) -> list[FileDiff]:
        """UserError for a change that is larger than `MOST_DIFF` bytes, or that git cannot show."""
        out = await self._git(
            "show the change", *_DIFF, self.change.base, self.change.head, "--", most=MOST_DIFF
        )
        return list(parse_git_diff(out.decode("utf-8", "replace")))

    async def texts(self, sha: Sha, paths: Sequence[str]) -> dict[str, str]:
        tree = await self._tree(sha)
        known = {path: tree[path] for path in paths if path in tree}
        wanted = {path: entry for path, entry in known.items() if entry.regular and entry.size <= MOST_TEXT}
        blobs = await self._blobs({entry.blob for entry in wanted.values()})
        texts = ((path, _text(blobs.get(entry.blob))) for path, entry in wanted.items())
        return {path: text for path, text in texts if text is not None}

    async def sizes(self, sha: Sha, paths: Sequence[str]) -> dict[str, int]:
        tree = await self._tree(sha)
        return {path: tree[path].size for path in paths if path in tree}

    async def tree(self, sha: Sha) -> dict[str, TreePath]:
        """Nothing of what has a name that is not UTF-8."""
        if sha not in self._listings:
            asked = ("ls-tree", "-r", "-t", "-l", "-z", "--full-tree", sha)
            out = await self._git(f"list the files of {sha[:12]}", *asked, most=MOST_TEXTS)
            self._listings[sha] = dict(_listed(out))
        return self._listings[sha]

    async def modes(self, sha: Sha, paths: Sequence[str]) -> dict[str, int]:
        tree = await self.tree(sha)
        return {path: tree[path].mode for path in paths if path in tree}

    async def touching(self, path: str, ref: str, most: int) -> Sequence[Commit]:
        return await touching(self.root, path, Sha(ref), most, self.change.environ)

    async def config_text(self, ref: str) -> tuple[str | None, tuple[Complaint, ...]]:
        """`.github/hob.yml` at the base, whatever `ref` says: a head never judges itself."""
        entry = (await self._tree(self.change.base)).get(CONFIG)
        if entry is None:
            return None, ()
        text = None
        if entry.regular and entry.size <= MOST_CONFIG:
            text = _text((await self._blobs({entry.blob})).get(entry.blob))
        if text is None:
            note = f"line 1: {CONFIG} is not text of at most {MOST_CONFIG // 1024} KB; it is ignored"
            return None, (Complaint(1, note),)
        return text, ()

    async def guidance(self, base: Sha, changed: Sequence[str], named: Sequence[str]) -> Guidance:
        tree = await self._tree(self.change.base)

        async def folders(paths: Sequence[str]) -> Mapping[str, int]:
            inside = set(paths)
            above = {path.rpartition("/")[0] for path in tree}
            found = {path: FOLDER_MODE for path in above if path and path.rpartition("/")[0] in inside}
            files = {path: one.mode for path, one in tree.items() if path.rpartition("/")[0] in inside}
            return {**found, **files}

        async def texts(paths: Sequence[str]) -> Mapping[str, str]:
            return await self.texts(self.change.base, paths)

        return await gathered(changed, named, folders, texts, by_pattern)

    async def _tree(self, sha: str) -> dict[str, _Entry]:
        """path -> file or symbolic link."""
        if sha not in self._trees:
            out = await self._git(
                f"list the files of {sha[:12]}",
                "ls-tree",
                "-r",
                "-l",
                "-z",
                "--full-tree",
                sha,
                most=MOST_TEXTS,
            )
            self._trees[sha] = dict(_entries(out))
        return self._trees[sha]

    async def _blobs(self, oids: Iterable[str]) -> dict[str, bytes]:
        asked = "".join(f"{oid}\n" for oid in sorted(oids)).encode()
        if not asked:
            return {}
        out = await self._git(
            "read the files", "cat-file", "--batch", "--buffer", stdin=asked, most=MOST_TEXTS
        )
        return dict(_batch(out))

    async def _git(self, what: str, *arguments: str, most: int, stdin: bytes = b"") -> bytes:
        """Its output; UserError with what git said where there is none."""
        environ = self.change.environ
        ran = await run(self.root, *arguments, stdin=stdin, seconds=SECONDS, most=most, environ=environ)
        if ran.full or ran.late:
            raise UserError(f"git cannot {what}: {ran.why}", "name a smaller range")
        if ran.why:
            partial = "promisor" in ran.why
            hint = (
                "this clone is partial: have git fetch the rest (git fetch --refetch --filter=blob:limit=1g)"
            )
            raise UserError(f"git cannot {what}: {ran.why}", hint if partial else "")
        return ran.out


def _entries(out: bytes) -> Iterable[tuple[str, _Entry]]:
    """`mode SP type SP oid SP size TAB path NUL`: https://git-scm.com/docs/git-ls-tree#_output_format"""
    for row in out.split(b"\0"):
        told, _, path = row.partition(b"\t")
        mode, kind, oid, size = (*told.split(), b"", b"", b"", b"")[:4]
        if kind == b"blob":
            yield path.decode("utf-8", "replace"), _Entry(oid.decode(), int(size), int(mode, 8))


def _listed(out: bytes) -> Iterable[tuple[str, TreePath]]:
    """Folders and submodules too."""
    for row in out.split(b"\0"):
        told, _, path = row.partition(b"\t")
        mode, _, _, size = (*told.split(), b"", b"", b"", b"")[:4]
        with suppress(UnicodeDecodeError):
            if path:
                yield path.decode(), TreePath(int(mode, 8), int(size) if size.isdigit() else 0)


def _batch(out: bytes) -> Iterable[tuple[str, bytes]]:
    """`oid SP type SP size LF contents LF`: https://git-scm.com/docs/git-cat-file#_batch_output"""
    place = 0
    while (end := out.find(b"\n", place)) > 0:
        oid, *told = out[place:end].split()
        if len(told) != 2:  # `oid missing`
            place = end + 1
            continue
        size = int(told[1])
        if len(out) < end + 1 + size:
            return
        yield oid.decode(), out[end + 1 : end + 1 + size]
        place = end + 2 + size


def _text(raw: bytes | None) -> str | None:
    """None for what is not text in UTF-8, as GitHub gives none for it."""
    if raw is None or b"\0" in raw:
        return None
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None
