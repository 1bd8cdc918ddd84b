"""What was said at earlier heads: what of it stands still, and which threads are settled."""

from collections.abc import Sequence

from bot.agents.review.repeating import Known
from bot.core.diff import anchor
from bot.core.effect_history import of_thread
from bot.core.effects import DismissReview, Effect, PostReview, ReplyInThread, ResolveThread
from bot.core.facts import OwnThread, PullRequestFacts
from bot.core.finding_outcome import holds, lines_of
from bot.core.findings import Finding, fingerprint, own
from bot.core.occurrence import once
from bot.core.settings import SEVERITIES

MOST_SETTLED = 20
"""Threads that one review settles: each costs a write or two."""


def standing(facts: PullRequestFacts, found: Sequence[Finding], known: Known) -> tuple[Finding, ...]:
    """What a model said before and whose code is still in the change, though this time nobody was asked about
    it. `found`: what stands by this reading; it is not told twice, nor is what people settled."""
    told = {name for one in found for name in known.names(one)}
    settled = {fingerprint(one) for thread, one in _threads(facts) if thread.resolved}
    floor = SEVERITIES.index(facts.context.settings.review.min_severity)
    files = {file.path: file for file in facts.files}
    kept: dict[str, Finding] = {}
    for review in facts.reviews:
        for one in review.findings:
            name, file = fingerprint(one), files.get(one.path)
            if (
                one.source != "model"
                or file is None
                or {name, once(one)} & told
                or name in settled
                or name in kept
            ):
                continue
            severe = SEVERITIES.index(one.severity) <= floor
            if severe and anchor(file, own(one).quote) and not known.dismissed(one):
                kept[name] = one
    return tuple(kept.values())


def settle(facts: PullRequestFacts) -> tuple[Effect, ...]:
    """Words and marks for threads whose code is gone: one word and resolved where GitHub lets Hob, else one
    sentence, once."""
    effects: list[Effect] = []
    for thread, _ in _gone(facts)[:MOST_SETTLED]:
        if facts.may_resolve:
            effects.append(ReplyInThread(facts.number, thread.comment_id, "Fixed."))
            effects.append(ResolveThread(facts.number, thread.id))
        elif not (thread.last_is_ours and thread.last.startswith("Fixed in")):
            words = f"Fixed in `{facts.head_sha[:10]}`."
            effects.append(ReplyInThread(facts.number, thread.comment_id, words))
    return tuple(effects)


def fixed(facts: PullRequestFacts) -> tuple[str, ...]:
    """Fingerprints of what was said before and whose code is gone."""
    return tuple(fingerprint(one) for _, one in _gone(facts))


def opinions(reviews: Sequence[PostReview], threads: Sequence[OwnThread]) -> tuple[tuple[str, int, int], ...]:
    """(fingerprint, thumbs up, thumbs down) of remarks on lines."""
    found = ((one, of_thread(reviews, one.path, one.body)) for one in threads)
    return tuple((fingerprint(said), one.liked, one.disliked) for one, said in found if said is not None)


def release(facts: PullRequestFacts) -> tuple[Effect, ...]:
    """What asked for changes asks no more: all was read, and nothing that would ask for them is there."""
    why = f"Nothing of it stands at {facts.head_sha[:10]}."
    return tuple(DismissReview(facts.number, review, why) for review in facts.blocking)


def _threads(facts: PullRequestFacts) -> list[tuple[OwnThread, Finding]]:
    """Hob's own threads with the findings that they began with."""
    found = ((thread, of_thread(facts.reviews, thread.path, thread.body)) for thread in facts.own_threads)
    return [(thread, finding) for thread, finding in found if finding is not None]


def _gone(facts: PullRequestFacts) -> list[tuple[OwnThread, Finding]]:
    return [(thread, one) for thread, one in _threads(facts) if not thread.resolved and _is_gone(one, facts)]


def _is_gone(finding: Finding, facts: PullRequestFacts) -> bool:
    """Whether its code stands nowhere in its file any more. A file that could not be read tells nothing; one
    that the change no longer touches, or removes, has been put back."""
    text = facts.texts.get(finding.path)
    if text is None:
        there = {file.path for file in facts.files} | {file.path for file in facts.skipped}
        return finding.path not in there
    code = lines_of(finding, None)
    return bool(code) and not holds(text, code)
