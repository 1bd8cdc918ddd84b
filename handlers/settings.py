"""Which settings count here, and who said so: `@slug config`."""

from collections.abc import Mapping

from bot.agents.settings import labels_table, table
from bot.context import Context, answer
from bot.core.effects import Comment, Plan, ReplyInThread
from bot.core.events import CommentEvent
from bot.core.labels import Choice, choices
from bot.core.refs import Sha
from bot.core.settings import Complaint
from bot.core.settings_merge import FILE, Layer, Valued, merge
from bot.router import Router
from handlers.label_listeners import labels_heard

router = Router()


@router.command(
    "config",
    help="each setting that counts here and where it was said; `config review`: those that begin so",
    may={Comment, ReplyInThread},
    stored_as="comments.show_config",
)
async def show_config(event: CommentEvent, ctx: Context) -> Plan:
    """As it is merged: defaults, other reviewers' files, stored settings, `.github/hob.yml`."""
    merged, complaints = await _settings_told(ctx, event)
    topic = ctx.command.argument.strip("` ") if ctx.command else ""
    told = table(merged, complaints, topic)
    if "issues.labels".startswith(topic):
        told += labels_table(await _labels_told(ctx))
    return Plan((answer(event, told),), reason="settings were asked about")


async def _settings_told(
    ctx: Context, event: CommentEvent
) -> tuple[Mapping[str, Valued], tuple[Complaint, ...]]:
    """Every setting that counts here with its layer, and what was wrong with the files."""
    branch = Sha(ctx.repo.default_branch)
    base = Sha((await ctx.github.pull_request(event.number)).rules_at) if event.on_pull_request else branch
    context = await ctx.repository(base)
    guidance = await ctx.github.guidance(base, (), context.settings.review.guidelines)
    merged = merge((*ctx.below(guidance), *ctx.stored), Layer(FILE, context.file))
    return merged, (*context.complaints, *ctx.recipes_of(guidance.recipes).complaints)


async def _labels_told(ctx: Context) -> tuple[Choice, ...]:
    """Every label that exists: whether a triage may choose it, and why."""
    context = await ctx.repository(labels=True)
    heard = await labels_heard(ctx, context)
    return choices([name for name, _ in context.labels], context.settings.issues.labels, heard)
