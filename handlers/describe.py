"""What a change does, for who reads it: `@slug summary`, `@slug describe`, and the walkthrough that a
repository may have posted with the first review."""

from bot.agents.describe import Described, describe, shown
from bot.context import Context, answer
from bot.core.effect_history import undone
from bot.core.effects import AddLabels, Comment, EditComment, EditPullRequest, Effect, Plan, ReplyInThread
from bot.core.events import CommentEvent
from bot.core.facts import ChangeFacts, PullRequestFacts
from bot.core.github_reader import PullRequestState
from bot.core.pr_description import own_words
from bot.pull_request_facts import select
from bot.router import Router

router = Router()
WALKTHROUGH, PROPOSED = "walkthrough", "proposal"
NO_CHANGE = "An issue has no change to describe; ask on a pull request."


@router.command(
    "summary",
    help="what this pull request does, file by file, in one comment that is kept up to date",
    may={Comment, EditComment, ReplyInThread},
    who="triage",
    stored_as="describe.summarise",
    place="pull requests",
)
async def summarise(event: CommentEvent, ctx: Context) -> Plan:
    """The one comment is edited; one that somebody deleted is written anew."""
    if not event.on_pull_request:
        return Plan((answer(event, NO_CHANGE),))
    state = await ctx.github.pull_request(event.number)
    told = await describe(await change_facts(ctx, state), ctx.infer)
    if told.failure:
        return _failed(event, told)
    body = _titled(told, state.head_sha)
    there = await _comment_about(ctx, WALKTHROUGH)
    effect: Effect = Comment(event.number, body, told.folded, WALKTHROUGH)
    if there is not None:
        effect = EditComment(event.number, there[1], body, told.folded)
    return Plan((effect,), reason="a summary was asked for", usage=told.usage)


@router.command(
    "describe",
    help="proposes a title, a text and labels; `describe apply` takes them over",
    may={Comment, ReplyInThread, EditPullRequest, AddLabels},
    who="triage",
    stored_as="describe.propose",
    place="pull requests",
)
async def propose(event: CommentEvent, ctx: Context) -> Plan:
    """Nothing changes before a person has seen it and says so."""
    if not event.on_pull_request:
        return Plan((answer(event, NO_CHANGE),))
    if ctx.command is not None and ctx.command.argument.casefold().startswith("apply"):
        return await _apply(event, ctx)
    state = await ctx.github.pull_request(event.number)
    told = await describe(await change_facts(ctx, state), ctx.infer)
    if told.proposal is None:
        return _failed(event, told)
    comment = Comment(event.number, shown(told.proposal, ctx.slug), "", PROPOSED, told.proposal)
    return Plan((comment,), reason="a description was asked for", usage=told.usage)


async def walkthrough(facts: PullRequestFacts, ctx: Context) -> Plan:
    """Of what was read for a review, where there is none yet. A failure is nothing to say: nobody asked."""
    every = (one.effect for past_run in ctx.past_runs for one in past_run.did)
    if any(isinstance(effect, Comment) and effect.about == WALKTHROUGH for effect in every):
        return Plan()
    told = await describe(_change_reviewed(facts), ctx.infer)
    if told.failure:
        return Plan(usage=told.usage)
    body = _titled(told, facts.head_sha)
    return Plan((Comment(facts.number, body, told.folded, WALKTHROUGH),), usage=told.usage)


async def _apply(event: CommentEvent, ctx: Context) -> Plan:
    """What was proposed last, if it is still about this head."""
    found = await _comment_about(ctx, PROPOSED)
    proposal = found[0].proposal if found else None
    if proposal is None:
        return Plan((answer(event, f"Nothing is proposed here yet; `@{ctx.slug} describe` does."),))
    state = await ctx.github.pull_request(event.number)
    if state.head_sha != proposal.head_sha:
        pushed = f"There was a push since I proposed that; `@{ctx.slug} describe` looks again."
        return Plan((answer(event, pushed),), reason="the head moved on")
    effects: list[Effect] = [
        EditPullRequest(event.number, proposal.title, proposal.body, own_words(state.body))
    ]
    if proposal.labels:
        effects.append(AddLabels(event.number, proposal.labels))
    return Plan((*effects, answer(event, "Done.")), reason="a description was taken over")


def _titled(told: Described, head: str) -> str:
    return f"**What this change does**, as of `{head[:10]}`\n\n{told.summary}"


def _failed(event: CommentEvent, told: Described) -> Plan:
    words = f"I could not describe this change: {told.failure}"
    return Plan((answer(event, words),), reason="there is no description", usage=told.usage)


async def change_facts(ctx: Context, state: PullRequestState) -> ChangeFacts:
    """The change as it is to be described, with the labels that exist."""
    context = await ctx.repository(state.base_sha, labels=True)
    files, skipped = select(await ctx.github.files(state.number), context.settings.review.paths)
    return ChangeFacts(
        context=context,
        number=state.number,
        title=state.title,
        body=state.body,
        head_sha=state.head_sha,
        files=tuple(files),
        skipped=tuple(skipped),
        labels=state.labels,
    )


def _change_reviewed(facts: PullRequestFacts) -> ChangeFacts:
    return ChangeFacts(
        context=facts.context,
        number=facts.number,
        title=facts.title,
        body=facts.body,
        head_sha=facts.head_sha,
        files=facts.files,
        skipped=facts.skipped,
    )


async def _comment_about(ctx: Context, about: str) -> tuple[Comment, int] | None:
    """Hob's newest comment of that name here which still stands, and its id."""
    gone = undone(ctx.past_runs)
    for past_run in reversed(ctx.past_runs):
        for one in reversed(past_run.did):
            if past_run.run not in gone and isinstance(one.effect, Comment) and one.effect.about == about:
                there = await ctx.github.has_comment(one.github_id)
                return (one.effect, one.github_id) if there else None
    return None
