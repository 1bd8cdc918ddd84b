"""`@slug conflicts` on a pull request: its base branch is merged in, as far as the conflicts can be resolved
provably; then that is a merge commit, else it is said what is resolved, what is left, and why."""

import difflib
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

from bot.agents.conflicts import Resolved, ResolvedFile, ResolvedHunk, resolve
from bot.agents.merge_tests import tested
from bot.context import Context, answer
from bot.core.edit_paths import is_lock_file, why_not
from bot.core.effects import Comment, Effect, OpenPullRequest, Plan, PushCommit, ReplyInThread
from bot.core.events import CommentEvent
from bot.core.facts import MergeFacts, RepoContext
from bot.core.github_reader import PullRequestState
from bot.core.merge_checks import parses
from bot.core.merging import CommittedFile, MergedTree
from bot.core.quality_gate import GateResult
from bot.core.refs import Sha
from bot.core.text import code_block, count, cut, in_code, one_line
from bot.proposals import (
    FAILED,
    MOST_PATCH,
    NO_TESTS,
    allowed,
    diff,
    is_for_author,
    may_push,
    refusal,
    target,
    trailers,
)
from bot.router import Router

router = Router()
WORKFLOWS = ".github/workflows/"
MOST_NAMED, MOST_TOLD = 30, 10
"""Files that are named, and conflicts of each."""
_APPLY = (
    "The resolved files, against the head. After `git merge`, `git checkout --ours -- FILE` and `git apply` "
    "put them in place:"
)


@router.command(
    "conflicts",
    help="merges the base branch in, as far as the conflicts can be resolved provably",
    may={PushCommit, OpenPullRequest, Comment, ReplyInThread},
    who="code",
    place="pull requests",
)
async def conflicts(event: CommentEvent, ctx: Context) -> Plan:
    if not event.on_pull_request:
        return _no(event, "`conflicts` is about a change; ask on a pull request.")
    state = await ctx.github.pull_request(event.number)
    base, _ = await ctx.github.tip(state.base_ref)
    context = await ctx.repository(base)
    if why := refusal(state, context) or await may_push(ctx):
        return _no(event, why)
    if ctx.knowledge is None:
        return _no(event, "I merge in a clone, and I keep none: `[knowledge] enabled` in hob.toml is off.")
    found = await ctx.knowledge.merge(state.head_sha, base)
    if found.why or not found.conflicts:
        return _no(event, found.why or _clean(state, found.behind))
    facts = MergeFacts(
        context=context,
        title=state.title,
        base=state.base_ref,
        conflicts=found.conflicts,
        allowed=allowed(context),
        tools=ctx.tools,
    )
    resolved = await resolve(facts, ctx.infer)
    made = MergedTree()
    if not resolved.left:
        made = await ctx.knowledge.merged(state.head_sha, base, resolved.texts)
        forbidden = [one for one in made.files if one.text is not None and one.path not in resolved.texts]
        if why := made.why or _forbidden(forbidden, facts):
            made = replace(made, why=why)
    if resolved.left or made.why:
        return _left(event, state, resolved, made.why)
    gate = await tested(ctx.suite, made, state.head_sha, base)
    now, (tip, _) = await ctx.github.pull_request(event.number), await ctx.github.tip(state.base_ref)
    if not now.open or (now.head_sha, tip) != (state.head_sha, base):
        pushed = "There was a push while I merged; ask again for the branches as they are now."
        pushed = pushed if now.open else "This pull request was closed while I merged."
        return Plan((answer(event, pushed),), reason="head or base moved on", usage=resolved.usage)
    effects = _effects(event, ctx, state, context, base, resolved, made, gate)
    return Plan(effects, reason="merged the base in", head_sha=state.head_sha, usage=resolved.usage)


def _no(event: CommentEvent, why: str) -> Plan:
    return Plan((answer(event, why),), reason=why)


def _clean(state: PullRequestState, behind: int) -> str:
    into = in_code(state.base_ref)
    if not behind:
        return f"There are no conflicts: this branch has all that {into} has."
    return (
        f"There are no conflicts with {into}. The branch is {count(behind, 'commit')} behind it: *Update "
        f"branch* below, or `git merge`, brings {'them' if behind > 1 else 'it'} in. I merge only what "
        "conflicts."
    )


def _forbidden(files: list[CommittedFile], facts: MergeFacts) -> str:
    """Why I may not write what git merged by itself. What one side alone changed is that side's own."""
    for one in files:
        if why := why_not(one.path, facts.allowed, lock_files=True):
            return f"Both sides change {in_code(one.path)}, and what that becomes I may not write ({why})."
    return ""


def _left(event: CommentEvent, state: PullRequestState, resolved: Resolved, why: str) -> Plan:
    """A merge commit is whole or none."""
    left, done = resolved.left, [one for one in resolved.files if one.text is not None]
    count = f"{len(left)} of {len(resolved.files)} files in conflict {'is' if len(left) == 1 else 'are'} left"
    head = (
        f"I propose no merge of {in_code(state.base_ref)}: {count}." if left else f"I propose no merge. {why}"
    )
    parts = [head]
    if left:
        parts.append("**Left to people**\n\n" + "\n".join(_lines(left)))
    if done:
        parts.append("**Resolved**\n\n" + "\n".join(_lines(done)))
    told = "\n\n".join(parts)
    patch = _patch(resolved)
    said = answer(event, told)
    if patch:
        folded = f"{_APPLY}\n\n{code_block(patch, 'diff')}"
        said = (
            replace(said, folded=folded)
            if isinstance(said, Comment)
            else answer(event, f"{told}\n\n{folded}")
        )
    reason = f"left: {why or ', '.join(one.path for one in left)}"
    return Plan((said,), reason=reason[:500], usage=resolved.usage)


