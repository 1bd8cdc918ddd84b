"""Which older issue one repeats, or what has fixed it: `@slug duplicates`. Nothing is ever closed."""

from collections.abc import Sequence
from dataclasses import replace

from bot.agents.duplicates import DuplicateCandidate, DuplicateFacts, Now, nothing, suggestion
from bot.context import Context, answer
from bot.core.duplicates import root
from bot.core.effects import Comment, Plan, ReplyInThread
from bot.core.errors import GitHubError
from bot.core.events import CommentEvent
from bot.core.facts import IssueFacts
from bot.core.github_reader import IssueState
from bot.core.inference import Allowance, Usage
from bot.core.knowledge import Found, IssueKind
from bot.core.security_reports import suspicion
from bot.router import Router

router = Router()
MOST_CLAIMS = 30
"""Issues whose texts are asked what they repeat."""
MOST_ROOTS = 2
"""Issues that are compared because one that was found says in the end that it repeats them."""
UNKNOWN = "I keep no index of this repository (`[knowledge] enabled` is off), so I can't look for it."


@router.command(
    "duplicates",
    help="which older issue this one repeats, or what has fixed it already; I close nothing",
    may={Comment, ReplyInThread},
    who="triage",
)
async def duplicates(event: CommentEvent, ctx: Context) -> Plan:
    """Always answers: somebody asked."""
    state = await ctx.github.issue(event.number)
    kind: IssueKind = "pull_request" if state.is_pull_request else "issue"
    facts = await duplicate_facts(ctx, event.number, state.title, state.body, kind)
    if facts is None:
        return Plan((answer(event, UNKNOWN),), reason="there is no index")
    told = await suggestion(facts, ctx.infer)
    said = answer(event, told.text or nothing(facts, told))
    if told.text and isinstance(said, Comment):
        said = replace(said, why=(told.why,))
    return Plan((said,), reason="duplicates were asked for", usage=told.usage)


async def reported_before(
    ctx: Context, known: IssueFacts, spare: Allowance
) -> tuple[IssueFacts, tuple[Usage, ...]]:
    """A triage's facts with what is to be said of older issues, where it may say so: at most one question to
    a model, which `spare` has to allow, and one to GitHub."""
    settings = known.context.settings.issues
    speaks = known.requested or (settings.comment in ("always", "draft") and not known.told)
    if settings.duplicates == "off" or known.suspicion or not known.may_speak or not speaks:
        return known, ()
    found = await duplicate_facts(ctx, known.number, known.title, known.body)
    if found is None:
        return known, ()
    told = await suggestion(found, ctx.infer, spare, most=1)
    return (replace(known, also=(*known.also, told.text)) if told.text else known), told.usage


async def duplicate_facts(
    ctx: Context, number: int, title: str, body: str, kind: IssueKind = "issue"
) -> DuplicateFacts | None:
    """What the index has for it, with what those issues say they repeat; GitHub is not asked. What
    surely reports a weakness is not among it: it is named and quoted nowhere. None where no index is kept."""
    knowledge = ctx.knowledge
    if knowledge is None:
        return None
    found = {one.number: one for one in await knowledge.duplicates(title, body, but=number, kind=kind)}
    claimed: dict[int, Sequence[int]] = {}
    unread = [*found]
    while unread and len(claimed) < MOST_CLAIMS:
        if (one := unread.pop(0)) not in claimed:
            claimed[one] = await knowledge.originals(one)
            unread += claimed[one]
    roots = dict.fromkeys(root(one, claimed) for one in found)
    compared = [*found, *[one for one in roots if one not in found and one != number][:MOST_ROOTS]]
    issues = await knowledge.known_issues(compared)
    candidates = [
        DuplicateCandidate(
            found=found.get(one) or Found(issue.kind, 0.0, (), number=one, title=issue.title),
            issue=issue,
            fix=await knowledge.fix(one) if issue.state != "open" else None,
            originals=tuple(claimed.get(one, ())),
        )
        for one in compared
        if (issue := issues.get(one)) is not None
        and issue.kind == kind
        and suspicion(issue.title, issue.body) != "certain"
    ]
    return DuplicateFacts(number, title, body, tuple(candidates), _now(ctx), ctx.link)


def _now(ctx: Context) -> Now:
    async def now(number: int) -> IssueState | None:
        try:
            return await ctx.github.issue(number)
        except GitHubError:
            return None

    return now
