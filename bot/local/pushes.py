"""What a push brings to the other side: git tells a pre-push hook in lines of
`<local ref> <local object> <remote ref> <remote object>`. https://git-scm.com/docs/githooks#_pre_push"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.core.errors import UserError
from bot.core.refs import Sha
from bot.git import git
from bot.local.change import LocalRange, described, merge_base, no_files, resolved

_NOTHING = re.compile(r"0+")
_LINE = re.compile(r"(\S+) ([0-9a-f]{40,64}) (\S+) ([0-9a-f]{40,64})")
MOST_REFS = 200
"""Refs of the other side among which is looked for where a new branch left them."""


@dataclass(frozen=True, slots=True)
class Push:
    """One ref: `new` is to be there instead of `old`; either may be zeros, for nothing."""

    ref: str
    new: str
    old: str


def pushes(text: str) -> list[Push]:
    """All that is pushed; UserError for what git does not write."""
    found: list[Push] = []
    for line in text.splitlines():
        if not (match := _LINE.fullmatch(line.strip())):
            raise UserError(
                f"a pre-push hook is not told {line[:80]!r}",
                "git writes `<local ref> <local object> <remote ref> <remote object>` to its standard input",
            )
        found.append(Push(match[3], match[2], match[4]))
    return found


def pre_commits(environ: Mapping[str, str]) -> list[Push]:
    """The same as the pre-commit program tells it: https://pre-commit.com/#pre-push"""
    return [
        Push(
            environ.get("PRE_COMMIT_REMOTE_BRANCH", "") or "HEAD",
            environ.get("PRE_COMMIT_TO_REF", "") or "HEAD",
            environ.get("PRE_COMMIT_FROM_REF", "") or "0",
        )
    ]


async def pushed(root: Path, remote: str, some: list[Push]) -> list[tuple[Push, LocalRange]]:
    """The change that each push brings, every change once; nothing of a ref that is deleted, and of commits
    that the other side has already."""
    known = await _refs(root, remote)
    found: dict[tuple[Sha, Sha], tuple[Push, LocalRange]] = {}
    for push in some:
        if _NOTHING.fullmatch(push.new) or (head := await resolved(root, push.new)) is None:
            continue  # deleted, or a tag of something that is no commit
        old = None if _NOTHING.fullmatch(push.old) else await resolved(root, push.old)
        there = [*([old] if old else []), *known]
        base = (await merge_base(root, head, *there) if there else None) or await no_files(root)
        if base != head and (base, head) not in found:
            found[base, head] = push, await described(root, base, head)
    return list(found.values())


async def _refs(root: Path, remote: str) -> list[str]:
    """What is known of the other side: the tips of its branches as they were last fetched, newest first."""
    _, out = await git(
        root,
        "for-each-ref",
        f"--count={MOST_REFS}",
        "--sort=-committerdate",
        "--format=%(objectname)",
        f"refs/remotes/{remote}" if re.fullmatch(r"[\w.-]+", remote) else "refs/remotes",
    )
    return out.decode().split()
