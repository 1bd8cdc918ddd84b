"""The App's own review of a local change: the same facts, the same agent, the same checks."""

from dataclasses import replace
from pathlib import Path

from bot.agents import review
from bot.context import Context
from bot.core.code_search import Library
from bot.core.effort import Effort
from bot.core.inference import Completion, Infer, OnText, Prompt, T
from bot.core.knowledge import Beside, nothing_beside
from bot.core.refs import RepoRef
from bot.core.review_result import Judgement
from bot.core.settings_merge import Layer
from bot.core.skip_rules import BINARY, NO_PATCH, NOT_ASKED
from bot.implement_facts import looking
from bot.local.change import LocalRange
from bot.local.reader import LocalReader
from bot.pull_request_facts import pull_request_facts


async def judge_range(
    root: Path,
    change: LocalRange,
    infer: Infer | None,
    stored: tuple[Layer, ...] = (),
    beside: Beside = nothing_beside,
    effort: Effort | None = None,
    library: Library | None = None,
) -> Judgement:
    """`root` is the repository's; its settings are those of the change's base over `stored`. Whether a draft
    or a title would keep a review away does not count: a person asked. Without `infer` no model is asked.
    `library`: what is searched for what a claim rests on."""
    ctx = local_context(root, change, infer, stored, beside)
    context = await ctx.repository(change.base)
    state = await ctx.github.pull_request(0)
    facts = await pull_request_facts(ctx, context, state, effort=effort, by_person=True)
    skipped = (replace(one, why=BINARY) if one.why == NO_PATCH else one for one in facts.skipped)
    beside_claims = looking(ctx, state.head_sha, library)
    return await review.judge(replace(facts, skipped=tuple(skipped)), infer, beside_claims)


def local_context(
    root: Path,
    change: LocalRange,
    infer: Infer | None = None,
    stored: tuple[Layer, ...] = (),
    beside: Beside = nothing_beside,
) -> Context:
    """A repository of this machine in the place of one on GitHub."""
    return Context(
        repo=RepoRef("local", root.name or "repository", 0, 0, private=True),
        slug="hob",
        github=LocalReader(root, change),
        infer=infer or _nobody,
        stored=stored,
        beside=beside,
    )


async def _nobody(_: Prompt[T], /, on_text: OnText | None = None) -> Completion[T]:
    """Gathering asks no model."""
    return Completion(failure="no_host", reason=NOT_ASKED)
