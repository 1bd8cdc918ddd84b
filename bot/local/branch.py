"""A new branch with one commit, made of git's objects alone: the work tree, the index and the hooks of the
repository are not touched, and nothing of it is run. https://git-scm.com/docs/git-commit-tree"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.core.errors import UserError
from bot.core.merging import CommittedFile
from bot.core.refs import Sha
from bot.git import git, run

_PLAIN = ("-c", "core.splitIndex=false", "-c", "index.sparse=false", "-c", "i18n.commitEncoding=UTF-8")
_WHO = ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL")
ANOTHER = "name another with --branch"


async def refuse_taken(root: Path, branch: str) -> None:
    """UserError where a branch of that name cannot be made."""
    ref = f"refs/heads/{branch}"
    no_text = branch.encode("utf-8", "replace").decode() != branch
    no_name = no_text or "\0" in branch or branch.startswith("-") or branch == "HEAD"
    if no_name or (await git(root, "check-ref-format", ref))[0]:
        raise UserError(f"{branch[:80]!r} is no name of a branch", ANOTHER)
    _, out = await git(root, "for-each-ref", "--format=%(refname)", f"refs/heads/{branch.partition('/')[0]}")
    names = set(out.decode("utf-8", "surrogateescape").splitlines())
    _, head = await git(root, "symbolic-ref", "--quiet", "HEAD")
    if ref in names or ref == head.decode("utf-8", "surrogateescape").strip():
        raise UserError(f"the branch {branch[:80]} is there already", f"delete it, or {ANOTHER}")
    above = ("/".join(branch.split("/")[:end]) for end in range(1, branch.count("/") + 1))
    near = next((one for one in above if f"refs/heads/{one}" in names), "")
    near = near or next((one[11:] for one in names if one.startswith(f"{ref}/")), "")
    if near:
        raise UserError(f"beside the branch {near[:80]} there can be no {branch[:80]}", ANOTHER)


async def commit_to(
    root: Path, branch: str, parent: Sha, files: Sequence[CommittedFile], message: str
) -> Sha:
    """The commit on top of `parent`, by whoever git is configured for; UserError."""
    entries = b""
    for one in sorted(files, key=lambda one: one.text is not None):  # what goes makes room first
        oid, mode = "0" * len(parent), "0"
        if one.text is not None:
            oid, mode = await _git(root, "hash-object", "-w", "--stdin", stdin=one.text.encode()), one.mode
        entries += f"{mode} {oid}\t".encode() + one.path.encode() + b"\0"
    with TemporaryDirectory(prefix="hob-implement-") as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        await _git(root, *_PLAIN, "read-tree", parent, environ=index)
        await _git(root, *_PLAIN, "update-index", "-z", "--index-info", stdin=entries, environ=index)
        tree = await _git(root, *_PLAIN, "write-tree", "--missing-ok", environ=index)
    who = {name: os.environ[name] for name in _WHO if os.environ.get(name)}
    asked = (*_PLAIN, "commit-tree", tree, "-p", parent, "-F", "-")
    made = await run(root, *asked, stdin=f"{message.strip()}\n".encode(), environ=who)
    if made.why:
        hint = "say who you are: git config user.name NAME, git config user.email ADDRESS"
        raise UserError(f"git cannot make the commit: {made.why}", hint)
    sha = Sha(made.out.decode().strip())
    moved = await run(root, "update-ref", "-m", "hob implement", f"refs/heads/{branch}", sha, "0" * len(sha))
    if moved.why:
        hint = f"the commit is {sha}: git branch NAME {sha[:12]}"
        raise UserError(f"git cannot make the branch {branch[:80]}: {moved.why}", hint)
    return sha


async def _git(
    root: Path, *arguments: str, stdin: bytes = b"", environ: Mapping[str, str] | None = None
) -> str:
    ran = await run(root, *arguments, stdin=stdin, seconds=120.0, environ=environ or {})
    if ran.why:
        raise UserError(f"git cannot write the change: {ran.why}")
    return ran.out.decode().strip()
