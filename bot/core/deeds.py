"""What Hob has done on an issue or pull request, run by run, as its outbox tells."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.core.earlier import Earlier
from bot.core.effects import DismissReview, Effect, PostReview, SetCheck, TakenBack
from bot.core.findings import fingerprint
from bot.core.occurrence import once
from bot.core.refs import Sha


@dataclass(frozen=True, slots=True)
class Did:
    """An effect that was carried out; `github_id` 0 where nothing on GitHub has an id for it."""

    effect: Effect
    github_id: int = 0


@dataclass(frozen=True, slots=True)
class Deed:
    """All that one run did, in its order."""

    run: int
    did: tuple[Did, ...]


def undone(deeds: Iterable[Deed]) -> frozenset[int]:
    """The runs that were taken back."""
    every = (one.effect for deed in deeds for one in deed.did)
    return frozenset(effect.run for effect in every if isinstance(effect, TakenBack) and effect.run)


def last(deeds: Sequence[Deed]) -> Deed | None:
    """The newest that can be taken back: neither was it, nor did it take another back."""
    gone = undone(deeds)
    return next((one for one in reversed(deeds) if one.run not in gone and not _is_undo(one)), None)


def reviews(deeds: Iterable[Deed], leaving_out: frozenset[int] = frozenset()) -> tuple[PostReview, ...]:
    """What was posted, oldest first."""
    every = (one.effect for deed in deeds if deed.run not in leaving_out for one in deed.did)
    return tuple(effect for effect in every if isinstance(effect, PostReview))


def blocking(deeds: Sequence[Deed]) -> tuple[int, ...]:
    """The reviews that ask for changes still, by their ids."""
    gone = undone(deeds)
    every = [one for deed in deeds for one in deed.did]
    over = {one.effect.review_id for one in every if isinstance(one.effect, DismissReview)}
    asking = (
        one.github_id
        for deed in deeds
        if deed.run not in gone
        for one in deed.did
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


def earlier(deeds: Sequence[Deed]) -> Earlier | None:
    """The head that was reviewed last, told by the check run that was set for it. What was judged and not
    said is judged again."""
    for deed in reversed(deeds):
        for one in reversed(deed.did):
            if isinstance(one.effect, SetCheck) and one.effect.judged and not one.effect.untold:
                return Earlier(one.effect.head_sha, frozenset(one.effect.read), base=one.effect.base)
    return None


def untold(deeds: Sequence[Deed], head: Sha | None) -> int:
    """How many reviews of a head were refused."""
    every = (one.effect for deed in deeds for one in deed.did)
    return sum(isinstance(one, SetCheck) and one.untold and one.head_sha == head for one in every)


def times_judged(deeds: Iterable[Deed], head: Sha) -> int:
    """How often a head was judged: it is again where its base is another."""
    every = (one.effect for deed in deeds for one in deed.did)
    return sum(isinstance(one, SetCheck) and one.judged and one.head_sha == head for one in every)


def _is_undo(deed: Deed) -> bool:
    return any(isinstance(one.effect, TakenBack) for one in deed.did)
