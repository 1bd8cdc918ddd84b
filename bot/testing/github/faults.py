"""Things that go wrong at GitHub and on the way, on demand."""

import re
from dataclasses import dataclass
from typing import Literal

FaultKind = Literal[
    "answer",  # answers `status` and does nothing
    "apply_then_answer",  # does it, then answers `status`
    "apply_then_reset",  # does it, then breaks the connection
    "apply_then_hang",  # does it, then says nothing for `seconds`
    "reset",  # breaks the connection and does nothing
    "hang",  # says nothing for `seconds` and does nothing
    "retry_after",  # 403, `retry-after: seconds`
    "rate_limited",  # 403, nothing remaining, reset in `seconds`
    "secondary",  # 403 for the secondary limit, with neither header
    "too_many",  # 429, `retry-after: seconds`
    "refuse",  # does nothing and answers as `says` names it in `bot.testing.github.refusals`
    "partly",  # GraphQL: gives only the first `status` objects, for the query was too large
    "one_broken",  # GraphQL: gives all objects but the first
    "redirect",  # 301 (or `status`) to `location`: a path of this server, or another host
]
APPLIES = ("apply_then_answer", "apply_then_reset", "apply_then_hang", "partly", "one_broken")


@dataclass(eq=False)
class Fault:
    """Hits the next `times` requests whose method and path (searched in, without /api/v3) fit."""

    method: str
    path: str
    kind: FaultKind
    times: int = 1
    status: int = 502
    seconds: float = 60.0
    location: str = ""
    says: str = ""
    hits: int = 0

    @property
    def used_up(self) -> bool:
        return self.hits >= self.times

    @property
    def applies(self) -> bool:
        return self.kind in APPLIES

    def takes(self, method: str, path: str) -> bool:
        """Whether it hits this request; then it has."""
        if self.used_up or self.method not in ("*", method) or not re.search(self.path, path):
            return False
        self.hits += 1
        return True
