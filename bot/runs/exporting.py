"""Makes training data of a repository's past: reads its merged pull requests at the commits on which people
decided something, asks about them as a review does, and answers with what was decided
(`bot.agents.review.training`). No model is asked, nothing is written.

Whose words become answers: Hob's own findings, and people who may write to the repository. Never bots, never
strangers.
"""

import asyncio
import hashlib
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bot.agents.review.asking import DIFF_CHARS
from bot.agents.review.training import (
    LONGEST_BODY,
    LONGEST_TITLE,
    DecidedPoint,
    DraftedExample,
    QuotedPoint,
    drafted,
    fixed_lines,
    said_by_person,
)
from bot.config import Config
from bot.context import Context
from bot.core.check_input import new_lines
from bot.core.context_packing import size
from bot.core.diff import git_diff_text
from bot.core.effect_history import reviews, undone
from bot.core.errors import GitHubError, QueryTooLarge, UserError
from bot.core.facts import OthersRemark, PullRequestFacts
from bot.core.finding_outcome import outcome
from bot.core.findings import Finding, fingerprint
from bot.core.github_reader import PullRequestState
from bot.core.inference import Completion, OnText, Prompt
from bot.core.past_changes import MOST_LINE, SOON_SECONDS, CodeLine, PastChange
from bot.core.redacting import Uncut, redacted
from bot.core.refs import Actor, RepoRef, Sha
from bot.core.text import one_line, strip_invisible
from bot.core.tuning import TrainingExample
from bot.github import history
from bot.github.history import Merged
from bot.github.past_pulls import share_left
from bot.github.reader import PULL_REQUEST, JobReader
from bot.inference.token_budget import START_RATIO, fitted_texts, room, tokens
from bot.local_egress import cleaned
from bot.prompting import rendered
from bot.pull_request_facts import pull_request_facts
from bot.runs.backtest import PastReader
from bot.runs.decided import DecidedChange, ToldChange, decided_change, fixes_of, point_of
from bot.runs.learning import (
    KEEPS,
    LearningProgress,
    ReadHistory,
    findings_said,
    read_history,
    who_may_write,
)
from bot.runs.planning import deeds_at
from bot.store.findings import FoundRow

OWN_CHARS = 3_000
"""Of Hob's own words in a question."""
LONG = "longer than --max-tokens"
GONE = "pull requests whose commits GitHub does not give"
HIDDEN = "with a credential that cannot be cut out"
SHORT = "remarks of a few words"
UNDECIDED = "findings that nobody decided on"
ASTRAY = "points that are on no changed line of what a review reads"
NO_ROOM = "pull requests that were not looked at: the rest of GitHub's limit is left to others"
UNQUOTED = "points whose lines cannot be quoted"
_REFUSED = (401, 403)
"""All the others would be refused, too."""


@dataclass(frozen=True, slots=True)
class TrainingHistory:
    """All that an export is made of, its examples oldest first. `left`: pull requests that were not read yet,
    because half of the rate limit is other people's: then there is nothing else."""

    repo: RepoRef
    read: int
    left: int = 0
    examples: tuple[TrainingExample, ...] = ()
    changes: tuple[DecidedChange, ...] = ()
    redacted: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)


def permitted(config: Config, repo: RepoRef) -> None:
    """UserError for a private repository, unless hob.toml allows it."""
    if repo.private and not config.privacy.tune:
        raise UserError(
            f"{repo.full_name} is private, and a model that is trained on it can say its code to others",
            "write `tune = true` under [privacy] in hob.toml if that is what you want",
        )


async def training_history(
    full_name: str, last: int, max_tokens: int, told: LearningProgress
) -> TrainingHistory:
    """Of the last so many merged pull requests; UserError."""
    async with read_history(full_name, last, told, permitted) as past:
        if past.left:
            return TrainingHistory(past.reader.repo, len(past.changes), past.left)
        made = await _Exporting(past, max_tokens, told).made()
        if not made.left:
            past.keep()
        return made


