"""What a command needs to know: to take back, to describe, to explain, to tell the settings."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress

from bot.context import Context
from bot.core.code_location import CodeLocation, location
from bot.core.effect_history import PastRun, undone
from bot.core.effects import Comment, PostReview, SetCheck
from bot.core.errors import GitHubError
from bot.core.events import CommentEvent, ReviewCommentEvent
from bot.core.facts import (
    ChangeFacts,
    Commit,
    ExplainFacts,
    LinkedIssue,
    PullRequestFacts,
    StartedThread,
    UndoFacts,
)
from bot.core.refs import Sha
from bot.core.settings import Complaint
from bot.core.settings_merge import FILE, Layer, Valued, merge
from bot.gathering.changes import select, to_file_diff
from bot.github.gather import PullRequestState, Thread

MOST_COMMITS = 12
MOST_HISTORIES = 3
"""Files of a whole change whose history is read: the most changed ones."""
MOST_NAMED = 4
"""Issues and pull requests that commits name."""
_NUMBER = re.compile(r"(?<![\w/&])#([0-9]{1,9})\b")


async def undo_facts(ctx: Context, event: CommentEvent, past_run: PastRun) -> UndoFacts:
    """The threads are read only where a review is to be taken back."""
    reviewed = any(isinstance(one.effect, PostReview) for one in past_run.did)
    threads = await ctx.github.threads(event.number) if reviewed else ()
    gates = False
    if any(isinstance(one.effect, SetCheck) for one in past_run.did):
        base = (await ctx.github.pull_request(event.number)).base_sha
        gates = (await ctx.repository(base)).settings.review.request_changes
    return UndoFacts(
        number=event.number,
        past_run=past_run,
        past_runs=ctx.past_runs,
        asker=event.author.login,
        talks=tuple(_talk(thread, f"{ctx.slug}[bot]", event.comment_id) for thread in threads),
        memory=ctx.memory,
        slug=ctx.slug,
        gates=gates,
    )


def _talk(thread: Thread, me: str, asking: int) -> StartedThread:
    """The comment that asks is no answer to the thread it stands in."""
    ours = tuple(one.id for one in thread.comments if one.author.login == me)
    answered = any(one.author.login != me and one.id != asking for one in thread.comments)
    return StartedThread(thread.comments[0].review, ours, answered)


async def change_facts(ctx: Context, state: PullRequestState) -> ChangeFacts:
    """The change as it is to be described, with the labels that exist."""
    context = await ctx.repository(state.base_sha, labels=True)
    raw = await ctx.github.files(state.number)
    files, skipped = select([to_file_diff(file) for file in raw], context.settings.review.paths)
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


def change_reviewed(facts: PullRequestFacts) -> ChangeFacts:
    """Of what was read for a review."""
    return ChangeFacts(
        context=facts.context,
        number=facts.number,
        title=facts.title,
        body=facts.body,
        head_sha=facts.head_sha,
        files=facts.files,
        skipped=facts.skipped,
    )


async def comment_about(ctx: Context, about: str) -> tuple[Comment, int] | None:
    """Hob's newest comment of that name here which still stands, and its id."""
    gone = undone(ctx.past_runs)
    for past_run in reversed(ctx.past_runs):
        for one in reversed(past_run.did):
            if past_run.run not in gone and isinstance(one.effect, Comment) and one.effect.about == about:
                there = await ctx.github.has_comment(one.github_id)
                return (one.effect, one.github_id) if there else None
    return None


