"""From a patch to a branch of Hob's own with a pull request into the branch that it is for, or to words why
there is none."""

import difflib
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from bot.agents.implement import Judge
from bot.agents.patch import PatchChecks, Patched, checked, listed, patch, why_of
from bot.agents.quality_gate import gate, remembered, to_mend
from bot.context import Context, answer
from bot.core.ci_session import SUBJECT
from bot.core.edits import place_taken
from bot.core.effects import Effect, OpenPullRequest, Plan, PushCommit
from bot.core.events import CommentEvent
from bot.core.facts import PatchFacts, RepoContext
from bot.core.file_kinds import is_test
from bot.core.github_reader import PullRequestState
from bot.core.merging import CommittedFile
from bot.core.quality_gate import GateResult
from bot.core.refs import Actor, Sha
from bot.core.suite_runs import RunSuite
from bot.core.text import cut, in_code, utf8_size
from bot.patterns import wanted

REGULAR = (0o100644, 0o100755)
MOST_PATCH = 40_000
"""Bytes of a diff that is kept for where it may not be pushed."""


def is_off(context: RepoContext) -> str:
    """Why Hob writes no code in this repository; empty where it may."""
    off = "I write no code here: `code: {enabled: true}` in `.github/hob.yml` lets me."
    return "" if context.settings.code.enabled else off


def refusal(state: PullRequestState, context: RepoContext) -> str:
    """Why Hob writes no code for a pull request; empty where it may."""
    if off := is_off(context):
        return off
    if state.from_fork:
        return "I write no code for pull requests from forks: their authors do."
    return "" if state.open else "This pull request is closed."


NOT_GRANTED = (
    "GitHub lets me write no code: the App needs the permission *Contents: read and write* (its own "
    "settings, Permissions), and whoever installed it has to accept that."
)


async def may_push(ctx: Context) -> str:
    """What GitHub lets the App do, where that is not enough; empty where it is."""
    if await ctx.github.may({"contents": "write"}):
        return ""
    return NOT_GRANTED


def allowed(context: RepoContext, also: Callable[[str], bool] = lambda _: True) -> Callable[[str], bool]:
    """Whether a patch may touch a path: `code.paths`, and what the kind of patch is for."""
    patterns = context.settings.code.paths
    return lambda path: also(path) and (not patterns or wanted(path, patterns))


@dataclass(frozen=True, slots=True)
class Target:
    """What a patch is for. `parent`: the commit that was read; `base`: the branch that it is proposed for."""

    number: int
    parent: Sha
    base: str
    title: str
    pull_request: bool = True
    author: str = ""
    tree: str = ""
    """`parent`'s, where it is known."""
    onto: str = ""
    """A branch of Hob's own that ends in `parent` and gets the commit, instead of a new one."""
    bound: bool = True
    """Whether `parent` is the head of the pull request."""


def target(state: PullRequestState) -> Target:
    """A pull request's own branch."""
    return Target(state.number, state.head_sha, state.head_ref, "", author=state.author.login)


async def proposed(event: CommentEvent, ctx: Context, to: Target, facts: PatchFacts) -> Plan:
    """A commit on top of what was read. A patch that fails the quality gate is asked for once more. A head
    that moved meanwhile is left alone; that is said."""
    facts = await regular(ctx, to.parent, facts)
    suite = remembered(ctx.suite) if ctx.suite else None
    made = await _held(ctx, to.parent, facts, await patch(facts, ctx.infer))
    gated = await gated_by(suite, to.parent, facts, made)
    if gated and gated.state == "failed":
        shown = to_mend(gated, diff(facts.texts, made.texts))
        again = await _held(ctx, to.parent, facts, await patch(facts, ctx.infer, gated.problems, shown))
        usage = (*made.usage, *again.usage)
        if not again.why:
            made, gated = again, await gated_by(suite, to.parent, facts, again)
        made = replace(made, usage=usage)
    return await offered(event, ctx, to, facts, made, gated=gated)


NEEDS_PROOF = frozenset({"fix", "implement"})
"""Kinds of patches without which a test has to fail; others keep what the code does."""


async def gated_by(suite: RunSuite | None, at: Sha, facts: PatchFacts, made: Patched) -> GateResult | None:
    """The quality gate's verdict; None where no tests may be run, or there is no patch."""
    if suite is None or made.why:
        return None
    return await gate(suite, at, facts.texts, made, is_test, proof=facts.kind in NEEDS_PROOF)


def judging(ctx: Context, at: Sha) -> Judge:
    """The gate for several patches of one commit."""
    suite = remembered(ctx.suite) if ctx.suite else None

    async def judge(facts: PatchFacts, made: Patched) -> tuple[GateResult | None, str]:
        gated = await gated_by(suite, at, facts, made)
        if gated is None or gated.state != "failed":
            return gated, ""
        shown = to_mend(gated, diff(facts.texts, made.texts))
        return gated, "\n\n".join([*gated.problems, *(f"{one.name}:\n{one.text}" for one in shown)])

    return judge


