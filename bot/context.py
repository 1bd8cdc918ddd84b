"""What a handler is given: to read GitHub, to ask a model, to run the checks. It has no way to write."""

import re
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from bot import sandbox
from bot.agents.rerank import rerank
from bot.checks import ruff
from bot.core import deeds as past
from bot.core.checking import Change, CheckReport, sizes_wanted
from bot.core.commands import Command
from bot.core.deeds import Deed
from bot.core.diff import BadPatch, FileDiff, parse_patch
from bot.core.earlier import Earlier
from bot.core.effects import PostReview, PullState, Usage
from bot.core.errors import GitHubError
from bot.core.events import CommentEvent, ReviewCommentEvent
from bot.core.facts import (
    Commit,
    FixFacts,
    LinkedIssue,
    OwnThread,
    PullRequestFacts,
    Remark,
    ReplyFacts,
    RepoContext,
    Skipped,
    ThreadFacts,
)
from bot.core.findings import Finding, fingerprint
from bot.core.guidelines import Guidance, owners, speaks
from bot.core.inference import Infer
from bot.core.knowledge import Beside, Knowledge, nothing_beside
from bot.core.layers import FILE, Layer, merge, settings_of
from bot.core.library import Excerpt
from bot.core.memory import Memory
from bot.core.programs import Unusable
from bot.core.reading import why_not_read
from bot.core.refs import Login, RepoRef, Sha
from bot.core.said import of_thread
from bot.core.settings import Complaint, ReviewSettings
from bot.core.text import in_code
from bot.core.tools import Tools
from bot.github import hobyml, rivals
from bot.github.gather import IssueState, PullRequestState, RawComment, RawFile, Thread
from bot.knowledge.tools import still_parses, symbols
from bot.patterns import is_pattern, wanted

CONFIG_PATH = ".github/hob.yml"
WORTH_RERANKING = 8
"""Of fewer files that were found the best passages are shown anyway."""
TRUSTED = frozenset({"triage", "write", "maintain", "admin"})
"""Permissions with which a person may have findings dismissed."""
MOST_ISSUES = 2
"""Linked issues that are read."""
_SOLVES = re.compile(r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):? +#([0-9]{1,9})\b", re.IGNORECASE)
"""https://docs.github.com/en/issues/tracking-your-work-with-issues/using-issues/linking-a-pull-request-to-an-issue"""


class Reader(Protocol):
    """One repository on GitHub, read only. Each method is one call or as few as there are pages."""

    async def pull_request(self, number: int) -> PullRequestState: ...
    async def files(self, number: int) -> list[RawFile]: ...
    async def texts(self, sha: Sha, paths: Sequence[str]) -> dict[str, str]: ...
    async def sizes(self, sha: Sha, paths: Sequence[str]) -> dict[str, int]: ...
    async def reports(self, sha: Sha) -> dict[str, str]: ...
    async def config_text(self, ref: str) -> tuple[str | None, tuple[Complaint, ...]]: ...
    async def labels(self) -> tuple[tuple[str, str], ...]: ...
    async def guidance(self, base: Sha, changed: Sequence[str], named: Sequence[str]) -> Guidance: ...
    async def issue(self, number: int) -> IssueState: ...
    async def comments(self, number: int, total: int = 0) -> Sequence[RawComment]: ...
    async def thread(self, number: int, comment_id: int) -> Sequence[RawComment]: ...
    async def threads(self, number: int) -> Sequence[Thread]: ...
    async def annotations(self, head: Sha) -> Sequence[Remark]: ...
    async def own_threads(self, number: int) -> Sequence[OwnThread]: ...
    async def has_comment(self, comment_id: int) -> bool: ...
    async def touching(self, path: str, ref: str, most: int) -> Sequence[Commit]: ...
    async def granted(self) -> Mapping[str, str]: ...
    async def permission(self, login: str) -> str: ...


Check = Callable[[Change, frozenset[str]], Awaitable[CheckReport]]
"""Runs those of the named checks that have something to read."""


async def _lint(texts: Mapping[str, str]) -> Sequence[Finding] | None:
    """What a linter says of whole files; nothing of those that it does not know, None where it may not
    run."""
    try:
        return await ruff.run(Change((), texts), sandbox.run) or ()
    except Unusable:
        return None