async def explain_facts(ctx: Context, event: CommentEvent) -> ExplainFacts | str:
    """The code that is meant with its history, or why there is none, a sentence."""
    state = await ctx.github.pull_request(event.number) if event.on_pull_request else None
    ref = state.head_sha if state else Sha(ctx.repo.default_branch)
    place, text, wish = await _place(ctx, event, ref)
    if place is None:
        if state is None:
            return f"Name a file: `@{ctx.slug} explain path/to/file.py:12-40`."
        return await _whole_change(ctx, event, state, wish)
    if text is None:
        return f"I can't read `{place.path}` at `{ref[:10]}`: there is no such text there."
    excerpt = place.excerpt(text)
    if excerpt is None:
        return f"`{place.path}` has {len(text.splitlines())} lines at `{ref[:10]}`."
    commits, issues = await _history(ctx, event, [place.path], ref)
    return ExplainFacts(
        context=await ctx.repository(state.base_sha if state else ""),
        title=state.title if state else "",
        subject=str(place),
        wish=wish,
        excerpts=(excerpt,),
        commits=commits,
        issues=issues,
    )


async def _whole_change(
    ctx: Context, event: CommentEvent, state: PullRequestState, wish: str
) -> ExplainFacts:
    """Its diffs, and of the most changed files their text and their history before it."""
    facts = await change_facts(ctx, state)
    largest = sorted(facts.files, key=lambda file: -(file.additions + file.deletions))[:MOST_HISTORIES]
    paths = [file.path for file in largest]
    texts = await ctx.github.texts(state.head_sha, paths)
    commits, issues = await _history(ctx, event, paths, state.base_sha)
    excerpts = (CodeLocation(path).excerpt(text) for path, text in texts.items())
    return ExplainFacts(
        context=facts.context,
        title=state.title,
        subject="the whole change",
        wish=wish,
        excerpts=tuple(one for one in excerpts if one is not None),
        files=facts.files,
        commits=commits,
        issues=issues,
    )


async def _place(ctx: Context, event: CommentEvent, ref: Sha) -> tuple[CodeLocation | None, str | None, str]:
    """The place that is meant, its file's text, and what else was said. A first word that looks like no path
    and names no file is the beginning of a wish."""
    said = ctx.command.argument if ctx.command else ""
    named, wish = location(said)
    if named is not None:
        text = (await ctx.github.texts(ref, [named.path])).get(named.path)
        if text is not None or named.is_path:
            return named, text, wish
    if not isinstance(event, ReviewCommentEvent):
        return None, None, said
    threads = await ctx.github.threads(event.number)
    lines = [(one.start_line or one.line, one.line) for one in threads if _holds(one, event.comment_id)]
    text = (await ctx.github.texts(ref, [event.path])).get(event.path)
    return CodeLocation(event.path, *(lines[0] if lines else ())), text, said


def _holds(thread: Thread, comment_id: int) -> bool:
    return any(one.id == comment_id for one in thread.comments)


async def _history(
    ctx: Context, event: CommentEvent, paths: Sequence[str], ref: str
) -> tuple[tuple[Commit, ...], tuple[LinkedIssue, ...]]:
    """The newest commits of these files, and the issues and pull requests that they name."""
    each = max(1, MOST_COMMITS // max(1, len(paths)))
    found = [one for path in paths for one in await ctx.github.touching(path, ref, each)]
    commits = sorted({one.sha: one for one in found}.values(), key=lambda one: one.at, reverse=True)
    numbers = dict.fromkeys(int(n) for one in commits for n in _NUMBER.findall(one.message))
    issues: list[LinkedIssue] = []
    for number in [one for one in numbers if one != event.number][:MOST_NAMED]:
        with suppress(GitHubError):
            issue = await ctx.github.issue(number)
            issues.append(LinkedIssue(number, issue.title, issue.body))
    return tuple(commits), tuple(issues)


async def settings_told(
    ctx: Context, event: CommentEvent
) -> tuple[Mapping[str, Valued], tuple[Complaint, ...]]:
    """Every setting that counts here with its layer, and what was wrong with `.github/hob.yml`."""
    branch = Sha(ctx.repo.default_branch)
    base = (await ctx.github.pull_request(event.number)).base_sha if event.on_pull_request else branch
    context = await ctx.repository(base)
    guidance = await ctx.github.guidance(base, (), context.settings.review.guidelines)
    return merge((*ctx.below(guidance), *ctx.stored), Layer(FILE, context.file)), context.complaints
