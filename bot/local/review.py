"""The App's own review of a local change: the same facts, the same agent, the same checks."""

from pathlib import Path

from bot.agents import review
from bot.context import Check, Context, pull_request_facts
from bot.core.inference import Infer
from bot.core.judgement import Judgement
from bot.core.knowledge import Beside, nothing_beside
from bot.core.layers import Layer
from bot.core.refs import RepoRef
from bot.local.change import Change
from bot.local.reader import LocalReader


async def judge_range(
    root: Path,
    change: Change,
    infer: Infer,
    check: Check,
    stored: tuple[Layer, ...] = (),
    beside: Beside = nothing_beside,
) -> Judgement:
    """`root` is the repository's; its settings are those of the change's base over `stored`. Whether a draft
    or a title would keep a review away does not count: a person asked."""
    repo = RepoRef("local", root.name or "repository", 0, 0, private=True)
    reader = LocalReader(root, change)
    ctx = Context(
        repo=repo,
        slug="hob",
        github=reader,
        infer=infer,
        check=check,
        stored=stored,
        beside=beside,
    )
    context = await ctx.repository(change.base)
    facts = await pull_request_facts(ctx, context, await reader.pull_request(0))
    return await review.judge(facts, infer)
