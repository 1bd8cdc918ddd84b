"""What Hob has done on an issue or pull request, run by run, as its outbox tells.

What Hob has said on a pull request, looked up again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.core.effects import (
    AddLabels,
    Comment,
    DismissReview,
    EditComment,
    Effect,
    PostReview,
    RemoveLabels,
    SetCheck,
    TakenBack,
)
from bot.core.findings import Finding, fingerprint
from bot.core.folding import folded
from bot.core.incremental_review import ReviewedHead
from bot.core.occurrence import once
from bot.core.refs import Sha

HINT = (
    "\n\n<details><summary>Wrong, or not useful?</summary>\n\n"
    "Reply here with `/hob dismiss` and why, and it is not said again; `/hob fix` offers a patch where this "
    "repository takes some; a question is answered. A thumbs-down is noted and changes nothing.\n\n</details>"
)
"""Below each remark on lines, folded. It is no part of the remark: what is known again by its text is known
without."""


def without_hint(body: str) -> str:
    return body.replace("\r\n", "\n").replace(HINT, "")


def of_thread(reviews: Sequence[PostReview], path: str, body: str) -> Finding | None:
    """The finding that a thread on this file began with, known by the text that was posted."""
    said = " ".join(without_hint(body).split())
    for review in reversed(reviews):
        for comment in review.comments:
            if comment.path == path and " ".join(comment.body.split()) == said:
                return next((one for one in review.findings if fingerprint(one) == comment.fingerprint), None)
    return None


@dataclass(frozen=True, slots=True)
class Did:
    """An effect that was carried out; `github_id` 0 where nothing on GitHub has an id for it."""

    effect: Effect
    github_id: int = 0
    url: str = ""
    """Its page, where it has one."""


@dataclass(frozen=True, slots=True)
class PastRun:
    """All that one run did, in its order."""

    run: int
    did: tuple[Did, ...]


def undone(past_runs: Iterable[PastRun]) -> frozenset[int]:
    """The runs that were taken back."""
    every = (one.effect for past_run in past_runs for one in past_run.did)
    return frozenset(effect.run for effect in every if isinstance(effect, TakenBack) and effect.run)


def last(past_runs: Sequence[PastRun]) -> PastRun | None:
    """The newest that can be taken back: neither was it, nor did it take another back, nor did it only tell
    how the rounds of `fix ci` ended, which goes with the last round."""
    gone = undone(past_runs)
    kept = (one for one in reversed(past_runs) if one.run not in gone)
    return next((one for one in kept if not _is_undo(one) and not _only_ends_rounds(one)), None)


def reviews(
    past_runs: Iterable[PastRun], leaving_out: frozenset[int] = frozenset()
) -> tuple[PostReview, ...]:
    """What was posted, oldest first."""
    every = (one.effect for past_run in past_runs if past_run.run not in leaving_out for one in past_run.did)
    return tuple(effect for effect in every if isinstance(effect, PostReview))


def blocking(past_runs: Sequence[PastRun]) -> tuple[int, ...]:
    """The reviews that ask for changes still, by their ids."""
    gone = undone(past_runs)
    every = [one for past_run in past_runs for one in past_run.did]
    over = {one.effect.review_id for one in every if isinstance(one.effect, DismissReview)}
    asking = (
        one.github_id
        for past_run in past_runs
        if past_run.run not in gone
        for one in past_run.did
        if isinstance(one.effect, PostReview) and one.effect.event == "REQUEST_CHANGES"
    )
    return tuple(one for one in asking if one and one not in over)


def posted(posts: Iterable[PostReview]) -> frozenset[str]:
    """Fingerprints of the findings that reviews made, on a line or in their own text."""
    posts = tuple(posts)
    inline = {one.fingerprint for review in posts for one in review.comments}
    told = (one for review in posts for one in review.findings)
    made = [each for one in told for each in (one, *one.also)]
    return frozenset(inline | set(map(fingerprint, made)) | set(map(once, made)))


def earlier(past_runs: Sequence[PastRun]) -> ReviewedHead | None:
    """The head that was reviewed last, told by the check run that was set for it. What was judged and not
    said is judged again, and so is what was looked through for something alone."""
    for past_run in reversed(past_runs):
        for one in (each.effect for each in reversed(past_run.did)):
            if isinstance(one, SetCheck) and one.judged and not one.untold and not one.narrowed:
                return ReviewedHead(one.head_sha, frozenset(one.read), base=one.base)
    return None


def untold(past_runs: Sequence[PastRun], head: Sha | None) -> int:
    """How many reviews of a head were refused."""
    every = (one.effect for past_run in past_runs for one in past_run.did)
    return sum(isinstance(one, SetCheck) and one.untold and one.head_sha == head for one in every)


def times_judged(past_runs: Iterable[PastRun], head: Sha) -> int:
    """How often a head was judged: it is again where its base is another."""
    every = (one.effect for past_run in past_runs for one in past_run.did)
    return sum(isinstance(one, SetCheck) and one.judged and one.head_sha == head for one in every)


@dataclass(frozen=True, slots=True)
class StandingComment:
    """A comment of Hob's that is kept up to date, and what of it Hob last proposed."""

    id: int
    own: str


def standing_comment(past_runs: Sequence[PastRun], about: str) -> StandingComment | None:
    """The newest of that name that was not taken back; whether somebody deleted it is GitHub's to say."""
    gone = undone(past_runs)
    found: StandingComment | None = None
    for past_run in past_runs:
        for one in past_run.did:
            match one.effect:
                case Comment(about=name, body=body) if name == about and past_run.run not in gone:
                    found = StandingComment(one.github_id, body)
                case EditComment(comment_id=id, body=body, own=own) if found and id == found.id:
                    found = StandingComment(id, own or body)
    return found


def labels_put(past_runs: Iterable[PastRun], number: int) -> tuple[frozenset[str], frozenset[str]]:
    """(folded names of the labels that Hob put on an issue and did not take off itself since, those that
    somebody had it take off again)"""
    put: set[str] = set()
    unwanted: set[str] = set()
    for past_run in past_runs:
        for one in past_run.did:
            match one.effect:
                case AddLabels(number=at, labels=names) if at == number:
                    put |= set(map(folded, names))
                case RemoveLabels(number=at, labels=names) if at == number:
                    put -= set(map(folded, names))
                    unwanted |= set(map(folded, names)) if _is_undo(past_run) else set()
    return frozenset(put), frozenset(unwanted)


def last_explained(past_runs: Sequence[PastRun]) -> tuple[str, ...]:
    """What the newest deed rests on that was not taken back and says so, a line each."""
    gone = undone(past_runs)
    for past_run in reversed(past_runs):
        told = [line for one in past_run.did for line in getattr(one.effect, "why", ())]
        if told and past_run.run not in gone:
            return tuple(dict.fromkeys(told))
    return ()


def _only_ends_rounds(past_run: PastRun) -> bool:
    told = [one.effect for one in past_run.did]
    return bool(told) and all(isinstance(one, EditComment) and one.ci and one.ci.end for one in told)


def _is_undo(past_run: PastRun) -> bool:
    return any(isinstance(one.effect, TakenBack) for one in past_run.did)
