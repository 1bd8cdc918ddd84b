"""`@slug fix ci`: why the checks of a pull request failed, and a fix; then round after round until they pass.
One comment tells all rounds of one asking."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bot.agents.ci_cause import CauseFacts, CiCause, cause, without_reading
from bot.agents.patch import Patched, patch
from bot.context import Context, answer
from bot.core.ci import ACTIONS, CiState, FailedCheck, failure_of
from bot.core.ci_rounds import Standing, commit_of, is_untold, standing, state_of
from bot.core.ci_session import CI_BRANCH, MOST_NAMES, CiRound, CiSession, green, told
from bot.core.edit_paths import why_not
from bot.core.effects import Comment, EditComment, Plan, PushCommit, ReplyInThread, RequestCommand
from bot.core.errors import Gone, TemporaryError
from bot.core.events import ChecksCompleted, CommandRequested, CommentEvent
from bot.core.facts import PatchFacts, RepoContext
from bot.core.file_kinds import is_test
from bot.core.github_reader import PullRequestState
from bot.core.inference import Usage
from bot.core.named_files import candidates, named_files
from bot.core.quality_gate import patched_tests
from bot.core.refs import Login, Sha
from bot.core.text import count, in_code
from bot.proposals import Target, allowed, is_off, may_push, offered, target
from bot.router import Router

router = Router()
STICKY = "fix-ci"
MOST_FILES = 12
"""Files that a model is shown."""
MOST_WORKFLOW = 6_000
RANK = ("none", "read", "triage", "write", "maintain", "admin")
_HOBS = re.compile(r"hob/[a-z]{1,20}-([1-9][0-9]{0,9})-[0-9a-f]{8}")
_ASSERTS = re.compile(r"\bassert|\bexpect\(|\brequire\.|\bt\.(?:Error|Fatal)")


@dataclass(frozen=True, slots=True)
class _Failure:
    """What failed at a commit, and why."""

    head: Sha
    failed: tuple[FailedCheck, ...]
    read: tuple[FailedCheck, ...]
    cause: CiCause
    changed: tuple[str, ...] = ()

    def round(self, made: Patched | None = None, did: str = "") -> CiRound:
        unread = dict.fromkeys(one.unread for one in self.read if one.unread)
        notes = [f"I read no log: {why}." for why in unread]
        if len(self.failed) > len(self.read):
            notes.append(f"I looked into {len(self.read)} of {len(self.failed)} failed checks.")
        if self.cause.dropped:
            notes.append(f"Left out: {count(self.cause.dropped, 'quoted line')}, found in no log.")
        return CiRound(
            head=self.head,
            failed=tuple(one.name for one in self.failed[:MOST_NAMES]),
            more=max(0, len(self.failed) - MOST_NAMES),
            cause=self.cause.words or f"I can't say why: {self.cause.why.rstrip('.')}.",
            quotes=self.cause.quotes,
            notes=tuple(notes),
            failure=failure_of(self.read),
            patch=state_of(made.texts) if made and made.texts else "",
            did=did,
        )


async def fix_ci(event: CommentEvent, ctx: Context, state: PullRequestState, wish: str) -> Plan:
    """The first round, which a person asks for. On a branch that Hob made for an earlier asking it goes on
    where that was asked."""
    made = CI_BRANCH.fullmatch(state.head_ref)
    if made and int(made[1]) != event.number and _is_mine(state, ctx):
        return _passed_on(event, ctx, int(made[1]), wish)
    context = await ctx.repository(state.rules_at)
    to = await _to(ctx, state)
    checks = await ctx.github.ci(to.parent)
    if not checks.failed:
        return Plan((answer(event, _nothing_failed(checks, to)),), reason="no check failed")
    found = await _failure(ctx, state, context, checks, to.parent, wish)
    session = CiSession(
        asker=event.author,
        branch="",
        base="",
        most=context.settings.code.rounds,
        operator=isinstance(event, CommandRequested) and event.channel != "box",
    )
    off = is_off(context) if found.cause.mendable else ""
    if off or not found.cause.mendable:
        return _said(event, session, found, off)
    if why := await may_push(ctx):
        return _said(event, session, found, why)
    plan, facts, patched = await _proposed(event, ctx, to, state, context, found, wish)
    push = next((one for one in plan.effects if isinstance(one, PushCommit)), None)
    usage = (*found.cause.usage, *plan.usage)
    if push is None:
        return replace(_said(event, session, found, _words(plan)), usage=usage)
    one = found.round(patched, _words(plan))
    base = "" if push.branch == state.head_ref else state.head_sha
    begun = replace(session, branch=push.branch, base=base).after(one, _before(facts, patched), one.patch)
    begun = _last_words(begun)
    effects = tuple(e for e in plan.effects if not isinstance(e, Comment | ReplyInThread))
    sticky = Comment(event.number, told(begun), about=STICKY, ci=begun)
    return replace(plan, effects=(*effects, sticky), usage=usage)


@router.on(
    ChecksCompleted,
    may={PushCommit, EditComment},
    name="fix-ci-rounds",
)
async def go_on(event: ChecksCompleted, ctx: Context) -> Plan:
    """The next round, once all checks of the commit that the last one pushed are complete. What GitHub has to
    be asked is asked only for such a commit."""
    if event.app == ctx.slug:
        return Plan(reason="its own check")
    found = next((one for one in standing(ctx.past_runs) if one.tip == event.head_sha), None)
    if found.behind if found else is_untold(ctx.past_runs, event.head_sha):
        raise TemporaryError("the round that pushed it is being told still", retry_after=20.0)
    if found is None or found.session.end or found.taken_back or found.session.most < 1:
        return Plan(reason="no commit of a fix that goes on")
    checks = await ctx.github.ci(event.head_sha)
    if checks.running:
        return Plan(reason=f"checks of {', '.join(checks.running)[:200]} run still")
    if not await ctx.github.has_comment(found.comment):
        return Plan(reason="somebody deleted the comment that tells the rounds")
    state = await ctx.github.pull_request(event.number)
    context = await ctx.repository(state.rules_at)
    tip, tree = await _tip(ctx, found.session.branch)
    if end := await _over(ctx, found, state, context, tip):
        return _ended(event, found, found.session.ended(end))
    if not checks.failed:
        if (how := green(found.session, checks)) is None:
            return Plan(reason="what failed did not run yet")
        return _ended(event, found, found.session.ended(how))
    if found.session.pushed >= found.session.most:
        names = ", ".join(in_code(one.name, 100) for one in checks.failed[:MOST_NAMES])
        end = (
            f"Not green after {found.session.pushed} rounds: {names} failed on {tip[:10]}. It needs a person."
        )
        return _ended(event, found, found.session.ended(end))
    return await _next(event, ctx, found, state, context, checks, tree)


async def _next(
    event: ChecksCompleted,
    ctx: Context,
    standing: Standing,
    state: PullRequestState,
    context: RepoContext,
    checks: CiState,
    tree: str,
) -> Plan:
    session = standing.session
    failure = await _failure(ctx, state, context, checks, standing.tip, "")
    if not failure.cause.mendable:
        end = "I stopped." if failure.cause.why else "No code mends that; I stopped."
        return _ended(event, standing, session.after(failure.round()).ended(end), failure.cause.usage)
    to = Target(
        event.number,
        standing.tip,
        state.head_ref,
        "",
        author=state.author.login,
        tree=tree,
        onto=session.branch if session.branch.startswith("hob/") else "",
        bound=not session.base,
    )
    asked = _asked(event, session)
    plan, facts, made = await _proposed(asked, ctx, to, state, context, failure, "", session)
    usage = (*failure.cause.usage, *plan.usage)
    push = next((one for one in plan.effects if isinstance(one, PushCommit)), None)
    if push is None or push.branch != session.branch:
        words = "The tests of this repository fail with my patch, so I did not push it."
        one = failure.round(None, words if push else _words(plan))
        return _ended(event, standing, session.after(one).ended("I have no further patch."), usage)
    one = failure.round(made, _words(plan))
    went_on = _last_words(session.after(one, _before(facts, made), one.patch))
    edit = EditComment(event.number, standing.comment, told(went_on), ci=went_on)
    return replace(plan, effects=(push, edit), usage=usage, once=f"ci {standing.comment}")


async def _over(
    ctx: Context, found: Standing, state: PullRequestState, context: RepoContext, tip: Sha
) -> str:
    """Why there is no further round; empty where there may be one."""
    session = found.session
    if not state.open:
        return "The pull request is closed; I stopped."
    if state.from_fork:
        return "The branch is a fork's now; I stopped."
    if ctx.pull != "active":
        return "I was told to leave this pull request alone; I stopped."
    if not tip:
        return f"The branch {in_code(session.branch)} is gone; I stopped."
    if tip != found.tip or (session.base not in ("", state.head_sha)):
        return "Somebody else pushed; I stopped. Ask again for the code as it is now."
    if found.draft and not (await ctx.github.pull_request(found.draft)).open:
        return "My draft is closed; I stopped."
    if off := is_off(context):
        return off
    if why := await may_push(ctx):
        return why
    if not session.operator:
        level = await ctx.github.permission(session.asker.login)
        if RANK.index(level) < RANK.index(context.settings.code.allow):
            return f"{session.asker.login} may not ask for code here any more; I stopped."
    return ""


async def _failure(
    ctx: Context, state: PullRequestState, context: RepoContext, checks: CiState, head: Sha, wish: str
) -> _Failure:
    """Reads the failed checks and has their cause named."""
    known = without_reading(checks.failed)
    if known is not None:
        return _Failure(head, checks.failed, (), known)
    read = await ctx.github.ci_details(checks.failed)
    files = await ctx.github.files(state.number)
    changed = tuple(file.path for file in files if file.status != "removed")
    facts = CauseFacts(
        title=state.title,
        checks=read,
        shown=await _workflow(ctx, head, read),
        changed=changed,
        wish=wish,
        language=context.settings.language,
    )
    return _Failure(head, checks.failed, read, await cause(facts, ctx.infer), changed)


async def _workflow(ctx: Context, head: Sha, read: Sequence[FailedCheck]) -> Mapping[str, str]:
    """The workflow of the first failed job, to be read only."""
    name = next((one.workflow for one in read if one.app == ACTIONS and one.workflow), "")
    if not name:
        return {}
    for path, text in (await ctx.github.workflows(head)).items():
        if path == name or re.search(rf"(?m)^name: ?['\"]?{re.escape(name)}['\"]?\s{{0,9}}$", text):
            return {path: text[:MOST_WORKFLOW]}
    return {}


async def _proposed(
    event: CommentEvent,
    ctx: Context,
    to: Target,
    state: PullRequestState,
    context: RepoContext,
    found: _Failure,
    wish: str,
    before: CiSession | None = None,
) -> tuple[Plan, PatchFacts, Patched]:
    """The patch on its way. One that was tried before is none."""
    said = "\n\n".join(one.said for one in found.read)
    named = candidates(named_files(said, ctx.repo.full_name))
    wanted = [*found.cause.files, *(path for several in named.values() for path in several), *found.changed]
    paths = [path for path in dict.fromkeys(wanted) if not why_not(path)][:80]
    texts = await ctx.github.texts(to.parent, paths)
    me = Login(f"{ctx.slug}[bot]")
    facts = PatchFacts(
        context=context,
        kind="ci",
        title=state.title,
        description=state.body[:1_000],
        texts=dict([(path, texts[path]) for path in paths if path in texts][:MOST_FILES]),
        conversation=_evidence(me, found.cause, found.read),
        wish=wish,
        allowed=allowed(context, _may_change),
        wrong=_weakened,
        tools=ctx.tools,
    )
    made = await patch(facts, ctx.infer)
    if before and made.texts and state_of(made.texts) in before.tried:
        made = replace(made, texts={}, why="it repeats itself: that was tried before")
    if gone := next((path for path, text in made.texts.items() if text is None and is_test(path)), ""):
        made = replace(made, texts={}, why=f"it would delete the tests in {gone}")
    return await offered(event, ctx, to, facts, made), facts, made


def _evidence(me: Login, why: CiCause, read: Sequence[FailedCheck]) -> tuple[tuple[Login, str], ...]:
    """What a patch is written from, in pieces as long as a prompt takes each."""
    text = "\n\n".join(one.said for one in read)[-6_000:]
    pieces = [text[at : at + 1_900] for at in range(0, len(text), 1_900)]
    quoted = "\n".join(why.quotes)
    return (*((me, piece) for piece in pieces), (me, f"The cause: {why.words}\n{quoted}"[:1_900]))


def _may_change(path: str) -> bool:
    return not path.startswith(".github/")


def _weakened(path: str, before: str, after: str) -> str:
    """Whether tests would say less than before."""
    lost = patched_tests({path: before}, {path: after}, is_test).lost
    fewer = is_test(path) and len(_ASSERTS.findall(after)) < len(_ASSERTS.findall(before))
    return "fewer tests or assertions would be left, or some skipped" if lost or fewer else ""


async def _to(ctx: Context, state: PullRequestState) -> Target:
    """Where the first commit goes: to a branch of its own; on a pull request of Hob's own whose newest commit
    is Hob's, to that one; where an earlier asking is still the newest word on the same head, on top of it."""
    plain = target(state)
    for one in standing(ctx.past_runs):
        if one.tip and not one.taken_back and one.session.base == state.head_sha:
            tip, tree = await _tip(ctx, one.session.branch)
            if tip == one.tip:
                return replace(plain, parent=tip, tree=tree, onto=one.session.branch, bound=False)
            break
    made = _HOBS.fullmatch(state.head_ref)
    if made is None or not _is_mine(state, ctx):
        return plain
    runs = (*ctx.past_runs, *(await ctx.deeds(int(made[1])) if int(made[1]) != state.number else ()))
    mine = {commit_of(did.url) for run in runs for did in run.did if isinstance(did.effect, PushCommit)}
    return replace(plain, onto=state.head_ref) if state.head_sha in mine else plain


