"""What a handler is given: to read GitHub, to ask a model, to run the checks. It has no way to write."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from bot.core.commands import Command
from bot.core.diff import FileDiff
from bot.core.events import CommentEvent, ReviewCommentEvent
from bot.core.facts import PullRequestFacts, RepoContext, Skipped, ThreadFacts
from bot.core.findings import Finding
from bot.core.inference import Infer
from bot.core.reading import why_not_read
from bot.core.refs import RepoRef, Sha
from bot.core.settings import Complaint, RepoSettings, ReviewSettings
from bot.github.gather import ConversationComment, PullRequestState, RawFile, to_file_diff
from bot.github.hobyml import matches, read_settings

CONFIG_PATH = ".github/hob.yml"


class Reader(Protocol):
    """One repository on GitHub, read only. Each method is one call or as few as there are pages."""

    async def pull_request(self, number: int) -> PullRequestState: ...
    async def files(self, number: int, total: int) -> list[RawFile]: ...
    async def texts(self, sha: Sha, paths: Sequence[str]) -> dict[str, str]: ...
    async def config_text(self, ref: str | None) -> str | None: ...
    async def labels(self) -> list[tuple[str, str]]: ...
    async def issue(self, number: int) -> tuple[str, str]: ...
    async def comments(self, number: int) -> list[ConversationComment]: ...
    async def thread(self, number: int, comment_id: int) -> list[ConversationComment]: ...


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
    posted: frozenset[str] = frozenset()
    """Fingerprints of the findings that Hob has already posted on this pull request."""

    async def repository(self, ref: str | None, *, labels: bool = False) -> RepoContext:
        """Settings at `ref` (None: the default branch; for a pull request give its base), never from a head."""
        try:
            text = await self.github.config_text(ref)
        except ValueError as refused:
            settings, complaints = RepoSettings(), (Complaint(1, str(refused)),)
        else:
            settings, complaints = read_settings(text) if text is not None else (RepoSettings(), ())
        found = tuple(await self.github.labels()) if labels else ()
        return RepoContext(repo=self.repo, settings=settings, complaints=complaints, labels=found)


def why_not_reviewed(state: PullRequestState, settings: ReviewSettings) -> str | None:
    """The reason for which a pull request is not reviewed by itself, or None."""
    title = state.title.casefold()
    reasons = [
        (not state.open, "closed"),
        (not settings.auto, "review.auto is off in .github/hob.yml"),
        (state.draft and not settings.drafts, "a draft"),
        (
            bool(settings.base_branches) and state.base_ref not in settings.base_branches,
            "another base branch",
        ),
        (state.author in settings.ignore_authors, "its author is left out by .github/hob.yml"),
        (any(word.casefold() in title for word in settings.ignore_title_keywords), "its title is left out"),
        (bool(settings.labels) and not set(settings.labels) & set(state.labels), "it has none of the labels"),
    ]
    return next((reason for holds, reason in reasons if holds), None)


async def pull_request_facts(ctx: Context, context: RepoContext, state: PullRequestState) -> PullRequestFacts:
    """Reads a pull request at its head and runs the checks on it; says what was skipped and why."""
    raw = await ctx.github.files(state.number, state.changed_files)
    files, skipped = _select([to_file_diff(file) for file in raw], context.settings.review.paths)
    if state.changed_files > len(raw):
        rest = state.changed_files - len(raw)
        skipped.append(Skipped(f"{rest} more files", "GitHub lists no more than 3,000 files"))
    texts = await ctx.github.texts(state.head_sha, [file.path for file in files])
    report = await ctx.check(files, texts, context.settings.review.checks)
    changed = {file.path for file in raw}
    settings_changed = CONFIG_PATH in changed
    if settings_changed:
        note = f"this pull request changes {CONFIG_PATH}; it was judged by the version on its base"
        context = replace(context, complaints=(*context.complaints, Complaint(0, note)))
    return PullRequestFacts(
        context=context,
        number=state.number,
        title=state.title,
        body=state.body,
        author=state.author,
        base_sha=state.base_sha,
        head_sha=state.head_sha,
        files=tuple(files),
        skipped=tuple(skipped),
        total_files=state.changed_files,
        texts=texts,
        instructions={
            file.path: tuple(
                rule.text for rule in context.settings.review.instructions if matches(file.path, [rule.path])
            )
            for file in files
        },
        checked=report.findings,
        checks_run=report.ran,
        posted=ctx.posted,
    )


async def thread_facts(ctx: Context, event: CommentEvent, question: str) -> ThreadFacts:
    """What stands around a question: the conversation, and on a pull request its change."""
    from_thread = (
        await ctx.github.thread(event.number, event.comment_id)
        if isinstance(event, ReviewCommentEvent)
        else []
    )
    comments = from_thread or await ctx.github.comments(event.number)
    conversation = tuple(
        (comment.author, comment.body) for comment in comments if comment.id != event.comment_id
    )
    if not event.on_pull_request:
        title, body = await ctx.github.issue(event.number)
        return ThreadFacts(
            context=await ctx.repository(None),
            number=event.number,
            title=title,
            body=body,
            question=question,
            asker=event.author.login,
            conversation=conversation,
        )
    state = await ctx.github.pull_request(event.number)
    context = await ctx.repository(state.base_sha)
    raw = await ctx.github.files(event.number, state.changed_files)
    files, _ = _select([to_file_diff(file) for file in raw], context.settings.review.paths)
    return ThreadFacts(
        context=context,
        number=event.number,
        title=state.title,
        body=state.body,
        question=question,
        asker=event.author.login,
        conversation=conversation,
        files=tuple(files),
        head_sha=state.head_sha,
        texts=await ctx.github.texts(state.head_sha, [file.path for file in files]),
    )


def _select(files: Sequence[FileDiff], patterns: Sequence[str]) -> tuple[list[FileDiff], list[Skipped]]:
    read: list[FileDiff] = []
    skipped: list[Skipped] = []
    for file in files:
        why = why_not_read(file) or (None if matches(file.path, patterns) else "left out by review.paths")
        if why:
            skipped.append(Skipped(file.path, why))
        else:
            read.append(file)
    return read, skipped
