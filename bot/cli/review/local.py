"""The local half: git in the place of GitHub, hosts of hob.toml, progress on stderr."""

from pathlib import Path

import click

from bot.core.inference import Completion, Infer, Prompt, T
from bot.core.judgement import Judgement
from bot.core.knowledge import Beside
from bot.core.sharing import through
from bot.jobs.reading import check
from bot.knowledge.local import Local
from bot.local import find_change, judge_range
from bot.repository import Repository
from bot.scripting import Workshop


async def judge(folder: Path, text: str, no_model: bool) -> Judgement:
    """By the hosts that `[privacy]` and `[budget]` allow a repository of which nobody knows whether it is
    public."""
    root = Repository.at(folder).root
    change = await find_change(root, text)
    if no_model:
        return await judge_range(root, change, nobody, check)
    async with Workshop(repo=root) as shop:
        beside = _beside(root, shop.config.hob.data_dir)
        return await judge_range(root, change, _told(shop.infer()), check, beside=beside)


def _beside(root: Path, data_dir: Path) -> Beside:
    """By the index as `hob index` left it; without one the change is read alone, and that is said."""
    local = Local(root, data_dir)
    if not local.path.exists():
        click.echo(
            click.style("no index here: hob index lets a review see callers and tests", dim=True), err=True
        )
    return local.indexed.beside


async def nobody(prompt: Prompt[T], /) -> Completion[T]:
    return Completion(failure="no_host", reason="no model was asked (--no-model)")


def _told(infer: Infer) -> Infer:
    """The port with a line on stderr for each question: a model may take minutes."""

    async def asking(prompt: Prompt[T], /) -> Completion[T]:
        names = ", ".join(passage.name for passage in prompt.passages[:3])
        more = f" and {len(prompt.passages) - 3} more" if len(prompt.passages) > 3 else ""
        click.echo(click.style(f"asking a model ({prompt.name}): {names}{more}", dim=True), err=True)
        return await infer(prompt)

    return through(infer, asking)
