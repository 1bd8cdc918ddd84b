"""Which commits are reviewed: a range as people write it, or the branch that is checked out against where it
left the default branch. https://git-scm.com/docs/gitrevisions"""

from dataclasses import dataclass
from pathlib import Path

from bot.core.errors import UserError
from bot.core.refs import Sha
from bot.git import git

DEFAULTS = ("origin/HEAD", "origin/main", "origin/master", "main", "master")
"""Where a branch usually starts; the first that exists."""
MOST_MESSAGES = 16_384


@dataclass(frozen=True, slots=True)
class Change:
    """The commits that `head` has and `base` has not; `base` is their merge base. `title` is the newest
    commit's subject, `body` all their messages."""

    base: Sha
    head: Sha
    title: str
    body: str
    author: str


async def find_change(root: Path, text: str = "") -> Change:
    """`BASE..HEAD`, `BASE...HEAD`, `BASE` (up to HEAD), or nothing; UserError for what names no commits, or
    none to review."""
    base_name, dots, head_name = text.partition("...") if "..." in text else text.partition("..")
    if dots and not base_name:
        raise UserError(f"{text} has no beginning", "write BASE..HEAD")
    head = await _commit(root, head_name or "HEAD")
    base = await _commit(root, base_name) if base_name else await _default(root)
    code, out = await git(root, "merge-base", base, head)
    if code != 0:
        raise UserError(f"{base_name or 'the default branch'} and {head_name or 'HEAD'} share no history")
    start = Sha(out.decode().strip())
    if start == head:
        raise UserError(
            f"there is nothing to review: {head_name or 'HEAD'} has no commit that "
            f"{base_name or 'the default branch'} has not",
            "name a range, such as HEAD~1..HEAD",
        )
    return await _described(root, start, head)


async def _described(root: Path, base: Sha, head: Sha) -> Change:
    _, out = await git(
        root,
        "log",
        "-z",
        "--no-color",
        "--no-show-signature",
        "--format=%an%n%s%n%b",
        f"{base}..{head}",
        "--",
    )
    messages = out[:MOST_MESSAGES].decode("utf-8", "replace").split("\0")
    author, _, newest = messages[0].partition("\n")
    said = [message.partition("\n")[2].strip() for message in messages]
    return Change(base, head, newest.partition("\n")[0], "\n\n".join(filter(None, said)), author)


async def _default(root: Path) -> Sha:
    for name in DEFAULTS:
        if found := await _resolved(root, name):
            return found
    raise UserError("there is no main or master branch to compare with", "name a range, such as main..HEAD")


async def _commit(root: Path, name: str) -> Sha:
    if found := await _resolved(root, name):
        return found
    raise UserError(f"{name[:80]!r} names no commit here")


async def _resolved(root: Path, name: str) -> Sha | None:
    if "\0" in name:
        return None
    code, out = await git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    return Sha(out.decode().strip()) if code == 0 else None
