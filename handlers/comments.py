"""What people say to Hob: `@slug help`, `review`, `ask`, at the start of a line of a comment."""

from bot.agents import ask as asking
from bot.agents import review
from bot.agents.research import MOST_ROUNDS, Research
from bot.agents.settings import labels_table, table
from bot.context import Context
from bot.core.effects import (
    Comment,
    Effect,
    Plan,
    ReplyInThread,
)
from bot.core.events import CommentEvent, ReviewCommentEvent
from bot.core.facts import PullRequestFacts
from bot.gathering import labels_told, pull_request_facts, settings_told, thread_facts
from bot.router import Router

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
    lines.append(f"- `@{ctx.slug}` with any other text is a question, answered here")
    return Plan((answer(event, "\n".join(lines)),), reason="help was asked for")


@router.command(
    "config",
    help="each setting that counts here and where it was said; `config review`: those that begin so",
    may={Comment, ReplyInThread},
    stored_as="comments.show_config",
)
async def show_config(event: CommentEvent, ctx: Context) -> Plan:
    """As it is merged: defaults, other reviewers' files, stored settings, `.github/hob.yml`."""
    merged, complaints = await settings_told(ctx, event)
    topic = ctx.command.argument.strip("` ") if ctx.command else ""
    told = table(merged, complaints, topic)
    if "issues.labels".startswith(topic):
        told += labels_table(await labels_told(ctx))
    return Plan((answer(event, told),), reason="settings were asked about")


@router.command(
    "review",
    help="reviews what is new since the last review; `review full`: everything",
    may=review.MAY | {Comment, ReplyInThread},
    who="triage",
    stored_as="comments.judge_again",
)
async def judge_again(event: CommentEvent, ctx: Context) -> Plan:
    """Reviews even what settings leave out by themselves (drafts, titles, authors): a person asked."""
    if not event.on_pull_request:
        return Plan((answer(event, "There is nothing to review on an issue; ask on a pull request."),))
    state = await ctx.github.pull_request(event.number)
    if not state.open:
        return Plan((answer(event, "This pull request is closed; there is nothing to review."),))
    full = ctx.command is not None and ctx.command.argument.casefold().startswith("full")
    facts = await pull_request_facts(ctx, await ctx.repository(state.base_sha), state, full=full)
    if _was_read(facts):
        nothing = (
            f"Nothing is new since I reviewed `{state.head_sha[:10]}`; `review full` reads it all again."
        )
        return Plan((answer(event, nothing),), reason="nothing is new")
    return await review.plan(facts, ctx.infer)


def _was_read(facts: PullRequestFacts) -> bool:
    """Whether this very head was reviewed, and whole: where a model gave up, there is still something to
    read."""
    earlier = facts.earlier
    return (
        earlier is not None
        and earlier.stands_for(facts.head_sha, facts.base_ref)
        and earlier.read >= {file.path for file in facts.files}
    )


@router.command(
    "ask",
    help="answers a question about this conversation and its change",
    may={Comment, ReplyInThread},
    stored_as="comments.ask",
)
async def ask(event: CommentEvent, ctx: Context) -> Plan:
    """In place: under a line in its thread, elsewhere as a comment."""
    question = ctx.command.argument if ctx.command else ""
    if not question:
        return Plan((answer(event, f"Ask me something: `@{ctx.slug} ask why is this cached?`"),))
    facts = await thread_facts(ctx, event, question)
    rounds = MOST_ROUNDS if ctx.knowledge and ctx.idle else 0
    agent = Research.of(ctx.persona, ctx.infer, facts.library, rounds=rounds)
    body, used = await asking.reply(facts, agent)
    return Plan((answer(event, body),), reason="a question was asked", usage=used)


def answer(event: CommentEvent, body: str) -> Effect:
    """A reply where the person spoke."""
    if isinstance(event, ReviewCommentEvent):
        return ReplyInThread(event.number, event.in_reply_to or event.comment_id, body)
    return Comment(event.number, body)
