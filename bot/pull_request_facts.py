"""A pull request at its head as a reviewer is told it."""

import asyncio
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from bot import checks, sandbox
from bot.context import Context
from bot.core import effect_history as past
from bot.core.check_input import CheckedChange, CheckReport, sizes_wanted
from bot.core.check_judgement import newest
from bot.core.diff import FileDiff
from bot.core.effects import SetCheck
from bot.core.effort import Effort, effort_of, effort_rule, passes
from bot.core.errors import GitHubError
from bot.core.facts import (
    LinkedIssue,
    OthersRemark,
    OwnThread,
    PullRequestFacts,
    RepoContext,
    Skipped,
)
from bot.core.file_kinds import kind_of_path
from bot.core.github_reader import PullRequestState
from bot.core.guidelines import SYMLINK, Guidance, owners
from bot.core.incremental_review import ReviewedHead
from bot.core.refs import Sha
from bot.core.settings import Complaint, ReviewSettings
from bot.core.skip_rules import (
    EMPTY_BLOBS,
    NO_PATCH,
    ONLY_REMOVES,
    points_elsewhere,
    why_not_read,
    without_lines,
)
from bot.patterns import is_pattern, wanted

CONFIG_PATH = ".github/hob.yml"
MOST_SAME_HEAD = 10
MOST_ISSUES = 2
"""Linked issues that are read."""
LONGEST_TOLD = 1_000
"""Lines of one annotation."""
_NOT_COVERED = re.compile(r"(?i)\b(?:not (?:fully )?covered|uncovered|no coverage)\b")
_SOLVES = re.compile(r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):? +#([0-9]{1,9})\b", re.IGNORECASE)
"""https://docs.github.com/en/issues/tracking-your-work-with-issues/using-issues/linking-a-pull-request-to-an-issue"""


async def pull_request_facts(
    ctx: Context,
    context: RepoContext,
    state: PullRequestState,
    *,
    full: bool = False,
    effort: Effort | None = None,
    by_person: bool = False,
    checks: bool = True,
) -> PullRequestFacts:
    """Reads a pull request at its head and runs the checks on it; says what was skipped and why. Only what
    is new since an earlier review is to be asked about, unless all is wanted (`full`). `effort`: as somebody
    asks, instead of the repository's rules; where a person only wants it read (`by_person`), none
    of them makes it quick. `checks`: whether they are run at all."""
    every, remarks, issues, own = await asyncio.gather(
        ctx.github.files(state.number),
        _remarks(ctx, state),
        _linked_issues(ctx, state.body),
        _own_threads(ctx, state),
    )
    changed = {file.path for file in every}
    named = context.settings.review.guidelines
    guidance = await ctx.github.guidance(state.base_sha, [file.path for file in every], named)
    context = ctx.guided(context, guidance, changed)
    files, skipped = select(every, context.settings.review.paths)
    if state.changed_files > len(every):
        rest = state.changed_files - len(every)
        skipped.append(Skipped(f"{rest} more files", "GitHub lists no more than 3,000 files"))
    lineless = [
        file for file in every if not file.additions and (not file.deletions or file.blob in EMPTY_BLOBS)
    ]
    asked = [file.path for file in (*files, *lineless) if file.status != "removed"]
    texts = await ctx.github.texts(state.head_sha, asked)
    plain = {file.path for file in lineless if without_lines(file, texts.get(file.path))}
    plain &= {one.path for one in skipped if one.why in ("renamed only", ONLY_REMOVES, NO_PATCH)}
    skipped = [one for one in skipped if one.path not in plain]
    links = await _links(ctx, state.head_sha, files)
    texts = {file.path: texts[file.path] for file in files if file.path in texts and file.path not in links}
    settings = context.settings.review
    gone = [file for file in every if _only_takes(file) and wanted(file.path, settings.paths)]
    ruled, rule = effort_of(settings.effort, files, state.labels, wanted, gone)
    if effort is not None or (by_person and ruled == "quick"):
        ruled, rule = effort or "normal", ""
    beside = await ctx.beside(files, texts, state.base_sha)
    report = CheckReport()
    if checks:
        report = await _checked(ctx, context.settings.review, every, files, state.head_sha, texts, remarks)
    complaints = list(_no_patterns(context.settings.review))
    if CONFIG_PATH in changed:
        complaints.append(Complaint(0, "this pull request changes it; the version on its base was used"))
    context = replace(context, complaints=(*context.complaints, *complaints))
    return PullRequestFacts(
        context=context,
        number=state.number,
        title=state.title,
        body=state.body,
        author=state.author.login,
        base_sha=state.base_sha,
        head_sha=state.head_sha,
        files=tuple(files),
        skipped=tuple(skipped),
        base_ref=state.base_ref,
        without_lines=tuple(sorted(plain)),
        same_head=await _same_head(ctx, state),
        total_files=max(state.changed_files, len(every)),
        texts=texts,
        instructions={
            file.path: tuple(
                rule.text for rule in context.settings.review.instructions if wanted(file.path, [rule.path])
            )
            for file in files
        },
        checked=report.findings,
        checks_run=report.ran,
        checks_not_run=report.not_run,
        checks_unjudged=report.unjudged,
        posted=ctx.posted - ctx.withdrawn if full else ctx.posted,
        reviews=ctx.reviews,
        blocking=past.blocking(ctx.past_runs),
        own_threads=tuple(own),
        may_resolve=bool(own) and (await ctx.github.granted()).get("contents") == "write",
        earlier=None if full else await _earlier(ctx, files, state.base_ref),
        threads=tuple(remarks),
        linked_issues=issues,
        guides=_guides(guidance, files),
        owners=tuple(owners(guidance.owners, [file.path for file in files], wanted)),
        effort=ruled,
        effort_rule=rule,
        read_before=_read_before(ctx, state, files),
        passes=passes(ruled, settings.passes, idle=ctx.idle),
        tools=replace(ctx.tools, known=beside.known or ctx.tools.known),
        memory=ctx.memory,
        around=dict(beside.around),
    )


