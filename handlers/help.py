"""Which commands there are, for whoever asks: `@slug help`, and `@slug` with a word that is none."""

from bot.context import Context, answer
from bot.core.effects import Comment, Plan, ReplyInThread
from bot.core.events import CommentEvent
from bot.router import Router
from handlers.recipes import lines as lines_of

router = Router()


@router.command(
    "help",
    help="the commands that you may use here; `help WORD`: those about it",
    may={Comment, ReplyInThread},
    stored_as="comments.show_help",
)
async def show_help(event: CommentEvent, ctx: Context) -> Plan:
    """Made from the router, so that it can't be forgotten; also the answer to a word that is no command."""
    asked = ctx.command.name if ctx.command else "help"
    topic = ctx.command.argument.casefold() if ctx.command and asked == "help" else ""
    lines = [] if asked == "help" else [f"I don't know the command `{asked}`.", ""]
    offers = [offer for offer in ctx.offers if offer.allowed]
    meant = [offer for offer in offers if topic and topic in f"{offer.name} {offer.help.casefold()}"]
    lines += [f"- `@{ctx.slug} {offer.name}`: {offer.help}" for offer in meant or offers]
    if not meant and any(offer.name == "recipe" for offer in offers):
        lines += await _recipes(event, ctx)
    lines.append(f"- `@{ctx.slug}` and your own words: what you ask for, or a question, in any language")
    return Plan((answer(event, "\n".join(lines)),), reason="help was asked for")


async def _recipes(event: CommentEvent, ctx: Context) -> list[str]:
    """Those that this person may have done here."""
    base = ctx.repo.default_branch
    if event.on_pull_request:
        base = (await ctx.github.pull_request(event.number)).rules_at
    context = await ctx.repository(base)
    if not context.settings.code.enabled:
        return []
    return lines_of(await ctx.recipes(base), ctx, context, on_pull_request=event.on_pull_request)
