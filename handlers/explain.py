"""What code does and why: `@slug explain`, of a thread's lines, of `path:12-40`, or of the whole change."""

import re
from collections.abc import Sequence
from contextlib import suppress

from bot.agents.explain import explain as explained
from bot.context import Context, answer
from bot.core.code_location import CodeLocation, location
from bot.core.effects import Comment, Plan, ReplyInThread
from bot.core.errors import GitHubError
from bot.core.events import CommentEvent, ReviewCommentEvent
from bot.core.facts import Commit, ExplainFacts, LinkedIssue
from bot.core.github_reader import PullRequestState, Thread
from bot.core.refs import Sha
from bot.router import Router
from handlers.describe import change_facts

router = Router()
MOST_COMMITS = 12
MOST_HISTORIES = 3
"""Files of a whole change whose history is read: the most changed ones."""
MOST_NAMED = 4
"""Issues and pull requests that commits name."""
_NUMBER = re.compile(r"(?<![\w/&])#([0-9]{1,9})\b")


@router.command(
    "explain",
    help="what code does and why, by its history: of this thread, of `explain path:12-40`, of the change",
    may={Comment, ReplyInThread},
    stored_as="explain.explain",
)
async def explain(event: CommentEvent, ctx: Context) -> Plan:
    """From the code, the commits that touched it, and what these name."""
    facts = await _explain_facts(ctx, event)
    if isinstance(facts, str):
        return Plan((answer(event, facts),), reason="it is not clear what to explain")
    body, used = await explained(facts, ctx.infer)
    return Plan((answer(event, body),), reason="an explanation was asked for", usage=used)


async def _explain_facts(ctx: Context, event: CommentEvent) -> ExplainFacts | str:
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