async def _tip(ctx: Context, branch: str) -> tuple[Sha, str]:
    try:
        return await ctx.github.tip(branch)
    except Gone:
        return Sha(""), ""


def _is_mine(state: PullRequestState, ctx: Context) -> bool:
    return state.author.login == f"{ctx.slug}[bot]"


def _passed_on(event: CommentEvent, ctx: Context, number: int, wish: str) -> Plan:
    """To where it was asked first, with this person's own permission."""
    name = f"ci:{ctx.repo.id}:{event.comment_id or event.delivery}"[:80]
    line = f"/hob fix ci {wish}".strip()
    request = RequestCommand(number, line, event.author, name, on_pull_request=True)
    words = f"I go on in {ctx.link(number)}, for which I made this."
    return Plan((request, answer(event, words)), reason="asked for elsewhere")


def _nothing_failed(checks: CiState, to: Target) -> str:
    at = f"`{to.parent[:10]}`"
    if checks.running:
        return f"The checks of {at} run still ({', '.join(checks.running)[:200]}); ask when one has failed."
    if checks.passed:
        return f"No check of {at} failed: {len(checks.passed)} passed."
    return f"There are no checks on {at} that I can see, or all were skipped."


def _said(event: CommentEvent, session: CiSession, found: _Failure, why: str) -> Plan:
    """The cause alone."""
    ended = session.after(found.round(None, why)).ended("I changed nothing.")
    sticky = Comment(event.number, told(ended), about=STICKY, ci=ended)
    return Plan((sticky,), reason="the cause was named", usage=found.cause.usage)


