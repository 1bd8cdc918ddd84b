"""A real bare git repository, driven by the `git` program without the machine's configuration."""

import atexit
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from bot.git import command, environment

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
PATCH_BYTES, PATCH_LINES = 500_000, 20_000
"""A larger patch is left out: https://docs.github.com/en/repositories/creating-and-managing-repositories/repository-limits"""


@dataclass(frozen=True)
class FileEntry:
    """A file with a mode of its own; plain text or bytes stand for mode 100644."""

    data: bytes
    mode: str = "100644"


def executable(text: str) -> FileEntry:
    return FileEntry(text.encode(), "100755")


def symlink(target: str) -> FileEntry:
    return FileEntry(target.encode(), "120000")


def submodule(sha: str) -> FileEntry:
    return FileEntry(sha.encode(), "160000")


Content = str | bytes | FileEntry | None
"""What a path holds after a commit; None deletes it."""


@dataclass(frozen=True)
class FileChange:
    """One file of a comparison, as GitHub tells it; `patch` is None where GitHub leaves it out."""

    path: str
    status: str
    sha: str
    additions: int
    deletions: int
    patch: str | None
    previous: str | None = None


@dataclass(frozen=True)
class GitCommit:
    """`at` in seconds since 1970."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    name: str
    email: str
    at: int
    message: str


@dataclass(frozen=True)
class TreeNode:
    """What stands at a path of a tree. `kind`: blob, tree or commit (a submodule)."""

    path: str
    mode: str
    kind: str
    sha: str
    size: int


class GitProgramError(Exception):
    """The git program refused; `out` is what it had said on standard output."""

    def __init__(self, why: str, out: bytes = b"") -> None:
        super().__init__(why)
        self.out = out


@cache
def _empty() -> Path:
    """A repository without a commit, to be copied: `git init` costs as much as the rest of a small test."""
    folder = tempfile.TemporaryDirectory(prefix="hob-empty-")
    atexit.register(folder.cleanup)
    path = Path(folder.name)
    asked = command(
        "--git-dir", str(path), "init", "--bare", "--quiet", "--template=", "--initial-branch=main"
    )
    subprocess.run(asked, check=True, capture_output=True, env=environment(own=True))
    return path


def _quoted(path: str) -> bytes:
    escaped = path.encode("utf-8", "surrogateescape").replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return b'"' + escaped.replace(b"\n", b"\\n") + b'"'


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


class GitRepo:
    """One object store; forks share it, as GitHub's network of forks does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not (path / "HEAD").exists():
            shutil.copytree(_empty(), path, dirs_exist_ok=True)
        self.changes = lru_cache(maxsize=256)(self._changes)
        self.merge_base = lru_cache(maxsize=1024)(self._merge_base)
        self.commit = lru_cache(maxsize=4096)(self._commit)
        self.log = lru_cache(maxsize=1024)(self._log)
        self._listed = lru_cache(maxsize=1024)(self._ls)
        self._blobs: dict[str, bytes] = {}
        self._commits: set[str] = set()

    def run(self, *arguments: str, data: bytes | None = None, **environ: str) -> bytes:
        """Stdout of `git …`; GitError with its complaint."""
        done = subprocess.run(
            command(f"--git-dir={self.path}", *arguments),
            input=data,
            stdin=subprocess.DEVNULL if data is None else None,
            capture_output=True,
            check=False,
            env={**environment(own=True), **environ},
        )
        if done.returncode:
            raise GitProgramError(_text(done.stderr).strip() or f"git {arguments[0]} failed", done.stdout)
        return done.stdout

    def upload_pack(self, request: bytes | None, protocol: str, branch: str) -> bytes:
        """One step of a fetch, as GitHub allows it: filters, and any object by its name. Without a request
        the refs are told; those of forks are not shown."""
        if (self.path / "HEAD").read_text() != f"ref: refs/heads/{branch}\n":
            self.run("symbolic-ref", "HEAD", f"refs/heads/{branch}")
        allowed = ("allowFilter=true", "allowAnySHA1InWant=true", "hideRefs=refs/forks")
        options = [part for one in allowed for part in ("-c", f"uploadpack.{one}")]
        step = ["--http-backend-info-refs"] if request is None else []
        asked = (*options, "upload-pack", "--stateless-rpc", *step, str(self.path))
        try:
            told = self.run(*asked, data=request, GIT_PROTOCOL=protocol)
        except GitProgramError as refused:
            if "not our ref" not in str(refused):
                raise
            told = refused.out  # which tells the other side so
        first = (
            b"" if request is not None or "version=2" in protocol else b"001e# service=git-upload-pack\n0000"
        )
        return first + told

    def write(
        self,
        ref: str,
        files: Mapping[str, Content],
        *,
        parent: str | None,
        message: str,
        author: str,
        at: float,
        email: str = "",
    ) -> str:
        """Commits the changes onto `parent` and points `ref` at the new commit; gives its sha."""
        who = f"{author} <{email or author + '@users.noreply.github.com'}> {int(at)} +0000"
        text = message.encode()
        parts = [f"commit {ref}\nmark :1\ncommitter {who}\ndata {len(text)}\n".encode() + text + b"\n"]
        parts.append(f"from {parent}\n".encode() if parent else b"deleteall\n")
        for path, content in files.items():
            parts.append(_change(path, content))
        parts.append(b"\nget-mark :1\ndone\n")
        made = _text(
            self.run("fast-import", "--quiet", "--force", "--date-format=raw", data=b"".join(parts))
        ).strip()
        self._commits.add(made)
        return made

    def merge(
        self, one: str, other: str, message: str, author: str, at: float, *, squash: bool = False
    ) -> str:
        """A commit of both, with `squash` as one change on the first; GitError where they conflict."""
        tree = _text(self.run("merge-tree", "--write-tree", one, other)).split("\n")[0]
        who = f"{author} <{author}@users.noreply.github.com> {int(at)} +0000"
        parents = f"parent {one}\n" + ("" if squash else f"parent {other}\n")
        text = f"tree {tree}\n{parents}author {who}\ncommitter {who}\n\n{message}\n"
        return _text(self.run("hash-object", "-t", "commit", "-w", "--stdin", data=text.encode())).strip()

    def resolve(self, name: str) -> str | None:
        """The commit that a sha, branch or ref names."""
        if not name or name.startswith("-"):
            return None
        if found := self._known(name):
            return found
        for candidate in (name, f"refs/heads/{name}"):
            try:
                found = _text(self.run("rev-parse", "--verify", "--quiet", f"{candidate}^{{commit}}")).strip()
            except GitProgramError:
                continue
            self._commits.add(found)
            return found
        return None

    def _known(self, name: str) -> str:
        """The same without a process, for a commit that was seen here or a branch that points at one; empty
        where git has to say."""
        if name in self._commits:
            return name
        if not name.startswith("refs/heads/"):
            if any((self.path / other / name).exists() for other in ("", "refs", "refs/tags")):
                return ""
            name = f"refs/heads/{name}"
        try:
            said = (self.path / name).read_text().strip()
        except (OSError, ValueError):
            return ""
        return said if said in self._commits else ""

    def point(self, ref: str, sha: str | None) -> None:
        """Sets or, with None, deletes a ref."""
        if sha:
            self.run("update-ref", ref, sha)
        else:
            self.run("update-ref", "-d", ref)

    def _merge_base(self, one: str, other: str) -> str:
        """The best common ancestor; the empty tree where histories are unrelated."""
        try:
            return _text(self.run("merge-base", one, other)).strip()
        except GitProgramError:
            return EMPTY_TREE

    def _log(self, base: str, head: str) -> tuple[GitCommit, ...]:
        """Commits of `head` that `base` lacks, oldest first; both are shas."""
        listed = _text(self.run("rev-list", "--reverse", "--topo-order", f"{base}..{head}"))
        return tuple(self.commit(sha) for sha in listed.split())

    def touching(self, sha: str, path: str) -> list[GitCommit]:
        """Commits up to `sha` that changed a path, newest first; empty: all."""
        listed = _text(self.run("rev-list", sha, "--", *([path] if path else [])))
        return [self.commit(one) for one in listed.split()]

    def _commit(self, sha: str) -> GitCommit:
        fields = _text(
            self.run("show", "--no-patch", "--format=%H%x00%T%x00%P%x00%cn%x00%ce%x00%ct%x00%B", sha)
        )
        full, tree, parents, name, email, at, message = fields.split("\0", 6)
        return GitCommit(full, tree, tuple(parents.split()), name, email, int(at), message.rstrip("\n"))

    def node(self, sha: str, path: str) -> TreeNode | None:
        """What stands at `path` in the tree of a commit."""
        return next((node for node in self._listed(sha, path) if node.path == path), None)

    def listing(self, sha: str, path: str) -> list[TreeNode]:
        """The entries of a directory; `path` empty for the root."""
        return list(self._listed(sha, f"{path}/" if path else ""))

    def _ls(self, sha: str, path: str) -> tuple[TreeNode, ...]:
        arguments = [path] if path else []
        raw = self.run("--literal-pathspecs", "ls-tree", "-z", "-l", sha, "--", *arguments)
        nodes = []
        for record in raw.split(b"\0")[:-1]:
            meta, _, name = record.partition(b"\t")
            mode, kind, blob, size = meta.decode().split()
            nodes.append(TreeNode(_text(name), mode, kind, blob, int(size) if size.isdigit() else 0))
        return tuple(nodes)

    def objects(self, names: Iterable[str]) -> dict[str, tuple[str, str, bytes]]:
        """name (`sha` or `sha:path`) -> (kind, sha, bytes) of those that exist, in one run of git."""
        asked = [name for name in dict.fromkeys(names) if name and "\n" not in name]
        if not asked:
            return {}
        raw = self.run("cat-file", "--batch", data="".join(f"{name}\n" for name in asked).encode())
        found, at = {}, 0
        for name in asked:
            end = raw.index(b"\n", at)
            header = raw[at:end]
            at = end + 1
            if header.endswith((b" missing", b" ambiguous")):
                continue
            sha, kind, size = header.decode().split()
            found[name] = (kind, sha, raw[at : at + int(size)])
            at += int(size) + 1
        return found

    def blob(self, sha: str) -> bytes | None:
        """The bytes of a blob."""
        if sha not in self._blobs:
            kind, _, data = self.objects([sha]).get(sha, ("", "", b""))
            if kind != "blob":
                return None
            self._blobs[sha] = data
        return self._blobs[sha]

    def _changes(self, base: str, head: str) -> tuple[FileChange, ...]:
        """The files that differ, renames found as GitHub finds them (half alike)."""
        options = ("-M50%", "--no-ext-diff", "--no-textconv", base, head)
        listed = self.run("diff", "--raw", "--numstat", "-z", "--abbrev=40", *options)
        # with -z a patch would name its paths unquoted, line ends and all: a run of its own
        patches = _sections(self.run("diff", "--patch", "--full-index", *options)) if listed else []
        return tuple(_changes(listed, patches))


