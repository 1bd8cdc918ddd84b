"""Check runs of one commit: GitHub shows an App's newest of a name, whichever pull request it was about."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import get_args

from bot.core.effects import Conclusion, SetCheck

_RANK: dict[Conclusion, int] = {one: rank for rank, one in enumerate(get_args(Conclusion))}


def worst(conclusions: Iterable[Conclusion]) -> Conclusion:
    """`neutral` of none."""
    return max(conclusions, key=_RANK.__getitem__, default="neutral")


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
