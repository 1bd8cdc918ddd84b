"""What a handler is given: to read GitHub, to ask a model, to run the checks. It has no way to write."""

import re
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from pathspec import GitIgnoreSpec

from bot.agents.rerank import rerank
from bot.core.commands import Command
from bot.core.diff import BadPatch, FileDiff, parse_patch
from bot.core.effects import PostReview, Usage
from bot.core.errors import GitHubError
from bot.core.events import CommentEvent, ReviewCommentEvent
from bot.core.facts import FixFacts, LinkedIssue, PullRequestFacts, RepoContext, Skipped, ThreadFacts
from bot.core.findings import Finding
from bot.core.guidelines import Guidance, owners
from bot.core.inference import Infer
from bot.core.knowing import Outline
from bot.core.layers import FILE, Layer, merge, settings_of
from bot.core.library import Excerpt, Library
from bot.core.memory import Memory
from bot.core.packing import NOTHING, Surroundings
from bot.core.reading import why_not_read
from bot.core.refs import Login, RepoRef, Sha
from bot.core.settings import SEVERITIES, Complaint, ReviewSettings
from bot.core.tools import Tools
from bot.github import hobyml, rivals
from bot.github.gather import IssueState, PullRequestState, RawComment, RawFile, Thread

CONFIG_PATH = ".github/hob.yml"
WORTH_RERANKING = 8
"""Of fewer files that were found the best passages are shown anyway."""
MOST_ISSUES = 2
"""Linked issues that are read."""
_SOLVES = re.compile(r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):? +#([0-9]{1,9})\b", re.IGNORECASE)
"""https://docs.github.com/en/issues/tracking-your-work-with-issues/using-issues/linking-a-pull-request-to-an-issue"""


