"""What came of `fix ci`, round by round, and how people read it. It is kept with the one comment that tells
it."""

import re
from dataclasses import dataclass, replace

from bot.core.ci import ACTIONS, CiState
from bot.core.refs import Actor, Sha
from bot.core.text import code_block, cut, in_code, one_line

CI_BRANCH = re.compile(r"hob/ci-([1-9][0-9]{0,9})-[0-9a-f]{8}")
"""A branch made for `fix ci`, and the pull request on which it was asked."""
SUBJECT = "Make the checks pass"
"""How the message of each of its commits begins."""
MOST_NAMES = 5
"""Checks that a round names."""


@dataclass(frozen=True, slots=True)
class CiRound:
    """`head`: the commit whose checks were read; `failed`: their names; `failure`, `patch`: digests of what
    went wrong there and of the files after the patch ("": there is none)."""

    head: Sha
    failed: tuple[str, ...]
    more: int
    """Checks that failed and are not named."""
    cause: str
    quotes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    failure: str = ""
    patch: str = ""
    did: str = ""


@dataclass(frozen=True, slots=True)
class CiSession:
    """`branch`: where its commits go; `base`: the pull request's head when it was asked for, where that is
    another branch; `most`: rounds; `end`: how it ended, empty while it goes on."""

    asker: Actor
    branch: str
    base: str
    most: int
    rounds: tuple[CiRound, ...] = ()
    tried: tuple[str, ...] = ()
    """Digests of the states that the files had before."""
    end: str = ""
    operator: bool = False
    """Whether the operator asked, who needs no permission on GitHub."""

    @property
    def pushed(self) -> int:
        return sum(bool(one.patch) for one in self.rounds)

    def ended(self, how: str) -> "CiSession":
        return replace(self, end=how)

    def after(self, round_: CiRound, *states: str) -> "CiSession":
        return replace(self, rounds=(*self.rounds, round_), tried=(*self.tried, *states))


def told(session: CiSession) -> str:
    """The comment."""
    parts = [_round(number, one, session) for number, one in enumerate(session.rounds, 1)]
    return "\n\n".join([*parts, _state(session)])


def _round(number: int, one: CiRound, session: CiSession) -> str:
    names = ", ".join(in_code(name, 100) for name in one.failed)
    more = f" and {one.more} more" if one.more else ""
    head = f"**Round {number} of {session.most}**" if session.most > 1 and one.patch else "**CI**"
    lines = [f"{head}: {names}{more} failed on {in_code(one.head[:10])}. {one.cause}".strip()]
    if one.quotes:
        lines.append(code_block("\n".join(one_line(quote, 300) for quote in one.quotes), "text"))
    lines += [f"*{note}*" for note in one.notes]
    return "\n\n".join([*lines, *([cut(one.did, 10_000)] if one.did else [])])


def _state(session: CiSession) -> str:
    if session.end:
        return f"**{session.end}**"
    if session.most <= session.pushed:
        return "That was the last round; I say here what came of it."
    return f"When its checks are complete I look again, for at most {session.most} rounds."


def unpushed(session: CiSession, why: str) -> CiSession:
    """As if the last round had pushed nothing, because it was refused."""
    *before, last = session.rounds
    kept = (*before, replace(last, patch="", did=why))
    return replace(session, rounds=kept, end="The commit was refused; I stopped.")


def green(session: CiSession, checks: CiState) -> str | None:
    """How it ended where no check fails; None while what failed is not among those that ended."""
    last = session.rounds[-1].failed if session.rounds else ()
    gone = [
        name for name in last if name not in (*checks.passed, ACTIONS)
    ]  # so are those named that never began
    if any(name not in checks.skipped for name in gone):
        return None
    if gone:
        names = ", ".join(in_code(name, 100) for name in gone)
        return f"Nothing fails any more, but {names} did not run or was skipped: it needs a person."
    n = session.pushed
    return f"Green after {n} {'round' if n == 1 else 'rounds'}."
