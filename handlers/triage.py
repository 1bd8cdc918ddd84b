"""Sorts a new issue: labels that exist, and one short question when something needed is missing."""

from bot.agents import issue
from bot.context import Context
from bot.core.effects import AddLabels, Comment, Plan
from bot.core.events import IssueOpened
from bot.core.facts import IssueFacts
from bot.gathering import labels_heard
from bot.router import Router

router = Router()


@router.on(IssueOpened, may={AddLabels, Comment}, priority="low", name="triage", stored_as="issues.triage")
async def triage(event: IssueOpened, ctx: Context) -> Plan:
    """Bots' issues are left alone: their authors do not answer questions."""
    if event.author.is_bot:
        return Plan(reason="opened by a bot")
    context = await ctx.repository(labels=True)
    if not context.settings.issues.triage:
        return Plan(reason="triage is off in .github/hob.yml")
    facts = IssueFacts(
        context=context,
        number=event.number,
        title=event.title,
        body=event.body,
        author=event.author.login,
        labels=event.labels,
        heard=await labels_heard(ctx, context),
    )
    return await issue.plan(facts, ctx.infer)
