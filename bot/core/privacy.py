"""What may leave the user's network, decided in one place. Pure."""

from dataclasses import dataclass
from typing import Literal

from bot.core.hosts import Host

Online = Literal["never", "public", "allowed"]
ONLINE: tuple[Online, ...] = ("never", "public", "allowed")
"""Narrowest first."""


@dataclass(frozen=True, slots=True)
class Budget:
    """`[budget]` and what of it is spent today (UTC). A cap of 0 does not limit, unless both are 0: then
    nothing is bought."""

    usd_per_day: float = 0.0
    tokens_per_day: int = 0
    usd: float = 0.0
    tokens: int = 0

    @property
    def refusal(self) -> str:
        """Why nothing more may be bought, or nothing."""
        if not self.usd_per_day and not self.tokens_per_day:
            return "[budget] allows none"
        if self.usd_per_day and self.usd >= self.usd_per_day:
            return f"the day's {self.usd_per_day:.2f} US dollars are spent; it opens again at midnight UTC"
        if self.tokens_per_day and self.tokens >= self.tokens_per_day:
            return f"the day's {self.tokens_per_day:,} tokens are spent; it opens again at midnight UTC"
        return ""

    def plus(self, usd: float, tokens: int) -> "Budget":
        """With so much more spent."""
        return Budget(self.usd_per_day, self.tokens_per_day, self.usd + usd, self.tokens + tokens)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a prompt may go to a host, and for a person why not."""

    allowed: bool
    reason: str = ""


def may_leave(
    policy: Online, repo_private: bool, repo_setting: Online, host: Host, budget: Budget
) -> Verdict:
    """Whether a repository's text may go to this host. The repository's own setting can only narrow
    `[privacy] online`."""
    if not host.online:
        return Verdict(True)
    if policy == "never":
        return Verdict(False, "it is online, and [privacy] online is never")
    if repo_private and policy != "allowed":
        return Verdict(False, "it is online, and [privacy] online is for public repositories only")
    if repo_setting == "never":
        return Verdict(False, "it is online, which this repository does not allow")
    if repo_private and repo_setting != "allowed":
        return Verdict(False, "it is online, which this repository allows only while it is public")
    refusal = budget.refusal
    return Verdict(not refusal, refusal and f"it is online, and {refusal}")
