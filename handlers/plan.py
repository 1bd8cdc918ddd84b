"""A work plan for an issue, in one comment that people edit: `@slug plan`, and again to plan anew. What
people ticked or changed stays (`bot.core.plan_text`)."""

from collections.abc import Collection, Sequence

from bot.agents.plan import PlanFacts
from bot.agents.plan import plan as planned
from bot.context import Context, answer
from bot.core.effect_history import standing_comment
from bot.core.effects import Comment, EditComment, Plan, ReplyInThread
from bot.core.events import CommentEvent
from bot.core.github_reader import conversation
from bot.core.inference import Usage
from bot.core.plan_text import ABOUT, merged, visible
from bot.core.refs import Sha
from bot.core.text import utf8_size
from bot.router import Router

router = Router()
MOST_BYTES = 60_000
"""A plan that people made longer is left alone: none of their words may be cut."""


@router.command(
    "plan",
    help="a work plan as a task list; again: planned anew, and what you ticked or changed stays",
    may={Comment, EditComment, ReplyInThread},
    who="triage",
)
async def make_plan(event: CommentEvent, ctx: Context) -> Plan:
    """A plan that somebody deleted is written anew."""
    issue = await ctx.github.issue(event.number)
    if issue.transferred:
        return Plan(reason="transferred to another repository")
    there = standing_comment(ctx.past_runs, ABOUT)
    now = await ctx.github.comment_text(there.id) if there else None
    wish = ctx.command.argument if ctx.command else ""
    said = await ctx.github.comments(event.number, issue.comments)
    about, spent = f"{issue.title}\n{issue.body[:2_000]}", list[Usage]()
    library = ctx.searched(ctx.knowledge, spent)
    facts = PlanFacts(
        context=await ctx.repository(),
        title=issue.title,
        body=issue.body,
        conversation=conversation(
            [one for one in said if there is None or one.id != there.id], without=event.comment_id
        ),
        excerpts=await library.search(about) if library else (),
        standing=visible(now or ""),
        wish=wish,
        slug=ctx.slug,
    )

    async def existing(paths: Sequence[str]) -> Collection[str]:
        return await ctx.github.sizes(Sha(ctx.repo.default_branch), paths)

    told = await planned(facts, ctx.infer, existing)
    used = (*spent, *told.usage)
    if told.failure:
        words = f"I could not plan this: {told.failure}"
        return Plan((answer(event, words),), reason="there is no plan", usage=used)
    if there is None or now is None:
        comment = Comment(event.number, told.text, about=ABOUT)
        return Plan((comment,), reason="a plan was asked for", usage=used)
    text = merged(there.own, facts.standing, told.text)
    if utf8_size(text) > MOST_BYTES:
        words = "The plan above has grown too long for me to add to it; delete it, and I write a new one."
        return Plan((answer(event, words),), reason="the plan is too long", usage=used)
    if text == facts.standing:
        words = "I would plan nothing else; the plan above stands as it is."
        return Plan((answer(event, words),), reason="nothing new to plan", usage=used)
    edit = EditComment(event.number, there.id, text, own=told.text)
    return Plan((edit,), reason="planned anew", usage=used)