def _lines(files: Sequence[ResolvedFile]) -> Iterator[str]:
    """A file an item, with its conflicts where they were looked at one by one."""
    for one in files[:MOST_NAMED]:
        whole = count(len(one.hunks), "conflict") if one.hunks else "only line ends differ"
        yield f"- {in_code(one.path)}: {one.why or whole}"
        for number, hunk in enumerate(one.hunks[:MOST_TOLD], 1):
            state = "resolved" if hunk.text is not None else "left"
            yield f"  - conflict {number}, {_where(hunk)}: {state}: {one_line(hunk.why, 300)}"
        if len(one.hunks) > MOST_TOLD:
            yield f"  - and {len(one.hunks) - MOST_TOLD} more"
    if len(files) > MOST_NAMED:
        yield f"- and {len(files) - MOST_NAMED} more"


def _where(hunk: ResolvedHunk) -> str:
    """By what the author's side has there, or the base's."""
    lines = (line.strip() for line in f"{hunk.hunk.ours}{hunk.hunk.theirs}".split("\n"))
    return f"at {in_code(next(filter(None, lines), '(blank)'), 60)}"


def _patch(resolved: Resolved) -> str:
    """Of the files that are whole, as `git apply` takes it; then of single conflicts of others."""
    done = {one.path: one for one in resolved.files if one.text is not None}
    parts = [diff({path: one.before for path, one in done.items()}, resolved.texts)]
    for one in resolved.left:
        for number, hunk in enumerate(one.hunks, 1):
            if hunk.text is not None:
                old, new = hunk.hunk.ours.splitlines(keepends=True), hunk.text.splitlines(keepends=True)
                name = f"{one.path} (conflict {number} of {len(one.hunks)})"
                parts += difflib.unified_diff(old, new, name, name)
    return cut("".join(parts), MOST_PATCH)


def _effects(
    event: CommentEvent,
    ctx: Context,
    state: PullRequestState,
    context: RepoContext,
    base: Sha,
    resolved: Resolved,
    made: MergedTree,
    gate: GateResult | None,
) -> tuple[Effect, ...]:
    code = context.settings.code
    failed = gate is not None and gate.state == "failed"
    own = failed or not is_for_author(event, ctx, target(state), context)
    branch = _branch(event, state.head_sha, base) if own else state.head_ref
    into = f"{in_code(state.base_ref)} into {in_code(state.head_ref)}"
    subject = f"Merge {state.base_ref} into {state.head_ref}"
    listed = "\n".join(_lines(resolved.files))
    push = PushCommit(
        event.number,
        branch,
        state.head_sha,
        made.files,
        f"{subject}\n\nResolves the conflicts of pull request {event.number}.",
        trailers(event.author, ctx, sign_off=code.sign_off),
        _patch(resolved),
        own=own,
        tree=made.onto,
        bound=True,
        merges=base,
        whole=made.tree,
        workflows=any(path.startswith(WORKFLOWS) for path in made.brought),
    )
    checked = gate.words if gate else NO_TESTS
    brought = f"It changes {count(len(made.brought), 'file')}; git merged all by itself but those below."
    locks = [one.path for one in made.files if one.text is not None and is_lock_file(one.path)]
    again = (
        f" Merged as text, so let its tool write it anew: {', '.join(map(in_code, locks))}." if locks else ""
    )
    sound = "Both sides of each parse still, and what they define and test is there."
    if unread := [one.path for one in resolved.files if parses(one.path, one.text or "", ctx.tools) is None]:
        names = ", ".join(map(in_code, unread[:MOST_NAMED]))
        sound += f" I have no parser for {names}: there only lines were compared."
    how = f"{listed}\n\n**Checked**\n\n{sound}{again}\n\n{checked}"
    if not own:
        words = f"I merged {into} and pushed the merge commit. {brought}\n\n{how}"
        return push, answer(event, words)
    head = f"{FAILED}\n\n" if failed else ""
    body = (
        f"{head}Merges {into}, asked for in pull request {ctx.link(event.number)}. {brought}\n\n{how}\n\n"
        f"Take it over with a *merge commit*, or `git merge --ff-only origin/{branch}`: squashed or rebased, "
        "the conflicts come back."
    )
    title = f"{subject} (pull request {event.number})"
    opened = OpenPullRequest(event.number, branch, state.head_ref, title, body)
    words = f"I merged {into} on {in_code(branch)}, with a draft pull request into this branch."
    warned = " **The tests of this repository fail with it.**" if failed else ""
    return push, opened, answer(event, f"{words}{warned}\n\n{listed}")


def _branch(event: CommentEvent, head: Sha, base: Sha) -> str:
    """The same for the same wish about the same commits, whatever a model says."""
    asked = f"{event.comment_id or event.delivery} {head} {base}"
    return f"hob/conflicts-{event.number}-{hashlib.sha256(asked.encode()).hexdigest()[:8]}"
