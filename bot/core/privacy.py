"""What may leave the user's network, decided in one place. Pure."""

from dataclasses import dataclass, replace
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
    closed: str = ""
    """Why nothing may be bought whatever the caps: what is spent cannot be counted."""

    @property
    def refusal(self) -> str:
        """Why nothing more may be bought, or nothing."""
        if not self.usd_per_day and not self.tokens_per_day:
            return "[budget] allows none: set online_usd_per_day or online_tokens_per_day"
        if self.closed:
            return self.closed
        if self.usd_per_day and self.usd >= self.usd_per_day:
            return f"the day's {self.usd_per_day:.2f} US dollars are spent; it opens again at midnight UTC"
        if self.tokens_per_day and self.tokens >= self.tokens_per_day:
            return f"the day's {self.tokens_per_day:,} tokens are spent; it opens again at midnight UTC"
        return ""

    def plus(self, usd: float, tokens: int) -> "Budget":
        """With so much more spent."""
        return replace(self, usd=self.usd + usd, tokens=self.tokens + tokens)


_UNKNOWN = (
    "[privacy] online is for public repositories only, and nobody can tell here whether this one is: "
    'set it to "allowed", or use `hob review OWNER/REPO#N`, where GitHub tells'
)
_UNPRICED = (
    "[budget] online_usd_per_day cannot close, for nothing says what it costs: set usd_per_mtok_in and "
    "usd_per_mtok_out of the host (0 if it costs nothing), or cap tokens alone with online_tokens_per_day"
)


@dataclass(frozen=True, slots=True)
class EgressVerdict:
    """Whether a prompt may go to a host, and for a person why not."""

    allowed: bool
    reason: str = ""


def may_leave(
    policy: Online, repo_private: bool | None, repo_setting: Online, host: Host, budget: Budget
) -> EgressVerdict:
    """Whether a repository's text may go to this host. The repository's own setting can only narrow
    `[privacy] online`. A repository of which it is not known (None) counts as private."""
    if not host.online:
        return EgressVerdict(True)
    if policy == "never":
        return EgressVerdict(False, "it is online, and [privacy] online is never")
    if repo_private is None and policy != "allowed":
        return EgressVerdict(False, f"it is online, and {_UNKNOWN}")
    if repo_private and policy != "allowed":
        return EgressVerdict(False, "it is online, and [privacy] online is for public repositories only")
    if repo_setting == "never":
        return EgressVerdict(False, "it is online, which this repository does not allow")
    if repo_private is not False and repo_setting != "allowed":
        return EgressVerdict(False, "it is online, which this repository allows only while it is public")
    if budget.usd_per_day and not host.priced:
        return EgressVerdict(False, f"it is online, and {_UNPRICED}")
    refusal = budget.refusal
    return EgressVerdict(not refusal, refusal and f"it is online, and {refusal}")