class Reader(Protocol):
    """One repository on GitHub, read only. Each method is one call or as few as there are pages."""

    async def pull_request(self, number: int) -> PullRequestState: ...
    async def files(self, number: int) -> list[RawFile]: ...
    async def texts(self, sha: Sha, paths: Sequence[str]) -> dict[str, str]: ...
    async def config_text(self, ref: str) -> tuple[str | None, tuple[Complaint, ...]]: ...
    async def labels(self) -> tuple[tuple[str, str], ...]: ...
    async def guidance(self, base: Sha, changed: Sequence[str], named: Sequence[str]) -> Guidance: ...
    async def issue(self, number: int) -> IssueState: ...
    async def comments(self, number: int, total: int = 0) -> Sequence[RawComment]: ...
    async def thread(self, number: int, comment_id: int) -> Sequence[RawComment]: ...
    async def threads(self, number: int) -> Sequence[Thread]: ...


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What the deterministic checks found, and which of them ran."""

    findings: tuple[Finding, ...] = ()
    ran: tuple[str, ...] = ()


Check = Callable[[Sequence[FileDiff], Mapping[str, str], frozenset[str]], Awaitable[CheckReport]]


Beside = Callable[[Sequence[FileDiff], Mapping[str, str], Sha], Awaitable[Surroundings]]
"""(changed files, their texts at the head, the base's sha) -> what else belongs to the change. Never raises,
and never waits for an index that is not there."""


async def nothing_beside(_files: Sequence[FileDiff], _heads: Mapping[str, str], _base: Sha) -> Surroundings:
    """For those who know of the change alone."""
    return NOTHING


class Knowledge(Library, Protocol):
    """What Hob knows of one repository. Searching and reading answer with what is there; where there is
    nothing yet, nothing is found."""

    async def search(self, query: str, at: str = "", first: Sequence[str] = ()) -> tuple[Excerpt, ...]:
        """`at` is the commit whose files are meant, where the clone has it; else the newest that it has.
        Passages of the files `first` come first, in this order."""
        ...

    async def outlines(self, query: str, at: str = "") -> Sequence[Outline]:
        """The files that a search finds, by what they define."""
        ...

    async def beside(self, files: Sequence[FileDiff], heads: Mapping[str, str], base: Sha) -> Surroundings:
        """`Beside`."""
        ...

    async def refresh(self) -> str:
        """Brings it up to date with GitHub; says in a line what was done, or why nothing was."""
        ...

    async def drop_issue(self, number: int) -> None:
        """An issue that is no longer there."""
        ...


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
    tools: Tools = field(default_factory=Tools)
    idle: bool = True
    """Whether no other run waits."""
    reviews: tuple[PostReview, ...] = ()
    """What Hob has posted on this pull request, oldest first."""
    memory: tuple[Memory, ...] = ()
    """What people taught Hob about the repository, what has expired left out."""
    knowledge: Knowledge | None = None
    """None where `[knowledge] enabled` is off."""
    beside: Beside = nothing_beside

    async def repository(self, ref: str = "", *, labels: bool = False) -> RepoContext:
        """Settings at `ref` (by default the default branch; for a pull request give its base), never from a
        head."""
        text, refused = await self.github.config_text(ref or self.repo.default_branch)
        said, complaints = hobyml.said(text)
        settings = settings_of(merge(self.stored, Layer(FILE, said)))
        found = await self.github.labels() if labels else ()
        return RepoContext(
            repo=self.repo, settings=settings, complaints=(*refused, *complaints), file=said, labels=found
        )

    def guided(self, context: RepoContext, guidance: Guidance, changed: Collection[str]) -> RepoContext:
        """The context with the repository's guidelines; other reviewers' settings lie under all of Hob's
        own."""
        read = {path: rivals.read(path, text) for path, text in guidance.rivals.items()}
        below = [Layer(path, values) for path, (values, _) in read.items()]
        notes = [note for _, note in read.values()]
        notes += [f"`{path}` is a symlink and was not followed." for path in guidance.symlinks]
        sources = [*(one.path for one in guidance.guidelines), *read]
        notes += [
            f"This pull request changes `{path}`; the version on its base was used."
            for path in sources
            if path in changed
        ]
        return replace(
            context,
            settings=settings_of(merge((*below, *self.stored), Layer(FILE, context.file))),
            guidelines=tuple((one.path, one.text) for one in guidance.guidelines),
            notes=tuple(notes),
        )


@dataclass(frozen=True, slots=True)
class Estate:
    """What a handler is given where repositories went away: nothing can be read there any more. Each is about
    the event's repositories and says in a line what was done."""

    forget_knowledge: Callable[[], Awaitable[str]]
    """Clones and indexes."""
    forget_repositories: Callable[[], Awaitable[str]]
    """That, what is under way for them, and the deliveries about them."""
    forget_account: Callable[[], Awaitable[str]]
    """That, and the settings that are stored for them and their owner."""


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
    changed = {file.path for file in raw}
    named = context.settings.review.guidelines
    guidance = await ctx.github.guidance(state.base_sha, [file.path for file in raw], named)
    context = ctx.guided(context, guidance, changed)
    files, skipped = _select([to_file_diff(file) for file in raw], context.settings.review.paths)
    if state.changed_files > len(raw):
        rest = state.changed_files - len(raw)
        skipped.append(Skipped(f"{rest} more files", "GitHub lists no more than 3,000 files"))
    texts = await ctx.github.texts(state.head_sha, [file.path for file in files])
    beside = await ctx.beside(files, texts, state.base_sha)
    report = await ctx.check(files, texts, context.settings.review.checks)
    if CONFIG_PATH in changed:
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
        linked_issues=await linked_issues(ctx, state.body),
        guides={
            file.path: tuple(one.path for one in guidance.guidelines if wanted(file.path, one.patterns))
            for file in files
        },
        owners=tuple(owners(guidance.owners, [file.path for file in files], wanted)),
        passes=context.settings.review.passes if ctx.idle else 1,
        tools=replace(ctx.tools, known=beside.known or ctx.tools.known),
        memory=ctx.memory,
        around=dict(beside.around),
    )


async def linked_issues(ctx: Context, body: str) -> tuple[LinkedIssue, ...]:
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