TOOLS = Tools(symbols=symbols, still_parses=still_parses, lint=_lint)
"""What agents need of the rooms beside theirs."""


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
    withdrawn: frozenset[str] = frozenset()
    """Those of them that a person had it take back."""
    tools: Tools = field(default_factory=lambda: TOOLS)
    idle: bool = True
    """Whether no other run waits."""
    earlier: Earlier | None = None
    """The newest head of this pull request that was reviewed, without its texts."""
    pull: PullState = "active"
    """What people said about Hob's part in this pull request."""
    knowledge: Knowledge | None = None
    """None where `[knowledge] enabled` is off."""
    reviews: tuple[PostReview, ...] = ()
    """What Hob has posted on this pull request and not taken back, oldest first."""
    deeds: tuple[Deed, ...] = ()
    """All that Hob has done here, oldest first."""
    shadow: tuple[Deed, ...] = ()
    """What it would have done here while its reviews were only kept."""
    memory: tuple[Memory, ...] = ()
    """What people taught Hob about the repository, what has expired left out."""
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

    def in_shadow(self) -> "Context":
        """The same as if what was only kept had been posted, so that nothing is kept twice."""
        reviews = past.reviews(self.shadow)
        return replace(
            self,
            posted=self.posted | past.posted(reviews),
            reviews=(*self.reviews, *reviews),
            deeds=(*self.deeds, *self.shadow),
            earlier=past.earlier(self.shadow) or self.earlier,
        )

    def below(self, guidance: Guidance) -> tuple[Layer, ...]:
        """What other reviewers' settings say: it lies under all of Hob's own."""
        return tuple(Layer(path, rivals.read(path, text)[0]) for path, text in guidance.rivals.items())

    def guided(self, context: RepoContext, guidance: Guidance, changed: Collection[str]) -> RepoContext:
        """The context with the repository's guidelines; other reviewers' settings lie under all of Hob's
        own."""
        read = {path: rivals.read(path, text) for path, text in guidance.rivals.items()}
        notes = [note for _, note in read.values()]
        notes += [f"{in_code(path)} is a symlink and was not followed." for path in guidance.symlinks]
        named = context.settings.review.guidelines
        notes += [
            f"This pull request changes {in_code(path)}; what is on its base counts."
            for path in sorted(changed)
            if speaks(path, named)
        ]
        return replace(
            context,
            settings=settings_of(merge((*self.below(guidance), *self.stored), Layer(FILE, context.file))),
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


async def pull_request_facts(
    ctx: Context, context: RepoContext, state: PullRequestState, *, full: bool = False
) -> PullRequestFacts:
    """Reads a pull request at its head and runs the checks on it; says what was skipped and why. Only what
    is new since an earlier review is to be asked about, unless all is wanted (`full`)."""
    raw = await ctx.github.files(state.number)
    changed = {file.path for file in raw}
    named = context.settings.review.guidelines
    guidance = await ctx.github.guidance(state.base_sha, [file.path for file in raw], named)
    context = ctx.guided(context, guidance, changed)
    every = [to_file_diff(file) for file in raw]
    files, skipped = select(every, context.settings.review.paths)
    if state.changed_files > len(raw):
        rest = state.changed_files - len(raw)
        skipped.append(Skipped(f"{rest} more files", "GitHub lists no more than 3,000 files"))
    texts = await ctx.github.texts(state.head_sha, [file.path for file in files])
    beside = await ctx.beside(files, texts, state.base_sha)
    report = await _checked(ctx, context.settings.review, every, files, state.head_sha, texts)
    own = await ctx.github.own_threads(state.number) if ctx.posted else ()
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
        checks_not_run=report.not_run,
        posted=ctx.posted - ctx.withdrawn if full else ctx.posted,
        reviews=ctx.reviews,
        own_threads=tuple(own),
        may_resolve=bool(own) and (await ctx.github.granted()).get("contents") == "write",
        earlier=None if full else await _earlier(ctx, files),
        threads=tuple(await _remarks(ctx, state)),
        linked_issues=await linked_issues(ctx, state.body),
        guides=_guides(guidance, files),
        owners=tuple(owners(guidance.owners, [file.path for file in files], wanted)),
        passes=context.settings.review.passes if ctx.idle else 1,
        tools=replace(ctx.tools, known=beside.known or ctx.tools.known),
        memory=ctx.memory,
        around=dict(beside.around),
    )


def _guides(guidance: Guidance, files: Sequence[FileDiff]) -> dict[str, tuple[str, ...]]:
    return {
        file.path: tuple(one.path for one in guidance.guidelines if wanted(file.path, one.patterns))
        for file in files
    }


async def _earlier(ctx: Context, files: Sequence[FileDiff]) -> Earlier | None:
    """The earlier head with its texts of the files that were read then. A commit that GitHub has thrown away
    since a force push gives none: everything is new."""
    if ctx.earlier is None:
        return None
    paths = [file.path for file in files if file.path in ctx.earlier.read]
    return replace(ctx.earlier, texts=await ctx.github.texts(ctx.earlier.head_sha, paths))