def _change(path: str, content: Content) -> bytes:
    if content is None:
        return b"D " + _quoted(path) + b"\n"
    entry = (
        content
        if isinstance(content, FileEntry)
        else FileEntry(content.encode() if isinstance(content, str) else content)
    )
    if entry.mode == "160000":
        return b"M 160000 " + entry.data + b" " + _quoted(path) + b"\n"
    head = f"M {entry.mode} inline ".encode() + _quoted(path)
    return head + f"\ndata {len(entry.data)}\n".encode() + entry.data + b"\n"


def _sections(patch: bytes) -> list[bytes]:
    """The patch cut at its `diff --git` lines; no line of a hunk can start so."""
    parts = (b"\n" + patch).split(b"\ndiff --git ")
    return parts[1:]


def _changes(listed: bytes, patches: list[bytes]) -> Iterable[FileChange]:
    """`listed`: the records of `--raw`, then those of `--numstat`, of the same files in the same order."""
    fields = listed.split(b"\0")
    raw: list[tuple[list[str], list[str]]] = []
    at = section = 0
    while fields[at].startswith(b":"):
        meta = fields[at].decode().lstrip(":").split()
        paths = [_text(part) for part in fields[at + 1 : at + (3 if meta[-1][0] in "RC" else 2)]]
        at += 1 + len(paths)
        raw.append((meta, paths))
    for (old_mode, new_mode, old_sha, new_sha, letter), paths in raw:
        renamed = letter[0] in "RC"
        added, removed = fields[at].split(b"\t")[:2]
        at += 3 if renamed else 1
        text = _hunks(patches[section]) if letter[0] != "T" else None
        section += 2 if letter[0] == "T" else 1
        status = {"A": "added", "D": "removed", "R": "renamed", "C": "copied", "T": "changed"}.get(
            letter[0], "modified"
        )
        if status == "modified" and old_mode != new_mode and old_sha == new_sha:
            status = "changed"
        yield FileChange(
            path=paths[-1],
            status=status,
            sha=old_sha if status == "removed" else new_sha,
            additions=int(added) if added != b"-" else 0,
            deletions=int(removed) if removed != b"-" else 0,
            patch=text,
            previous=paths[0] if renamed else None,
        )


def _hunks(section: bytes) -> str | None:
    """From the first `@@` on, without the last line end; None where there is none or it is too large."""
    start = section.find(b"\n@@ ")
    if start < 0:
        return None
    body = section[start + 1 :].removesuffix(b"\n")
    if len(body) > PATCH_BYTES or body.count(b"\n") > PATCH_LINES:
        return None
    return _text(body)
