"""What reviews that were only kept would have said, as a report. Times are seconds since 1970."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bot.core.finding_outcome import FindingOutcome, Followed
from bot.core.settings import SEVERITIES
from bot.core.text import count, day

_FATES: dict[FindingOutcome, str] = {
    "fixed before the merge": "changed later",
    "changed since": "changed later",
    "still there": "still there",
    "unknown": "not known",
}
_UNSAFE = str.maketrans({"|": "¦", "\n": " ", "\r": " ", "`": "'", "<": "("})


@dataclass(frozen=True, slots=True)
class Kept:
    """One review that was not posted. `followed`: its findings, and what became of their lines."""

    number: int
    head_sha: str
    followed: tuple[Followed, ...] = ()
    tokens_in: int = 0
    tokens_out: int = 0


@dataclass(frozen=True, slots=True)
class ShadowReport:
    """Of one repository, from `since` up to `until`."""

    repo: str
    since: float
    until: float
    reviews: tuple[Kept, ...] = ()

    @property
    def findings(self) -> tuple[Followed, ...]:
        return tuple(one for review in self.reviews for one in review.followed)


def markdown(report: ShadowReport) -> str:
    """For people; nothing in it acts where it is rendered."""
    pulls = {review.number for review in report.reviews}
    lines = [
        f"# What Hob would have said in {report.repo}",
        "",
        f"From {day(report.since)} up to {day(report.until)}. Nothing of it was posted (`review.shadow`).",
        "",
        f"- {count(len(report.reviews), 'review')} of {count(len(pulls), 'pull request')}",
        f"- {count(len(report.findings), 'finding')}{_severities(report.findings)}",
        *([f"- {_fates(report.findings)}"] if report.findings else []),
        f"- {sum(one.tokens_in for one in report.reviews):,} tokens read, "
        f"{sum(one.tokens_out for one in report.reviews):,} written",
    ]
    if report.findings:
        lines += [
            "",
            "| pull request | head | where | severity | finding | its lines |",
            "|---|---|---|---|---|---|",
        ]
        lines += [_row(review, one) for review in report.reviews for one in review.followed]
        lines += [
            "",
            "Lines change for many reasons: *changed later* is a bound from above of what was mended.",
        ]
    return "\n".join(lines) + "\n"


def _row(review: Kept, one: Followed) -> str:
    said = one.finding
    place = f"{said.path}:{said.line}" if said.line else said.path
    cells = (
        f"#{review.number}",
        f"`{review.head_sha[:10]}`",
        f"`{_plain(place)}`",
        said.severity,
        f"`{_plain(said.title)}`",
        _FATES[one.outcome],
    )
    return f"| {' | '.join(cells)} |"


def _plain(text: str) -> str:
    return text.translate(_UNSAFE)[:200]


def _severities(findings: Sequence[Followed]) -> str:
    counts = Counter(one.finding.severity for one in findings)
    said = ", ".join(f"{counts[severity]} {severity}" for severity in SEVERITIES if counts[severity])
    return f": {said}" if said else ""


def _fates(findings: Sequence[Followed]) -> str:
    counts = Counter(_FATES[one.outcome] for one in findings)
    return ", ".join(f"{n} {outcome}" for outcome, n in counts.items())
