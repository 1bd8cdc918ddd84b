"""What people ask for about a finding: `@slug fix` in its thread, `@slug fix 2` anywhere on the pull
request."""

import re

from bot.agents.fix import Mended, mend
from bot.agents.memory import listed
from bot.agents.patch import Patched
from bot.context import Context, answer
from bot.core.edit_paths import asks_for_lock_files, why_not
from bot.core.effects import (
    Comment,
    Effect,
    LineComment,
    OpenPullRequest,
    Plan,
    PostReview,
    PushCommit,
    ReplyInThread,
    RequestCommand,
)
from bot.core.events import CommentEvent, ReviewCommentEvent
from bot.core.facts import FixFacts, PatchFacts
from bot.core.file_kinds import is_test, tests_of
from bot.core.findings import fingerprint
from bot.core.github_reader import PullRequestState, RawComment, Thread, conversation
from bot.core.refs import Login, Sha
from bot.proposals import allowed, may_push, offered, proposed, refusal, target
from bot.router import Router
from handlers.fix_ci import fix_ci

router = Router()
_NUMBER = re.compile(r"#?(\d{1,9})\b")
_ALL = re.compile(r"all\b[,.:]?", re.IGNORECASE)
_CI = re.compile(r"(?:the {1,5})?ci\b(?![-/\w])[,.:]?", re.IGNORECASE)
MOST_FILES = 12
"""Files that a model is shown."""


@router.command(
    "fix",
    help="mends this thread's point, a finding, or failed checks: `fix`, `fix 2`, `fix all`, `fix ci`",
    may={PostReview, PushCommit, OpenPullRequest, Comment, ReplyInThread, RequestCommand},
    who="code",
    stored_as="reviews.fix",
    place="pull requests",
)
async def fix(event: CommentEvent, ctx: Context) -> Plan:
    """A suggestion that a person may commit. What fits in none, and all at once, becomes a commit on a branch
    of Hob's own where `code.enabled` lets it. Not for pull requests from forks: whoever wrote one decides
    what is mended there."""
    if not event.on_pull_request:
        return Plan((answer(event, "There is nothing to fix on an issue; ask on a pull request."),))
    state = await ctx.github.pull_request(event.number)
    if not state.open or state.from_fork:
        why = "comes from a fork; its author mends it" if state.from_fork else "is closed"
        words = f"I suggest no fixes here: this pull request {why}."
        return Plan((answer(event, words),), reason=words)
    wish = ctx.command.argument if ctx.command else ""
    if _CI.match(wish):
        return await fix_ci(event, ctx, state, _CI.sub("", wish, count=1).strip())
    if _ALL.match(wish):
        return await _fix_all(event, ctx, state, _ALL.sub("", wish, count=1))
    number = _NUMBER.match(wish)
    thread = await _thread_meant(ctx, event, int(number[1]) if number else None)
    if thread is None:
        return Plan((answer(event, _which(ctx)),), reason="it is not clear what to fix")
    facts = await _fix_facts(ctx, state, thread, event.author.login, wish)
    if facts is None:
        gone = "The lines of this thread are not in the change any more, or I can't read their file."
        return Plan((answer(event, gone),), reason="nothing to fix")
    mended = await mend(facts, ctx.infer)
    if mended.after is not None and not (refusal(state, facts.context) or await may_push(ctx)):
        return await offered(event, ctx, target(state), _as_patch(facts, state), _made(facts, mended))
    if (await ctx.github.pull_request(event.number)).head_sha != state.head_sha:
        pushed = "There was a push while I wrote the fix; ask again for the code as it is now."
        return Plan((answer(event, pushed),), reason="the head moved on", usage=mended.usage)
    root = thread.comments[0].id
    in_thread = isinstance(event, ReviewCommentEvent) and root in (event.in_reply_to, event.comment_id)
    effect = _offer(event, mended, facts.start, facts.end, state.head_sha, root if in_thread else None)
    return Plan((effect,), reason="a fix was asked for", head_sha=state.head_sha, usage=mended.usage)


def _as_patch(facts: FixFacts, state: PullRequestState) -> PatchFacts:
    texts = {facts.file.path: facts.text}
    may = allowed(facts.context)
    return PatchFacts(facts.context, "fix", facts.title, state.body, texts, allowed=may, tools=facts.tools)


def _made(facts: FixFacts, mended: Mended) -> Patched:
    """The whole file as a patch: it lies in more than one hunk."""
    path = facts.file.path
    if why := why_not(path, allowed(facts.context), lock_files=asks_for_lock_files(facts.wish)):
        return Patched(mended.summary, why=why, usage=mended.usage)
    return Patched(mended.summary, {path: mended.after}, usage=mended.usage)


