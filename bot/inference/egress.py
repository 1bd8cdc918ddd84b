"""What one repository's prompts may use, and how it is accounted for. The layer above knows the repository,
the ledger and the rules for secrets, and hands them in as functions."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bot.core.credentials import Hidden
from bot.core.hosts import Host, HostModel
from bot.core.inference import Usage
from bot.core.privacy import Budget, EgressVerdict, Online, may_leave


async def _allowed() -> Online:
    return "allowed"


async def _nothing() -> Budget:
    return Budget()


def _refuse(text: str) -> Hidden | None:
    """Nobody has looked through it."""
    return None if text else Hidden(text)


async def _forget(_used: Usage, _usd: float) -> None:
    return


@dataclass(slots=True)
class Flight:
    """What this process's online requests under way will cost at most: they are not in the ledger yet."""

    usd: float = 0.0
    tokens: int = 0

    def add(self, usd: float, tokens: int) -> None:
        self.usd += usd
        self.tokens += tokens


IN_FLIGHT = Flight()


@dataclass(frozen=True, slots=True)
class EgressGuard:
    """`policy` is `[privacy] online`. `setting` gives the repository's own (asked only where an online host
    could serve), `spent` the day's budget, `clean` a text without credentials, or None where it
    must not leave even so; `record` writes one use down."""

    policy: Online = "never"
    private: bool | None = True
    """None: nobody knows."""
    setting: Callable[[], Awaitable[Online]] = _allowed
    spent: Callable[[], Awaitable[Budget]] = _nothing
    clean: Callable[[str], Hidden | None] = _refuse
    record: Callable[[Usage, float], Awaitable[None]] = _forget
    purpose: str = ""
    repo_id: int | None = None
    """Whose prompts they are; where nobody says, no model that has learnt a repository is asked."""
    prefer_online: bool = False
    """Of the hosts that may be asked, online ones first."""
    flight: Flight = field(default_factory=lambda: IN_FLIGHT)

    def knows(self, model: HostModel) -> bool:
        """Whether a model is anybody's, or has learnt this very repository."""
        return model.repo_id is None or model.repo_id == self.repo_id

    async def verdict(self, host: Host) -> EgressVerdict:
        """Whether this repository's text may go to the host now."""
        if not host.online or self.policy == "never":
            return may_leave(self.policy, self.private, "never", host, Budget())
        return may_leave(self.policy, self.private, await self.setting(), host, await self._budget())

    async def _budget(self) -> Budget:
        return (await self.spent()).plus(self.flight.usd, self.flight.tokens)


LOCAL_ONLY = EgressGuard()
"""Nothing leaves, nothing is written down."""
