"""What was found and read, put into one review and one check run."""

from bot.agents.review import following
from bot.core.check_judgement import joined
from bot.core.effects import (
    Annotation,
    AnnotationLevel,
    Effect,
    LineComment,
    Plan,
    PostReview,
    SetCheck,
)
from bot.core.facts import PullRequestFacts
from bot.core.findings import Chosen, Finding, fingerprint
from bot.core.review_result import Coverage, Judgement, check_summary, check_text, check_title, unsaid
from bot.core.settings import Severity
from bot.core.text import close_fences, count, in_code

_LEVELS: dict[Severity, AnnotationLevel] = {
    "critical": "failure",
    "major": "warning",
    "minor": "notice",
    "nit": "notice",
}
MOST_OWNERS = 8
GATED = (
    "\n- Here findings gate (`review.request_changes`): what was not read and judged whole does not pass. "
    "`review` asks again; `review.paths` leaves out what needs no reading."
)


def plan(judged: Judgement) -> Plan:
    """One review when there is something to say, one check run always."""
    facts, chosen, coverage = judged.facts, judged.chosen, judged.coverage
    outside = [finding for finding in chosen.shown if finding.outside]
    check = SetCheck(
        head_sha=facts.head_sha,
        conclusion=judged.conclusion,
        title=check_title(coverage, (*chosen.shown, *chosen.standing), judged.unplaced, judged.unjudged),
        summary=check_summary(facts, coverage) + _unsaid(judged) + _gated(judged),
        text=check_text(coverage) + _owners(facts),
        annotations=tuple(map(_annotation, outside)),
        read=() if coverage.narrowed else coverage.read,
        quick=facts.effort == "quick",
        narrowed=bool(coverage.narrowed),
        judged=True,
        base=facts.base_ref,
        number=facts.number,
    )
    check = joined(check, facts.same_head)
    review = _review(facts, chosen, coverage, gating=judged.conclusion == "failure")
    effects: tuple[Effect, ...] = (review, check) if len(outside) < len(chosen.shown) else (check,)
    effects = (*effects, *following.settle(facts))
    if coverage.complete and judged.conclusion != "failure":
        effects = (*effects, *following.release(facts))
    return Plan(
        effects,
        reason=check.title,
        head_sha=facts.head_sha,
        usage=judged.usage,
        findings=judged.judged,
        fixed=following.fixed(facts),
        opinions=following.opinions(facts.reviews, facts.own_threads),
    )


def _review(facts: PullRequestFacts, chosen: Chosen, coverage: Coverage, *, gating: bool) -> PostReview:
    told = [finding for finding in chosen.shown if not finding.outside]
    loose = [finding for finding in told if not finding.anchored]
    body = f"{count(len(told), 'finding')} {coverage.origin}."
    if loose:
        body += "\n\n" + "\n".join(
            f"- {in_code(item.path)}{_untied(item)}: **{item.severity}** {item.title}. "
            f"{close_fences(item.body)}"
            for item in loose
        )
    if chosen.over_cap:
        body += f"\n\n{count(len(chosen.over_cap), 'more finding')} not shown (review.max_comments)."
    return PostReview(
        number=facts.number,
        head_sha=facts.head_sha,
        body=body,
        comments=tuple(_line_comment(finding) for finding in told if finding.anchored),
        event="REQUEST_CHANGES" if gating else "COMMENT",
        findings=tuple(told),
    )


def _untied(finding: Finding) -> str:
    """What a model says without code is nothing that anybody could look up."""
    return " (tied to no line)" if finding.source == "model" and not finding.quote.strip() else ""


def _line_comment(finding: Finding) -> LineComment:
    source = "" if finding.source == "model" else f" ({finding.source})"
    return LineComment(
        path=finding.path,
        line=finding.line or 0,
        start_line=finding.start_line,
        body=f"**{finding.severity}**: {finding.title}{source}\n\n{finding.body}".rstrip(),
        suggestion=finding.replacement,
        fingerprint=fingerprint(finding),
    )


def _annotation(finding: Finding) -> Annotation:
    """On lines that the change does not touch GitHub takes no review comment; a check run marks them."""
    last = finding.line or 1
    return Annotation(
        path=finding.path,
        start_line=finding.start_line or last,
        end_line=last,
        level=_LEVELS[finding.severity],
        title=finding.title,
        message=finding.body or finding.title,
    )


def _unsaid(judged: Judgement) -> str:
    """Counted, so that nothing is lost in silence."""
    counts = [(len(ones), why) for ones, why in unsaid(judged.chosen)]
    counts += [(number, why) for why, number in judged.dropped.items()]
    return "".join(f"\n- {count(number, 'finding')} {why}, not shown" for number, why in counts if number)


def _gated(judged: Judgement) -> str:
    return GATED if judged.conclusion == "action_required" else ""


def _owners(facts: PullRequestFacts) -> str:
    """Named in code: a suggestion calls nobody."""
    names = [in_code(name) for name in facts.owners[:MOST_OWNERS]]
    return f"\n\n### Who knows these files (CODEOWNERS)\n{', '.join(names)}" if names else ""