async def _links(ctx: Context, head: Sha, files: Sequence[FileDiff]) -> frozenset[str]:
    """The symbolic links among them, whose text is a path and nobody's code. GitHub tells them by their
    folder alone, which is looked up where a file has one line."""
    asked = [file.path for file in files if len(file.hunks or ()) == 1 and _lines(file) == 1]
    modes = await ctx.github.modes(head, asked) if asked else {}
    return frozenset(path for path, mode in modes.items() if mode == SYMLINK)


def _only_takes(file: FileDiff) -> bool:
    """Whether a change takes people's code away there, or moves it, and brings none."""
    taken = file.status in ("removed", "renamed") or why_not_read(file) == ONLY_REMOVES
    return taken and not file.additions and kind_of_path(file.path) is None


def _lines(file: FileDiff) -> int:
    return sum(len(hunk.new_side) for hunk in file.hunks or ())


def _read_before(ctx: Context, state: PullRequestState, files: Sequence[FileDiff]) -> bool:
    """Whether this very head was reviewed, and whole: where a model gave up, there is still something to
    read."""
    before = ctx.earlier
    return (
        before is not None
        and before.stands_for(state.head_sha, state.base_ref)
        and before.read >= {file.path for file in files}
    )


def _guides(guidance: Guidance, files: Sequence[FileDiff]) -> dict[str, tuple[str, ...]]:
    return {
        file.path: tuple(one.path for one in guidance.guidelines if one.holds_for(file.path, wanted))
        for file in files
    }


async def _earlier(ctx: Context, files: Sequence[FileDiff], base: str) -> ReviewedHead | None:
    """The earlier head with its texts of the files that were read then. A commit that GitHub has thrown away
    since a force push gives none: everything is new. So it is against another base, where what was there
    before may be part of the change now."""
    if ctx.earlier is None or not ctx.earlier.stands_for(ctx.earlier.head_sha, base):
        return None
    paths = [file.path for file in files if file.path in ctx.earlier.read]
    return replace(ctx.earlier, texts=await ctx.github.texts(ctx.earlier.head_sha, paths))


