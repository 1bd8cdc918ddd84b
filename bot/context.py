"""What a handler is given: to read GitHub, to ask a model, to run the checks. It has no way to write."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from pathspec import GitIgnoreSpec

from bot.core.commands import Command
from bot.core.diff import BadPatch, FileDiff, parse_patch
from bot.core.effects import PostReview
from bot.core.events import CommentEvent, ReviewCommentEvent
from bot.core.facts import PullRequestFacts, RepoContext, Skipped, ThreadFacts
from bot.core.findings import Finding
from bot.core.inference import Infer
from bot.core.layers import FILE, Layer, merge, settings_of
from bot.core.memory import Memory
from bot.core.reading import why_not_read
from bot.core.refs import Login, RepoRef, Sha
from bot.core.settings import Complaint, ReviewSettings
from bot.github import hobyml
from bot.github.gather import IssueState, PullRequestState, RawComment, RawFile

CONFIG_PATH = ".github/hob.yml"


class Reader(Protocol):
    """One repository on GitHub, read only. Each method is one call or as few as there are pages."""

    async def pull_request(self, number: int) -> PullRequestState: ...
    async def files(self, number: int) -> list[RawFile]: ...
    async def texts(self, sha: Sha, paths: Sequence[str]) -> dict[str, str]: ...
    async def config_text(self, ref: str) -> tuple[str | None, tuple[Complaint, ...]]: ...
    async def labels(self) -> tuple[tuple[str, str], ...]: ...
    async def issue(self, number: int) -> IssueState: ...
    async def comments(self, number: int, total: int = 0) -> Sequence[RawComment]: ...
    async def thread(self, number: int, comment_id: int) -> Sequence[RawComment]: ...


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What the deterministic checks found, and which of them ran."""

    findings: tuple[Finding, ...] = ()
    ran: tuple[str, ...] = ()


Check = Callable[[Sequence[FileDiff], Mapping[str, str], frozenset[str]], Awaitable[CheckReport]]


@dataclass(frozen=True, slots=True)
class Offer:
    """A command, and whether the person who asked may give it here."""

    name: str
    help: str
    allowed: bool


@dataclass(frozen=True, slots=True)
class Context:
    """For one event and one handler."""

    repo: RepoRef
    slug: str
    github: Reader
    infer: Infer
    check: Check
    command: Command | None = None
    offers: tuple[Offer, ...] = ()
    stored: tuple[Layer, ...] = ()
    """Stored settings that lie under `.github/hob.yml`."""
    posted: frozenset[str] = frozenset()
    """Fingerprints of the findings that Hob has already posted on this pull request."""
    reviews: tuple[PostReview, ...] = ()
    """What Hob has posted on this pull request, oldest first."""
    memory: tuple[Memory, ...] = ()
    """What people taught Hob about the repository, what has expired left out."""

    async def repository(self, ref: str = "", *, labels: bool = False) -> RepoContext:
        """Settings at `ref` (by default the default branch; for a pull request give its base), never from a
        head."""
        text, refused = await self.github.config_text(ref or self.repo.default_branch)
        said, complaints = hobyml.said(text)
        settings = settings_of(merge(self.stored, Layer(FILE, said)))
        found = await self.github.labels() if labels else ()
        return RepoContext(
            repo=self.repo, settings=settings, complaints=(*refused, *complaints), labels=found
        )


def why_not_reviewed(state: PullRequestState, settings: ReviewSettings) -> str | None:
    """The reason for which a pull request is not reviewed by itself, or None."""
    title = state.title.casefold()
    reasons = [
        (not state.open, "closed"),
        (not settings.auto, "review.auto is off"),
        (state.draft and not settings.drafts, "a draft"),
        (
            bool(settings.base_branches) and state.base_ref not in settings.base_branches,
            "another base branch",
        ),
        (state.author.login in settings.ignore_authors, "its author is left out by the settings"),
        (any(word.casefold() in title for word in settings.ignore_title_keywords), "its title is left out"),
        (bool(settings.labels) and not set(settings.labels) & set(state.labels), "it has none of the labels"),
    ]
    return next((reason for holds, reason in reasons if holds), None)


