"""From a patch to a branch of Hob's own with a pull request into the branch that it is for, or to words why
there is none."""

import difflib
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from bot.agents.patch import Patched, listed, patch
from bot.context import Context, answer
from bot.core.effects import CommittedFile, Effect, OpenPullRequest, Plan, PushCommit
from bot.core.events import CommentEvent
from bot.core.facts import PatchFacts, RepoContext
from bot.core.github_reader import PullRequestState
from bot.core.refs import Actor
from bot.core.text import cut, in_code
from bot.patterns import wanted

REGULAR = (0o100644, 0o100755)
MOST_PATCH = 40_000
"""Characters of a diff that is kept for where it may not be pushed."""


def refusal(state: PullRequestState, context: RepoContext) -> str:
    """Why Hob writes no code here; empty where it may."""
    if not context.settings.code.enabled:
        return "I write no code here: `code: {enabled: true}` in `.github/hob.yml` lets me."
    if state.from_fork:
        return "I write no code for pull requests from forks: their authors do."
    return "" if state.open else "This pull request is closed."


async def may_push(ctx: Context) -> str:
    """What GitHub lets the App do, where that is not enough; empty where it is."""
    if (await ctx.github.granted()).get("contents") == "write":
        return ""
    return (
        "GitHub lets me write no code: the App needs the permission *Contents: read and write* (its own "
        "settings, Permissions), and whoever installed it has to accept that."
    )


def allowed(context: RepoContext, also: Callable[[str], bool] = lambda _: True) -> Callable[[str], bool]:
    """Whether a patch may touch a path: `code.paths`, and what the kind of patch is for."""
    patterns = context.settings.code.paths
    return lambda path: also(path) and (not patterns or wanted(path, patterns))


async def proposed(event: CommentEvent, ctx: Context, state: PullRequestState, facts: PatchFacts) -> Plan:
    """A commit on top of the head that was read. A head that moved meanwhile is left alone; that is said."""
    modes = await ctx.github.modes(state.head_sha, list(facts.texts))
    facts = replace(
        facts, texts={path: text for path, text in facts.texts.items() if modes.get(path) in REGULAR}
    )
    return await offered(event, ctx, state, facts, await patch(facts, ctx.infer))


async def offered(
    event: CommentEvent, ctx: Context, state: PullRequestState, facts: PatchFacts, made: Patched
) -> Plan:
    """The same for a patch that was made."""
    modes = await ctx.github.modes(state.head_sha, [path for path in made.texts if path in facts.texts])
    if not made.why:
        made = await _held(ctx, state, facts, made)
    if made.why:
        words = f"{made.summary}\n\n" if made.summary else ""
        words += f"I have no patch to propose: {made.why}."
        return Plan((answer(event, words),), reason=f"no patch: {made.why}", usage=made.usage)
    if (await ctx.github.pull_request(event.number)).head_sha != state.head_sha:
        pushed = "There was a push while I wrote the patch; ask again for the code as it is now."
        return Plan((answer(event, pushed),), reason="the head moved on", usage=made.usage)
    effects = _effects(event, ctx, state, facts, made, modes)
    return Plan(effects, reason=f"proposed {facts.kind}", head_sha=state.head_sha, usage=made.usage)


async def _held(ctx: Context, state: PullRequestState, facts: PatchFacts, made: Patched) -> Patched:
    """The patch, if nothing stands yet where it makes files."""
    new = [path for path in made.texts if path not in facts.texts]
    there = await ctx.github.modes(state.head_sha, new) if new else {}
    parents = [path.rpartition("/")[0] for path in new if "/" in path]
    blocked = {
        path: mode
        for path, mode in (await ctx.github.modes(state.head_sha, parents)).items()
        if mode != 0o040000
    }
    if taken := sorted({*there, *blocked}):
        return replace(made, texts={}, why=f"{in_code(taken[0])} is there already")
    return made


