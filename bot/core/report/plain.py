"""JSON of our own: everything that is known of a judgement."""

from typing import Any

from bot.core.findings import Finding, fingerprint
from bot.core.review_result import Judgement
from bot.core.settings_merge import FILE


def as_json(judged: Judgement) -> dict[str, Any]:
    """`{"base","head","title","conclusion","failure","checks","files","findings","counts","models"}`. Lines
    count from 1 on the new side; they are null where a finding has no line. `findings` are all that are
    severe enough, `counts["shown"]` how many of them, from the first, a review would show."""
    facts, coverage = judged.facts, judged.coverage
    return {
        "base": facts.base_sha,
        "head": facts.head_sha,
        "title": facts.title,
        "conclusion": judged.conclusion,
        "failure": coverage.failure,
        "checks": list(coverage.checks),
        "checks_not_run": dict(facts.checks_not_run),
        "files": {
            "total": coverage.total,
            "read": list(coverage.read),
            "unread": [{"path": file.path, "why": file.why} for file in coverage.unread],
        },
        "findings": [finding_as_json(finding) for finding in every(judged)],
        "counts": counts(judged),
        "complaints": [one.message if one.path == FILE else one.told for one in facts.context.complaints],
        "models": sorted({f"{used.model}@{used.host}" for used in judged.usage}),
        "tokens_in": sum(used.tokens_in for used in judged.usage),
        "tokens_out": sum(used.tokens_out for used in judged.usage),
        "tokens_cached": sum(used.tokens_cached for used in judged.usage),
    }


def finding_as_json(finding: Finding) -> dict[str, Any]:
    """One finding with the name by which it is known over time."""
    return {
        "path": finding.path,
        "start": finding.start_line or finding.line,
        "end": finding.line,
        "severity": finding.severity,
        "category": finding.category,
        "title": finding.title,
        "body": finding.body,
        "quote": finding.quote,
        "replacement": finding.replacement,
        "confidence": finding.confidence,
        "source": finding.source,
        "fingerprint": fingerprint(finding),
    }


def every(judged: Judgement) -> tuple[Finding, ...]:
    """Those that a review would show, and those over `review.max_comments`: programs read them all."""
    return (*judged.chosen.shown, *judged.chosen.over_cap)


def counts(judged: Judgement) -> dict[str, int]:
    """How many findings are shown, and how many are not: by why, in words that follow "findings"."""
    chosen = judged.chosen
    return {
        "shown": len(chosen.shown),
        "over review.max_comments": len(chosen.over_cap),
        "below review.min_severity": len(chosen.below_severity),
        "about the same lines as others": len(chosen.repeated),
        **{why: number for why, number in judged.dropped.items() if number},
    }