async def regular(ctx: Context, at: Sha, facts: PatchFacts) -> PatchFacts:
    """With the modes of its files, and without what is none: a symlink's text is where it leads."""
    modes = await ctx.github.modes(at, list(facts.texts))
    texts = {path: text for path, text in facts.texts.items() if modes.get(path) in REGULAR}
    return replace(facts, texts=texts, modes=modes)


async def offered(
    event: CommentEvent,
    ctx: Context,
    to: Target,
    facts: PatchFacts,
    made: Patched,
    told: str = "",
    gated: GateResult | None = None,
    but: str = "",
) -> Plan:
    """The same for a patch that was made. `told`: what else its pull request says; `gated`: the gate's
    verdict, where it was asked for already; `but`: a sentence for whoever asked, where it is not all done."""
    if not facts.modes:
        facts = await regular(ctx, to.parent, facts)
    made = await _held(ctx, to.parent, facts, made)
    if not made.why and made.checks is None:
        problems, checks = await checked(made.texts, made.renamed, facts)
        made = replace(made, checks=checks, why=why_of(problems), summary="" if problems else made.summary)
    if made.why:
        words = f"{made.summary}\n\n" if made.summary else ""
        words += f"I have no patch to propose: {made.why}."
        return Plan((answer(event, words),), reason=f"no patch: {made.why}", usage=made.usage)
    gated = gated or await gated_by(ctx.suite, to.parent, facts, made)
    if to.pull_request and to.bound and (why := _moved(await ctx.github.pull_request(to.number), to.parent)):
        return Plan((answer(event, why),), reason="the head moved on", usage=made.usage)
    effects = _effects(event, ctx, to, facts, made, told, gated, but)
    head = to.parent if to.pull_request else None
    return Plan(effects, reason=f"proposed {facts.kind}", head_sha=head, usage=made.usage)


def _moved(now: PullRequestState, parent: Sha) -> str:
    """Why nothing is proposed any more for what was read; empty where it is."""
    if not now.open:
        return "This pull request was closed while I wrote the patch."
    pushed = "There was a push while I wrote the patch; ask again for the code as it is now."
    return "" if now.head_sha == parent else pushed


async def _held(ctx: Context, at: Sha, facts: PatchFacts, made: Patched) -> Patched:
    """The patch, if nothing stands yet where it makes files."""
    if made.why:
        return made
    new = [path for path in made.texts if path not in facts.texts]
    above = {"/".join(some[:n]) for path in new for some in [path.split("/")] for n in range(1, len(some))}
    modes = facts.modes  # of all that is there, where that is known
    if facts.exists is None:
        modes = await ctx.github.modes(at, [*new, *sorted(above)]) if new else {}
    renamed = {path for path, old in made.renamed.items() if path.casefold() == old.casefold()}
    if other := place_taken(made.texts, {*facts.texts, *renamed}, modes):
        return replace(made, summary="", texts={}, why=f"{in_code(other)} is there already")
    return made


def _effects(
    event: CommentEvent,
    ctx: Context,
    to: Target,
    facts: PatchFacts,
    made: Patched,
    told: str,
    gated: GateResult | None,
    but: str,
) -> tuple[Effect, ...]:
    """Onto the author's own branch only what did not fail its gate."""
    failed = gated is not None and gated.state == "failed"
    wanted_there = is_for_author(event, ctx, to, facts.context)
    own = not to.onto and (failed or not wanted_there)
    branch = to.onto or (_branch(facts.kind, event, to) if own else to.base)
    what = "pull request" if to.pull_request else "issue"
    subject = f"{to.title or _TITLES[facts.kind]} ({what} {to.number})"
    files = tuple(
        CommittedFile(path, text, "100755" if _mode(path, made, facts.modes) == 0o100755 else "100644")
        for path, text in sorted(made.texts.items())
    )
    push = PushCommit(
        event.number,
        branch,
        to.parent,
        files,
        f"{subject}\n\n{made.summary}",
        trailers(event.author, ctx, sign_off=facts.context.settings.code.sign_off),
        diff(facts.texts, made.texts),
        own=own,
        tree=to.tree,
        bound=to.pull_request and to.bound,
    )
    changed = f"Changed: {listed(made.texts)}."
    unread = f"\n\nNot read whole: {listed(dict.fromkeys(made.unread, ''))}." if made.unread else ""
    checks = "\n\n".join(("**Checked**", *told_checks(made.checks or PatchChecks(), gated)))
    if not own:
        words = f"{made.summary}\n\nI pushed one commit to {in_code(branch)}. {changed}{unread}"
        return push, answer(event, f"{words}\n\n{checks}")
    asked = f"Asked for in {what} {ctx.link(to.number)}."
    body = "\n\n".join(
        filter(None, (FAILED if failed else "", made.summary, changed, asked, checks, unread.strip(), told))
    )
    places = f"from {in_code(branch)} into {in_code(to.base)}"
    words = f"{made.summary}\n\nI proposed it as a draft pull request {places}."
    words += f" **{but}**" if but else ""
    if failed:
        kept = f" I did not push it to {in_code(to.base)} for that." if wanted_there else ""
        words = (
            f"{made.summary}\n\n**The tests of this repository fail with it.** It is a draft {places}.{kept}"
        )
    opened = OpenPullRequest(event.number, branch, to.base, subject, body)
    verdict = f"\n\n{gated.words.partition(chr(10))[0]}" if gated else ""
    return push, opened, answer(event, f"{words} {changed}{unread}{verdict}")


