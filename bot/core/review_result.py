"""What was read of a pull request and what was not, said honestly.

What came of a review, before it becomes effects on GitHub or a report for a terminal.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.core.check_judgement import unread
from bot.core.effects import Conclusion
from bot.core.facts import PullRequestFacts, Skipped
from bot.core.findings import Chosen, Finding, JudgedFinding
from bot.core.inference import AskedHost, Usage
from bot.core.text import count, in_code

LEFT_QUICKLY = "left by a quick reading"
NOT_WORTH_READING = frozenset(
    {
        "removed",
        "lock file",
        "vendored",
        "generated",
        "renamed only",
        "only removes lines",
        "left out by review.paths",
    }
)
"""Skipping these leaves nothing unjudged that a reviewer would have read."""


@dataclass(frozen=True, slots=True)
class DataReceipt:
    """What one model of a host was shown: the names of passages, the changed files by their paths. Without a
    `host` nobody was sent anything: these were answers that had been kept."""

    asked: AskedHost
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """`read`: paths that a model read whole; `unread`: the rest, each with its reason; `failure`: why a
    model gave up."""

    read: tuple[str, ...]
    unread: tuple[Skipped, ...]
    total: int
    checks: tuple[str, ...]
    failure: str = ""
    part: tuple[Skipped, ...] = ()
    """Files of which a model read some hunks, and why not the others."""
    known: tuple[str, ...] = ()
    """Those of `read` that were read at an earlier head and are the same since."""
    since: str = ""
    """The earlier head; empty where everything was to be read."""
    hidden: tuple[str, ...] = ()
    """The kinds of credentials that were taken out of what a host outside was asked."""
    receipts: tuple[DataReceipt, ...] = ()
    narrowed: str = ""
    """What alone was looked for; empty: everything."""
    readings: tuple[int, ...] = ()
    """How often each part was read."""
    holes: int = 0
    """Parts that were looked at for security alone."""

    @property
    def words(self) -> str:
        return f"{len(self.read)} of {self.total} files"

    @property
    def origin(self) -> str:
        """Where findings come from: the files that were read, or the checks alone."""
        if self.read or self.part:
            return f"in {self.words}"
        named = " and ".join(self.checks) if len(self.checks) < 3 else f"{len(self.checks)} checks"
        return f"by {named or 'no check'}; no model read this change"

    @property
    def lacking(self) -> bool:
        """Whether nobody has read something that a reviewer would have read."""
        return bool(self.failure or self.part or self.narrowed) or any(
            file.why not in NOT_WORTH_READING for file in self.unread
        )

    @property
    def complete(self) -> bool:
        return bool(self.read) and not self.lacking


def conclusion(
    coverage: Coverage, shown: tuple[Finding, ...], *, gating: bool, unplaced: int = 0
) -> Conclusion:
    """Green only for a complete reading that found nothing, and of which nothing was dropped because its path
    or quote did not hold, or because nobody judged or verified it (`unplaced`); red only where the repository
    asked to be gated. There no judgement that lacks something passes: an author can make a file too large
    for a model, or a model fail."""
    if gating and any(finding.severity in ("critical", "major") for finding in shown):
        return "failure"
    if coverage.lacking or unplaced:
        return unread(gates=gating)
    return "success" if coverage.complete and not shown else "neutral"


def check_title(coverage: Coverage, shown: tuple[Finding, ...], unplaced: int = 0, unjudged: int = 0) -> str:
    """One line for the list of checks. `unplaced`: claims whose path or quote did not hold; `unjudged`: those
    that nobody could look at or verify."""
    found = count(len(shown), "finding") if shown else "no findings"
    if coverage.read or coverage.part or (coverage.checks and (coverage.failure or shown)):
        title = f"{found[0].upper()}{found[1:]} {coverage.origin}"
        read = coverage.read or coverage.part
        title += f"; only {coverage.narrowed} was looked for" if coverage.narrowed and read else ""
        title += f"; {count(unplaced, 'claim')} could not be placed" if unplaced else ""
        return title + (f"; {count(unjudged, 'claim')} not judged" if unjudged else "")
    left = (file.why for file in coverage.unread if file.why not in NOT_WORTH_READING)
    return "Not reviewed: " + (coverage.failure or next(left, "nothing to read"))


def check_summary(facts: PullRequestFacts, coverage: Coverage) -> str:
    """What was read, by whom, and what stands in the way; Markdown."""
    lines = [f"- A model read {coverage.words} at `{facts.head_sha[:12]}`."]
    lines += _effort(facts, coverage)
    if facts.without_lines:
        what = count(len(facts.without_lines), "file")
        lines.append(f"- {what} of them had no line to read (empty, renamed or another mode).")
    if coverage.since:
        old, new = count(len(coverage.known), "file"), len(coverage.read) - len(coverage.known)
        was = f"{old} {'has' if len(coverage.known) == 1 else 'have'} nothing new since then"
        lines.append(f"- Only what is new since `{coverage.since[:12]}` was read: {was}, {new} had.")
    if coverage.hidden:
        kinds = ", ".join(coverage.hidden)
        lines.append(f"- Hidden from the host outside, and the rest sent: {kinds}.")
    if coverage.failure:
        lines.append(f"- Why no more: {coverage.failure}. Comment `review` to Hob to try again.")
    lines.append("- Checks that ran: " + (", ".join(coverage.checks) or "none") + ".")
    lines.extend(f"- {name} could not run: {why}." for name, why in facts.checks_not_run)
    lines.extend(f"- {complaint.told}" for complaint in facts.context.complaints)
    lines.extend(f"- {note}" for note in facts.context.notes)
    return "\n".join(lines)


def _effort(facts: PullRequestFacts, coverage: Coverage) -> list[str]:
    """How thoroughly it was read, where that is not as ever."""
    lines = []
    why = f" ({in_code(facts.effort_rule)} in review.effort)" if facts.effort_rule else ""
    if facts.effort == "quick":
        left = "; `review` reads the rest" if any(one.why == LEFT_QUICKLY for one in coverage.unread) else ""
        lines.append(f"- Read quickly{why}: the checks and the riskiest parts, once{left}.")
    elif facts.effort == "deep":
        lines.append(f"- Read deeply{why}: {_times(coverage)}.")
    if coverage.narrowed:
        lines.append(f"- Only {coverage.narrowed} was looked for; `review` reads for everything.")
    return lines


def _times(coverage: Coverage) -> str:
    """How often, and how much of it for holes alone; no more than what came of it."""
    least, most = min(coverage.readings, default=0), max(coverage.readings, default=0)
    often = count(most, "time") if least == most else f"{least} to {count(most, 'time')}"
    parts = len(coverage.readings)
    holes = "all of it" if coverage.holes == parts else f"{coverage.holes} of {count(parts, 'part')}"
    return f"{often}{', with a vote' if most > 1 else ''}, and {holes} once for holes alone"


def check_text(coverage: Coverage) -> str:
    """The files, by what became of them; at most 200 of a kind are named."""
    parts = [f"### Read\n{_listed(coverage.read)}"] if coverage.read else []
    parts += _by_reason("Read in part", coverage.part) + _by_reason("Not read", coverage.unread)
    return "\n\n".join([*parts, *data_receipt(coverage)])


def data_receipt(coverage: Coverage) -> list[str]:
    """Who was shown what, and what left the network; nothing where no model was asked."""
    if not coverage.receipts:
        return []
    changed = {*coverage.read, *(file.path for file in (*coverage.part, *coverage.unread))}
    lines = [_shown(one, changed) for one in coverage.receipts]
    left = sorted({name for one in coverage.receipts if one.asked.online for name in one.names})
    if not left:
        lines.append("- Nothing left your network for a model.")
    else:
        lines.append(f"- These left your network, with the title and the description:\n{_indented(left)}")
    return ["### Data receipt\n" + "\n".join(lines)]


def _shown(one: DataReceipt, changed: set[str]) -> str:
    files = sum(name in changed for name in one.names)
    beside = len(one.names) - files
    what = count(files, "file") + (f" and {count(beside, 'passage')} beside the change" if beside else "")
    model = in_code(one.asked.model)
    if not one.asked.host:
        return f"- Kept answers of {model} were used for {what}: nobody was asked again."
    where = "online" if one.asked.online else "on your network"
    return f"- {model} on {in_code(one.asked.host)} ({where}) was shown {what}."


def _indented(names: list[str]) -> str:
    return "\n".join(f"  {line}" for line in _listed(tuple(names)).split("\n"))


def _by_reason(heading: str, files: tuple[Skipped, ...]) -> list[str]:
    groups: dict[str, list[str]] = defaultdict(list)
    for file in files:
        groups[file.why].append(file.path)
    return [f"### {heading}: {why}\n{_listed(tuple(paths))}" for why, paths in groups.items()]


def _listed(paths: tuple[str, ...]) -> str:
    lines = [f"- {in_code(path)}" for path in paths[:200]]
    if len(paths) > 200:
        lines.append(f"- and {len(paths) - 200} more")
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Judgement:
    """`facts` at the head that was judged; `conclusion` as the check run says it."""

    facts: PullRequestFacts
    chosen: Chosen
    coverage: Coverage
    conclusion: Conclusion
    usage: tuple[Usage, ...] = ()
    unplaced: int = 0
    """Claims whose path or quote does not hold."""
    unjudged: int = 0
    """Claims past what a review holds, or that nobody could verify."""
    dropped: Mapping[str, int] = field(default_factory=dict)
    """Why a finding was dropped before it could be chosen, in words that follow "findings" -> how many."""
    refused: tuple[JudgedFinding, ...] = ()
    """Those of the dropped of which there is more than their number."""

    @property
    def judged(self) -> tuple[JudgedFinding, ...]:
        """Every finding of this review, said or not, but for what stands from an earlier one."""
        _standing, *others = unsaid(self.chosen)
        back = (JudgedFinding(one, "held back", why) for ones, why in others for one in ones)
        return (*map(JudgedFinding, self.chosen.shown), *back, *self.refused)


def unsaid(chosen: Chosen) -> list[tuple[tuple[Finding, ...], str]]:
    """What was not said, and why, in words that follow "findings"; first what was said before."""
    return [
        (chosen.standing, "said before and still there"),
        (chosen.dismissed, "dismissed by people"),
        (chosen.heard, "that others have made already"),
        (chosen.repeated, "about the same lines as others"),
        (chosen.below_severity, "below review.min_severity"),
        (chosen.over_cap, "over review.max_comments"),
    ]