@dataclass(frozen=True, slots=True, kw_only=True)
class _SampleReader(PastReader):
    """What others said elsewhere is in no question."""

    async def annotations(self, head: Sha) -> Sequence[OthersRemark]:
        return ()


async def _nobody(_prompt: Prompt[Any], /, on_text: OnText | None = None) -> Completion[Any]:
    return Completion(failure="no_host", reason="no model is asked")


@dataclass(slots=True)
class _Cleaner:
    """Cuts credentials out, and counts them."""

    count: int = 0

    def __call__(self, text: str) -> str:
        if (clean := cleaned(text)) is None:
            raise Uncut("it is one of Hob's own")
        self.count += len(clean.kinds)
        return clean.text


@dataclass(slots=True)
class _Exporting:
    past: ReadHistory
    max_tokens: int
    told: LearningProgress
    clean: _Cleaner = field(default_factory=_Cleaner)
    left_out: Counter[str] = field(default_factory=Counter)
    examples: list[TrainingExample] = field(default_factory=list)
    changes: list[DecidedChange] = field(default_factory=list)
    pulls: dict[str, Merged] = field(default_factory=dict)
    writers: frozenset[str] = frozenset()
    found: Mapping[int, Mapping[str, FoundRow]] = field(default_factory=dict)
    """What became of Hob's own findings, by pull request and fingerprint."""
    fixes: Mapping[str, Mapping[str, frozenset[CodeLine]]] = field(default_factory=dict)
    """change -> fix -> the lines of the one that the other replaced"""

    @property
    def most(self) -> int:
        """Characters of diff in one question: what is beside it takes a fifth."""
        free = room(self.max_tokens, self.max_tokens // 4, START_RATIO) - OWN_CHARS
        return min(DIFF_CHARS, int(0.8 * free))

    @property
    def reader(self) -> JobReader:
        return self.past.reader

    async def made(self) -> TrainingHistory:
        changes = self.past.changes
        self.pulls = {f"#{one.number}": one for one in self.past.pulls}
        self.found = await asyncio.to_thread(self._findings)
        self.fixes = await asyncio.to_thread(fixes_of, changes)
        fixers = {self.pulls[name].author for some in self.fixes.values() for name in some}
        said = Counter(one.author for change in changes for one in change.remarks)
        said += Counter(str(one.login) for one in fixers if not one.is_bot)
        self.writers = await who_may_write(self.reader, said)
        told = [self._told_of(one) for one in sorted(changes, key=lambda one: -one.at)]
        told = [one for one in told if one.is_decided]
        for place, one in enumerate(told):
            if await share_left(self.reader.job.api(PULL_REQUEST)) < KEEPS:
                if not place:
                    return TrainingHistory(self.reader.repo, len(changes), len(told))
                self.left_out[NO_ROOM] = len(told) - place
                break
            number, title = one.pull.number, one.pull.title[:60]
            self.told(f"what was decided, {place + 1} of {len(told)}: #{number} {title}")
            try:
                await self._take(await self._heard(one))
            except (GitHubError, QueryTooLarge) as error:
                if isinstance(error, GitHubError) and error.status in _REFUSED:
                    raise
                self.left_out[GONE] += 1
        return TrainingHistory(
            self.reader.repo,
            len(changes),
            0,
            tuple(sorted(self.examples, key=lambda one: one.pulls[0][::-1])),
            tuple(self.changes),
            self.clean.count,
            dict(self.left_out),
        )

    def _findings(self) -> dict[int, dict[str, FoundRow]]:
        """Of several rows of one point the newest that tells."""
        found: dict[int, dict[str, FoundRow]] = defaultdict(dict)
        for row in findings_said(self.past.services, self.reader.repo):
            if row.source == "model":
                old = found[row.number].setdefault(row.fingerprint, row)
                if not old.outcome and (row.outcome or row.liked > old.liked):
                    found[row.number][row.fingerprint] = row
        return found

    def _told_of(self, change: PastChange) -> ToldChange:
        pull = self.pulls[change.name]
        mended = {
            name: lines
            for name, lines in self.fixes.get(change.name, {}).items()
            if self._may_write(self.pulls[name].author)
        }
        changed = frozenset((one.path, one.line) for one in change.remarks if one.author in self.writers)
        return ToldChange(pull, changed, mended, self.found.get(pull.number, {}))

    def _may_write(self, who: Actor) -> bool:
        return not who.is_bot and who.login in self.writers

    async def _heard(self, told: ToldChange) -> ToldChange:
        """With what was said, on which commits."""
        repo, number = self.reader.repo, told.pull.number
        own: list[tuple[Sha, Finding]] = []
        if told.found:
            past_runs = await deeds_at(self.past.services, repo, number)
            for review in reviews(past_runs, undone(past_runs)):
                own += [(review.head_sha, one) for one in review.findings if one.source == "model"]
        remarks = await history.line_remarks(self.reader.job.api(PULL_REQUEST), repo, number)
        mine = tuple(one for one in remarks if self._may_write(one.author))
        return replace(told, own=tuple(own), said=tuple(one.path for one in remarks), remarks=mine)

    async def _take(self, told: ToldChange) -> None:
        drafts: dict[str, tuple[DraftedExample, Sha]] = {}
        changes: dict[str, DecidedChange] = {}
        for head in told.heads:
            try:
                facts, settings, points = await self._read(told, head)
            except Uncut:
                self.left_out[HIDDEN] += 1
                continue
            spoken = told.spoken if self._was_reviewed(told, head) else None
            made, astray = await asyncio.to_thread(drafted, facts, points, spoken, self.most)
            self.left_out[ASTRAY] += astray
            for one in made:
                shown = git_diff_text(one.part.parts)
                if shown not in drafts or len(drafts[shown][0].right) < len(one.right):
                    drafts[shown] = one, head
            if change := decided_change(told.pull, facts, settings, made):
                shown = git_diff_text(change.files)
                if shown not in changes or len(changes[shown].golden) < len(change.golden):
                    changes[shown] = change
        self.changes += changes.values()
        for one, head in drafts.values():
            if example := self._example(one, told.pull, head):
                self.examples.append(example)

    async def _read(
        self, told: ToldChange, head: Sha
    ) -> tuple[PullRequestFacts, str | None, list[DecidedPoint]]:
        """(the change at that commit, the settings on its base, what was decided of it), all without
        credentials; Uncut."""
        repo, api, pull = self.reader.repo, self.reader.job.api(PULL_REQUEST), told.pull
        services, clean = self.past.services, self.clean
        then = await history.between(api, repo, pull.base_sha, head)
        past = _SampleReader(repo=repo, job=self.reader.job, permissions=PULL_REQUEST, head=head, then=then)
        stored = tuple(services.store.settings.layers(repo.owner, repo.name, ""))
        ctx = Context(repo, services.config.github.app_slug, past, _nobody, stored=stored)
        state = PullRequestState(pull.number, head, then.merge_base, pull.title, pull.body, pull.author)
        context = await ctx.repository(then.merge_base)
        facts = await pull_request_facts(ctx, context, state, by_person=True, checks=False)
        settings, _ = await past.config_text(then.merge_base)
        points = [*self._of_people(told, facts), *await self._of_hob(told, facts)]
        if head == pull.head_sha:
            points += self._of_fixes(told, facts)
        points = [
            replace(
                one,
                title=clean(one.title),
                body=clean(one.body),
                replacement=one.replacement and clean(one.replacement),
            )
            for one in points
        ]
        return redacted(facts, clean), settings and clean(settings), points

    def _of_people(self, told: ToldChange, facts: PullRequestFacts) -> Iterator[DecidedPoint]:
        lines = {
            (file.path, line.new): (file.path, line.text.strip()[:MOST_LINE])
            for file in facts.files
            for line in new_lines(file)
        }
        for one in told.remarks:
            line = lines.get((one.path, one.line))
            if one.sha != facts.head_sha or line not in told.changed:
                continue
            # a credential that is cut in two is none any more
            if (said := said_by_person(self.clean(one.body))) is None:
                self.left_out[SHORT] += 1
                continue
            first = min(one.start or one.line, one.line)
            told_as = said.title, said.body, "minor", "review", said.replacement
            yield DecidedPoint("remark", one.path, first, one.line, *told_as)  # type: ignore[arg-type]

    async def _of_hob(self, told: ToldChange, facts: PullRequestFacts) -> list[DecidedPoint]:
        mine = [one for sha, one in told.own if sha == facts.head_sha and one.line is not None]
        merged: Mapping[str, str] = facts.texts
        if mine and facts.head_sha != told.pull.head_sha:
            merged = await self.reader.texts(told.pull.head_sha, sorted({one.path for one in mine}))
        points = []
        for one in mine:
            row = told.found.get(fingerprint(one))
            then, last = facts.texts.get(one.path), merged.get(one.path)
            mended = outcome(one, then, last, last) == "fixed before the merge"
            if row and row.outcome == "dismissed":
                points.append(point_of(one, "dismissed"))
            elif mended or (row and (row.outcome == "fixed" or self._is_liked(row))):
                points.append(point_of(one, "accepted"))
            else:
                self.left_out[UNDECIDED] += 1
        return points

    def _is_liked(self, row: FoundRow) -> bool:
        """A thumb counts where only people of the repository can give one."""
        return self.reader.repo.private and row.liked > row.disliked

    def _of_fixes(self, told: ToldChange, facts: PullRequestFacts) -> Iterator[DecidedPoint]:
        for name, lines in told.fixes.items():
            fix = self.pulls[name]
            told_as = self.clean(fix.title)
            title = one_line(told_as, LONGEST_TITLE)
            body = f"This was wrong, and mended soon after it was merged: {one_line(told_as, LONGEST_BODY)}"
            pulls = ((fix.number, fix.merged_at),)
            for path, first, last in fixed_lines(facts.files, lines, MOST_LINE):
                yield DecidedPoint("fix", path, first, last, title, body, "major", pulls=pulls)

    def _was_reviewed(self, told: ToldChange, head: Sha) -> bool:
        """Whether somebody who may write remarked on this commit, and fixes have had their time."""
        old = told.pull.merged_at < time.time() - SOON_SECONDS
        return old and any(one.sha == head for one in told.remarks)

    def _example(self, draft: DraftedExample, pull: Merged, head: Sha) -> TrainingExample | None:
        """The question as it is put where a window has so many tokens."""
        prompt = draft.prompt
        if prompt.beginning:  # as random as in a review, and the same whenever the same past is exported
            named = f"{self.reader.repo.id} {head}".encode()
            prompt.beginning.fence = hashlib.sha256(named).hexdigest()[:12]
        found = fitted_texts(prompt, rendered, {}, self.max_tokens, START_RATIO)
        if found is None or {*found.packed.left_out, *found.packed.cut} & set(draft.part.paths):
            self.left_out[LONG] += 1
            return None
        said = found.texts.system, found.texts.user, strip_invisible(draft.assistant)[0]
        if tokens(sum(map(size, said)), START_RATIO) > self.max_tokens:
            why = LONG
        elif any(f"+{line}" not in said[1] for one in draft.right for line in _quote(one)):
            why = UNQUOTED
        elif any((clean := cleaned(text)) is None or clean.kinds for text in said):
            why = HIDDEN
        else:
            pulls = tuple(dict.fromkeys(((pull.number, pull.merged_at), *draft.pulls)))
            return TrainingExample(pulls, draft.source, *said)
        self.left_out[why] += 1
        return None


def _quote(point: QuotedPoint) -> list[str]:
    return strip_invisible(point.quote)[0].split("\n")
