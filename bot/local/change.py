"""Which commits are reviewed: a range as people write it, or the branch that is checked out against where it
left the default branch. https://git-scm.com/docs/gitrevisions"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.core.errors import UserError
from bot.core.refs import Sha
from bot.git import git, run

DEFAULTS = ("origin/HEAD", "origin/main", "origin/master", "main", "master")
"""Where a branch usually starts; the first that exists."""
MOST_MESSAGES = 16_384
DEEPER = (
    "this clone is shallow: fetch the rest with `git fetch --unshallow`, or in GitHub Actions with "
    "`fetch-depth: 0` of actions/checkout"
)


class NothingToReview(UserError):
    """A range without a change; `head` is its end."""

    def __init__(self, message: str, head: Sha, hint: str = "") -> None:
        super().__init__(message, hint)
        self.head = head


@dataclass(frozen=True, slots=True)
class LocalRange:
    """The commits that `head` has and `base` has not; `base` is their merge base, or a tree without files.
    `head` is a tree where nothing was committed yet. `title` is the newest commit's subject, `body` all
    their messages."""

    base: Sha
    head: Sha
    title: str
    body: str
    author: str
    environ: Mapping[str, str] = field(default_factory=dict)
    """git's variables under which its objects are found."""


async def find_root(folder: Path) -> Path:
    """The top of the working tree that a folder lies in, or the bare repository; UserError."""
    here = _there(folder)
    ran = await run(here, "rev-parse", "--is-bare-repository", "--absolute-git-dir")
    if ran.why:
        if "not a git repository" in ran.why:
            raise UserError(f"{folder} is not in a git repository", "name one with --folder")
        raise UserError(f"git cannot read {folder}: {ran.why}")
    bare, _, folder_of_git = ran.out.decode("utf-8", "surrogateescape").partition("\n")
    if bare == "true":
        return Path(folder_of_git.removesuffix("\n"))
    top = await run(here, "rev-parse", "--show-toplevel")
    if top.why:
        raise UserError(f"git cannot read {folder}: {top.why}", "name its working tree with --folder")
    return Path(top.out.decode("utf-8", "surrogateescape").removesuffix("\n"))


def _there(folder: Path) -> Path:
    here = folder.expanduser().resolve()
    if not here.is_dir():
        raise UserError(f"there is no folder {folder}", "name one with --folder")
    return here


async def is_bare(root: Path) -> bool:
    return (await git(root, "rev-parse", "--is-bare-repository"))[1].strip() == b"true"


async def find_change(root: Path, text: str = "") -> LocalRange:
    """`BASE..HEAD`, `BASE...HEAD`, `..HEAD` (from the default branch), `BASE` (up to HEAD), or nothing.
    UserError for what names no commits; `NothingToReview`."""
    base_name, _, head_name = text.partition("...") if "..." in text else text.partition("..")
    head = await _commit(root, head_name or "HEAD")
    base = await _commit(root, base_name) if base_name else await _default(root)
    start = await merge_base(root, head, base)
    if start is None:
        hint = DEEPER if await _is_shallow(root) else "name a BASE that the branch began at"
        raise UserError(
            f"{base_name or 'the default branch'} and {head_name or 'HEAD'} share no history", hint
        )
    if start == head:
        hint = "name a range, such as HEAD~1..HEAD, or take what is not committed with --worktree or --staged"
        raise NothingToReview(
            f"there is nothing to review: {head_name or 'HEAD'} has no commit that "
            f"{base_name or 'the default branch'} has not",
            head,
            DEEPER if await _is_shallow(root) else hint,
        )
    return await described(root, start, head)


async def merge_base(root: Path, head: Sha, *others: str) -> Sha | None:
    """The newest commit of `head` that one of the others has too."""
    code, out = await git(root, "merge-base", head, *others)
    return Sha(out.decode().strip()) if code == 0 else None


async def described(root: Path, base: Sha, head: Sha) -> LocalRange:
    """The change between two commits; `base` may be a tree without files."""
    asked = head if base == await no_files(root) else f"{base}..{head}"
    _, out = await git(
        root, "log", "-z", "--no-color", "--no-show-signature", "--format=%an%n%s%n%b", asked, "--"
    )
    messages = out[:MOST_MESSAGES].decode("utf-8", "replace").split("\0")
    author, _, newest = messages[0].partition("\n")
    said = [message.partition("\n")[2].strip() for message in messages]
    return LocalRange(base, head, newest.partition("\n")[0], "\n\n".join(filter(None, said)), author)


async def no_files(root: Path) -> Sha:
    """The tree without files, which every repository has."""
    return Sha((await git(root, "hash-object", "-t", "tree", "--stdin"))[1].decode().strip())


async def resolved(root: Path, name: str) -> Sha | None:
    """The commit that a name stands for."""
    if "\0" in name:
        return None
    code, out = await git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    return Sha(out.decode().strip()) if code == 0 else None


async def _default(root: Path) -> Sha:
    for name in DEFAULTS:
        if found := await resolved(root, name):
            return found
    hint = f"name a range, such as main..HEAD; {DEEPER}" if await _is_shallow(root) else ""
    raise UserError(
        "there is no main or master branch to compare with", hint or "name a range, such as develop..HEAD"
    )


async def _commit(root: Path, name: str) -> Sha:
    if found := await resolved(root, name):
        return found
    if await resolved(root, "HEAD") is None and name == "HEAD":
        raise UserError(*await _without_head(root))
    raise UserError(f"{name[:80]!r} names no commit here", DEEPER if await _is_shallow(root) else "")


async def _without_head(root: Path) -> tuple[str, str]:
    """(what is wrong, what to do) where HEAD is no commit."""
    _, out = await git(root, "for-each-ref", "--count=1", "--format=%(refname:short)")
    if branch := out.decode("utf-8", "replace").strip():
        return "HEAD stands on a branch without a commit", f"name a range, such as main..{branch[:80]}"
    if await is_bare(root):
        return "this repository has no commit yet", "push one to it"
    return (
        "this repository has no commit yet",
        "commit first, or take what is not committed with --staged or --worktree",
    )


async def _is_shallow(root: Path) -> bool:
    return (await git(root, "rev-parse", "--is-shallow-repository"))[1].strip() == b"true"
