"""The local half: git in the place of GitHub, hosts of hob.toml, progress on stderr."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from bot.cli.framework import clean
from bot.cli.waiting import TellWaiting
from bot.core.errors import UserError
from bot.local import LocalRange, Push, find_change, pushed, uncommitted
from bot.local.change import is_bare

if TYPE_CHECKING:  # what a review needs is imported once there is something to review
    from bot.core.effort import Effort
    from bot.core.review_result import Judgement
    from bot.knowledge.search.repository_search import Indexed

Work = Literal["", "staged", "worktree"]


async def judge(
    root: Path,
    text: str,
    work: Work,
    no_model: bool,
    say: Callable[[str], None] | None = None,
    effort: "Effort | None" = None,
) -> "Judgement":
    """By the hosts that `[privacy]` and `[budget]` allow a repository of which nobody knows whether it is
    public. `say` hears how far it is; else stderr shows that. UserError; `NothingToReview`."""
    async with _change(root, text, work) as change:
        return await judge_change(root, change, no_model, say, effort)


async def judge_pushes(root: Path, remote: str, some: list[Push], no_model: bool) -> list["Judgement"]:
    """What each push brings, one after the other; empty where none brings anything."""
    found: list[Judgement] = []
    for push, change in await pushed(root, remote, some):
        click.echo(clean(f"{push.ref}: {change.base[:12]}..{change.head[:12]} {change.title}"), err=True)
        found.append(await judge_change(root, change, no_model))
    return found


async def judge_change(
    root: Path,
    change: LocalRange,
    no_model: bool,
    say: Callable[[str], None] | None = None,
    effort: "Effort | None" = None,
) -> "Judgement":
    from bot.core.knowledge import nothing_beside
    from bot.local.judge import judge_range

    if no_model:
        with TellWaiting("checking"):
            return await judge_range(root, change, None)
    from bot.cli.review.progress import Asked
    from bot.scripting import Workshop

    bare = await is_bare(root)
    async with Workshop(repo=None if bare else root, base=(root, change.base)) as shop, Asked(say) as asked:
        index = None if bare else _index(root, shop.config.hob.data_dir)
        beside = index.beside if index else nothing_beside
        infer = asked.through(shop.infer())
        return await judge_range(root, change, infer, beside=beside, effort=effort, library=index)


@asynccontextmanager
async def _change(root: Path, text: str, work: Work) -> AsyncIterator[LocalRange]:
    if work:
        async with uncommitted(root, staged=work == "staged") as change:
            yield change
    else:
        yield await find_change(root, text)


def _index(root: Path, data_dir: Path) -> "Indexed | None":
    """As `hob index` left it; without one the change is read alone, and that is said."""
    from bot.knowledge.local import Local

    try:
        local = Local(root, data_dir)
    except UserError:  # no commit yet
        return None
    if not local.path.exists():
        click.echo(
            click.style("no index here: hob index lets a review see callers and tests", dim=True), err=True
        )
        return None
    return local.indexed