async def _remarks(ctx: Context, state: PullRequestState) -> list[Remark]:
    """What others have said on lines: people and bots in threads, CI in annotations. Not who wrote the
    change: nobody hides a point by making it on his own lines first."""
    said = [
        Remark(one.path, one.line, one.comments[0].author.login, one.comments[0].body, one.start_line)
        for one in (await ctx.github.threads(state.number) if state.review_comments else ())
        if one.comments[0].author.login not in (f"{ctx.slug}[bot]", state.author.login)
    ]
    return [*said, *await ctx.github.annotations(state.head_sha)]


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


def _no_patterns(settings: ReviewSettings) -> Iterator[Complaint]:
    for pattern in (*settings.paths, *(rule.path for rule in settings.instructions)):
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
) -> CheckReport:
    """What the checks say of the files that are read, and of the others that are not left out."""
    read = {file.path for file in files}
    others = [file for file in every if file.path not in read and wanted(file.path, settings.paths)]
    asked = sizes_wanted([*files, *others])
    sizes = await ctx.github.sizes(head, asked) if asked else {}
    reports = await ctx.github.reports(head) if "coverage" in settings.checks else {}
    return await ctx.check(Change(tuple(files), texts, tuple(others), sizes, reports), settings.checks)


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
    state = await ctx.github.pull_request(event.number)
    if isinstance(event, ReviewCommentEvent):
        comments = await ctx.github.thread(event.number, event.comment_id)
    else:
        comments = await ctx.github.comments(event.number, state.comments)
    context = await ctx.repository(state.base_sha)
    raw = await ctx.github.files(event.number)
    files, _ = select([to_file_diff(file) for file in raw], context.settings.review.paths)
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


async def thread_meant(ctx: Context, event: CommentEvent, n: int | None) -> Thread | None:
    """The thread of the N-th finding of Hob's last review; without a number the one that was written in, or
    that of an only finding."""
    threads = await ctx.github.threads(event.number)
    if n is None and isinstance(event, ReviewCommentEvent):
        here = (one for one in threads if any(said.id == event.comment_id for said in one.comments))
        return next(here, None)
    review = next((one for one in reversed(ctx.reviews) if one.findings), None)
    if review is None:
        return None
    if n is None and len(review.findings) == 1:
        n = 1
    if n is None or not 1 <= n <= len(review.findings):
        return None
    name = fingerprint(review.findings[n - 1])
    told = {" ".join(one.body.split()) for one in review.comments if one.fingerprint == name}
    firsts = ((one, one.comments[0]) for one in threads)
    own = (one for one, said in firsts if said.author.login == f"{ctx.slug}[bot]" and _words(said) in told)
    return next(own, None)


def _words(comment: RawComment) -> str:
    return " ".join(comment.body.split())


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


AROUND = 5
"""Lines shown before and after those that a thread is about."""


async def reply_facts(ctx: Context, event: ReviewCommentEvent) -> ReplyFacts | None:
    """An answer in a thread that began with a finding of Hob's; None where it is anything else."""
    if event.in_reply_to is None or not ctx.reviews:
        return None
    thread = next(
        (one for one in await ctx.github.threads(event.number) if one.comments[0].id == event.in_reply_to),
        None,
    )
    if thread is None or thread.comments[0].author.login != f"{ctx.slug}[bot]":
        return None
    root = thread.comments[0]
    finding = of_thread(ctx.reviews, thread.path, root.body)
    if finding is None:
        return None
    state = await ctx.github.pull_request(event.number)
    own = {one.comment_id: one for one in await ctx.github.own_threads(event.number) if not one.resolved}
    text = (await ctx.github.texts(state.head_sha, [thread.path])).get(thread.path, "")
    context = await ctx.repository(state.base_sha)
    trusted = await ctx.github.permission(event.author.login) in TRUSTED
    return ReplyFacts(
        number=event.number,
        thread=root.id,
        finding=finding,
        code=_lines_around(text, thread),
        conversation=_talk(thread.comments, event),
        who=event.author.login,
        said=event.body,
        trusted=trusted,
        node=own[root.id].id if root.id in own else "",
        may_resolve=trusted and (await ctx.github.granted()).get("contents") == "write",
        remembered=len(ctx.memory),
        slug=ctx.slug,
        language=context.settings.language,
    )


def _lines_around(text: str, thread: Thread) -> str:
    if thread.line is None:
        return ""
    lines = text.split("\n")
    start = max(1, (thread.start_line or thread.line) - AROUND)
    return "\n".join(lines[start - 1 : thread.line + AROUND])


def _talk(comments: Sequence[RawComment], event: CommentEvent) -> tuple[tuple[Login, str], ...]:
    """Who said what before the question."""
    return tuple((one.author.login, one.body) for one in comments if one.id != event.comment_id)


def select(files: Sequence[FileDiff], patterns: Sequence[str]) -> tuple[list[FileDiff], list[Skipped]]:
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