FAILED = "**The tests of this repository fail with this patch: it is not done.** See below what failed."
NO_TESTS = "**Tests**: No test was run: the operator lets me run none of this repository (`[code.tests]`)."


def is_for_author(event: CommentEvent, ctx: Context, to: Target, context: RepoContext) -> bool:
    """Whether whoever asked wants it on the own branch, and that may be. The default branch is nobody's."""
    asked = to.pull_request and event.author.login == to.author
    return asked and context.settings.code.push == "author" and to.base != ctx.repo.default_branch


def told_checks(checks: PatchChecks, gated: GateResult | None) -> Sequence[str]:
    """What was checked, and how; and what was not."""
    parsed = [f"{listed(dict.fromkeys(checks.parsed, ''))}: parsed."] if checks.parsed else []
    if checks.unparsed:
        parsed.append(f"I have no parser for {listed(dict.fromkeys(checks.unparsed, ''))}.")
    linted = "it knows none of these files." if checks.linted is not None else "it could not be run here."
    if checks.linted:
        linted = f"nothing new to say of {listed(dict.fromkeys(checks.linted, ''))}."
    return (
        *([f"**Syntax**: {' '.join(parsed)}"] if parsed else []),
        f"**Linter** (ruff): {linted}",
        gated.words if gated else NO_TESTS,
    )


_TITLES = {
    "fix": "Fix what the review found",
    "tests": "Add tests",
    "docs": "Describe the change",
    "changelog": "Add the change to the changelog",
    "simplify": "Simplify the change",
    "ci": SUBJECT,
}


def _branch(kind: str, event: CommentEvent, to: Target) -> str:
    """The same for the same wish at the same commit, whatever the model says."""
    asked = f"{event.comment_id or event.delivery} {to.parent}"
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
    """As `git apply` takes it. Where it is long it has whole files as far as there is room, and its first
    line says of the others."""
    parts = {path: whole_diff(before, {path: text}) for path, text in sorted(after.items())}
    room = MOST_PATCH
    kept: list[str] = []
    left: list[str] = []
    for path, part in parts.items():
        fits = (size := utf8_size(part)) <= room
        room -= size if fits else 0
        (kept if fits else left).append(path)
    said = f"# Not whole: {len(left)} of {len(parts)} files are too long to stand here: " if left else ""
    names = cut(", ".join(left), 1_000, end="…")
    head = f"{said}{names}\n" if left else ""
    return head + "".join(parts[path] for path in kept)


def whole_diff(
    before: Mapping[str, str],
    after: Mapping[str, str | None],
    modes: Mapping[str, int] = MappingProxyType({}),
) -> str:
    """`modes`: git's, of what is new and of what goes, where they are not the usual ones."""
    return "".join(
        "".join(_unified(path, before.get(path), text, modes.get(path, 0o100644)))
        for path, text in sorted(after.items())
    )


def _unified(path: str, old: str | None, new: str | None, mode: int = 0o100644) -> Sequence[str]:
    names = ("/dev/null" if old is None else f"a/{path}", "/dev/null" if new is None else f"b/{path}")
    lines = difflib.unified_diff(_lines(old), _lines(new), *names)
    return [
        f"diff --git a/{path} b/{path}\n",
        *([f"new file mode {mode:o}\n"] if old is None else []),
        *([f"deleted file mode {mode:o}\n"] if new is None else []),
        *(one if one.endswith("\n") else f"{one}\n\\ No newline at end of file\n" for one in lines),
    ]


def _lines(text: str | None) -> list[str]:
    """Only where git sees line ends."""
    parts = (text or "").split("\n")
    return [f"{one}\n" for one in parts[:-1]] + ([parts[-1]] if parts[-1] else [])
