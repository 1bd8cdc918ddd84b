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
    shown = meant or offers
    writing = [offer for offer in shown if offer.code and offer.name not in _WITHOUT_CODE]
    enabled, recipes = await _code(event, ctx) if writing else (True, [])
    lines += [f"- `@{ctx.slug} {one.name}`: {one.help}" for one in shown if enabled or one not in writing]
    lines += [] if meant else recipes
    if not enabled:
        names = ", ".join(f"`@{ctx.slug} {one.name}`" for one in writing)
        lines.append(f"- once `.github/hob.yml` says `code: {{enabled: true}}`, also {names}")
    lines.append(f"- `@{ctx.slug}` and your own words: what you ask for, or a question, in any language")
    return Plan((answer(event, "\n".join(lines)),), reason="help was asked for")


_WITHOUT_CODE = ("fix",)
"""What is of use where no code is written: suggestions, and why checks failed."""


async def _code(event: CommentEvent, ctx: Context) -> tuple[bool, list[str]]:
    """Whether code is written here, and the recipes that this person may have done then."""
    base = ctx.repo.default_branch
    if event.on_pull_request:
        base = (await ctx.github.pull_request(event.number)).rules_at
    context = await ctx.repository(base)
    if not context.settings.code.enabled:
        return False, []
    return True, lines_of(await ctx.recipes(base), ctx, context, on_pull_request=event.on_pull_request)
