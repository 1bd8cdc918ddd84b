"""The App's own review of a local change: the same facts, the same agent, the same checks."""

from dataclasses import replace
from pathlib import Path

from bot.agents import review
from bot.context import Check, Context
from bot.core.inference import Completion, Infer, Prompt, T
from bot.core.judgement import Judgement
from bot.core.knowledge import Beside, nothing_beside
from bot.core.layers import Layer
from bot.core.reading import BINARY, NO_PATCH, NOT_ASKED
from bot.core.refs import RepoRef
from bot.gathering import pull_request_facts
from bot.local.change import Change
from bot.local.reader import LocalReader


async def judge_range(
    root: Path,
    change: Change,
    infer: Infer | None,
    check: Check,
    stored: tuple[Layer, ...] = (),
    beside: Beside = nothing_beside,
) -> Judgement:
    """`root` is the repository's; its settings are those of the change's base over `stored`. Whether a draft
    or a title would keep a review away does not count: a person asked. Without `infer` no model is asked."""
    repo = RepoRef("local", root.name or "repository", 0, 0, private=True)
    reader = LocalReader(root, change)
    ctx = Context(
        repo=repo,
        slug="hob",
        github=reader,
        infer=infer or _nobody,
        check=check,
        stored=stored,
        beside=beside,
    )
    context = await ctx.repository(change.base)
    facts = await pull_request_facts(ctx, context, await reader.pull_request(0))
    skipped = (replace(one, why=BINARY) if one.why == NO_PATCH else one for one in facts.skipped)
    return await review.judge(replace(facts, skipped=tuple(skipped)), infer)


async def _nobody(_: Prompt[T], /) -> Completion[T]:
    """Gathering asks no model."""
    return Completion(failure="no_host", reason=NOT_ASKED)
