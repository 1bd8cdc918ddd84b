"""Check runs of one commit: GitHub shows an App's newest of a name, whichever pull request it was about."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import get_args

from bot.core.effects import Conclusion, SetCheck
from bot.core.refs import Sha

_RANK: dict[Conclusion, int] = {one: rank for rank, one in enumerate(get_args(Conclusion))}


def worst(conclusions: Iterable[Conclusion]) -> Conclusion:
    """`neutral` of none."""
    return max(conclusions, key=_RANK.__getitem__, default="neutral")


def unread(*, gates: bool) -> Conclusion:
    """Of what nobody has read. GitHub lets `neutral` pass; where findings gate, that would be a way around
    them."""
    return "action_required" if gates else "neutral"


def newest(judged: Iterable[SetCheck]) -> tuple[SetCheck, ...]:
    """The last judgement of each pull request; `judged` oldest first."""
    return tuple({one.number: one for one in judged}.values())


def alone(check: SetCheck) -> Conclusion:
    """What its own pull request came to."""
    return check.own or check.conclusion


def may_stand(check: SetCheck, base: str, judged: Sequence[SetCheck]) -> bool:
    """Whether a check run without a judgement may cover what was judged of its commit: never where it was
    judged against this base, and otherwise only what lets more pass than it does."""
    if not judged:
        return True
    last = newest(judged)
    stands = any(one.base in ("", base) for one in last)
    return not stands and _RANK[check.conclusion] > _RANK[worst(map(alone, last))]


@dataclass(frozen=True, slots=True)
class Member:
    """A pull request of a merge group. `judged`: what its head came to; else why it came to nothing, and
    what a check run says of that."""

    number: int
    judged: SetCheck | None = None
    why: str = ""
    unjudged: Conclusion = "neutral"

    @property
    def conclusion(self) -> Conclusion:
        return alone(self.judged) if self.judged else self.unjudged

    @property
    def words(self) -> str:
        return self.judged.title if self.judged else f"not reviewed: {self.why}"


def of_change(number: int, base: str, judged: Sequence[SetCheck]) -> SetCheck | None:
    """Of the judgements of a commit that which is about the change to `base` that a pull request makes: its
    own, else the worst of others that make the same."""
    same = [one for one in newest(judged) if one.base in ("", base)]
    own = [one for one in same if one.number == number]
    return max(own or same, key=lambda one: _RANK[alone(one)], default=None)


def of_group(head: Sha, members: Sequence[Member], unjudged: Conclusion) -> SetCheck:
    """What the heads in a merge group came to, each judged alone: nobody has read them together. `unjudged`:
    the conclusion where nobody knows which pull requests there are."""
    if not members:
        title = "Not reviewed: the pull requests of this group are not known"
        return SetCheck(head, unjudged, title, f"{title}.", bound=False)
    lines = [f"- Pull request {one.number}: {one.words}." for one in members]
    summary = "\n".join(["What the pull requests of this group came to, each by itself:", *lines])
    conclusion = worst(one.conclusion for one in members)
    left = [one for one in members if one.judged is None]
    first = next(one for one in left or members if left or one.conclusion == conclusion)
    title = (
        f"Pull request {first.number} {first.words}"
        if left
        else f"Pull request {first.number}: {first.words}"
    )
    if len(members) > 1:
        title = f"{len(members) - len(left)} of {len(members)} judged. {title}"
    return SetCheck(head, conclusion, title, summary, bound=False)


def joined(check: SetCheck, others: Sequence[SetCheck]) -> SetCheck:
    """The check run with what other pull requests of the same commit came to: the worse counts."""
    told = [one for one in others if alone(one) != check.conclusion]
    if not told:
        return check
    heard = "".join(f"\n- Pull request {one.number} has this head too: {one.title}." for one in told)
    worse = max(told, key=lambda one: _RANK[alone(one)])
    if _RANK[alone(worse)] <= _RANK[check.conclusion]:
        return replace(check, summary=check.summary + heard)
    return replace(
        check,
        own=check.conclusion,
        conclusion=alone(worse),
        title=f"{check.title}; pull request {worse.number}: {worse.title}",
        summary=check.summary + heard,
    )