def _ended(
    event: ChecksCompleted, found: Standing, session: CiSession, usage: tuple[Usage, ...] = ()
) -> Plan:
    edit = EditComment(event.number, found.comment, told(session), ci=session)
    once = f"ci {found.comment}"
    return Plan((edit,), reason=session.end, head_sha=event.head_sha, usage=usage, once=once)


def _last_words(session: CiSession) -> CiSession:
    """Ended, where people said that it never goes on by itself."""
    again = "I go on only when asked again (`code.rounds` is 0)."
    return session if session.most else session.ended(again)


def _asked(event: ChecksCompleted, session: CiSession) -> CommandRequested:
    """The asking, as if it was made again."""
    return CommandRequested(
        delivery=event.delivery,
        sender=session.asker,
        repo=event.repo,
        number=event.number,
        comment_id=0,
        body="/hob fix ci",
        previous_body=None,
        author=session.asker,
        app_id=None,
        on_pull_request=True,
        issue_author=Login(""),
        channel="box",
    )


def _words(plan: Plan) -> str:
    said = (one.body for one in plan.effects if isinstance(one, Comment | ReplyInThread))
    return next(said, "")


def _before(facts: PatchFacts, made: Patched) -> str:
    return state_of({path: facts.texts.get(path) for path in made.texts})