def _effects(
    event: CommentEvent,
    ctx: Context,
    state: PullRequestState,
    facts: PatchFacts,
    made: Patched,
    modes: Mapping[str, int],
) -> tuple[Effect, ...]:
    own = not (facts.context.settings.code.push == "author" and event.author.login == state.author.login)
    branch = _branch(facts.kind, event, state) if own else state.head_ref
    subject = f"{_TITLES[facts.kind]} (pull request {event.number})"
    files = tuple(
        CommittedFile(path, text, "100755" if _mode(path, made, modes) == 0o100755 else "100644")
        for path, text in sorted(made.texts.items())
    )
    push = PushCommit(
        event.number,
        branch,
        state.head_sha,
        files,
        f"{subject}\n\n{made.summary}",
        trailers(event.author, ctx, sign_off=facts.context.settings.code.sign_off),
        diff(facts.texts, made.texts),
        own=own,
        bound=True,
    )
    changed = f"Changed: {listed(made.texts)}."
    unread = f"\n\nNot read whole: {listed(dict.fromkeys(made.unread, ''))}." if made.unread else ""
    if not own:
        words = f"{made.summary}\n\nI pushed one commit to {in_code(branch)}. {changed}{unread}"
        return push, answer(event, words)
    checked = "It parses, and the linter has nothing new to say. No test was run."
    body = f"{made.summary}\n\n{changed}\n\nAsked for in pull request {event.number}. {checked}{unread}"
    places = f"from {in_code(branch)} into {in_code(state.head_ref)}"
    words = f"{made.summary}\n\nI proposed it as a draft pull request {places}."
    opened = OpenPullRequest(event.number, branch, state.head_ref, subject, body)
    return push, opened, answer(event, f"{words} {changed}{unread}")


_TITLES = {
    "fix": "Fix what the review found",
    "tests": "Add tests",
    "docs": "Describe the change",
    "changelog": "Add the change to the changelog",
    "simplify": "Simplify the change",
}


def _branch(kind: str, event: CommentEvent, state: PullRequestState) -> str:
    """The same for the same wish at the same head, whatever the model says."""
    asked = f"{event.comment_id or event.delivery} {state.head_sha}"
    return f"hob/{kind}-{event.number}-{hashlib.sha256(asked.encode()).hexdigest()[:8]}"


def trailers(asker: Actor, ctx: Context, *, sign_off: bool) -> tuple[str, ...]:
    """Who asked is an author too; GitHub knows people by these addresses."""
    both = []
    if asker.login:
        both.append(f"Co-authored-by: {asker.login} <{asker.id}+{asker.login}@users.noreply.github.com>")
    if sign_off:
        both.append(f"Signed-off-by: {ctx.slug}[bot] <{ctx.slug}[bot]@users.noreply.github.com>")
    return tuple(both)


def _mode(path: str, made: Patched, modes: Mapping[str, int]) -> int:
    return modes.get(made.renamed.get(path, path), 0o100644)


def diff(before: Mapping[str, str], after: Mapping[str, str | None]) -> str:
    """As `git apply` takes it; cut where it is long."""
    parts: list[str] = []
    for path, text in sorted(after.items()):
        old, new = before.get(path), text
        parts += _unified(path, old, new)
    return cut("".join(parts), MOST_PATCH)


def _unified(path: str, old: str | None, new: str | None) -> Sequence[str]:
    names = ("/dev/null" if old is None else f"a/{path}", "/dev/null" if new is None else f"b/{path}")
    lines = difflib.unified_diff(_lines(old), _lines(new), *names)
    return [
        f"diff --git a/{path} b/{path}\n",
        *(["new file mode 100644\n"] if old is None else []),
        *(["deleted file mode 100644\n"] if new is None else []),
        *(one if one.endswith("\n") else f"{one}\n\\ No newline at end of file\n" for one in lines),
    ]


def _lines(text: str | None) -> list[str]:
    """Only where git sees line ends."""
    parts = (text or "").split("\n")
    return [f"{one}\n" for one in parts[:-1]] + ([parts[-1]] if parts[-1] else [])