async def pull_request_facts(ctx: Context, context: RepoContext, state: PullRequestState) -> PullRequestFacts:
    """Reads a pull request at its head and runs the checks on it; says what was skipped and why."""
    raw = await ctx.github.files(state.number)
    files, skipped = _select([to_file_diff(file) for file in raw], context.settings.review.paths)
    if state.changed_files > len(raw):
        rest = state.changed_files - len(raw)
        skipped.append(Skipped(f"{rest} more files", "GitHub lists no more than 3,000 files"))
    texts = await ctx.github.texts(state.head_sha, [file.path for file in files])
    report = await ctx.check(files, texts, context.settings.review.checks)
    changed = {file.path for file in raw}
    settings_changed = CONFIG_PATH in changed
    if settings_changed:
        note = "this pull request changes it; the version on its base was used"
        context = replace(context, complaints=(*context.complaints, Complaint(0, note)))
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
        total_files=max(state.changed_files, len(raw)),
        texts=texts,
        instructions={
            file.path: tuple(
                rule.text for rule in context.settings.review.instructions if wanted(file.path, [rule.path])
            )
            for file in files
        },
        checked=report.findings,
        checks_run=report.ran,
        posted=ctx.posted,
        memory=ctx.memory,
    )


async def thread_facts(ctx: Context, event: CommentEvent, question: str) -> ThreadFacts:
    """What stands around a question: the conversation, and on a pull request its change."""
    if not event.on_pull_request:
        issue = await ctx.github.issue(event.number)
        return ThreadFacts(
            context=await ctx.repository(),
            number=event.number,
            title=issue.title,
            body=issue.body,
            question=question,
            asker=event.author.login,
            conversation=_talk(await ctx.github.comments(event.number, issue.comments), event),
        )
    if isinstance(event, ReviewCommentEvent):
        comments = await ctx.github.thread(event.number, event.comment_id)
    else:
        comments = await ctx.github.comments(event.number)
    state = await ctx.github.pull_request(event.number)
    context = await ctx.repository(state.base_sha)
    raw = await ctx.github.files(event.number)
    files, _ = _select([to_file_diff(file) for file in raw], context.settings.review.paths)
    return ThreadFacts(
        context=context,
        number=event.number,
        title=state.title,
        body=state.body,
        question=question,
        asker=event.author.login,
        conversation=_talk(comments, event),
        files=tuple(files),
        head_sha=state.head_sha,
        texts=await ctx.github.texts(state.head_sha, [file.path for file in files]),
    )


def _talk(comments: Sequence[RawComment], event: CommentEvent) -> tuple[tuple[Login, str], ...]:
    """Who said what before the question."""
    return tuple((one.author.login, one.body) for one in comments if one.id != event.comment_id)


def _select(files: Sequence[FileDiff], patterns: Sequence[str]) -> tuple[list[FileDiff], list[Skipped]]:
    """Those to be read, and the rest with their reasons."""
    read: list[FileDiff] = []
    skipped: list[Skipped] = []
    for file in files:
        why = why_not_read(file) or (None if wanted(file.path, patterns) else "left out by review.paths")
        if why:
            skipped.append(Skipped(file.path, why))
        else:
            read.append(file)
    return read, skipped


def wanted(path: str, patterns: Sequence[str]) -> bool:
    """Whether patterns, as .gitignore writes them, take a path in. Where all begin with `!`, the rest is
    in."""
    inward = any(not pattern.startswith("!") for pattern in patterns)
    return GitIgnoreSpec.from_lines(patterns if inward else ["**", *patterns]).match_file(path)


def to_file_diff(file: RawFile) -> FileDiff:
    """GitHub's patch parsed; one that is not to be understood counts as none."""
    try:
        hunks = parse_patch(file.patch) if file.patch is not None else None
    except BadPatch:
        hunks = None
    return FileDiff(
        path=file.path,
        status=file.status,
        hunks=hunks,
        old_path=file.old_path,
        additions=file.additions,
        deletions=file.deletions,
        blob=file.sha,
    )