async def _own_threads(ctx: Context, state: PullRequestState) -> Sequence[OwnThread]:
    return await ctx.github.own_threads(state.number) if ctx.posted else ()


async def _same_head(ctx: Context, state: PullRequestState) -> tuple[SetCheck, ...]:
    """The judgements of other pull requests that are open and have this head: a check run is shown on all."""
    found: list[SetCheck] = []
    for one in newest(await ctx.judged(state.head_sha))[-MOST_SAME_HEAD:]:
        if one.number not in (0, state.number):
            other = await ctx.github.pull_request(one.number)
            found += [one] if other.open and other.head_sha == state.head_sha else []
    return tuple(found)


async def _remarks(ctx: Context, state: PullRequestState) -> list[OthersRemark]:
    """What others have said on lines: people and bots in threads, CI in annotations. Not who wrote the
    change: nobody hides a point by making it on his own lines first."""
    said = [
        OthersRemark(one.path, one.line, one.comments[0].author.login, one.comments[0].body, one.start_line)
        for one in (await ctx.github.threads(state.number) if state.review_comments else ())
        if one.comments[0].author.login not in (f"{ctx.slug}[bot]", state.author.login)
    ]
    return [*said, *await ctx.github.annotations(state.head_sha)]


async def _linked_issues(ctx: Context, body: str) -> tuple[LinkedIssue, ...]:
    """The issues of this repository that a pull request's text says it solves, as far as they can be read."""
    found: list[LinkedIssue] = []
    for number in list(dict.fromkeys(map(int, _SOLVES.findall(body))))[:MOST_ISSUES]:
        try:
            issue = await ctx.github.issue(number)
        except GitHubError:
            continue
        if not issue.is_pull_request:
            found.append(LinkedIssue(number, issue.title, issue.body))
    return tuple(found)


def _no_patterns(settings: ReviewSettings) -> Iterator[Complaint]:
    efforts = (rule.pattern for rule in map(effort_rule, settings.effort) if rule and rule.pattern)
    for pattern in (*settings.paths, *(rule.path for rule in settings.instructions), *efforts):
        if not is_pattern(pattern):
            shown = pattern[:60].replace("`", "")
            yield Complaint(0, f"`{shown}` is no pattern as .gitignore writes them; it is ignored")


async def _checked(
    ctx: Context,
    settings: ReviewSettings,
    every: Sequence[FileDiff],
    files: Sequence[FileDiff],
    head: Sha,
    texts: dict[str, str],
    remarks: Sequence[OthersRemark],
) -> CheckReport:
    """What the checks say of the files that are read, and of the others that are not left out."""
    read = {file.path for file in files}
    others = [file for file in every if file.path not in read and wanted(file.path, settings.paths)]
    asked = sizes_wanted([*files, *others])
    sizes = await ctx.github.sizes(head, asked) if asked else {}
    reports = await ctx.github.reports(head) if "coverage" in settings.checks else {}
    change = CheckedChange(tuple(files), texts, tuple(others), sizes, reports, _not_covered(remarks))
    return await checks.run(change, settings.checks, sandbox.run)


def _not_covered(remarks: Sequence[OthersRemark]) -> dict[str, frozenset[int]]:
    """The lines that CI's annotations call not covered, as coverage services write them."""
    found: dict[str, frozenset[int]] = {}
    for one in remarks:
        if one.kind == "annotation" and one.line and _NOT_COVERED.search(one.words):
            lines = range(max(one.start_line or one.line, one.line - LONGEST_TOLD), one.line + 1)
            found[one.path] = found.get(one.path, frozenset()) | frozenset(lines)
    return found


def select(files: Sequence[FileDiff], patterns: Sequence[str]) -> tuple[list[FileDiff], list[Skipped]]:
    """Those to be read, and the rest with their reasons."""
    read: list[FileDiff] = []
    skipped: list[Skipped] = []
    for file in files:
        left_out = None if wanted(file.path, patterns) else "left out by review.paths"
        why = (None if left_out else points_elsewhere(file)) or why_not_read(file) or left_out
        if why:
            skipped.append(Skipped(file.path, why))
        else:
            read.append(file)
    return read, skipped
