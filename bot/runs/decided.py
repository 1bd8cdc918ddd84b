"""What people decided about changes of the past: from it come a model's examples and labelled cases."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bot.agents.review.training import DecidedPoint, DraftedExample, QuotedPoint
from bot.core.diff import FileDiff, Hunk
from bot.core.facts import PullRequestFacts
from bot.core.findings import Finding
from bot.core.past_changes import CodeLine, PastChange, judged
from bot.core.refs import Sha
from bot.core.tuning import MergedPull, TrainingSource
from bot.github.history import LineRemark, Merged
from bot.runs.learning import newest_changes
from bot.store.findings import FoundRow

MOST_HEADS = 4
"""Commits of one pull request that are looked at, those with most points."""


@dataclass(frozen=True, slots=True)
class DecidedChange:
    """What people decided on of a change at one commit, to be a labelled case. `golden`: what is right to say
    of `files`; `pulls`: all that it comes from."""

    pulls: tuple[MergedPull, ...]
    head: Sha
    title: str
    body: str
    files: tuple[FileDiff, ...]
    texts: Mapping[str, str]
    settings: str | None
    golden: tuple[QuotedPoint, ...]


@dataclass(frozen=True, slots=True)
class ToldChange:
    """What is known of one pull request. `changed`: lines that were changed after somebody who may write had
    remarked on them; `fixes`: what later ones of such people replaced; `found`: what became of Hob's own
    findings, `own`, with their commits; `said`: the paths that anybody remarked on, `remarks` those of
    who may write."""

    pull: Merged
    changed: frozenset[CodeLine]
    fixes: Mapping[str, frozenset[CodeLine]]
    found: Mapping[str, FoundRow]
    own: tuple[tuple[Sha, Finding], ...] = ()
    said: tuple[str, ...] = ()
    remarks: tuple[LineRemark, ...] = ()

    @property
    def is_decided(self) -> bool:
        return bool(self.changed or self.fixes or self.found)

    @property
    def heads(self) -> list[Sha]:
        """The commits to look at."""
        paths = {path for path, _ in self.changed}
        many = Counter(sha for sha, _ in self.own)
        many.update(one.sha for one in self.remarks if one.path in paths)
        many[self.pull.head_sha] += len(self.fixes)
        return [sha for sha, count in many.most_common(MOST_HEADS) if count]

    @property
    def spoken(self) -> frozenset[str]:
        """Paths of which anybody said anything."""
        fixed = {path for lines in self.fixes.values() for path, _ in lines}
        return frozenset({*self.said, *fixed, *(one.path for _, one in self.own)})


def point_of(finding: Finding, source: TrainingSource) -> DecidedPoint:
    last = finding.line or 1
    return DecidedPoint(
        source,
        finding.path,
        finding.start_line or last,
        last,
        finding.title,
        finding.body,
        finding.severity,
        finding.category,
        finding.replacement,
    )


def fixes_of(changes: Sequence[PastChange]) -> dict[str, dict[str, frozenset[CodeLine]]]:
    names = {one.url: one.name for one in changes}
    found: dict[str, dict[str, set[CodeLine]]] = defaultdict(lambda: defaultdict(set))
    for change in judged(newest_changes(changes)):
        for line in change.lines:
            if line.objection == "fix" and line.url in names:
                found[change.name][names[line.url]].add((line.path, line.text))
    return {name: {fix: frozenset(lines) for fix, lines in some.items()} for name, some in found.items()}


def decided_change(
    pull: Merged, facts: PullRequestFacts, settings: str | None, drafts: Sequence[DraftedExample]
) -> DecidedChange | None:
    """Of the parts alone of which anything was decided."""
    parts = [one for one in drafts if one.right or one.wrong]
    hunks: dict[str, list[Hunk]] = defaultdict(list)
    for one in parts:
        for file in one.part.parts:
            hunks[file.path] += file.hunks or ()
    if not hunks:
        return None
    files = tuple(
        replace(one, hunks=tuple(sorted(hunks[one.path], key=lambda hunk: hunk.new_start)))
        for one in facts.files
        if one.path in hunks
    )
    pulls = ((pull.number, pull.merged_at), *(each for one in parts for each in one.pulls))
    texts = {path: facts.texts[path] for path in hunks if path in facts.texts}
    golden = tuple(each for one in parts for each in one.right)
    return DecidedChange(
        tuple(dict.fromkeys(pulls)), facts.head_sha, facts.title, facts.body, files, texts, settings, golden
    )
