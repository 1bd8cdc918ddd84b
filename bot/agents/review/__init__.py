"""Judges a pull request: asks a model about units of related hunks, anchors what it says by its quotes, has
a second prompt try to refute it, joins the checks' findings, and plans one review and one check run. The
model never gives a line number and never decides what is posted."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from bot.agents.review import following, judging, writing
from bot.agents.review.asking import not_asked, read
from bot.agents.review.looking import Looking
from bot.agents.review.repeating import Known, said_by_others
from bot.agents.review.suggesting import with_suggestions
from bot.agents.review.verifying import Verified, verify
from bot.core.effects import DismissReview, Plan, PostReview, ReplyInThread, ResolveThread, SetCheck
from bot.core.facts import PullRequestFacts
from bot.core.findings import Chosen, Finding, JudgedFinding, choose
from bot.core.inference import AskedHost, Infer
from bot.core.review_result import Coverage, DataReceipt, Judgement, conclusion

MAY = frozenset({PostReview, DismissReview, SetCheck, ReplyInThread, ResolveThread})
"""The kinds of effects that `plan` may hold."""
UNVERIFIED = "that could not be verified"
REFUTED = "that a second look refuted"
VERIFIED = 2
"""As many times `max_comments` findings are verified, so that some may be refuted,"""
MOST_VERIFIED = 24
"""but not more than these, unless more may be shown."""


opinions = following.opinions


async def plan(facts: PullRequestFacts, infer: Infer, looking: Looking | None = None) -> Plan:
    """One review when there is something to say, one check run always."""
    return writing.plan(await judge(facts, infer, looking))


async def judge(facts: PullRequestFacts, infer: Infer | None, looking: Looking | None = None) -> Judgement:
    """What is found, what of it is said, and what was read; without `infer` by the checks alone. `looking`:
    where what a claim rests on can be looked up."""
    reading = await read(facts, infer) if infer else not_asked(facts)
    judged = judging.judged(reading, facts)
    settings = facts.context.settings.review
    most = settings.max_comments
    wanted = max(most, min(VERIFIED * most, MOST_VERIFIED))
    known = Known(facts, facts.checked)
    found = list(map(known.placed, (*facts.checked, *judged.findings)))
    candidates = _choose(found, facts, known, wanted)
    verified = Verified(candidates.shown)
    if infer:
        left = settings.max_calls - reading.calls
        verified = await verify(candidates.shown, facts, infer, reading.common, looking, left)
    chosen = _joined(candidates, _choose(verified.kept, facts, known, most, verified=True))
    chosen = replace(chosen, shown=await with_suggestions(chosen.shown, facts))
    before = following.standing(facts, (*chosen.shown, *chosen.standing), known)
    chosen = replace(chosen, standing=(*chosen.standing, *before))
    coverage = Coverage(
        read=(*reading.read, *reading.known, *facts.without_lines),
        unread=(*facts.skipped, *reading.unread),
        total=facts.total_files,
        checks=facts.checks_run,
        failure=reading.failure,
        part=reading.part,
        known=reading.known,
        hidden=tuple(sorted(reading.hidden)),
        receipts=_joined_receipts(*reading.receipts, *verified.receipts),
        since=facts.earlier.head_sha if facts.earlier else "",
        narrowed=facts.narrowed,
        readings=reading.readings,
        holes=reading.holes,
    )
    dropped = judged.dropped + _dropped(verified)
    unplaced = dropped[judging.ASTRAY] + dropped[judging.UNQUOTED]
    unjudged = dropped[judging.TOO_MANY] + dropped[UNVERIFIED]
    unchecked = len(facts.checks_unjudged) if settings.request_changes else 0
    return Judgement(
        facts=facts,
        chosen=chosen,
        coverage=coverage,
        conclusion=conclusion(
            coverage,
            (*chosen.shown, *chosen.standing),
            gating=settings.request_changes,
            unplaced=unplaced + unjudged + unchecked,
        ),
        usage=(*reading.usage, *verified.usage),
        dropped=dropped,
        refused=(*judged.refused, *_refused(verified)),
        unplaced=unplaced,
        unjudged=unjudged,
    )


def _choose(
    findings: Sequence[Finding], facts: PullRequestFacts, known: Known, most: int, *, verified: bool = False
) -> Chosen:
    settings = facts.context.settings.review
    return choose(
        findings,
        min_severity=settings.min_severity,
        max_comments=most,
        posted=facts.posted,
        names=known.names,
        heard=lambda finding: said_by_others(finding, facts.threads),
        dismissed=known.dismissed,
        verified=verified,
    )


def _joined(first: Chosen, last: Chosen) -> Chosen:
    """What is shown in the end, and all that was only counted on the way."""
    return replace(
        first,
        shown=last.shown,
        over_cap=(*last.over_cap, *first.over_cap),
        repeated=(*first.repeated, *last.repeated),
    )


def _joined_receipts(*each: DataReceipt) -> tuple[DataReceipt, ...]:
    """One for each that was asked."""
    names: dict[AskedHost, dict[str, None]] = {}
    for one in each:
        names[one.asked] = names.get(one.asked, {}) | dict.fromkeys(one.names)
    return tuple(DataReceipt(asked, tuple(some)) for asked, some in sorted(names.items()))


def _refused(verified: Verified) -> list[JudgedFinding]:
    refuted = [JudgedFinding(one, "refused", REFUTED) for one in verified.refuted]
    return refuted + [JudgedFinding(one, "refused", UNVERIFIED) for one in verified.unsure]


def _dropped(verified: Verified) -> Counter[str]:
    return Counter(
        {
            REFUTED: len(verified.refuted),
            UNVERIFIED: len(verified.unsure),
        }
    )
