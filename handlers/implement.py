"""Carries an issue out: `@slug implement` on an issue becomes one commit on a branch of Hob's own with a
draft pull request that says what was done, what was not, and how it was checked."""

import asyncio

from bot.agents.implement import Implemented, implement
from bot.agents.research import Research
from bot.context import Context, answer
from bot.core.effects import Comment, OpenPullRequest, Plan, PushCommit, ReplyInThread
from bot.core.errors import Gone
from bot.core.events import CommentEvent
from bot.core.facts import PatchFacts, RepoContext
from bot.core.github_reader import IssueState, conversation
from bot.core.named_files import candidates, named_files
from bot.core.refs import Sha
from bot.proposals import Target, allowed, is_off, may_push, offered, regular
from bot.router import Router

router = Router()
MOST_FILES = 12
"""Files that a model is shown whole."""
MOST_MINUTES = 60
ROUNDS = 2
"""How often a model says where to look next before it writes."""


@router.command(
    "implement",
    help="carries this issue out: a draft pull request from a branch of mine",
    may={PushCommit, OpenPullRequest, Comment, ReplyInThread},
    who="code",
    place="issues",
)
async def implement_issue(event: CommentEvent, ctx: Context) -> Plan:
    """A failure is said; nothing is pushed then."""
    if event.on_pull_request:
        return Plan((answer(event, "This is a pull request already; on an issue I make one."),))
    context = await ctx.repository()
    if why := is_off(context) or await may_push(ctx):
        return Plan((answer(event, why),), reason=why)
    state = await ctx.github.issue(event.number)
    try:
        tip, tree = await ctx.github.tip(ctx.repo.default_branch)
    except Gone:
        return Plan((answer(event, "There is no code here to start from."),), reason="no default branch")
    facts = await _facts(event, ctx, context, state, tip)
    try:
        async with asyncio.timeout(MOST_MINUTES * 60):
            done = await implement(facts, ctx.chain("implement"), ctx.persona, ctx.infer)
    except TimeoutError:
        said = f"I was not done within {MOST_MINUTES} minutes, and have nothing to propose."
        return Plan((answer(event, said),), reason="out of time")
    to = Target(event.number, tip, ctx.repo.default_branch, state.title[:80], pull_request=False, tree=tree)
    return await offered(event, ctx, to, facts, done.patched, _told(done))


def _told(done: Implemented) -> str:
    """What the pull request says beside its summary."""
    parts = [f"**Planned**\n\n{done.plan}"] if done.plan else []
    if done.remarks:
        parts.append(f"**Not done**: a second look did not accept this as it is.\n\n{done.remarks}")
    return "\n\n".join(parts)


async def _facts(
    event: CommentEvent, ctx: Context, context: RepoContext, state: IssueState, tip: Sha
) -> PatchFacts:
    """The issue, what was said there, and the files that it is about, whole."""
    comments = await ctx.github.comments(event.number, state.comments)
    said = conversation(comments, without=event.comment_id)
    named = named_files("\n".join([state.title, state.body, *(what for _, what in said)]), ctx.repo.full_name)
    paths = [path for several in candidates(named).values() for path in several]
    if ctx.knowledge is not None:
        scout = Research.of(ctx.persona, ctx.infer, ctx.knowledge, rounds=ROUNDS if ctx.idle else 1)
        found, _ = await scout.gather(f"{state.title}\n\n{state.body[:4_000]}")
        paths += [one.path for one in found]
    texts = await ctx.github.texts(tip, list(dict.fromkeys(paths))[:50])
    facts = PatchFacts(
        context=context,
        kind="implement",
        title=state.title,
        description=state.body,
        texts=dict(list(texts.items())[:MOST_FILES]),
        conversation=said,
        wish=ctx.command.argument if ctx.command else "",
        names=tuple(texts)[MOST_FILES:],
        allowed=allowed(context),
        tools=ctx.tools,
    )
    return await regular(ctx, tip, facts)
