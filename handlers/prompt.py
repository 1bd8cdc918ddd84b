"""Hands work over to an agent in somebody's editor: `@slug prompt 2` gives a finding as a prompt that needs
nothing else, `@slug prompt` on an issue its plan."""

import re

from bot.agents.memory import listed
from bot.agents.prompt import finding_prompt, plan_prompt
from bot.context import Context, answer
from bot.core.effect_history import standing_comment
from bot.core.effects import Comment, Plan, ReplyInThread
from bot.core.events import CommentEvent
from bot.patterns import wanted
from bot.router import Router

router = Router()
_NUMBER = re.compile(r"#?(\d{1,9})\b")


@router.command(
    "prompt",
    help="a finding (`prompt 2`), or the plan of an issue, as a prompt for an agent in your editor",
    may={Comment, ReplyInThread},
    who="triage",
)
async def hand_over(event: CommentEvent, ctx: Context) -> Plan:
    """Asks no model."""
    body = await (_finding(event, ctx) if event.on_pull_request else _plan(event, ctx))
    return Plan((answer(event, body),), reason="work was handed over")


async def _finding(event: CommentEvent, ctx: Context) -> str:
    findings = next((review.findings for review in reversed(ctx.reviews) if review.findings), ())
    said = _NUMBER.match(ctx.command.argument if ctx.command else "")
    n = int(said[1]) if said else 1 if len(findings) == 1 else 0
    if not findings:
        return "I have said nothing here that could be handed over."
    if not 1 <= n <= len(findings):
        return f"Which finding do you mean? Of my last review here:\n\n{listed(findings)}"
    finding = findings[n - 1]
    state = await ctx.github.pull_request(event.number)
    context = await ctx.repository(state.base_sha)
    texts = await ctx.github.texts(state.head_sha, [finding.path])
    rules = [one.text for one in context.settings.review.instructions if wanted(finding.path, (one.path,))]
    return finding_prompt(context, event.number, state.title, finding, texts.get(finding.path), rules)


async def _plan(event: CommentEvent, ctx: Context) -> str:
    there = standing_comment(ctx.past_runs, "plan")
    text = await ctx.github.comment_text(there.id) if there else None
    if text is None:
        return f"There is no plan here yet; `@{ctx.slug} plan` writes one."
    issue = await ctx.github.issue(event.number)
    plan = text.partition("<!-- hob:v1 ")[0]
    return plan_prompt(await ctx.repository(), event.number, issue.title, issue.body, plan)