async def _fix_all(event: CommentEvent, ctx: Context, state: PullRequestState, wish: str) -> Plan:
    """What Hob's last review found, in one commit, with the tests that show it."""
    context = await ctx.repository(state.rules_at)
    findings = next((review.findings for review in reversed(ctx.reviews) if review.findings), ())
    if not findings:
        return Plan((answer(event, _which(ctx)),), reason="there is nothing to fix")
    if why := refusal(state, context) or await may_push(ctx):
        return Plan((answer(event, why),), reason=why)
    changed = [file.path for file in await ctx.github.files(event.number) if file.status != "removed"]
    paths = [path for path in dict.fromkeys(one.path for one in findings) if path in changed]
    tests = [name for path in paths for name in tests_of(path)] if ctx.suite else []
    wanted = list(dict.fromkeys([*paths[:MOST_FILES], *tests]))[:100]
    read = await ctx.github.texts(state.head_sha, wanted)
    me = Login(f"{ctx.slug}[bot]")

    def fits(path: str) -> bool:
        """A fix stays within the change; a test of it may stand beside it where tests are run."""
        return path in changed or (ctx.suite is not None and is_test(path))

    facts = PatchFacts(
        context=context,
        kind="fix",
        title=state.title,
        description=state.body,
        texts=dict([(path, read[path]) for path in wanted if path in read][:MOST_FILES]),
        conversation=tuple((me, f"{one.path}: {one.title}\n{one.body}\n{one.quote}") for one in findings),
        wish=wish.strip(),
        allowed=allowed(context, fits),
        tools=ctx.tools,
    )
    return await proposed(event, ctx, target(state), facts)


def _which(ctx: Context) -> str:
    findings = next((review.findings for review in reversed(ctx.reviews) if review.findings), ())
    if not findings:
        return "I have said nothing here that I could fix."
    return f"Which finding do you mean? Of those on a line, my last review here had:\n\n{listed(findings)}"


def _offer(
    event: CommentEvent, mended: Mended, start: int, end: int, head: Sha, thread: int | None
) -> Effect:
    """In the thread where the suggestion is for its lines, for GitHub applies it to these; elsewhere on
    lines of its own."""
    change = mended.change
    if change is None:
        return answer(event, mended.words)
    if thread is not None and (change.start, change.end) == (start, end):
        return ReplyInThread(event.number, thread, mended.words, change.suggestion, head)
    first = change.start if change.start < change.end else None
    comment = LineComment(
        change.path, change.end, mended.words, start_line=first, suggestion=change.suggestion
    )
    return PostReview(event.number, head, "The fix that was asked for.", (comment,))


async def _thread_meant(ctx: Context, event: CommentEvent, n: int | None) -> Thread | None:
    """The thread of the N-th finding of Hob's last review; without a number the one that was written in, or
    that of an only finding."""
    threads = await ctx.github.threads(event.number)
    if n is None and isinstance(event, ReviewCommentEvent):
        here = (one for one in threads if any(said.id == event.comment_id for said in one.comments))
        return next(here, None)
    review = next((one for one in reversed(ctx.reviews) if one.findings), None)
    if review is None:
        return None
    if n is None and len(review.findings) == 1:
        n = 1
    if n is None or not 1 <= n <= len(review.findings):
        return None
    name = fingerprint(review.findings[n - 1])
    told = {" ".join(one.body.split()) for one in review.comments if one.fingerprint == name}
    firsts = ((one, one.comments[0]) for one in threads)
    own = (one for one, said in firsts if said.author.login == f"{ctx.slug}[bot]" and _words(said) in told)
    return next(own, None)


def _words(comment: RawComment) -> str:
    return " ".join(comment.body.split())


async def _fix_facts(
    ctx: Context, state: PullRequestState, thread: Thread, asker: Login, words: str
) -> FixFacts | None:
    """What stands around a thread whose point somebody wants mended; None where its lines are not in the
    change any more, or their file cannot be read."""
    files = await ctx.github.files(state.number)
    file = next((one for one in files if one.path == thread.path), None)
    text = (await ctx.github.texts(state.head_sha, [thread.path])).get(thread.path)
    if file is None or text is None or thread.line is None:
        return None
    return FixFacts(
        context=await ctx.repository(state.rules_at),
        title=state.title,
        file=file,
        text=text,
        start=thread.start_line or thread.line,
        end=thread.line,
        conversation=conversation(thread.comments),
        asker=asker,
        wish=words,
        tools=ctx.tools,
    )