async def thread_facts(ctx: Context, event: CommentEvent, question: str) -> ThreadFacts:
    """What stands around a question: the conversation, and on a pull request its change."""
    if not event.on_pull_request:
        issue = await ctx.github.issue(event.number)
        found, spent = await _found(ctx, question)
        return ThreadFacts(
            context=await ctx.repository(),
            number=event.number,
            title=issue.title,
            body=issue.body,
            question=question,
            asker=event.author.login,
            conversation=_talk(await ctx.github.comments(event.number, issue.comments), event),
            found=found,
            spent=spent,
        )
    if isinstance(event, ReviewCommentEvent):
        comments = await ctx.github.thread(event.number, event.comment_id)
    else:
        comments = await ctx.github.comments(event.number)
    state = await ctx.github.pull_request(event.number)
    context = await ctx.repository(state.base_sha)
    raw = await ctx.github.files(event.number)
    files, _ = _select([to_file_diff(file) for file in raw], context.settings.review.paths)
    found, spent = await _found(ctx, question, state.base_sha)
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
        found=found,
        spent=spent,
    )


async def _found(ctx: Context, question: str, at: str = "") -> tuple[tuple[Excerpt, ...], tuple[Usage, ...]]:
    """What the index has about a question, and what looking took. While nothing else waits, a model says
    first which of the files matter."""
    if ctx.knowledge is None:
        return (), ()
    outlines = await ctx.knowledge.outlines(question, at) if ctx.idle else ()
    if len(outlines) <= WORTH_RERANKING:
        return await ctx.knowledge.search(question, at), ()
    done = await rerank(question, outlines, ctx.infer)
    first = tuple(outlines[place].path for place in done.order) if not done.failure else ()
    return await ctx.knowledge.search(question, at, first), done.usage


async def thread_meant(ctx: Context, event: CommentEvent, wish: str) -> Thread | str:
    """The thread that a person means: Hob's finding of the number that `wish` begins with, else the one
    they wrote in, else Hob's only one; or what to ask them."""
    threads = await ctx.github.threads(event.number)
    own = [one for one in threads if _is_finding(one.comments[0], ctx.slug)]
    number = wish.split(maxsplit=1)[0].rstrip(".,:") if wish else ""
    if number.isascii() and number.isdigit() and len(number) < 5:
        if 0 < int(number) <= len(own):
            return own[int(number) - 1]
        return f"There is no finding {int(number)} here. {_numbered(own)}"
    if isinstance(event, ReviewCommentEvent):
        inside = [one for one in threads if any(said.id == event.comment_id for said in one.comments)]
        return inside[0] if inside else "I can't find this thread any more."
    return own[0] if len(own) == 1 else f"Which finding? {_numbered(own)}"


def _is_finding(comment: RawComment, slug: str) -> bool:
    """Whether the App wrote it and it begins as findings do: with its severity."""
    return comment.author.login == f"{slug}[bot]" and comment.body.startswith(
        tuple(f"**{severity}**" for severity in SEVERITIES)
    )


def _numbered(threads: Sequence[Thread]) -> str:
    """Findings by number, each in a line."""
    if not threads:
        return "I have made no finding on lines of this pull request."
    lines = [
        f"{number}. `{one.path}`: {one.comments[0].body.split(chr(10))[0][:200]}"
        for number, one in enumerate(threads, 1)
    ]
    return "My findings:\n\n" + "\n".join(lines)


async def fix_facts(
    ctx: Context, state: PullRequestState, thread: Thread, asker: Login, words: str
) -> FixFacts | None:
    """What stands around a thread whose point somebody wants mended; None where its lines are not in the
    change any more, or their file cannot be read."""
    files = await ctx.github.files(state.number)
    file = next((to_file_diff(one) for one in files if one.path == thread.path), None)
    text = (await ctx.github.texts(state.head_sha, [thread.path])).get(thread.path)
    if file is None or text is None or thread.line is None:
        return None
    return FixFacts(
        context=await ctx.repository(state.base_sha),
        title=state.title,
        file=file,
        text=text,
        start=thread.start_line or thread.line,
        end=thread.line,
        conversation=tuple((one.author.login, one.body) for one in thread.comments),
        asker=asker,
        wish=words,
        tools=ctx.tools,
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
